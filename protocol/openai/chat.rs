//! Chat answers that Troupe writes itself: the built-in demo provider speaks through these.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::request_error::{RequestError, missing, parse_typed};
use crate::{json, usage::Usage};

/// The last event of every stream.
pub const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// What all pieces of one answer share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatReply<'a> {
    /// `chatcmpl-…`
    pub id: &'a str,
    /// The model as the client named it.
    pub model: &'a str,
    /// Unix seconds.
    pub created: u64,
}

impl ChatReply<'_> {
    /// The whole answer at once.
    #[must_use]
    pub fn answer(&self, text: &str, finish_reason: &str, usage: &Usage) -> Bytes {
        let message = Message {
            role: "assistant",
            content: text,
        };
        let choice = AnswerChoice {
            index: 0,
            message,
            finish_reason,
        };
        let mut out = Vec::with_capacity(384 + text.len());
        let object = "chat.completion";
        json::append(&mut out, &self.body(object, &[choice], Some(usage)));
        out.into()
    }

    /// The first event of a stream: who speaks.
    #[must_use]
    pub fn role_event(&self) -> Bytes {
        let role = Some("assistant");
        let content = Some("");
        self.event(&[ChunkChoice::of(Delta { role, content })], None)
    }

    /// A piece of text.
    #[must_use]
    pub fn text_event(&self, text: &str) -> Bytes {
        let content = Some(text);
        let role = None;
        self.event(&[ChunkChoice::of(Delta { role, content })], None)
    }

    /// The end of the text.
    #[must_use]
    pub fn finish_event(&self, finish_reason: &str) -> Bytes {
        let mut choice = ChunkChoice::of(Delta::default());
        choice.finish_reason = Some(finish_reason);
        self.event(&[choice], None)
    }

    /// The usage, for clients that ask for it. [`DONE`] follows.
    #[must_use]
    pub fn usage_event(&self, usage: &Usage) -> Bytes {
        self.event(&[], Some(usage))
    }

    fn event(&self, choices: &[ChunkChoice<'_>], usage: Option<&Usage>) -> Bytes {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"data: ");
        json::append(
            &mut out,
            &self.body("chat.completion.chunk", choices, usage),
        );
        out.extend_from_slice(b"\n\n");
        out.into()
    }

    fn body<'b, C>(
        &'b self,
        object: &'static str,
        choices: &'b [C],
        usage: Option<&Usage>,
    ) -> Body<'b, C> {
        Body {
            id: self.id,
            object,
            created: self.created,
            model: self.model,
            choices,
            usage: usage.map(UsageBody::from),
        }
    }
}

#[derive(Serialize)]
struct Body<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageBody>,
}

#[derive(Serialize)]
struct AnswerChoice<'a> {
    index: u32,
    message: Message<'a>,
    finish_reason: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'a str>,
}

impl<'a> ChunkChoice<'a> {
    fn of(delta: Delta<'a>) -> Self {
        Self {
            index: 0,
            delta,
            finish_reason: None,
        }
    }
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

/// A usage as `openai_chat` writes it.
#[derive(Serialize)]
pub(crate) struct UsageBody {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: CachedTokens,
    completion_tokens_details: ReasoningTokens,
}

#[derive(Serialize)]
struct CachedTokens {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
}

#[derive(Serialize)]
struct ReasoningTokens {
    reasoning_tokens: u64,
}

impl From<&Usage> for UsageBody {
    fn from(usage: &Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt,
            completion_tokens: usage.completion,
            total_tokens: usage.prompt.saturating_add(usage.completion),
            prompt_tokens_details: CachedTokens {
                cached_tokens: usage.cached,
                cache_write_tokens: (usage.cache_write > 0).then_some(usage.cache_write),
            },
            completion_tokens_details: ReasoningTokens {
                reasoning_tokens: usage.reasoning,
            },
        }
    }
}

