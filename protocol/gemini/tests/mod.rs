//! Requests as Gemini gets them, answers and streams as it gives them.

mod answers;
mod failures;
mod properties;
mod requests;
mod turns;

use serde_json::Value;

use super::write_request;
use crate::{
    chat::{
        ChatRequest, Encoded, Encoding, Message, Part, PartBody, Role, Seal, Thinking, ToolCall,
        ToolResult,
    },
    dialect::Dialect,
};

fn encoding(model: &str) -> Encoding<'_> {
    Encoding {
        model,
        keep_thinking: true,
        ..Encoding::default()
    }
}

fn encoded(request: &ChatRequest, model: &str) -> (Value, Encoded) {
    let encoded = write_request(request, &encoding(model)).unwrap();
    (serde_json::from_slice(&encoded.body).unwrap(), encoded)
}

/// A request with one word from the user.
fn asking(dialect: Dialect) -> ChatRequest {
    let mut request = ChatRequest::new(dialect, "m");
    request.messages.push(user(vec![Part::text("hi")]));
    request
}

fn user(parts: Vec<Part>) -> Message {
    let role = Role::User;
    Message { role, parts }
}

fn assistant(parts: Vec<Part>) -> Message {
    let role = Role::Assistant;
    Message { role, parts }
}

fn call(id: &str, name: &str, input: &str, signature: Option<&str>) -> Part {
    PartBody::Call(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        custom: false,
        seal: signature.map(|data| Seal::new(Dialect::Gemini, data)),
    })
    .into()
}

fn result(call_id: &str, parts: Vec<Part>) -> Part {
    PartBody::Result(ToolResult {
        call_id: call_id.to_owned(),
        name: None,
        parts,
        is_error: false,
    })
    .into()
}

fn thinking(text: &str, seal: Option<Seal>) -> Part {
    PartBody::Thinking(Thinking {
        text: text.to_owned(),
        seal,
    })
    .into()
}
