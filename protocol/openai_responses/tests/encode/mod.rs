mod items;
mod settings;

use serde_json::Value;

use super::super::write_request;
use crate::{
    chat::{
        Cache, ChatRequest, ConvertError, Document, Effort, Encoded, Encoding, Format, Image,
        Message, Part, PartBody, Reasoning, Role, Seal, Source, Thinking, Tool, ToolCall,
        ToolChoice, ToolResult,
    },
    dialect::Dialect,
};

const ENCODING: Encoding<'_> = Encoding {
    model: "up",
    default_max_tokens: 4_096,
    ask_usage: true,
    keep_thinking: true,
    openai_fields: true,
    call_signatures: false,
};

fn chat() -> ChatRequest {
    ChatRequest::new(Dialect::OpenaiChat, "m")
}

fn anthropic() -> ChatRequest {
    ChatRequest::new(Dialect::Anthropic, "m")
}

fn encode(request: &ChatRequest) -> (Value, Encoded) {
    let encoded = write_request(request, &ENCODING).unwrap();
    (serde_json::from_slice(&encoded.body).unwrap(), encoded)
}

fn refused(request: &ChatRequest) -> ConvertError {
    write_request(request, &ENCODING).unwrap_err()
}

fn input(mut request: ChatRequest, messages: Vec<(Role, Vec<PartBody>)>) -> Value {
    let part = |body: PartBody| body.into();
    let message = |(role, parts): (Role, Vec<PartBody>)| Message {
        role,
        parts: parts.into_iter().map(part).collect(),
    };
    request.messages = messages.into_iter().map(message).collect();
    encode(&request).0["input"].clone()
}

fn text(text: &str) -> PartBody {
    PartBody::Text(text.to_owned())
}

fn thinking(text: &str, seal: Option<Seal>) -> PartBody {
    let text = text.to_owned();
    PartBody::Thinking(Thinking { text, seal })
}

fn call(id: &str, name: &str, input: &str, custom: bool) -> PartBody {
    PartBody::Call(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        custom,
        seal: None,
    })
}

fn result(id: &str, is_error: bool, parts: Vec<PartBody>) -> PartBody {
    PartBody::Result(ToolResult {
        call_id: id.to_owned(),
        name: None,
        parts: parts.into_iter().map(Part::from).collect(),
        is_error,
    })
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
