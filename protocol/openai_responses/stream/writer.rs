//! A stream for a client, written.

use super::{
    call::Call,
    events::Events,
    message::Message,
    reasoning::Reasoning,
    response::{CUT, Response, State},
};
use crate::{
    chat::{Block, ChatEvent, Reply, StreamFault, WriteEvents},
    openai::error::ErrorCode,
    usage::Usage,
};

/// Writes the events of `/v1/responses`.
///
/// This dialect's last event repeats the whole answer, so unlike its neighbours this writer keeps all
/// text until then: at most `max_held` bytes of it ([`Reply`]). An answer that is longer goes on as
/// deltas, but what repeats it has only its beginning, the items that are cut say `incomplete`, and so
/// does the response.
#[derive(Debug)]
pub struct EventWriter {
    reply: Reply,
    model: Option<String>,
    service_tier: Option<String>,
    /// The last that was told.
    usage: Option<Usage>,
    events: Events,
    item: Option<Item>,
    /// The last response object.
    whole: Option<Vec<u8>>,
}

/// The output item under way.
#[derive(Debug)]
enum Item {
    Message(Message),
    Reasoning(Reasoning),
    Call(Call),
}

impl EventWriter {
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self {
            events: Events::new(&reply.id, reply.max_held),
            reply,
            model: None,
            service_tier: None,
            usage: None,
            item: None,
            whole: None,
        }
    }

    /// The response object that the last event held, once that was written.
    #[must_use]
    pub fn response(&self) -> Option<&[u8]> {
        self.whole.as_deref()
    }

    /// The same to keep; empty before the answer has ended.
    pub(crate) fn into_response(self) -> Vec<u8> {
        self.whole.unwrap_or_default()
    }

    /// Whether the answer was longer than what may be held, so that [`Self::response`] is cut.
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.events.overflowed
    }

    fn open(&mut self, block: Block, out: &mut Vec<u8>) {
        match block {
            Block::Text => self.open_text(false, out),
            Block::Refusal => self.open_text(true, out),
            Block::Thinking => {
                self.end_item(out);
                self.item = Some(Item::Reasoning(Reasoning::new(&self.events)));
            }
            Block::Call { id, name, custom } => {
                self.end_item(out);
                let call = Call::new(id, &name, custom, &self.reply.tools);
                self.item = Some(Item::Call(call));
            }
        }
    }

    fn open_text(&mut self, is_refusal: bool, out: &mut Vec<u8>) {
        if !matches!(self.item, Some(Item::Message(_))) {
            self.end_item(out);
        }
        let message = || Item::Message(Message::new(&self.events));
        if let Item::Message(message) = self.item.get_or_insert_with(message) {
            message.open(is_refusal);
        }
    }

    fn delta(&mut self, text: &str, out: &mut Vec<u8>) {
        let events = &mut self.events;
        match &mut self.item {
            Some(Item::Message(message)) => message.delta(text, events, out),
            Some(Item::Reasoning(reasoning)) => reasoning.delta(text, events, out),
            Some(Item::Call(call)) => call.delta(text, events, out),
            None => {}
        }
    }

    /// A message stays open for what may follow; everything else ends with its block.
    fn close(&mut self, out: &mut Vec<u8>) {
        match &mut self.item {
            Some(Item::Message(message)) => message.close(&mut self.events, out),
            _ => self.end_item(out),
        }
    }

    fn end_item(&mut self, out: &mut Vec<u8>) {
        let events = &mut self.events;
        match self.item.take() {
            Some(Item::Message(message)) => message.end(events, out),
            Some(Item::Reasoning(reasoning)) => reasoning.end(events, out),
            Some(Item::Call(call)) => call.end(events, out),
            None => {}
        }
    }

    /// An event that carries the response object, and the object.
    fn push_response(&mut self, name: &str, state: State<'_>, out: &mut Vec<u8>) -> Vec<u8> {
        let mut json = Vec::new();
        let response = Response {
            reply: &self.reply,
            model: self.model.as_deref(),
            service_tier: self.service_tier.as_deref(),
            state,
            output: self.events.output(),
            usage: self.usage,
        };
        response.write(&mut json);
        self.events
            .push(name, out, |event| event.json("response", &json));
        json
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        // the usage belongs to the end
        let usage = self.usage.take();
        self.push_response("response.created", State::InProgress, out);
        self.push_response("response.in_progress", State::InProgress, out);
        self.usage = usage;
    }

    fn finish(&mut self, state: State<'_>, out: &mut Vec<u8>) {
        self.end_item(out);
        let state = if self.events.overflowed { CUT } else { state };
        let name = match state {
            State::Incomplete { .. } => "response.incomplete",
            _ => "response.completed",
        };
        self.whole = Some(self.push_response(name, state, out));
    }
}

impl WriteEvents for EventWriter {
    fn write(&mut self, event: ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Start {
                model,
                usage,
                service_tier,
            } => {
                self.model = model;
                self.usage = usage;
                self.service_tier = service_tier;
                self.start(out);
            }
            ChatEvent::Open(block) => self.open(block, out),
            ChatEvent::Delta(text) => self.delta(&text, out),
            ChatEvent::Seal(seal) => match &mut self.item {
                Some(Item::Reasoning(item)) => item.seal(&seal, &mut self.events, out),
                Some(Item::Call(call)) => call.seal(&seal, &mut self.events, out),
                Some(Item::Message(_)) | None => {}
            },
            ChatEvent::Logprobs(items) => {
                if let Some(Item::Message(message)) = &mut self.item {
                    message.logprobs(items, &mut self.events, out);
                }
            }
            ChatEvent::Close => self.close(out),
            ChatEvent::Finish { stop, usage } => {
                self.usage = usage.or(self.usage);
                self.finish(State::of(&stop), out);
            }
            ChatEvent::Ping => out.extend_from_slice(b": ping\n\n"),
            // errors come by `fail`
            ChatEvent::Error { .. } => {}
        }
    }

    /// `response.failed`, which Codex reads, and `error`, at which the SDKs raise.
    fn fail(&mut self, error: &StreamFault<'_>, out: &mut Vec<u8>) {
        let state = State::Failed {
            code: failed_code(error.code),
            message: error.message,
        };
        self.push_response("response.failed", state, out);
        self.events.push("error", out, |event| {
            event
                .field("code", error.code.as_str())
                .field("message", error.message)
                .field("param", &())
                .field("request_id", error.request_id)
        });
    }

    fn whole_answer(&self) -> Option<&[u8]> {
        self.response().filter(|_| !self.overflowed())
    }
}

/// The code inside a failed response, which has a closed list of them: clients try again unless the
/// request is at fault.
fn failed_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::RateLimitExceeded | ErrorCode::AppLimitReached | ErrorCode::KeyRateLimited => {
            "rate_limit_exceeded"
        }
        ErrorCode::ContentPolicy | ErrorCode::UpstreamInvalidRequest => "invalid_prompt",
        _ => "server_error",
    }
}
