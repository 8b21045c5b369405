//! The items of a conversation, put together into turns.
//!
//! This dialect has no turns: thoughts, texts and calls of one are items in a row. They become one message
//! of the assistant, and results in a row one of the user.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    content,
    fields::{Fields, invalid, with_paths},
};
use crate::{
    chat::{ChatRequest, Message, Part, PartBody, Role, Seal, Thinking, ToolCall, ToolResult},
    dialect::Dialect,
    openai::request_error::RequestError,
};

type Read<T> = Result<T, RequestError>;

pub(super) fn read(
    instructions: Option<String>,
    input: Value,
    request: &mut ChatRequest,
) -> Read<()> {
    request
        .system
        .extend(instructions.filter(|text| !text.is_empty()).map(Part::text));
    let mut conversation = Conversation {
        request,
        names: HashMap::new(),
    };
    match input {
        Value::String(text) => conversation.push(Role::User, vec![Part::text(text)]),
        Value::Array(items) => {
            for (item, path) in with_paths(items, "input") {
                conversation.read_item(item, path)?;
            }
        }
        _ => return Err(invalid("input".to_owned(), "a string or a list of items")),
    }
    Ok(())
}

struct Conversation<'r> {
    request: &'r mut ChatRequest,
    /// Names of called tools by the ids of their calls.
    names: HashMap<String, String>,
}

impl Conversation<'_> {
    fn read_item(&mut self, item: Value, path: String) -> Read<()> {
        let mut fields = Fields::of(item, path.clone())?;
        let kind = fields.text("type")?;
        let id = fields.text("id")?;
        fields.ignore(&["status"]);
        match kind.as_deref().unwrap_or("message") {
            "message" => self.read_message(&mut fields)?,
            "reasoning" => self.read_reasoning(id, &mut fields)?,
            "function_call" => self.read_call(&mut fields, false)?,
            "custom_tool_call" => self.read_call(&mut fields, true)?,
            "function_call_output" | "custom_tool_call_output" => self.read_result(&mut fields)?,
            "item_reference" => {
                let expected = "an item of an earlier response cannot be looked up; send the item itself, or go on from the response with `previous_response_id`";
                return Err(invalid(path, expected));
            }
            // calls of hosted tools and what came of them: both ends go
            _ => {
                self.request.unread.note(path);
                return Ok(());
            }
        }
        fields.note_rest(&mut self.request.unread);
        Ok(())
    }

    fn read_message(&mut self, fields: &mut Fields) -> Read<()> {
        // which of several messages is the final one only matters to who shows them
        fields.ignore(&["phase"]);
        let role = match fields.required_text("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" | "developer" => Role::System,
            _ => {
                let expected = "`user`, `assistant`, `system` or `developer`";
                return Err(fields.invalid("role", expected));
            }
        };
        let parts = content::read(fields, "content", &mut self.request.unread)?;
        match role {
            Role::System => self.push_system(parts, &fields.path("content")),
            Role::Assistant => parts.into_iter().for_each(|part| self.push_assistant(part)),
            Role::User => self.push(role, parts),
        }
        Ok(())
    }

    /// Instructions are text; before the first turn they are the request's own.
    fn push_system(&mut self, mut parts: Vec<Part>, path: &str) {
        let given = parts.len();
        parts.retain(|part| matches!(part.body, PartBody::Text(_)));
        if parts.len() < given {
            self.request.unread.note(path);
        }
        if self.request.messages.is_empty() {
            self.request.system.extend(parts);
        } else {
            self.push(Role::System, parts);
        }
    }

    fn read_reasoning(&mut self, id: Option<String>, fields: &mut Fields) -> Read<()> {
        let summary = content::read_texts(fields, "summary")?;
        let full = content::read_texts(fields, "content")?;
        let texts = if summary.is_empty() { full } else { summary };
        let seal = fields.text("encrypted_content")?.map(|data| {
            let seal = Seal::read(&data, Dialect::OpenaiResponses);
            let own = seal.by == Dialect::OpenaiResponses;
            if own { Seal { id, ..seal } } else { seal }
        });
        let text = texts.join("\n\n");
        if !text.is_empty() || seal.is_some() {
            self.push_assistant(PartBody::Thinking(Thinking { text, seal }).into());
        }
        Ok(())
    }

    fn read_call(&mut self, fields: &mut Fields, custom: bool) -> Read<()> {
        let id = fields.required_text("call_id")?;
        let name = fields.required_text("name")?;
        let input = if custom { "input" } else { "arguments" };
        self.names.insert(id.clone(), name.clone());
        let call = ToolCall {
            id,
            name,
            input: fields.text(input)?.unwrap_or_default(),
            custom,
            seal: self.take_call_seal(),
        };
        self.push_assistant(PartBody::Call(call).into());
        Ok(())
    }

    /// The seal of a signed call, which was written as thoughts before it without a text.
    fn take_call_seal(&mut self) -> Option<Seal> {
        let last = self
            .request
            .messages
            .last_mut()
            .filter(|last| last.role == Role::Assistant)?;
        let thinking = last.parts.pop_if(|part| match &part.body {
            PartBody::Thinking(Thinking {
                text,
                seal: Some(seal),
            }) => text.is_empty() && seal.by == Dialect::Gemini,
            _ => false,
        })?;
        match thinking.body {
            PartBody::Thinking(thinking) => thinking.seal,
            _ => None,
        }
    }

    fn read_result(&mut self, fields: &mut Fields) -> Read<()> {
        let call_id = fields.required_text("call_id")?;
        let result = ToolResult {
            name: self.names.get(&call_id).cloned(),
            call_id,
            parts: content::read(fields, "output", &mut self.request.unread)?,
            is_error: false,
        };
        let part = PartBody::Result(result).into();
        match self.request.messages.last_mut() {
            Some(last) if holds_results(last) => last.parts.push(part),
            _ => self.push(Role::User, vec![part]),
        }
        Ok(())
    }

    fn push_assistant(&mut self, part: Part) {
        match self.request.messages.last_mut() {
            Some(last) if last.role == Role::Assistant => last.parts.push(part),
            _ => self.push(Role::Assistant, vec![part]),
        }
    }

    fn push(&mut self, role: Role, parts: Vec<Part>) {
        if !parts.is_empty() {
            self.request.messages.push(Message { role, parts });
        }
    }
}

fn holds_results(message: &Message) -> bool {
    matches!(
        message.parts.last(),
        Some(Part {
            body: PartBody::Result(_),
            ..
        })
    )
}
