//! Ark: pictures and sequences of them, whole or as events, and videos as tasks.
//!
//! With the word `doomed` in its prompt, the second picture of a sequence fails, and so does a single one.

mod voice;

#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    chat,
    drawing::Drawing,
    request,
    script::Script,
    studio::{FILM, State, Taken},
};

use voice::Ark;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/ark/api/v3")
            .route("/chat/completions", web::post().to(chat::complete))
            .route("/images/generations", web::post().to(draw))
            .route("/contents/generations/tasks", web::post().to(film))
            .route("/contents/generations/tasks/{id}", web::get().to(task))
            .route("/contents/generations/tasks/{id}", web::delete().to(cancel)),
    );
}

async fn draw(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let model = sent["model"].as_str().unwrap_or_default();
    let token = request::token(&request);
    let taken = Taken::of(&Ark, &script, &request, &body, token, model).await?;
    let prompt = sent["prompt"].as_str().unwrap_or_default();
    if prompt.is_empty() {
        return Err(taken.objection("prompt is required"));
    }
    let drawing = drawing(&taken, &sent)?;
    let count = count(&sent);
    let entries: Result<Vec<_>> = (0..count)
        .map(|at| {
            if prompt.contains("doomed") && (at == 1 || count == 1) {
                return Ok(json!({ "error": voice::risky() }));
            }
            let mut entry = taken.entry(drawing, sent["response_format"] == "b64_json")?;
            entry["size"] = format!("{}x{}", drawing.width, drawing.height).into();
            Ok(entry)
        })
        .collect();
    let entries = entries?;
    let made = entries
        .iter()
        .filter(|entry| entry["error"].is_null())
        .count();
    let usage = json!({"generated_images": made, "output_tokens": 16384, "total_tokens": 16384});
    if sent["stream"] == true {
        let body = events(model, &entries, &usage);
        return Ok(taken.send("text/event-stream", body.into()));
    }
    let created = 1_757_321_139;
    Ok(taken.answer(&json!({
        "model": model, "created": created, "data": entries, "usage": usage,
    })))
}

/// `1K` and its like are drawn small, as nothing at all is.
fn drawing(taken: &Taken<'_>, sent: &Value) -> Result<Drawing> {
    let size = sent["size"].as_str();
    let named = |size: &&str| !["1K", "1.5K", "2K", "4K", "adaptive"].contains(size);
    taken.drawing(size.filter(named))
}

/// A sequence of as many as there may be.
fn count(sent: &Value) -> u64 {
    let most = &sent["sequential_image_generation_options"]["max_images"];
    match sent["sequential_image_generation"] == "auto" {
        true => most.as_u64().unwrap_or(15).clamp(1, 15),
        false => 1,
    }
}

fn events(model: &str, entries: &[Value], usage: &Value) -> String {
    let mut out = String::new();
    let mut send = |mut event: Value, kind: &str| {
        let kind = format!("image_generation.{kind}");
        event["type"] = kind.as_str().into();
        event["model"] = model.into();
        out.push_str(&format!("event: {kind}\ndata: {event}\n\n"));
    };
    for (at, entry) in entries.iter().enumerate() {
        let mut event = entry.clone();
        event["image_index"] = at.into();
        let failed = !entry["error"].is_null();
        send(
            event,
            if failed {
                "partial_failed"
            } else {
                "partial_succeeded"
            },
        );
    }
    send(json!({ "usage": usage }), "completed");
    out.push_str("data: [DONE]\n\n");
    out
}

async fn film(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let model = sent["model"].as_str().unwrap_or_default();
    let token = request::token(&request);
    let taken = Taken::of(&Ark, &script, &request, &body, token, model).await?;
    let content = sent["content"].as_array().cloned().unwrap_or_default();
    if content.is_empty() {
        return Err(taken.objection("content is required"));
    }
    let prompt = content.iter().find_map(|part| part["text"].as_str());
    let id = taken.begin(FILM, prompt.unwrap_or_default(), |number| {
        format!("cgt-20250331175019-{number:05}")
    });
    Ok(taken.answer(&json!({ "id": id })))
}

async fn task(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let model = owned(&script, &request, &id)?;
    let token = request::token(&request);
    let taken = Taken::of(&Ark, &script, &request, &Bytes::new(), token, &model).await?;
    let (job, state) = script.jobs().ask(&id, taken.token).ok_or_else(no_task)?;
    let mut answer = json!({"id": *id, "model": model, "created_at": 1_743_414_619});
    answer["status"] = json!(match state {
        State::Waiting => "queued",
        State::AtWork => "running",
        State::Done => "succeeded",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    });
    match state {
        State::Done => {
            answer["content"] = json!({"video_url": taken.link(&job.file)});
            answer["usage"] = json!({"completion_tokens": 108_900, "total_tokens": 108_900});
        }
        State::Failed => answer["error"] = voice::risky(),
        _ => {}
    }
    Ok(taken.answer(&answer))
}

async fn cancel(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let model = owned(&script, &request, &id)?;
    let token = request::token(&request);
    let taken = Taken::of(&Ark, &script, &request, &Bytes::new(), token, &model).await?;
    script.jobs().cancel(&id, taken.token).ok_or_else(no_task)?;
    Ok(taken.answer(&json!({})))
}

/// The model of a task that whoever asks has begun.
fn owned(script: &Script, request: &HttpRequest, id: &str) -> Result<String> {
    let token = request::token(request).unwrap_or_default();
    let model = script.jobs().find(id, token).map(|job| job.model.clone());
    model.ok_or_else(no_task)
}

fn no_task() -> actix_web::Error {
    voice::no_task().end(&Ark)
}
