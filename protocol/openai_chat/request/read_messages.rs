//! The messages of a client's request.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    fields::{Fields, invalid, missing, numbered},
    read_parts::{Reading, read_content},
    read_tools::read_cache,
};
use crate::{
    chat::{ChatRequest, Message, Part, PartBody, Role, Seal, Thinking, ToolCall, ToolResult},
    dialect::Dialect,
    openai::request_error::RequestError,
    openai_chat::said::{Detail, thoughts},
};

/// Reads `messages` into the request's `system` and `messages`.
pub(super) fn read_messages(
    fields: &mut Fields,
    request: &mut ChatRequest,
) -> Result<(), RequestError> {
    let list: Option<Vec<Value>> = fields.typed("messages", "it must be a list")?;
    let path = fields.path_of("messages");
    let list = list.ok_or_else(|| missing(path.clone()))?;
    let mut conversation = Conversation {
        request,
        names: HashMap::new(),
        old_calls: HashMap::new(),
        results_open: false,
    };
    for (path, message) in numbered(list, &path) {
        conversation.read(Fields::of(message, path)?)?;
    }
    Ok(())
}

struct Conversation<'a> {
    request: &'a mut ChatRequest,
    /// The names of the tools that were called, by the call's id.
    names: HashMap<String, String>,
    /// The ids made for the last old `function_call` of each name: it has none, and its result refers
    /// to it by the name.
    old_calls: HashMap<String, String>,
    /// Whether the last message holds results, and takes those that follow.
    results_open: bool,
}