/// The text of the last user message of a chat request, cut to `max_chars` characters; of a
/// message in parts, its text parts joined by line feeds. `None` where no user has spoken.
///
/// # Errors
/// When `messages` is missing or not a list of messages.
pub fn last_user_text(body: &[u8], max_chars: usize) -> Result<Option<String>, RequestError> {
    let request: Conversation = parse_typed(body)?;
    let messages = request.messages.ok_or_else(|| missing("messages"))?;
    if messages.is_empty() {
        return Err(RequestError::invalid(
            "messages",
            "it must have a message at least",
        ));
    }
    let last = messages.into_iter().rev().find(|said| said.role == "user");
    Ok(last.map(|said| said.content.text().chars().take(max_chars).collect()))
}

#[derive(Deserialize)]
struct Conversation {
    #[serde(default)]
    messages: Option<Vec<Said>>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

impl Default for Content {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => {
                let texts: Vec<String> = parts.into_iter().filter_map(|part| part.text).collect();
                texts.join("\n")
            }
            Self::Other(IgnoredAny) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::openai::stream::StreamTap;

    const REPLY: ChatReply<'_> = ChatReply {
        id: "chatcmpl-1",
        model: "demo/chat",
        created: 1_700_000_000,
    };
    const USAGE: Usage = Usage {
        prompt: 3,
        completion: 2,
        cached: 0,
        reasoning: 0,
        cache_write: 0,
    };

    #[test]
    fn an_answer_has_the_shape_that_clients_read() {
        let answer: Value = serde_json::from_slice(&REPLY.answer("h\"i", "stop", &USAGE)).unwrap();
        assert_eq!(
            answer,
            json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "demo/chat",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "h\"i"}, "finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 0},
                },
            })
        );
    }

    #[test]
    fn events_are_what_a_tap_expects() {
        let mut tap = StreamTap::new(true, 1 << 16);
        let role = REPLY.role_event();
        assert_eq!(
            role,
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"demo/chat\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
        );
        assert_eq!(tap.push(role.clone()).unwrap(), role);
        assert!(!tap.seen().content);
        tap.push(REPLY.text_event("hi\n\ndata: x")).unwrap();
        assert!(tap.seen().content && !tap.seen().finish_reason);
        tap.push(REPLY.finish_event("stop")).unwrap();
        assert!(tap.seen().finish_reason);
        assert_eq!(tap.push(REPLY.usage_event(&USAGE)).unwrap(), "");
        assert_eq!(tap.usage(), Some(USAGE));
        assert_eq!(tap.push(DONE).unwrap(), DONE);
        assert!(tap.done());
        assert_eq!(tap.seen().events, 4);
    }

    #[test]
    fn the_last_word_of_the_user() {
        let text = |messages: Value| {
            let body = json!({"model": "m", "messages": messages}).to_string();
            last_user_text(body.as_bytes(), 5)
        };
        let cases = [
            (
                json!([{"role": "user", "content": "ä-long text"}]),
                Some("ä-lon"),
            ),
            (
                json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]),
                Some("b"),
            ),
            (
                json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "b"}]}]),
                Some("a\nb"),
            ),
            (json!([{"role": "user", "content": null}]), Some("")),
            (json!([{"role": "user"}]), Some("")),
            (json!([{"role": "system", "content": "s"}]), None),
        ];
        for (messages, expected) in cases {
            assert_eq!(
                text(messages.clone()).unwrap().as_deref(),
                expected,
                "{messages}"
            );
        }
    }

    #[test]
    fn what_is_no_conversation_is_refused() {
        let param = |body: &str| {
            let error = last_user_text(body.as_bytes(), 5).unwrap_err();
            error.param().map(str::to_owned)
        };
        assert_eq!(param(r#"{"model":"m"}"#).as_deref(), Some("messages"));
        assert_eq!(param(r#"{"messages":[]}"#).as_deref(), Some("messages"));
        assert_eq!(param(r#"{"messages":"hi"}"#).as_deref(), Some("messages"));
        assert_eq!(
            param(r#"{"messages":[{"role":7}]}"#).as_deref(),
            Some("messages[0].role")
        );
        assert_eq!(param(r#"{"messages":"#), None);
    }
}
