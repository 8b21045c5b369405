//! One way into each dialect and out of it, chosen by its name.
//!
//! What clients send and get is said in a [`Client`] dialect, what upstreams get and send in any
//! [`Dialect`]. Where the two are the same the bytes pass through, and nothing here is called.

use bytes::Bytes;

use crate::{
    anthropic,
    chat::{
        ChatAnswer, ChatRequest, ConvertError, Encoded, Encoding, ReadEvents, Reply, WriteEvents,
    },
    dialect::{Client, Dialect},
    gemini,
    openai::{request_error::RequestError, upstream_error::MalformedAnswer},
    openai_chat, openai_responses,
};

/// Reads a client's request.
///
/// # Errors
/// When it is not a request of its dialect.
pub fn read_request(client: Client, body: &[u8]) -> Result<ChatRequest, RequestError> {
    match client {
        Client::OpenaiChat => openai_chat::read_request(body),
        Client::OpenaiResponses => openai_responses::read_request(body),
        Client::Anthropic => anthropic::read_request(body),
    }
}

/// Writes a request for an upstream.
///
/// # Errors
/// When the upstream's dialect cannot ask for what the request asks for.
pub fn write_request(
    dialect: Dialect,
    request: &ChatRequest,
    encoding: &Encoding<'_>,
) -> Result<Encoded, ConvertError> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::write_request(request, encoding),
        Dialect::OpenaiResponses => openai_responses::write_request(request, encoding),
        Dialect::Anthropic => anthropic::write_request(request, encoding),
        Dialect::Gemini => gemini::write_request(request, encoding),
    }
}

/// Reads an upstream's whole answer.
///
/// # Errors
/// When it is not an answer of its dialect.
pub fn read_answer(dialect: Dialect, body: &[u8]) -> Result<ChatAnswer, MalformedAnswer> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::read_answer(body),
        Dialect::OpenaiResponses => openai_responses::read_answer(body),
        Dialect::Anthropic => anthropic::read_answer(body),
        Dialect::Gemini => gemini::read_answer(body),
    }
}

/// Writes a whole answer for a client.
#[must_use]
pub fn write_answer(client: Client, answer: &ChatAnswer, reply: &Reply) -> Bytes {
    match client {
        Client::OpenaiChat => openai_chat::write_answer(answer, reply),
        Client::OpenaiResponses => openai_responses::write_answer(answer, reply),
        Client::Anthropic => anthropic::write_answer(answer, reply),
    }
}

/// A reader of one stream of an upstream.
#[must_use]
pub fn event_reader(dialect: Dialect) -> Box<dyn ReadEvents> {
    match dialect {
        Dialect::OpenaiChat => Box::new(openai_chat::EventReader::default()),
        Dialect::OpenaiResponses => Box::new(openai_responses::EventReader::default()),
        Dialect::Anthropic => Box::new(anthropic::EventReader::default()),
        Dialect::Gemini => Box::new(gemini::EventReader::default()),
    }
}

/// A writer of one stream to a client.
#[must_use]
pub fn event_writer(client: Client, reply: Reply) -> Box<dyn WriteEvents> {
    match client {
        Client::OpenaiChat => Box::new(openai_chat::EventWriter::new(reply)),
        Client::OpenaiResponses => Box::new(openai_responses::EventWriter::new(reply)),
        Client::Anthropic => Box::new(anthropic::EventWriter::new(reply)),
    }
}
