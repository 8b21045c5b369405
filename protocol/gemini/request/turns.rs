//! Messages made turns of user and model, and the signatures that must be among them.

use super::{
    Writer, media,
    names::Named,
    wire::{Call, Content, Held, Outcome, Part, Response, Speaker},
};
use crate::{
    chat::{self, ConvertError, Message, PartBody, Role, Seal, Thinking, ToolCall, ToolResult},
    dialect::Dialect,
};

/// Gemini 3 refuses a call of the current turn that has no signature. For calls that it did not make
/// itself its guide to thought signatures names this text, which switches the check off.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

type Turns<'a> = (Option<Content<'a>>, Vec<Content<'a>>);

impl<'a> Writer<'a> {
    /// The instructions, and the turns, in which user and model alternate.
    pub(super) fn turns(&mut self) -> Result<Turns<'a>, ConvertError> {
        let request = self.request;
        let mut system = Vec::new();
        self.instructions(&request.system, &mut system);
        let mut turns: Vec<Content<'a>> = Vec::new();
        for message in &request.messages {
            let (speaker, parts) = match message.role {
                Role::System => {
                    self.instructions(&message.parts, &mut system);
                    continue;
                }
                Role::User => (Speaker::User, self.said(message)?),
                Role::Assistant => (Speaker::Model, self.answered(message)?),
            };
            push(&mut turns, speaker, parts);
        }
        for turn in &mut turns {
            turn.parts.sort_by_key(Part::place);
        }
        if self.model.wants_signatures() {
            sign_current_calls(&mut turns);
        }
        if turns.is_empty() {
            // there must be a turn
            push(&mut turns, Speaker::User, std::mem::take(&mut system));
        }
        let system = (!system.is_empty()).then_some(Content {
            role: None,
            parts: system,
        });
        Ok((system, turns))
    }

    fn instructions(&mut self, parts: &'a [chat::Part], system: &mut Vec<Part<'a>>) {
        for part in parts {
            self.losses.note_if(part.cache.as_ref(), "cache_control");
            match &part.body {
                PartBody::Text(text) if !text.is_empty() => system.push(Part::text(text)),
                _ => {}
            }
        }
    }

    /// The parts of a user's message. Pictures that cannot stand in a tool's result come behind it.
    fn said(&mut self, message: &'a Message) -> Result<Vec<Part<'a>>, ConvertError> {
        let mut parts = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            self.losses.note_if(part.cache.as_ref(), "cache_control");
            match &part.body {
                PartBody::Result(result) => self.result(result, &mut parts)?,
                body => parts.extend(self.plain(body)?),
            }
        }
        Ok(parts)
    }

    /// The parts of the assistant's message. A seal that stands alone before a call that has none is
    /// the call's: so it comes back through dialects whose calls have no place for it.
    fn answered(&mut self, message: &'a Message) -> Result<Vec<Part<'a>>, ConvertError> {
        let mut parts = Vec::with_capacity(message.parts.len());
        let mut waiting: Option<&'a str> = None;
        for part in &message.parts {
            self.losses.note_if(part.cache.as_ref(), "cache_control");
            if let PartBody::Call(call) = &part.body {
                let own = self.signature(call.seal.as_ref());
                let signature = own.or_else(|| waiting.take());
                parts.extend(waiting.take().map(signed_nothing));
                parts.push(self.call(call, signature));
                continue;
            }
            parts.extend(waiting.take().map(signed_nothing));
            match &part.body {
                PartBody::Thinking(Thinking { text, seal }) => {
                    match self.signature(seal.as_ref()) {
                        Some(signature) if text.is_empty() => waiting = Some(signature),
                        Some(signature) => parts.push(Part {
                            thought: true,
                            thought_signature: Some(signature),
                            ..Part::text(text)
                        }),
                        None => {}
                    }
                }
                body => parts.extend(self.plain(body)?),
            }
        }
        parts.extend(waiting.map(signed_nothing));
        Ok(parts)
    }

    /// What is neither thought, nor call, nor result.
    fn plain(&mut self, body: &'a PartBody) -> Result<Option<Part<'a>>, ConvertError> {
        Ok(match body {
            PartBody::Text(text) | PartBody::Refusal(text) => {
                (!text.is_empty()).then(|| Part::text(text))
            }
            PartBody::Image(image) => Some(self.image(image)?),
            PartBody::Document(document) => Some(self.document(document)?),
            PartBody::Audio { data, format } => Some(media::audio(data, format)),
            PartBody::Call(_) | PartBody::Result(_) | PartBody::Thinking(_) => None,
        })
    }

    fn call(&mut self, call: &'a ToolCall, signature: Option<&'a str>) -> Part<'a> {
        let name = self.offer(&call.name, call.custom);
        self.calls.insert(&call.id, (self.placed, name.clone()));
        self.placed += 1;
        let held = Held::FunctionCall(Call {
            id: &call.id,
            name,
            args: call.arguments(),
        });
        Part {
            thought_signature: signature,
            ..held.into()
        }
    }

    fn result(
        &mut self,
        result: &'a ToolResult,
        out: &mut Vec<Part<'a>>,
    ) -> Result<(), ConvertError> {
        let call = self.calls.get(result.call_id.as_str()).cloned();
        let (place, name) = match (call, &result.name) {
            (Some(call), _) => call,
            (None, Some(name)) => (self.placed, self.offered(name)),
            (None, None) => {
                let reason = "no call of this conversation has that id; send the assistant's message with the call before the result";
                return Err(self.refuse(Named::Results, reason));
            }
        };
        let (texts, inside, behind) = self.contents(result)?;
        let outcome = match result.is_error {
            true => Outcome::Error(texts),
            false => Outcome::Output(texts),
        };
        let response = Held::FunctionResponse(Response {
            id: &result.call_id,
            name,
            response: outcome,
            parts: inside,
            place,
        });
        out.push(response.into());
        if !behind.is_empty() {
            out.push(Part::text(format!(
                "From the tool call {}:",
                result.call_id
            )));
            out.extend(behind);
        }
        Ok(())
    }

    /// What a tool gave: its text, what stands beside it in the result, and what must stand behind it.
    fn contents(
        &mut self,
        result: &'a ToolResult,
    ) -> Result<(String, Vec<Part<'a>>, Vec<Part<'a>>), ConvertError> {
        let (mut texts, mut inside, mut behind) = (Vec::new(), Vec::new(), Vec::new());
        for part in &result.parts {
            self.losses.note_if(part.cache.as_ref(), "cache_control");
            let Some(part) = self.plain(&part.body)? else {
                continue;
            };
            match part.held {
                Held::Text(text) => texts.push(text),
                Held::InlineData(_) if self.model.is_third_generation() => inside.push(part),
                _ => behind.push(part),
            }
        }
        Ok((texts.join("\n"), inside, behind))
    }

    /// A seal of Gemini's own that may go along.
    fn signature(&mut self, seal: Option<&'a Seal>) -> Option<&'a str> {
        let seal = seal.filter(|seal| seal.by == Dialect::Gemini && self.keep_thinking)?;
        self.has_thinking = true;
        Some(&seal.data)
    }
}

/// Adds to the last turn if it is of the same speaker.
fn push<'a>(turns: &mut Vec<Content<'a>>, speaker: Speaker, parts: Vec<Part<'a>>) {
    if parts.is_empty() {
        return;
    }
    match turns.last_mut() {
        Some(last) if last.role == Some(speaker) => last.parts.extend(parts),
        _ => turns.push(Content {
            role: Some(speaker),
            parts,
        }),
    }
}

/// A signature that came with no text, or with text that went before it.
fn signed_nothing(signature: &str) -> Part<'_> {
    Part {
        thought_signature: Some(signature),
        ..Part::text("")
    }
}

/// The current turn begins after the last words of the user's own; in it the first call of each of the
/// model's steps must be signed.
fn sign_current_calls(turns: &mut [Content<'_>]) {
    let is_result = |part: &Part<'_>| matches!(part.held, Held::FunctionResponse(_));
    let begins =
        |turn: &Content<'_>| turn.role == Some(Speaker::User) && !turn.parts.iter().any(is_result);
    let start = turns.iter().rposition(begins).unwrap_or(0);
    for step in &mut turns[start..] {
        let is_call = |part: &&mut Part<'_>| matches!(part.held, Held::FunctionCall(_));
        if let Some(call) = step.parts.iter_mut().find(is_call) {
            call.thought_signature.get_or_insert(NO_SIGNATURE);
        }
    }
}
