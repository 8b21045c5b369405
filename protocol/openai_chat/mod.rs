//! OpenAI's `/v1/chat/completions`, and the way into the intermediate form of chat and out of it: the
//! dialect of most clients and of nearly every upstream, with the fields that the upstreams have added.
//!
//! | what | where it comes from |
//! |---|---|
//! | `reasoning_content` | DeepSeek, and most who serve open models |
//! | `reasoning`, `reasoning_details` | OpenRouter: the thoughts, and what signs them |
//! | parts of the type `thinking` | Mistral |
//! | `extra_content.google.thought_signature` | Google: what signs a call |
//! | `cache_control` | OpenRouter, LiteLLM |
//! | `functions`, `function_call` | OpenAI itself, before there were tools |

mod answer;
mod calls;
mod request;
mod said;
mod stop;
mod stream;

pub use self::{
    answer::{read_answer, write_answer},
    request::{read_request, write_request},
    stream::{EventReader, EventWriter},
};

#[cfg(test)]
mod tests;
