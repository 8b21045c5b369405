//! Each client's dialect on each upstream's: what is said arrives, whatever the two speak.

mod faults;
mod speaker;
mod talk;
mod thoughts;

pub use speaker::{Heard, Speaker};

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::support::{App, Builder, Provider};

/// The upstream kinds, each a provider of its own name.
pub const KINDS: [&str; 4] = ["openai", "openai_responses", "anthropic", "gemini"];

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
        let convert = if kind == "openai" { "\"convert\"" } else { "\"auto\"" };
        // what an OpenAI-compatible upstream that has no /responses is like
        Provider::open(&base_url).kind(kind).name(kind).with("responses", convert)
    };
    let with_all = KINDS.iter().fold(builder, |builder, kind| builder.provider(provider(kind)));
    with_all.start().await
}

/// Every client on every upstream kind, whole and as a stream.
pub fn all_pairs() -> impl Iterator<Item = (Speaker, &'static str, bool)> {
    Speaker::ALL.into_iter().flat_map(|speaker| {
        KINDS.into_iter().flat_map(move |kind| {
            [false, true].into_iter().map(move |stream| (speaker, kind, stream))
        })
    })
}

/// The body as a stream or not.
pub fn streaming(mut body: Value, stream: bool) -> Value {
    body["stream"] = json!(stream);
    body
}
