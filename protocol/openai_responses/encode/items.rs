//! The conversation as items.

use std::collections::HashSet;

use super::{
    MAX_NAME, fit_id, messages_name,
    pieces::{self, Refused},
    wire::{Content, Item, Piece},
};
use crate::{
    chat::{
        ChatRequest, ConvertError, Message, Part, PartBody, Role, Thinking, ToolCall, ToolNames,
        ToolResult,
    },
    dialect::Dialect,
};

/// The items written so far.
pub(super) struct Items<'a> {
    list: Vec<Item<'a>>,
    dialect: Dialect,
    keep_thinking: bool,
    /// Ids of calls of custom tools, whose results are items of another kind.
    custom: HashSet<&'a str>,
    /// Whether thoughts are among them.
    pub(super) has_thinking: bool,
}

impl<'a> Items<'a> {
    pub(super) fn of(
        request: &'a ChatRequest,
        keep_thinking: bool,
        names: &mut ToolNames,
    ) -> Result<Self, ConvertError> {
        let mut items = Self {
            list: Vec::new(),
            dialect: request.dialect,
            keep_thinking,
            custom: HashSet::new(),
            has_thinking: false,
        };
        for message in &request.messages {
            items.push(message, names).map_err(|Refused(reason)| {
                ConvertError::new(messages_name(request.dialect), reason)
            })?;
        }
        Ok(items)
    }

    pub(super) fn into_list(self) -> Vec<Item<'a>> {
        self.list
    }

    fn push(&mut self, message: &'a Message, names: &mut ToolNames) -> Result<(), Refused> {
        match message.role {
            Role::User => self.push_user(&message.parts)?,
            Role::Assistant => {
                for part in &message.parts {
                    self.push_assistant(&part.body, names);
                }
            }
            Role::System => {
                let text = joined_texts(&message.parts);
                self.list.extend(text.map(|text| Item::Message {
                    role: "developer",
                    content: Content::Text(text.into()),
                }));
            }
        }
        Ok(())
    }

    /// Results come first: they belong to the calls before.
    fn push_user(&mut self, parts: &'a [Part]) -> Result<(), Refused> {
        let mut said = Vec::new();
        for part in parts {
            match &part.body {
                PartBody::Result(result) => self.push_result(result)?,
                body => pieces::push(body, self.dialect, &mut said)?,
            }
        }
        if !said.is_empty() {
            self.list.push(Item::Message {
                role: "user",
                content: pieces::plain(said),
            });
        }
        Ok(())
    }

    fn push_result(&mut self, result: &'a ToolResult) -> Result<(), Refused> {
        let call_id = fit_id(&result.call_id);
        let output = pieces::output(result, self.dialect)?;
        self.list
            .push(match self.custom.contains(&*result.call_id) {
                true => Item::CustomToolCallOutput { call_id, output },
                false => Item::FunctionCallOutput { call_id, output },
            });
        Ok(())
    }

    fn push_assistant(&mut self, body: &'a PartBody, names: &mut ToolNames) {
        match body {
            PartBody::Text(text) if text.is_empty() => {}
            PartBody::Text(text) => self.push_said(Piece::OutputText {
                text,
                annotations: [],
            }),
            PartBody::Refusal(refusal) => self.push_said(Piece::Refusal { refusal }),
            PartBody::Thinking(thinking) => self.push_thinking(thinking),
            PartBody::Call(call) => self.push_call(call, names),
            // no assistant says these
            PartBody::Image(_)
            | PartBody::Document(_)
            | PartBody::Audio { .. }
            | PartBody::Result(_) => {}
        }
    }

    /// Texts in a row are parts of one message.
    fn push_said(&mut self, piece: Piece<'a>) {
        if let Some(Item::Message {
            role: "assistant",
            content: Content::Pieces(pieces),
        }) = self.list.last_mut()
        {
            pieces.push(piece);
            return;
        }
        self.list.push(Item::Message {
            role: "assistant",
            content: Content::Pieces(vec![piece]),
        });
    }

    /// Other providers' thoughts are left out: this one would not know what to do with them.
    fn push_thinking(&mut self, thinking: &'a Thinking) {
        let own = |by| by == Dialect::OpenaiResponses && self.keep_thinking;
        let Some(seal) = thinking.seal.as_ref().filter(|seal| own(seal.by)) else {
            return;
        };
        let summary = match thinking.text.as_str() {
            "" => Vec::new(),
            text => vec![Piece::SummaryText { text }],
        };
        self.has_thinking = true;
        self.list.push(Item::Reasoning {
            id: seal.id.as_deref(),
            summary,
            encrypted_content: &seal.data,
        });
    }

    fn push_call(&mut self, call: &'a ToolCall, names: &mut ToolNames) {
        let call_id = fit_id(&call.id);
        let name = names.offer(&call.name, MAX_NAME, false);
        let input = call.input.as_str();
        if call.custom {
            self.custom.insert(&call.id);
            self.list.push(Item::CustomToolCall {
                call_id,
                name,
                input,
            });
        } else {
            let arguments = if input.trim().is_empty() { "{}" } else { input };
            self.list.push(Item::FunctionCall {
                call_id,
                name,
                arguments,
            });
        }
    }
}

/// The request's instructions as one text.
pub(super) fn instructions(request: &ChatRequest) -> Option<String> {
    joined_texts(&request.system)
}

fn joined_texts(parts: &[Part]) -> Option<String> {
    let texts = parts.iter().filter_map(|part| match &part.body {
        PartBody::Text(text) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}
