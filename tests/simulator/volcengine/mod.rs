//! VolcEngine's Visual service: signed calls, pictures at once and as tasks, videos.
//!
//! The secret of an access key is `secret-of-` and the key. An account has one task under way at a time.

mod signature;
mod voice;

#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use chrono::Utc;
use serde_json::{Value, json};

use crate::{
    drawing::Drawing,
    request,
    script::Script,
    studio::{FILM, State, Taken},
};

use voice::{Visual, envelope};

/// Tasks of one account at a time.
const CONCURRENCY: usize = 1;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/volcengine/", web::post().to(act));
}

async fn act(script: web::Data<Script>, request: HttpRequest, body: Bytes) -> Result<HttpResponse> {
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let key = sent["req_key"].as_str().unwrap_or_default();
    let token = signature::access_key(&request);
    let taken = Taken::of(&Visual, &script, &request, &body, token, key).await?;
    signature::check(&request, &body, Utc::now()).map_err(|problem| problem.end(&Visual))?;
    if request::query(&request, "Version") != Some("2022-08-31") {
        return Err(unknown_action());
    }
    match request::query(&request, "Action").unwrap_or_default() {
        "CVProcess" => process(&taken, &sent),
        "CVSync2AsyncSubmitTask" | "CVSubmitTask" => submit(&taken, &sent),
        "CVSync2AsyncGetResult" | "CVGetResult" => result(&taken, &sent),
        "CVCancelTask" => cancel(&taken, &sent),
        _ => Err(unknown_action()),
    }
}

fn unknown_action() -> actix_web::Error {
    voice::gateway(404, 100_008, "InvalidActionOrVersion").end(&Visual)
}

fn process(taken: &Taken<'_>, sent: &Value) -> Result<HttpResponse> {
    let drawing = drawing(taken, sent)?;
    if prompt(sent).contains("doomed") {
        return Err(voice::risky().end(&Visual));
    }
    let data = pictures(taken, drawing, sent["return_url"] == true)?;
    Ok(success(taken, &data))
}

fn submit(taken: &Taken<'_>, sent: &Value) -> Result<HttpResponse> {
    if taken.script.jobs().open(taken.token) >= CONCURRENCY {
        return Err(voice::too_many().end(&Visual));
    }
    let file = match is_film(&taken.model) {
        true => FILM.to_owned(),
        false => format!("{}.png", drawing(taken, sent)?),
    };
    let id = taken.begin(&file, prompt(sent), |number| {
        (7_392_616_336_519_610_000 + number).to_string()
    });
    Ok(success(taken, &json!({ "task_id": id })))
}

fn result(taken: &Taken<'_>, sent: &Value) -> Result<HttpResponse> {
    let id = sent["task_id"].as_str().unwrap_or_default();
    let asked = taken.script.jobs().ask(id, taken.token);
    // a question that names another key finds nothing
    let Some((job, state)) = asked.filter(|(job, _)| job.model == *taken.model) else {
        return Ok(success(taken, &json!({"status": "not_found"})));
    };
    let status = match state {
        State::Waiting => "in_queue",
        State::AtWork => "generating",
        State::Done => "done",
        State::Failed => return Err(voice::risky().end(&Visual)),
        State::Cancelled => "not_found",
    };
    let mut data = json!({"status": status, "binary_data_base64": [], "image_urls": null});
    if state == State::Done && job.file == FILM {
        data["video_url"] = taken.link(FILM).into();
    } else if state == State::Done {
        let drawing = job.file.trim_end_matches(".png").parse();
        let drawing = drawing.map_err(|()| taken.objection("no such picture"))?;
        let made = pictures(taken, drawing, wants_link(sent))?;
        data["image_urls"] = made["image_urls"].clone();
        data["binary_data_base64"] = made["binary_data_base64"].clone();
    }
    Ok(success(taken, &data))
}

fn cancel(taken: &Taken<'_>, sent: &Value) -> Result<HttpResponse> {
    let id = sent["task_id"].as_str().unwrap_or_default();
    match taken.script.jobs().cancel(id, taken.token) {
        Some(()) => Ok(success(taken, &Value::Null)),
        None => Err(taken.objection("task_id is not valid")),
    }
}

fn success(taken: &Taken<'_>, data: &Value) -> HttpResponse {
    taken.answer(&envelope(10_000, "Success", data))
}

fn prompt(sent: &Value) -> &str {
    sent["prompt"].as_str().unwrap_or_default()
}

fn is_film(key: &str) -> bool {
    ["_t2v_", "_i2v_", "_ti2v_"]
        .iter()
        .any(|word| key.contains(word))
}

/// JSON in a text.
fn wants_link(sent: &Value) -> bool {
    let wishes = sent["req_json"].as_str().unwrap_or_default();
    request::is_true(wishes.as_bytes(), "\"return_url\"")
}

/// `width` and `height`, twice as large with `use_sr`; within what the key takes.
fn drawing(taken: &Taken<'_>, sent: &Value) -> Result<Drawing> {
    let given = ["image_urls", "binary_data_base64"]
        .iter()
        .any(|name| sent[*name].is_array());
    if prompt(sent).is_empty() && !given {
        return Err(taken.objection("prompt is required"));
    }
    let side = |name: &str| {
        sent[name].as_u64().map_or(Ok(None), |side| {
            let most = if doubles(&taken.model) { 768 } else { 4096 };
            match u32::try_from(side) {
                Ok(side) if (256..=most).contains(&side) => Ok(Some(side)),
                _ => Err(taken.objection(&format!("{name} is out of range"))),
            }
        })
    };
    let times = if sent["use_sr"] == true { 2 } else { 1 };
    let size = match (side("width")?, side("height")?) {
        (Some(width), Some(height)) => Some(format!("{}x{}", width * times, height * times)),
        _ => None,
    };
    taken.drawing(size.as_deref())
}

fn doubles(key: &str) -> bool {
    key.contains("general_v2")
}

/// Links, or the files themselves.
fn pictures(taken: &Taken<'_>, drawing: Drawing, link: bool) -> Result<Value> {
    if link {
        let link = taken.link(&format!("{drawing}.png"));
        return Ok(json!({"image_urls": [link], "binary_data_base64": []}));
    }
    let file = BASE64_STANDARD.encode(taken.draw(drawing)?);
    Ok(json!({"image_urls": null, "binary_data_base64": [file]}))
}
