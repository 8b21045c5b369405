//! Each client's dialect on each upstream's: what is said arrives, whatever the two speak.

mod faults;
mod speaker;
mod talk;
mod thoughts;

pub use speaker::Speaker;

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::support::{App, Builder, Provider};

/// The upstream kinds, each a provider of its own name.
pub const KINDS: [&str; 4] = ["openai", "openai_responses", "anthropic", "gemini"];

/// What the simulator is asked to play.
pub const MODELS: [&str; 33] = [
    "sim-stream-5",
    "sim-tools",
    "sim-text-tools",
    "sim-onepiece-tools",
    "sim-interleaved-tools",
    "sim-tools+no-done",
    "sim-noargs-tool",
    "sim-length",
    "sim-cached",
    "sim-image-echo",
    "sim-params",
    "sim-long-300",
    "sim-think-tools",
    "sim-status-429-after-7",
    "sim-status-503",
    "sim-status-500",
    "sim-bad-key",
    "sim-stream-20+cut-after-3",
    "sim-stream-20+error-after-3",
    "sim-stream-20+malformed",
    "sim-stream-9+hang-after-3",
    "sim-stream-500x20ms",
    "sim-stream-3",
    "sim-stream-20x20ms",
    "sim-mirror",
    "sim-echo",
    "sim-one-tool",
    "sim-tools+strict",
    "sim-missing",
    "sim-status-400",
    "sim-hang-after-3",
    "sim-error-after-0",
    "sim-text-tools+cached",
];

/// A gateway with one provider of each kind, all of them the same simulator.
pub async fn app(simulator: &Simulator) -> App {
    configured(simulator, App::builder()).await
}

/// The same on top of other settings.
pub async fn configured(simulator: &Simulator, builder: Builder) -> App {
    let provider = |kind: &str| {
        let base_url = match kind {
            "gemini" => simulator.gemini_url(),
            _ => simulator.base_url(),
        };
        let convert = if kind == "openai" {
            "\"convert\""
        } else {
            "\"auto\""
        };
        // what an OpenAI-compatible upstream that has no /responses is like
        Provider::at(&base_url)
            .models(&MODELS)
            .kind(kind)
            .name(kind)
            .with("responses", convert)
    };
    let with_all = KINDS
        .iter()
        .fold(builder, |builder, kind| builder.provider(provider(kind)));
    with_all.start().await
}

/// Every client on every upstream kind, whole and as a stream.
pub fn all_pairs() -> impl Iterator<Item = (Speaker, &'static str, bool)> {
    Speaker::ALL.into_iter().flat_map(|speaker| {
        KINDS.into_iter().flat_map(move |kind| {
            [false, true]
                .into_iter()
                .map(move |stream| (speaker, kind, stream))
        })
    })
}

/// The body as a stream or not.
pub fn streaming(mut body: Value, stream: bool) -> Value {
    body["stream"] = json!(stream);
    body
}
