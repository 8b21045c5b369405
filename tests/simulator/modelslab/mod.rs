//! ModelsLab: the key in the body, pictures at once, videos as tasks. Of a picture with the word `queued` in its
//! prompt it makes a task, too.

mod voice;

#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    script::Script,
    studio::{FILM, Sent, State, Taken, host},
};

use voice::ModelsLab;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/modelslab")
            .route("/images/text2img", web::post().to(picture))
            .route("/video/text2video", web::post().to(video))
            .route("/images/fetch/{id}", web::post().to(fetch))
            .route("/video/fetch/{id}", web::post().to(fetch)),
    );
}

async fn picture(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent = Sent::of(&request, &body);
    let taken = take(&script, &request, &body, &sent).await?;
    let prompt = sent.text("prompt").unwrap_or_default();
    let size = sent.text("width").zip(sent.text("height"));
    let size = size.map(|(width, height)| format!("{width}x{height}"));
    let file = format!("{}.png", taken.drawing(size.as_deref())?);
    if ["queued", "doomed", "endless"]
        .iter()
        .any(|word| prompt.contains(word))
    {
        return Ok(begun(&taken, &file, prompt, "images"));
    }
    let count = sent.number("samples").unwrap_or(1).clamp(1, 4);
    let links: Vec<String> = (0..count).map(|_| taken.link(&file)).collect();
    Ok(
        taken
            .answer(&json!({"status": "success", "generationTime": 1.5, "id": 1, "output": links})),
    )
}

async fn video(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent = Sent::of(&request, &body);
    let taken = take(&script, &request, &body, &sent).await?;
    let prompt = sent.text("prompt").unwrap_or_default();
    Ok(begun(&taken, FILM, prompt, "video"))
}

async fn take<'a>(
    script: &'a Script,
    request: &'a HttpRequest,
    body: &Bytes,
    sent: &'a Sent,
) -> Result<Taken<'a>> {
    let model = sent.text("model_id").unwrap_or_default();
    let taken = Taken::of(&ModelsLab, script, request, body, sent.text("key"), model).await?;
    if !sent.has("prompt") {
        return Err(taken.objection("prompt is required"));
    }
    Ok(taken)
}

fn begun(taken: &Taken<'_>, file: &str, prompt: &str, room: &str) -> HttpResponse {
    let id = taken.begin(file, prompt, |number| (1_000_000 + number).to_string());
    let url = format!("http://{}/modelslab/{room}/fetch/{id}", host(taken.request));
    let number: u64 = id.parse().unwrap_or_default();
    taken.answer(&json!({
        "status": "processing", "messege": "Try to fetch request after seconds estimated", "eta": 10,
        "fetch_result": url, "id": number, "output": [],
    }))
}

async fn fetch(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent = Sent::of(&request, &body);
    let token = sent.text("key");
    let owner = token.unwrap_or_default();
    let known = script.jobs().find(&id, owner).map(|job| job.model.clone());
    let model = known.ok_or_else(|| voice::no_task().end(&ModelsLab))?;
    let taken = Taken::of(&ModelsLab, &script, &request, &body, token, &model).await?;
    let asked = script.jobs().ask(&id, taken.token);
    let (job, state) = asked.ok_or_else(|| voice::no_task().end(&ModelsLab))?;
    Ok(taken.answer(&match state {
        State::Waiting | State::AtWork => json!({"status": "processing", "output": Value::Null}),
        State::Done => json!({"status": "success", "id": *id, "output": [taken.link(&job.file)]}),
        State::Failed | State::Cancelled => {
            json!({"status": "failed", "messege": "Something went wrong while drawing"})
        }
    }))
}
