//! Requests that repeat others: `Idempotency-Key`, and dedupe of API keys that have it on.

mod dedupe;
mod dialects;
mod forms;
mod keyed;
mod orders;
mod outages;

use serde_json::Value;
use troupe_simulator::Simulator;

use crate::support::{Answer, App, Builder, Provider, eventually};

const CHAT: &str = "/v1/chat/completions";
const REPLAYED: &str = "idempotent-replayed";
const SHARED: &str = "x-troupe-deduplicated";

/// Streams and answers that take a while, and one that is too large to be recorded here.
const MODELS: [&str; 6] = [
    "sim-stream-20x20ms",
    "sim-drip-20ms",
    "sim-hang-after-1",
    "sim-cut-after-3",
    "sim-16k",
    "sim-stream-64x20ms+text-100",
];

fn builder(sim: &Simulator) -> Builder {
    App::builder()
        .set("keys.refresh_ms", "100")
        .provider(Provider::of(sim).models(&MODELS))
}

/// Makes an API key and returns it once it is in force.
pub async fn key(app: &App, options: &[&str]) -> String {
    let made = app.run(&[&["keys", "create"], options].concat());
    let text = String::from_utf8(made.stdout).unwrap();
    let key = text.lines().last().unwrap().to_owned();
    eventually("the key in force", async || {
        let request = app.client().get(app.url("/v1/models"));
        let answer = Answer::of(request.bearer_auth(&key), None).await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
    key
}

/// One request of an API key.
async fn with(app: &App, key: &str, body: &Value) -> Answer {
    let request = app.client().post(app.url(CHAT)).bearer_auth(key);
    Answer::of(request, Some(body)).await.unwrap()
}

/// One request with an `Idempotency-Key`, of the usual API key.
async fn keyed(app: &App, idempotency: &str, body: &Value) -> Answer {
    try_keyed(app, App::API_KEY, idempotency, body)
        .await
        .unwrap()
}

async fn try_keyed(app: &App, key: &str, idempotency: &str, body: &Value) -> Option<Answer> {
    let request = app.client().post(app.url(CHAT)).bearer_auth(key);
    let request = request.insert_header(("idempotency-key", idempotency));
    Answer::of(request, Some(body)).await.ok()
}

/// Whether an answer is one to an earlier request, and its body, which must be a success.
async fn replayed(answer: Answer) -> (bool, Vec<u8>) {
    let again = answer.header(REPLAYED) == "true";
    (again, answer.ok().await)
}
