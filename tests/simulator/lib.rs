//! An upstream that speaks OpenAI, Anthropic and Gemini over real sockets and misbehaves on demand.
//!
//! | service | routes |
//! |---|---|
//! | OpenAI | `/v1/chat/completions`, `/v1/responses`, `/v1/embeddings`, `/v1/models` |
//! | its pictures and videos | `/v1/images/generations`, `/v1/images/edits`, `/v1/videos`, `/v1/videos/{id}`, `/v1/videos/{id}/content` |
//! | Anthropic | `/v1/messages`, `/v1/messages/count_tokens`, `/v1/models` with `anthropic-version` |
//! | Gemini | `/v1beta/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, `/v1beta/models` |
//! | its pictures and videos | `:generateContent` with `IMAGE`, `:predict`, `:predictLongRunning`, `/v1beta/models/{model}/operations/{id}` |
//! | xAI | `/grok/v1/images/generations`, `/grok/v1/images/edits`, `/grok/v1/videos/…`, `/grok/v1/chat/completions` |
//! | Gitee AI | `/gitee/v1/images/…`, `/gitee/v1/async/…`, `/gitee/api/v1/task/{id}`, `/gitee/v1/chat/completions` |
//! | ModelScope | `/modelscope/v1/images/generations`, `/modelscope/v1/tasks/{id}`, `/modelscope/v1/chat/completions` |
//! | Hugging Face | `/huggingface/spaces/{host}/…`, `/huggingface/{provider}/…`, `/huggingface/hub/…` |
//! | A4F | `/a4f/v1/images/generations`, `/a4f/v1/chat/completions` |
//! | VolcEngine | `/volcengine/?Action=…`, signed with the secret `secret-of-` and the access key |
//! | Ark | `/ark/api/v3/images/generations`, `/ark/api/v3/contents/generations/tasks`, `/ark/api/v3/chat/completions` |
//! | ModelsLab | `/modelslab/images/text2img`, `/modelslab/video/text2video`, `/modelslab/{images,video}/fetch/{id}` |
//!
//! A task is a step further each time it is asked after: it waits, is at work, is over. With the word `doomed` in
//! its prompt it fails, with `endless` it goes on until it is cancelled.
//!
//! Any credential will do: a bearer token, `x-api-key` or `x-goog-api-key`. What happens to a request is decided,
//! first match first, by the `x-sim` header, by a rule for its token, its model, its path or all ([`Script`], or
//! `POST /_sim/script`), and by its model's name: `sim-` and words joined with `+`. Any other model name gets an
//! ordinary answer.
//!
//! | word | what it does |
//! |---|---|
//! | `stream-64x20ms` | 64 events, one each 20 ms; `stream-64` = without a pause |
//! | `text-100` | 100 bytes of text in each event |
//! | `1k`, `4m` | the plain answer's whole body has so many bytes |
//! | `image-1m` | the image's file has so many bytes |
//! | `noise` | the image is noise: a byte of its file for each pixel |
//! | `ok` | answers as it should |
//! | `status-500`, `status-429-after-7` | an error in the real service's words, with its way to say when to come again |
//! | `missing`, `bad-key` | what the service says of an unknown model, of a wrong credential |
//! | `quota`, `policy` | what it says to who has no credit left, of a text that it does not want |
//! | `leak` | an error that has the whole credential in its text |
//! | `hang`, `hang-after-3` | silence, at once or after three events |
//! | `cut`, `cut-after-3` | the connection is closed, at once or after three events |
//! | `drip-20ms` | one event, or a sixteenth of the plain answer, each 20 ms |
//! | `error-after-3` | an error event after three events |
//! | `malformed`, `no-done`, `line-2m` | frames that do not parse, no last frame, one line of 2 MiB |
//! | `utf8`, `bytes` | characters cut in two by a write's end, each byte in a write of its own |
//! | `crlf`, `cr` | a stream's lines end with `\r\n` or `\r` |
//! | `echo` | the request's headers and body under `echo`, beside the usual fields of a plain answer |
//!
//! These words set the scene ([`Scene`]): what the answer holds, in every dialect of conversations. With one of
//! them the request is read as the real service reads it.
//!
//! | word | what is answered |
//! |---|---|
//! | `tools`, `one-tool`, `noargs-tool` | calls of the first two tools, of one, of one without arguments; once the results are there, a text that quotes each with its id |
//! | `text-tools`, `think-tools` | the same, with a text or with reasoning before the calls |
//! | `onepiece-tools`, `interleaved-tools` | OpenAI chat: all calls in one chunk, their fragments by turns |
//! | `call-ids` | Gemini: calls have ids |
//! | `think`, `redacted` | reasoning before the rest, with its signature or sealed: only the token that got it may send it back |
//! | `long-500` | 500 words that depend on the user's last text ([`long_text`]) |
//! | `image-echo` | type, length and [`fingerprint`] of each image, document and sound |
//! | `params`, `mirror` | the request's parameters, the whole request, as JSON |
//! | `json` | a JSON value that fits the schema asked for |
//! | `refuse`, `filter`, `length`, `stop-seq` | how the answer ends |
//! | `cached`, `citations`, `logprobs` | usage with cached and reasoning tokens, a citation, log probabilities |
//! | `strict` | OpenAI chat: objects to what the real service objects to; the other dialects always do |
//!
//! A user message with `seed:7` makes the usual text distinct: `7-0 7-1 7-2 …`, one word for each event.
//!
//! Every request, stream, cut and client that left is counted: [`Stats`], or `GET /_sim/stats`. The last request
//! to each path is kept: [`Script::last_request`], or `GET /_sim/last?path=/v1/messages`, which the program only
//! does after `POST /_sim/script {"keep": true}`.

mod anthropic;
mod ark;
mod arrival;
mod behaviour;
mod chat;
mod control;
mod drawing;
mod embeddings;
mod exchange;
mod frames;
mod gemini;
mod gitee;
mod grok;
mod huggingface;
mod images;
mod models;
mod modelscope;
mod modelslab;
mod objections;
mod openai;
mod plan;
mod play;
mod received;
mod refusal;
mod request;
mod responses;
mod s3;
mod scene;
mod script;
mod server;
mod stats;
mod steps;
mod studio;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
mod voice;
mod volcengine;

pub use behaviour::{Behaviour, Reason, Refusal};
pub use chat::PROMPT_TOKENS;
pub use models::MODELS;
pub use plan::Plan;
pub use received::Received;
pub use s3::S3;
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
