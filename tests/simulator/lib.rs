//! An upstream that speaks OpenAI over real sockets and misbehaves on demand.
//!
//! Chat (plain and streamed), embeddings, images (links and base64) and the list of models are answered with
//! any bearer token. What happens to a request is decided, first match first, by the `x-sim` header, by a rule
//! for its token, its model, its path or all ([`Script`], or `POST /_sim/script`), and by its model's name:
//! `sim-` and words joined with `+`. Any other model name gets an ordinary answer.
//!
//! | word | what it does |
//! |---|---|
//! | `stream-64x20ms` | 64 events, one each 20 ms; `stream-64` = without a pause |
//! | `text-100` | 100 bytes of text in each event |
//! | `1k`, `4m` | the plain answer's whole body has so many bytes |
//! | `image-1m` | the image's file has so many bytes |
//! | `ok` | answers as it should |
//! | `status-500`, `status-429-after-7` | an error in the real service's words, with `Retry-After` |
//! | `missing` | 404 `model_not_found` |
//! | `quota`, `policy` | 429 `insufficient_quota`, 400 `content_policy_violation` |
//! | `leak` | 401 that has the whole credential in its text |
//! | `hang`, `hang-after-3` | silence, at once or after three events |
//! | `cut`, `cut-after-3` | the connection is closed, at once or after three events |
//! | `drip-20ms` | one event, or a sixteenth of the plain answer, each 20 ms |
//! | `error-after-3` | `data: {"error": …}` after three events |
//! | `malformed`, `no-done`, `line-2m` | frames that do not parse, no `[DONE]`, one line of 2 MiB |
//! | `utf8`, `bytes` | characters cut in two by a write's end, each byte in a write of its own |
//! | `echo` | the request's headers and body under `echo`, beside the usual fields |
//!
//! A user message with `seed:7` makes the text distinct: `7-0 7-1 7-2 …`, one word for each event.
//!
//! Every request, stream, cut and client that left is counted: [`Stats`], or `GET /_sim/stats`.

mod anthropic;
mod arrival;
mod behaviour;
mod chat;
mod control;
mod drawing;
mod embeddings;
mod exchange;
mod frames;
mod gemini;
mod images;
mod models;
mod objections;
mod plan;
mod play;
mod received;
mod refusal;
mod request;
mod responses;
mod scene;
mod script;
mod server;
mod stats;
mod steps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
mod voice;

pub use behaviour::{Behaviour, Reason, Refusal};
pub use chat::PROMPT_TOKENS;
pub use models::MODELS;
pub use plan::Plan;
pub use received::Received;
pub use scene::{Calls, Ending, Scene, Speech, Style, Thinking, fingerprint, long_text};
pub use script::{Matches, Rule, Script};
pub use server::{Simulator, serve};
pub use stats::{Cancellation, Stats};

/// A model whose plain answers are 1 KiB, as the benches use.
pub const MODEL_1K: &str = "sim-1k";
/// A model that streams 64 events without a pause.
pub const MODEL_STREAM: &str = "sim-stream-64";
/// A model that streams 64 events, one each 20 ms.
pub const MODEL_PACED: &str = "sim-stream-64x20ms";
/// A model whose images are files of 1 MiB.
pub const MODEL_IMAGE_1M: &str = "sim-image-1m";
