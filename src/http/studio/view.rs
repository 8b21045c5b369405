//! Tasks and pictures as the studio's API shows them.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};
use troupe_actors::{
    images::Image,
    jobs::{Job, JobFailure, JobOrder, JobResult},
};

use super::{ids::task_id, words};
use crate::pages::language::Language;

/// A task, with the pictures that are left of it where it is completed.
pub fn task(job: &Job, images: &[Image], language: Language) -> Value {
    let mut task = object(json!({
        "task_id": task_id(&job.id),
        "status": job.state,
        "progress": job.progress,
        "model": job.model,
        "action": action(&job.action),
        "prompt": job.order.as_ref().map_or("", |order| &order.prompt),
        "params": job.order.as_ref().map(params),
        "created_at": time(job.created_at),
    }));
    let mut add = |name: &str, value: Option<Value>| {
        task.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("queue_position", job.position.map(Value::from));
    add("estimated_time", job.estimated_seconds.map(Value::from));
    add("started_at", job.started_at.map(|at| time(at).into()));
    add("completed_at", job.finished_at.map(|at| time(at).into()));
    let shown = images.iter().map(|image| self::image(image, job));
    let is_completed = job.state == troupe_actors::jobs::State::Completed;
    add("images", is_completed.then(|| shown.collect()));
    let error = job.error.as_ref().map(|error| failure(error, language));
    add("error", error);
    add("next_attempt_at", next_attempt_at(job));
    add("last_error", last_error(job, language));
    task.into()
}

/// A task that has just been taken, in the words of the seed.
pub fn taken(job: &Job) -> Value {
    json!({
        "task_id": task_id(&job.id),
        "status": job.state,
        "created_at": time(job.created_at),
        "estimated_time": job.estimated_seconds,
    })
}

/// The word by which it is ordered.
fn action(name: &str) -> &str {
    match name {
        "image_to_video" | "text_to_video" => "video",
        name => name,
    }
}

/// What was wanted besides the words, under the names that it is ordered by.
fn params(order: &JobOrder) -> Value {
    let mut params = object(json!({
        "negative_prompt": order.negative_prompt,
        "width": order.size.map(|size| size.width),
        "height": order.size.map(|size| size.height),
        "num_images": order.count,
        "steps": order.steps,
        "scale": order.guidance,
        "seed": order.seed,
        "seconds": order.seconds,
    }));
    params.retain(|_, value| !value.is_null());
    params.into()
}

/// A picture of a job.
pub fn image(image: &Image, job: &Job) -> Value {
    let url = format!("/api/v1/images/{}", image.id);
    let thumbnail = (!image.is_film()).then(|| format!("{url}/thumbnail"));
    let mut shown = object(json!({
        "image_id": image.id,
        "task_id": task_id(&image.job_id),
        "url": url,
        "thumbnail_url": thumbnail,
        "width": image.width,
        "height": image.height,
        "file_size": image.bytes,
        "mime": image.mime,
        "pinned": image.pinned,
        "tags": image.tags,
        "created_at": time(image.created_at),
    }));
    if let Some(JobResult::Made {
        seed,
        revised_prompt,
        ..
    }) = job.output.results.get(image.position)
    {
        shown.extend(seed.map(|seed| ("seed".to_owned(), seed.into())));
        let revised = revised_prompt.clone().map(Value::from);
        shown.extend(revised.map(|revised| ("revised_prompt".to_owned(), revised)));
    }
    shown.into()
}

/// Why a task, or one picture of it, failed.
pub fn failure(failure: &JobFailure, language: Language) -> Value {
    json!({
        "code": failure.code,
        "kind": failure.kind,
        "message": words::failure(failure, language),
    })
}

/// Why a task is tried again later; none where it was not tried yet, or is not to be any more.
pub fn last_error(job: &Job, language: Language) -> Option<Value> {
    let setback = job.setback.as_ref()?;
    Some(json!({
        "code": setback.code,
        "kind": setback.kind,
        "message": words::setback(setback, language),
    }))
}

/// When a task is tried again that rests until then.
pub fn next_attempt_at(job: &Job) -> Option<Value> {
    job.wake_at.map(|at| time(at).into())
}

/// Milliseconds since 1970 in ISO 8601.
fn time(at: i64) -> String {
    let time = DateTime::from_timestamp_millis(at).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
