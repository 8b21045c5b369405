//! The chat surfaces beside plain conversations: what is stored, counted, listed, refused and recorded.

mod chains;
mod codex;
mod counts;
mod lacking;
mod passing;
mod records;
mod refusals;
mod routes;
mod stored;

use serde_json::{Value, json};

use crate::{
    pairs::Speaker,
    support::{Answer, App},
};

const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";

/// A text for `/v1/responses`.
fn input(model: &str, text: &str) -> Value {
    json!({"model": model, "input": text})
}

/// The response object of an answer of `/v1/responses`, whole or streamed.
async fn response(answer: Answer) -> Value {
    let stream = answer
        .header("content-type")
        .starts_with("text/event-stream");
    if !stream {
        return serde_json::from_slice(&answer.ok().await).unwrap();
    }
    assert_eq!(answer.status, 200);
    let events = answer.events().await;
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(last["type"], "response.completed", "{last}");
    last["response"].clone()
}

/// Asks `/v1/responses` and reads the response object.
async fn respond(app: &App, body: &Value) -> Value {
    response(app.post(RESPONSES, body).await).await
}

/// What that speaker understands of the text.
fn text(speaker: Speaker, answer: &Value) -> String {
    speaker.whole(answer).text
}

/// Any request with the usual API key, or another.
async fn send(app: &App, method: &str, path: &str, key: &str) -> Answer {
    let method = method.parse().unwrap();
    let request = app.client().request(method, app.url(path)).bearer_auth(key);
    Answer::of(request, None).await.unwrap()
}
