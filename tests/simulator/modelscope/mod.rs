//! ModelScope: pictures as tasks, or in the old form at once.

mod voice;

#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::json;

use crate::{
    chat, request,
    script::Script,
    studio::{Sent, State, Taken},
};

use voice::ModelScope;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/modelscope/v1")
            .route("/chat/completions", web::post().to(chat::complete))
            .route("/images/generations", web::post().to(order))
            .route("/tasks/{id}", web::get().to(task)),
    );
}

async fn order(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let sent = Sent::of(&request, &body);
    let model = sent.text("model").unwrap_or_default();
    let token = request::token(&request);
    let taken = Taken::of(&ModelScope, &script, &request, &body, token, model).await?;
    let prompt = sent.text("prompt").unwrap_or_default();
    if prompt.is_empty() {
        return Err(taken.objection("prompt is required"));
    }
    let file = format!("{}.png", taken.drawing(sent.text("size"))?);
    if !says(&request, "x-modelscope-async-mode", "true") {
        return Ok(taken.answer(&json!({"images": [{"url": taken.link(&file)}]})));
    }
    let id = taken.begin(&file, prompt, |number| (1_000_000 + number).to_string());
    Ok(taken.answer(&json!({"task_id": id, "task_status": "PENDING", "request_id": "sim"})))
}

async fn task(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let token = request::token(&request);
    let owner = token.unwrap_or_default();
    let known = script.jobs().find(&id, owner).map(|job| job.model.clone());
    let told = says(&request, "x-modelscope-task-type", "image_generation");
    let (Some(model), true) = (known, told) else {
        return Err(voice::no_task(&id).end(&ModelScope));
    };
    let taken = Taken::of(&ModelScope, &script, &request, &Bytes::new(), token, &model).await?;
    let asked = script.jobs().ask(&id, owner);
    let (job, state) = asked.ok_or_else(|| voice::no_task(&id).end(&ModelScope))?;
    let mut answer = json!({"task_id": *id, "request_id": "sim", "output_images": []});
    answer["task_status"] = json!(match state {
        State::Waiting => "PENDING",
        State::AtWork => "RUNNING",
        State::Done => "SUCCEED",
        State::Failed | State::Cancelled => "FAILED",
    });
    match state {
        State::Done => answer["output_images"] = json!([taken.link(&job.file)]),
        State::Failed => answer["errors"] = json!({"message": "the task ran out of memory"}),
        _ => {}
    }
    Ok(taken.answer(&answer))
}

fn says(request: &HttpRequest, name: &str, wanted: &str) -> bool {
    let value = request.headers().get(name);
    value.is_some_and(|value| value == wanted)
}
