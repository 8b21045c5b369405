//! Wire dialects and what can be said about them without I/O, clock or state.
//!
//! Everything here is a pure function or an incremental state machine, so it can be tested with
//! tables, properties and fuzzing alone.

pub mod anthropic;
pub mod chat;
pub mod convert;
pub mod dialect;
pub mod failure;
pub mod gemini;
pub mod json;
pub mod openai;
pub mod openai_chat;
pub mod openai_responses;
pub mod opening;
pub mod pictures;
pub mod retry_after;
pub mod sse;
pub mod stream_converter;
pub mod usage;
