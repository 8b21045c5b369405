//! The messages for an upstream.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    write::Writing,
    write_parts::{WireContent, WirePart, content_of, write_part},
    write_tools::offer,
};
use crate::{
    chat::{
        ChatRequest, ConvertError, Message, Part, PartBody, Role, Thinking, ToolCall, ToolResult,
    },
    dialect::Dialect,
    openai_chat::calls::{CallBody, DetailBody, ExtraBody},
};

/// The content of a result that has pictures and no text.
const ATTACHED: &str = "See the next message.";

#[derive(Serialize)]
pub(super) struct WireMessage<'a> {
    role: &'static str,
    /// `null` where the assistant only calls tools.
    content: Option<WireContent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<DetailBody<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

impl<'a> WireMessage<'a> {
    fn new(role: &'static str, content: Option<WireContent<'a>>) -> Self {
        Self {
            role,
            content,
            refusal: None,
            reasoning_details: Vec::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }
}

/// All messages, the request's `system` as the first.
pub(super) fn write_messages<'a>(
    writing: &mut Writing<'a>,
) -> Result<Vec<WireMessage<'a>>, ConvertError> {
    let request: &'a ChatRequest = writing.request;
    let mut conversation = Conversation {
        writing,
        messages: Vec::with_capacity(request.messages.len() + 1),
        attached: Vec::new(),
    };
    conversation.system(&request.system)?;
    for message in &request.messages {
        conversation.message(message)?;
    }
    conversation.flush();
    Ok(conversation.messages)
}

struct Conversation<'a, 'w> {
    writing: &'w mut Writing<'a>,
    messages: Vec<WireMessage<'a>>,
    /// Pictures and files that tools gave. A result can be nothing but text, so they go into a message
    /// of the user behind the run of results.
    attached: Vec<WirePart<'a>>,
}

impl<'a> Conversation<'a, '_> {
    fn message(&mut self, message: &'a Message) -> Result<(), ConvertError> {
        match message.role {
            Role::User => self.user(&message.parts),
            Role::Assistant => {
                self.flush();
                self.assistant(&message.parts);
                Ok(())
            }
            Role::System => {
                self.flush();
                self.system(&message.parts)
            }
        }
    }

    fn flush(&mut self) {
        if !self.attached.is_empty() {
            let content = WireContent::Parts(std::mem::take(&mut self.attached));
            self.messages.push(WireMessage::new("user", Some(content)));
        }
    }

    fn parts(
        &mut self,
        parts: impl Iterator<Item = &'a Part>,
    ) -> Result<Vec<WirePart<'a>>, ConvertError> {
        parts
            .filter_map(|part| write_part(part, self.writing).transpose())
            .collect()
    }

    fn system(&mut self, parts: &'a [Part]) -> Result<(), ConvertError> {
        let parts = self.parts(parts.iter())?;
        if !parts.is_empty() {
            let content = Some(content_of(parts));
            self.messages.push(WireMessage::new("system", content));
        }
        Ok(())
    }

    /// Results come before what the user says in the same turn.
    fn user(&mut self, parts: &'a [Part]) -> Result<(), ConvertError> {
        let mut has_results = false;
        for part in parts {
            if let PartBody::Result(result) = &part.body {
                has_results = true;
                let cache = part.cache.as_ref();
                self.writing.losses.note_if(cache, "cache_control");
                self.result(result)?;
            }
        }
        let said = self.parts(parts.iter().filter(|part| !is_result(part)))?;
        if has_results && said.is_empty() {
            return Ok(());
        }
        let mut parts = std::mem::take(&mut self.attached);
        parts.extend(said);
        let content = Some(content_of(parts));
        self.messages.push(WireMessage::new("user", content));
        Ok(())
    }

    fn result(&mut self, result: &'a ToolResult) -> Result<(), ConvertError> {
        let mut texts = Vec::new();
        let mut others = Vec::new();
        for part in self.parts(result.parts.iter())? {
            match part {
                WirePart::Text { text } => texts.push(text),
                other => others.push(other),
            }
        }
        let mut text = texts.join("\n\n");
        if text.is_empty() && !others.is_empty() {
            ATTACHED.clone_into(&mut text);
        }
        if result.is_error {
            text.insert_str(0, "Error: ");
        }
        let content = Some(WireContent::Text(text.into()));
        self.messages.push(WireMessage {
            tool_call_id: Some(&result.call_id),
            ..WireMessage::new("tool", content)
        });
        if !others.is_empty() {
            let text = format!("From the tool call {}:", result.call_id).into();
            self.attached.push(WirePart::Text { text });
            self.attached.extend(others);
        }
        Ok(())
    }

    /// A turn of which nothing is left is left out.
    fn assistant(&mut self, parts: &'a [Part]) {
        let (mut text, mut refusal) = (String::new(), String::new());
        let mut message = WireMessage::new("assistant", None);
        for part in parts {
            let cache = part.cache.as_ref();
            self.writing.losses.note_if(cache, "cache_control");
            match &part.body {
                PartBody::Text(more) => text.push_str(more),
                PartBody::Refusal(more) => refusal.push_str(more),
                PartBody::Call(call) => message.tool_calls.push(self.call(call)),
                PartBody::Thinking(thinking) => {
                    let at = message.reasoning_details.len();
                    let detail = self.thinking(thinking, at);
                    message.reasoning_details.extend(detail);
                }
                PartBody::Image(_)
                | PartBody::Document(_)
                | PartBody::Audio { .. }
                | PartBody::Result(_) => self.writing.losses.note(self.writing.messages_name()),
            }
        }
        message.refusal = (!refusal.is_empty()).then_some(refusal);
        message.content = (!text.is_empty()).then(|| WireContent::Text(text.into()));
        let says = message.content.is_some() || message.refusal.is_some();
        if says || !message.tool_calls.is_empty() {
            self.messages.push(message);
        }
    }

    fn call(&mut self, call: &'a ToolCall) -> CallBody<'a> {
        let encoding = self.writing.encoding;
        let signed = encoding.call_signatures && encoding.keep_thinking;
        let seal = call.seal.as_ref();
        let seal = seal.filter(|seal| signed && seal.by == Dialect::Gemini);
        self.writing.has_thinking |= seal.is_some();
        let name = offer(&mut self.writing.tools, &call.name, call.custom);
        CallBody {
            extra_content: seal.map(ExtraBody::of),
            ..CallBody::named(&call.id, name, false, input_of(call))
        }
    }

    fn thinking(&mut self, thinking: &'a Thinking, at: usize) -> Option<DetailBody<'a>> {
        let keep = self.writing.encoding.keep_thinking;
        let seal = thinking.seal.as_ref();
        let seal = seal.filter(|seal| keep && seal.by == Dialect::OpenaiChat)?;
        self.writing.has_thinking = true;
        let text = Some(thinking.text.as_str()).filter(|text| !text.is_empty());
        Some(DetailBody::of(seal, text, text.is_some(), at))
    }
}

fn is_result(part: &Part) -> bool {
    matches!(part.body, PartBody::Result(_))
}

/// The input as it came where it is an object, since a model's own words are the best it can be shown.
fn input_of(call: &ToolCall) -> Cow<'_, str> {
    let is_object = serde_json::from_str::<Map<String, Value>>(&call.input).is_ok();
    if is_object && !call.custom {
        return Cow::Borrowed(&call.input);
    }
    Value::Object(call.arguments()).to_string().into()
}
