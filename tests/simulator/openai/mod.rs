//! OpenAI's edits and videos; its pictures are in [`crate::images`].

#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, http::header::CONTENT_TYPE, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    refusal::{OpenAi, objection},
    request,
    script::Script,
    studio::{FILM, Job, Sent, State, Taken, film},
    voice::Problem,
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/v1/images/edits", web::post().to(edit))
        .route("/v1/videos", web::post().to(begin))
        .route("/v1/videos/{id}", web::get().to(ask))
        .route("/v1/videos/{id}/content", web::get().to(content));
}

async fn edit(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent = Sent::of(&request, &body);
    let model = sent.text("model").unwrap_or("dall-e-2");
    let token = request::token(&request);
    let taken = Taken::of(&OpenAi, &script, &request, &body, token, model).await?;
    needs_form(&request)?;
    let pictures = ["image", "image[]"]
        .iter()
        .any(|name| sent.file(name).is_some());
    if !pictures {
        return Err(missing("image").end(&OpenAi));
    }
    if !sent.has("prompt") {
        return Err(missing("prompt").end(&OpenAi));
    }
    // this family has no links, and no word for what it has
    let is_gpt = model.starts_with("gpt-image");
    if is_gpt && sent.has("response_format") {
        let text = "Unknown parameter: 'response_format'.";
        return Err(objection(text, "response_format", Some("unknown_parameter")).end(&OpenAi));
    }
    let drawing = taken.drawing(sent.text("size"))?;
    let base64 = is_gpt || sent.text("response_format") == Some("b64_json");
    let entry = taken.entry(drawing, base64)?;
    let count = sent.number("n").unwrap_or(1).clamp(1, 10);
    let data = vec![entry; usize::try_from(count).unwrap_or(1)];
    let mut answer = json!({"created": 1_763_712_000, "data": data});
    if is_gpt {
        answer["usage"] = json!({"input_tokens": 323, "output_tokens": 272, "total_tokens": 595});
    }
    Ok(taken.answer(&answer))
}

async fn begin(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent = Sent::of(&request, &body);
    let model = sent.text("model").unwrap_or("sora-2");
    let token = request::token(&request);
    let taken = Taken::of(&OpenAi, &script, &request, &body, token, model).await?;
    if !sent.has("prompt") {
        return Err(missing("prompt").end(&OpenAi));
    }
    for (name, allowed) in [
        ("seconds", &["4", "8", "12"][..]),
        (
            "size",
            &["720x1280", "1280x720", "1024x1792", "1792x1024"][..],
        ),
    ] {
        if let Some(value) = sent.text(name).filter(|value| !allowed.contains(value)) {
            let text = format!("Invalid value: '{value}'. Supported values are: {allowed:?}.");
            return Err(objection(&text, name, Some("invalid_value")).end(&OpenAi));
        }
    }
    let prompt = sent.text("prompt").unwrap_or_default();
    let id = taken.begin(FILM, prompt, |number| format!("video_{number:040x}"));
    Ok(taken.answer(&video(&id, model, State::Waiting)))
}

async fn ask(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (token, job) = owned(&script, &request, &id)?;
    let token = Some(token);
    let taken = Taken::of(&OpenAi, &script, &request, &Bytes::new(), token, &job.model).await?;
    let asked = script.jobs().ask(&id, taken.token);
    let (job, state) = asked.ok_or_else(|| no_video(&id).end(&OpenAi))?;
    Ok(taken.answer(&video(&id, &job.model, state)))
}

async fn content(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (_, job) = owned(&script, &request, &id)?;
    if !job.is_made() {
        let text = "Video is not ready yet, use GET /v1/videos/{video_id} to check status.";
        return Err(objection(text, "", None).end(&OpenAi));
    }
    Ok(HttpResponse::Ok().content_type("video/mp4").body(film()))
}

/// A video, and who has begun it and shows so.
fn owned<'a>(script: &Script, request: &'a HttpRequest, id: &str) -> Result<(&'a str, Job)> {
    let token = request::token(request).unwrap_or_default();
    let job = script.jobs().find(id, token).cloned();
    Ok((token, job.ok_or_else(|| no_video(id).end(&OpenAi))?))
}

fn video(id: &str, model: &str, state: State) -> Value {
    let (status, progress) = match state {
        State::Waiting => ("queued", 0),
        State::AtWork => ("in_progress", 50),
        State::Done => ("completed", 100),
        State::Failed | State::Cancelled => ("failed", 50),
    };
    let error = match state {
        State::Failed => json!({
            "code": "moderation_blocked", "message": "Your request was blocked by our moderation system.",
        }),
        _ => Value::Null,
    };
    json!({
        "id": id, "object": "video", "created_at": 1_763_712_000, "status": status, "model": model,
        "progress": progress, "seconds": "4", "size": "720x1280", "error": error,
    })
}

fn needs_form(request: &HttpRequest) -> Result<()> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/form-data") {
        return Ok(());
    }
    let text = format!(
        "Invalid Content-Type: {kind}. Please set the Content-Type to 'multipart/form-data' when making your request."
    );
    Err(objection(&text, "", None).end(&OpenAi))
}

fn missing(name: &str) -> Problem {
    let text = format!("Missing required parameter: '{name}'.");
    objection(&text, name, Some("missing_required_parameter"))
}

fn no_video(id: &str) -> Problem {
    Problem {
        status: 404,
        ..objection(&format!("Video with id '{id}' not found."), "", None)
    }
}
