//! Tables and properties of the dialect as a whole.

mod answer;
mod properties;
mod read;
mod reasoning;
mod stream_read;
mod stream_write;
mod tools;
mod write;

use serde_json::{Value, json};

use crate::{
    anthropic::{read_request, write_request},
    chat::{
        ChatRequest, ConvertError, Encoded, Encoding, Message, Part, PartBody, Role, Tool,
        ToolCall, ToolResult,
    },
    dialect::Dialect,
};

const ENCODING: Encoding<'_> = Encoding {
    model: "claude-sonnet-4-5",
    default_max_tokens: 4_096,
    ask_usage: false,
    keep_thinking: true,
    openai_fields: true,
    call_signatures: false,
};

fn read(body: Value) -> ChatRequest {
    read_request(body.to_string().as_bytes()).unwrap()
}

/// A request of an Anthropic client with these messages.
fn with_messages(messages: Value) -> ChatRequest {
    read(json!({"model": "m", "max_tokens": 100, "messages": messages}))
}

/// A request of a client of another dialect, with a first word of the user's.
fn from_chat() -> ChatRequest {
    let mut request = ChatRequest::new(Dialect::OpenaiChat, "m");
    request.messages = vec![message(Role::User, vec![Part::text("hi")])];
    request
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn part(body: PartBody) -> Part {
    body.into()
}

fn encode(request: &ChatRequest) -> Result<(Value, Encoded), ConvertError> {
    encode_for(request, ENCODING)
}

fn encode_for(
    request: &ChatRequest,
    encoding: Encoding<'_>,
) -> Result<(Value, Encoded), ConvertError> {
    let encoded = write_request(request, &encoding)?;
    Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded))
}

/// What is written of a request, and its losses.
fn written(request: &ChatRequest) -> (Value, String) {
    let (body, encoded) = encode(request).unwrap();
    (body, encoded.losses.to_string())
}

fn call(id: &str, name: &str, input: &str) -> Part {
    part(PartBody::Call(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        custom: false,
        seal: None,
    }))
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    part(PartBody::Result(ToolResult {
        call_id: id.to_owned(),
        name: None,
        parts,
        is_error: false,
    }))
}

fn function(name: &str) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: None,
        schema: None,
        strict: None,
        cache: None,
    }
}