impl Conversation<'_> {
    fn read(&mut self, mut message: Fields) -> Result<(), RequestError> {
        let role = message.needed("role")?;
        let results_go_on = matches!(role.as_str(), "tool" | "function");
        self.results_open &= results_go_on;
        match role.as_str() {
            "system" | "developer" => self.read_system(&mut message)?,
            "user" => {
                let parts = self.content(&mut message, Reading::Asked)?;
                self.push(Role::User, parts);
            }
            "assistant" => {
                let parts = self.read_assistant(&mut message)?;
                self.push(Role::Assistant, parts);
            }
            "tool" => self.read_result(&mut message, "tool_call_id")?,
            "function" => self.read_result(&mut message, "name")?,
            _ => {
                let expected = "it must be system, developer, user, assistant, tool or function";
                return Err(invalid(message.path_of("role"), expected));
            }
        }
        message.leave(&mut self.request.unread);
        Ok(())
    }

    fn push(&mut self, role: Role, parts: Vec<Part>) {
        self.request.messages.push(Message { role, parts });
    }

    /// The content's parts; a breakpoint on the message stands behind the last of them.
    fn content(
        &mut self,
        message: &mut Fields,
        reading: Reading,
    ) -> Result<Vec<Part>, RequestError> {
        let mut parts = read_content(message, reading, &mut self.request.unread)?;
        let cache = read_cache(message)?;
        if let (Some(last), true) = (parts.last_mut(), cache.is_some()) {
            last.cache = cache;
        }
        Ok(parts)
    }

    fn read_system(&mut self, message: &mut Fields) -> Result<(), RequestError> {
        let parts = self.content(message, Reading::Asked)?;
        let mut texts = Vec::with_capacity(parts.len());
        for (at, part) in parts.into_iter().enumerate() {
            match part.body {
                PartBody::Text(_) => texts.push(part),
                _ => {
                    let path = message.path_of("content");
                    self.request.unread.note(format!("{path}[{at}]"));
                }
            }
        }
        if self.request.messages.is_empty() {
            self.request.system.extend(texts);
        } else {
            self.push(Role::System, texts);
        }
        Ok(())
    }

    fn read_assistant(&mut self, message: &mut Fields) -> Result<Vec<Part>, RequestError> {
        let mut parts = read_thoughts(message)?;
        parts.extend(self.content(message, Reading::Said)?);
        let refusal = message.text("refusal")?.filter(|text| !text.is_empty());
        parts.extend(refusal.map(|text| Part::from(PartBody::Refusal(text))));
        message.ignore(&["annotations"]);
        for (path, call) in message.items("tool_calls")? {
            let call = self.read_call(Fields::of(call, path)?)?;
            parts.push(self.called(call));
        }
        if let Some(mut function) = message.object("function_call")? {
            let name = function.needed("name")?;
            let input = function.text("arguments")?.unwrap_or_default();
            let id = format!("call_{}_{name}", self.request.messages.len());
            self.old_calls.insert(name.clone(), id.clone());
            let call = ToolCall {
                id,
                name,
                input,
                custom: false,
                seal: None,
            };
            parts.push(self.called(call));
        }
        Ok(parts)
    }

    fn called(&mut self, call: ToolCall) -> Part {
        self.names.insert(call.id.clone(), call.name.clone());
        PartBody::Call(call).into()
    }

    fn read_call(&mut self, mut call: Fields) -> Result<ToolCall, RequestError> {
        let custom = call.text("type")?.as_deref() == Some("custom");
        let (holder, field) = match custom {
            true => ("custom", "input"),
            false => ("function", "arguments"),
        };
        let mut function = call.needed_object(holder)?;
        let read = ToolCall {
            id: call.text("id")?.unwrap_or_default(),
            name: function.needed("name")?,
            input: read_input(&mut function, field)?,
            custom,
            seal: read_call_seal(&mut call)?,
        };
        call.ignore(&["index"]);
        function.leave(&mut self.request.unread);
        call.leave(&mut self.request.unread);
        Ok(read)
    }

    /// A result; `by` is the field that says of which call. Those in a row become one message.
    fn read_result(&mut self, message: &mut Fields, by: &str) -> Result<(), RequestError> {
        let call = message.needed(by)?;
        let call_id = match by {
            "name" => self.old_calls.get(&call).cloned().unwrap_or(call),
            _ => call,
        };
        let told = message.text("name")?;
        let result = ToolResult {
            name: self.names.get(&call_id).cloned().or(told),
            call_id,
            parts: self.content(message, Reading::Asked)?,
            is_error: false,
        };
        let part = Part::from(PartBody::Result(result));
        match self.request.messages.last_mut() {
            Some(last) if self.results_open => last.parts.push(part),
            _ => self.push(Role::User, vec![part]),
        }
        self.results_open = true;
        Ok(())
    }
}

/// The arguments as text; clients that send the object itself are understood.
fn read_input(function: &mut Fields, field: &str) -> Result<String, RequestError> {
    match function.take(field) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(object @ Value::Object(_)) => Ok(object.to_string()),
        Some(_) => Err(invalid(function.path_of(field), "it must be a string")),
    }
}

/// `extra_content.google.thought_signature`
fn read_call_seal(call: &mut Fields) -> Result<Option<Seal>, RequestError> {
    let Some(mut extra) = call.object("extra_content")? else {
        return Ok(None);
    };
    let Some(mut google) = extra.object("google")? else {
        return Ok(None);
    };
    let signature = google.text("thought_signature")?;
    Ok(signature.map(|text| Seal::read(&text, Dialect::Gemini)))
}

fn read_thoughts(message: &mut Fields) -> Result<Vec<Part>, RequestError> {
    let other = message.text("reasoning")?;
    let plain = message.text("reasoning_content")?.or(other);
    let details = message.take("reasoning_details");
    let details: Vec<Detail<'_>> = match &details {
        None => Vec::new(),
        Some(list) => Vec::deserialize(list).map_err(|_| {
            let expected = "it must be a list of objects";
            invalid(message.path_of("reasoning_details"), expected)
        })?,
    };
    let thoughts = thoughts(&plain.unwrap_or_default(), &details);
    let part = |thinking: Thinking| PartBody::Thinking(thinking).into();
    Ok(thoughts.into_iter().map(part).collect())
}
