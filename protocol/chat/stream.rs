//! What each dialect's reader and writer of streams looks like.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{event::ChatEvent, tools::ToolNames};
use crate::{openai::error::ErrorCode, sse::SseEvent};

/// Reads an upstream's stream, event by event, in constant memory.
pub trait ReadEvents {
    /// Takes one server-sent event and adds what it means, which may be nothing. What cannot be read is
    /// an [`ChatEvent::Error`]; unknown kinds of events are passed over. After an error or
    /// [`ChatEvent::Finish`] nothing is added any more.
    fn read(&mut self, event: &SseEvent<'_>, out: &mut Vec<ChatEvent>);

    /// The upstream closed the stream in order. Adds the end of the answer if all of it is known by now
    /// and has not been told: a stream that was cut short stays without [`ChatEvent::Finish`].
    fn end(&mut self, out: &mut Vec<ChatEvent>);
}

/// Writes a stream for a client, as bytes of server-sent events.
pub trait WriteEvents {
    /// Appends what the event is in this dialect, which may be nothing. Never gets
    /// [`ChatEvent::Error`]: that is for [`Self::fail`].
    fn write(&mut self, event: ChatEvent, out: &mut Vec<u8>);

    /// Appends the error that ends a broken stream, in this dialect's form. Nothing follows.
    fn fail(&mut self, error: &StreamFault<'_>, out: &mut Vec<u8>);

    /// The whole answer as JSON, once it has ended, where the dialect's last event holds it.
    fn whole_answer(&self) -> Option<&[u8]> {
        None
    }
}

/// An error as the client of a stream is told.
#[derive(Debug, Clone, Copy)]
pub struct StreamFault<'a> {
    pub code: ErrorCode,
    pub message: &'a str,
    pub request_id: &'a str,
}

/// What the writer of an answer must know besides the answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer's id, with the prefix of its dialect: `chatcmpl-…`, `resp_…`, `msg_…`. Ids of items
    /// inside are made from it, so that the same answer has the same ids.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The model as the client named it, for upstreams that do not say.
    pub model: String,
    /// Whether a stream of `openai_chat` ends with its usage.
    pub include_usage: bool,
    /// How tools were renamed on the way in.
    pub tools: Arc<ToolNames>,
    /// The fields of the request that an `openai_responses` answer repeats.
    pub echo: Arc<Map<String, Value>>,
    /// How many bytes of text a writer may hold whose dialect repeats the answer at its end
    /// (`openai_responses`).
    pub max_held: usize,
}

/// 16 MiB: far more text than a model gives in one answer.
const MAX_HELD: usize = 16 << 20;

impl Default for Reply {
    fn default() -> Self {
        Self {
            id: String::new(),
            created: 0,
            model: String::new(),
            include_usage: false,
            tools: Arc::default(),
            echo: Arc::default(),
            max_held: MAX_HELD,
        }
    }
}
