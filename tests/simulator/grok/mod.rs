//! xAI: pictures and edits as JSON, videos as tasks.
//!
//! With the word `unsafe` in its prompt the last picture, or the video, is kept back by its moderation.

#[cfg(test)]
mod tests;
mod voice;

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

use voice::Grok;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/grok/v1")
            .route("/chat/completions", web::post().to(chat::complete))
            .route("/images/generations", web::post().to(draw))
            .route("/images/edits", web::post().to(edit))
            .route("/videos/generations", web::post().to(begin))
            .route("/videos/{id}", web::get().to(ask)),
    );
}

/// Pictures that an edit takes.
const SOURCES: usize = 3;

async fn draw(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let (taken, json) = take(&script, &request, &body).await?;
    drawn(&taken, &json)
}

async fn edit(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let (taken, json) = take(&script, &request, &body).await?;
    let one = Some(&json["image"]).filter(|image| image.is_object());
    let several = json["images"].as_array().into_iter().flatten();
    let images: Vec<&Value> = one.into_iter().chain(several).collect();
    if images.is_empty() || images.len() > SOURCES {
        return Err(taken.objection("Expected 1 to 3 images."));
    }
    for image in images {
        is_picture(&taken, image)?;
    }
    drawn(&taken, &json)
}

async fn begin(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let (taken, json) = take(&script, &request, &body).await?;
    if json["image"].is_object() {
        is_picture(&taken, &json["image"])?;
    }
    if json["duration"]
        .as_u64()
        .is_some_and(|seconds| !(1..=15).contains(&seconds))
    {
        return Err(taken.objection("Duration must be between 1 and 15 seconds."));
    }
    let prompt = json["prompt"].as_str().unwrap_or_default();
    // the task keeps no words, only its file
    let file = match prompt.contains("unsafe") {
        true => "",
        false => FILM,
    };
    let id = taken.begin(file, prompt, |number| {
        format!("{number:08x}-5796-4d1e-8f0b-simulator000")
    });
    Ok(taken.answer(&json!({"request_id": id})))
}

async fn ask(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let token = request::token(&request);
    let found = script.jobs().find(&id, token.unwrap_or_default()).cloned();
    let job = found.ok_or_else(|| voice::no_request().end(&Grok))?;
    let taken = Taken::of(&Grok, &script, &request, &Bytes::new(), token, &job.model).await?;
    let asked = script.jobs().ask(&id, taken.token);
    let (job, state) = asked.ok_or_else(|| voice::no_request().end(&Grok))?;
    Ok(taken.answer(&match state {
        State::Waiting => json!({"status": "pending", "progress": 0}),
        State::AtWork | State::Cancelled => json!({"status": "pending", "progress": 50}),
        State::Failed => json!({
            "status": "failed", "error": {"code": "internal_error", "message": "Video generation failed."},
        }),
        State::Done => done(&taken, &job.model, &job.file),
    }))
}

/// `status` is left out now and then; here where the moderation is content.
fn done(taken: &Taken<'_>, model: &str, file: &str) -> Value {
    if file.is_empty() {
        let video = json!({"url": "", "respect_moderation": false});
        return json!({"status": "done", "model": model, "video": video});
    }
    let video = json!({"url": taken.link(file), "duration": 5, "respect_moderation": true});
    json!({"model": model, "progress": 100, "video": video, "usage": {"cost_in_usd_ticks": 2_500_000_000_u64}})
}

/// An order with words, without fields that this service does not have.
async fn take<'a>(
    script: &'a Script,
    request: &'a HttpRequest,
    body: &'a Bytes,
) -> Result<(Taken<'a>, Value)> {
    let model = request::string(body, "\"model\"").unwrap_or_default();
    let token = request::token(request);
    let taken = Taken::of(&Grok, script, request, body, token, model).await?;
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return Err(taken.objection("Failed to parse the request body as JSON"));
    };
    for foreign in ["size", "seed", "mask"] {
        if json.get(foreign).is_some() {
            return Err(taken.objection(&format!("Argument not supported: {foreign}")));
        }
    }
    if json["prompt"].as_str().is_none_or(str::is_empty) && !json["image"].is_object() {
        return Err(taken.objection("Missing required argument: prompt"));
    }
    Ok((taken, json))
}

fn is_picture(taken: &Taken<'_>, image: &Value) -> Result<()> {
    let url = image["url"].as_str().unwrap_or_default();
    let is_link = url.starts_with("http://") || url.starts_with("https://");
    let is_data = url.starts_with("data:image/") && url.contains(";base64,");
    match is_link || is_data {
        true => Ok(()),
        false => Err(taken.objection("Invalid image url")),
    }
}

fn drawn(taken: &Taken<'_>, json: &Value) -> Result<HttpResponse> {
    let bytes = taken.plan.image.unwrap_or(0);
    let drawing = Drawing::of_shape(json["aspect_ratio"].as_str());
    let drawing = drawing.ok_or_else(|| taken.objection("Invalid aspect_ratio"))?;
    let base64 = json["response_format"] == "b64_json";
    let mut entry = taken.entry(Drawing { bytes, ..drawing }, base64)?;
    entry["revised_prompt"] = "".into();
    entry["respect_moderation"] = true.into();
    let count = json["n"].as_u64().unwrap_or(1).clamp(1, 10);
    let mut data = vec![entry; usize::try_from(count).unwrap_or(1)];
    if json["prompt"]
        .as_str()
        .is_some_and(|prompt| prompt.contains("unsafe"))
        && let Some(last) = data.last_mut()
    {
        *last = json!({"url": "", "respect_moderation": false});
    }
    Ok(taken.answer(&json!({"data": data, "usage": {"cost_in_usd_ticks": 200_000_000}})))
}
