//! What of a request costs tokens, for those who estimate them.

use std::borrow::Cow;

use super::{
    content::{Part, PartBody, Source},
    request::ChatRequest,
    settings::Format,
    tools::{Tool, ToolResult},
};

/// A request's texts, and how many there are of what is no text. Borrows what it can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces<'a> {
    /// Instructions, what was said and thought, calls' names and inputs, results; tools' names,
    /// descriptions and schemas; the schema of the answer. Schemas are JSON.
    pub texts: Vec<Cow<'a, str>>,
    /// Instructions count as one message.
    pub messages: usize,
    pub tools: usize,
    pub images: usize,
    /// Those whose text is not at hand; those of plain text are among the texts.
    pub documents: usize,
    /// Recordings.
    pub sounds: usize,
}

impl ChatRequest {
    /// See [`Pieces`].
    #[must_use]
    pub fn pieces(&self) -> Pieces<'_> {
        let mut pieces = Pieces {
            messages: self.messages.len() + usize::from(!self.system.is_empty()),
            tools: self.tools.len(),
            ..Pieces::default()
        };
        let said = self.messages.iter().flat_map(|message| &message.parts);
        for part in self.system.iter().chain(said) {
            pieces.part(part);
        }
        for tool in &self.tools {
            pieces.tool(tool);
        }
        if let Some(Format::Schema { schema, .. }) = &self.format {
            pieces.texts.push(schema.to_string().into());
        }
        pieces
    }
}

impl<'a> Pieces<'a> {
    fn part(&mut self, part: &'a Part) {
        match &part.body {
            PartBody::Text(text) | PartBody::Refusal(text) => self.text(text),
            PartBody::Thinking(thinking) => self.text(&thinking.text),
            PartBody::Call(call) => {
                self.text(&call.name);
                self.text(&call.input);
            }
            PartBody::Result(ToolResult { parts, .. }) => {
                for part in parts {
                    self.part(part);
                }
            }
            PartBody::Image(_) => self.images += 1,
            PartBody::Document(document) => match &document.source {
                Source::Text(text) => self.text(text),
                Source::Base64 { .. } | Source::Url(_) | Source::FileId(_) => self.documents += 1,
            },
            PartBody::Audio { .. } => self.sounds += 1,
        }
    }

    fn tool(&mut self, tool: &'a Tool) {
        match tool {
            Tool::Function {
                name,
                description,
                schema,
                ..
            }
            | Tool::Custom {
                name,
                description,
                format: schema,
            } => {
                self.text(name);
                self.text(description.as_deref().unwrap_or_default());
                let schema = schema.iter().map(|schema| schema.to_string().into());
                self.texts.extend(schema);
            }
            Tool::Hosted { name } => self.text(name),
        }
    }

    fn text(&mut self, text: &'a str) {
        if !text.is_empty() {
            self.texts.push(Cow::Borrowed(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        chat::{Document, Image, Message, Role, Thinking, ToolCall},
        dialect::Dialect,
    };

    fn image() -> Part {
        PartBody::Image(Image {
            source: Source::Url("https://x.org/a.png".to_owned()),
            detail: None,
        })
        .into()
    }

    fn document(source: Source) -> Part {
        PartBody::Document(Document {
            source,
            title: None,
            context: None,
        })
        .into()
    }

    #[test]
    fn everything_that_costs_is_counted_once() {
        let mut request = ChatRequest::new(Dialect::Anthropic, "m");
        request.system = vec![Part::text("be brief"), Part::text("")];
        let call = ToolCall {
            id: "c".to_owned(),
            name: "find".to_owned(),
            input: r#"{"q":1}"#.to_owned(),
            custom: false,
            seal: None,
        };
        let result = ToolResult {
            call_id: "c".to_owned(),
            name: None,
            parts: vec![Part::text("found"), image()],
            is_error: false,
        };
        let audio = PartBody::Audio {
            data: "AA".to_owned(),
            format: "wav".to_owned(),
        };
        let thinking = PartBody::Thinking(Thinking {
            text: "hm".to_owned(),
            seal: None,
        });
        let message = |role, parts| Message { role, parts };
        request.messages = vec![
            message(
                Role::User,
                vec![
                    Part::text("hi"),
                    image(),
                    document(Source::Text("plain".to_owned())),
                    document(Source::FileId("f".to_owned())),
                    audio.into(),
                ],
            ),
            message(
                Role::Assistant,
                vec![thinking.into(), PartBody::Call(call).into()],
            ),
            message(Role::User, vec![PartBody::Result(result).into()]),
        ];
        request.tools = vec![
            Tool::Function {
                name: "find".to_owned(),
                description: Some("finds".to_owned()),
                schema: Some(json!({"type": "object"})),
                strict: None,
                cache: None,
            },
            Tool::Hosted {
                name: "web_search".to_owned(),
            },
        ];
        request.format = Some(Format::Schema {
            name: None,
            description: None,
            schema: json!({"type": "array"}),
            strict: None,
        });
        let expected = Pieces {
            texts: [
                "be brief",
                "hi",
                "plain",
                "hm",
                "find",
                r#"{"q":1}"#,
                "found",
                "find",
                "finds",
                r#"{"type":"object"}"#,
                "web_search",
                r#"{"type":"array"}"#,
            ]
            .map(Cow::Borrowed)
            .to_vec(),
            messages: 4,
            tools: 2,
            images: 2,
            documents: 1,
            sounds: 1,
        };
        assert_eq!(request.pieces(), expected);
    }
}
