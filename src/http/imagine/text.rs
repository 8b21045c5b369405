//! `/api/v1/text`: a prompt improved, or a plain answer, by any model that talks.

use actix_web::{
    HttpRequest, HttpResponse,
    body::to_bytes,
    http::header,
    web::{Bytes, Payload},
};
use serde_json::{Value, json};
use troupe_protocol::{
    dialect::Client, openai::request_error::RequestError, pictures::spec::refused,
};
use uuid::Uuid;

use super::error;
use crate::http::{
    chat,
    enter::admitted,
    error::ApiError,
    pictures::form::{Form, admitted_form},
    services::OnWorker,
};

/// Answers with `{"text": …}`. A request with `system` says itself what the model is to do; without it the
/// prompt is improved as `pictures.improve_prompt` says. `"system": ""` is a plain question.
pub async fn text(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let id = Uuid::now_v7();
    let client = Client::OpenaiChat;
    let mut call = match admitted(&worker.0, &request, "/api/v1/text", client, id) {
        Ok(call) => call,
        Err(refusal) => return error::respond(&refusal, &id.to_string()),
    };
    let services = worker.0.services.clone();
    let form = admitted_form(&mut call, &services, &request, payload).await;
    let default = &services.atelier.config.improve_prompt;
    let asked = form.and_then(|form| question(form, default).map_err(ApiError::from));
    let (body, prompt) = match asked {
        Ok(asked) => asked,
        Err(refusal) => return error::refuse(call, &refusal),
    };
    let answered = chat::say(services, &request, body, call).await;
    told(answered, &prompt, &id.to_string()).await
}

/// The chat request, and the prompt.
fn question(mut form: Form, default: &str) -> Result<(Bytes, String), RequestError> {
    let missing = |param| RequestError::Missing { param };
    let model = form.text("model", &[])?.ok_or(missing("model".into()))?;
    let prompt = form
        .text("prompt", &[])?
        .filter(|prompt| !prompt.trim().is_empty());
    let prompt = prompt.ok_or(missing("prompt".into()))?;
    if form.flag("stream", &[])? {
        let expected =
            "the answer is whole here; leave it out, or stream from /v1/chat/completions";
        return Err(refused("stream", expected));
    }
    let system = form.text("system", &["systemPrompt", "system_prompt"])?;
    let system = system.as_deref().unwrap_or(default);
    let mut messages = Vec::new();
    if !system.is_empty() {
        messages.push(json!({"role": "system", "content": system}));
    }
    messages.push(json!({"role": "user", "content": prompt}));
    let mut body = json!({"model": model, "messages": messages});
    for name in ["temperature", "top_p"] {
        if let Some(number) = form.take(&[name]) {
            body[name] = number;
        }
    }
    if let Some(most) = form.whole("max_tokens", &[])? {
        body["max_tokens"] = most.into();
    }
    Ok((Bytes::from(body.to_string()), prompt))
}

/// The chat's answer in the shape of this surface. Where the model said nothing, the prompt stands as it was.
async fn told(answered: HttpResponse, prompt: &str, request_id: &str) -> HttpResponse {
    let (mut head, body) = answered.into_parts();
    let body = to_bytes(body).await.unwrap_or_default();
    let mut said: Value = serde_json::from_slice(&body).unwrap_or_default();
    head.headers_mut().remove(header::CONTENT_LENGTH);
    let reply = if head.status().is_success() {
        let text = said["choices"][0]["message"]["content"].as_str();
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let mut reply = json!({"text": text.unwrap_or(prompt)});
        if said["usage"].is_object() {
            reply["usage"] = said["usage"].take();
        }
        reply
    } else {
        error::body(head.status(), &said["error"], request_id)
    };
    head.set_body(reply.to_string()).map_into_boxed_body()
}
