//! Which conversation a request belongs to, as far as clients say so: the key by which it keeps its target
//! and token.

use actix_web::http::header::{HeaderMap, HeaderName};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Headers that carry it. The last three are those of coding agents, Codex and Claude Code.
static HEADERS: [HeaderName; 7] = [
    HeaderName::from_static("x-conversation-id"),
    HeaderName::from_static("x-session-id"),
    HeaderName::from_static("x-thread-id"),
    HeaderName::from_static("x-chat-id"),
    HeaderName::from_static("conversation_id"),
    HeaderName::from_static("session_id"),
    HeaderName::from_static("x-claude-code-session-id"),
];

/// The most bytes of a key. Nobody's ids are longer, and hashing takes time.
const MAX_KEY: usize = 1_024;

/// The conversation's key: of a header, else of the body, whose top-level fields alone are read. None where
/// neither names one.
///
/// A response that a request continues (`previous_response_id`) is no key: it is another at each turn.
pub fn key(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let header = |name| Some(headers.get(name)?.to_str().ok()?.trim());
    let mut named = HEADERS.iter().filter_map(header);
    let named = named.find(|key| is_key(key)).map(str::to_owned);
    named.or_else(|| Fields::of(body)?.key())
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_KEY
}

type Raw<'a> = Option<&'a RawValue>;

/// The fields of a body that may name it.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    conversation_id: Raw<'a>,
    #[serde(borrow)]
    metadata: Raw<'a>,
    /// Of OpenAI: requests with the same one are to meet the same cache.
    #[serde(borrow)]
    prompt_cache_key: Raw<'a>,
    /// Of OpenAI's Responses: an id, or an object with one.
    #[serde(borrow)]
    conversation: Raw<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, alias = "conversationId")]
    conversation_id: Raw<'a>,
    #[serde(borrow, alias = "sessionId")]
    session_id: Raw<'a>,
    #[serde(borrow, alias = "threadId")]
    thread_id: Raw<'a>,
    #[serde(borrow, alias = "chatId")]
    chat_id: Raw<'a>,
    /// Of Anthropic: who, by definition; but Claude Code writes its session into it.
    #[serde(borrow)]
    user_id: Raw<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
}

/// What every body has that names a conversation: most have none of it, and need not be parsed.
const HINTS: [&[u8]; 3] = [b"conversation", b"\"metadata\"", b"\"prompt_cache_key\""];

impl<'a> Fields<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        let mut hints = HINTS.iter();
        hints.find(|hint| memmem::find(body, hint).is_some())?;
        serde_json::from_slice(body).ok()
    }

    fn key(&self) -> Option<String> {
        text(self.conversation_id)
            .or_else(|| object::<Metadata<'_>>(self.metadata)?.key())
            .or_else(|| text(self.prompt_cache_key))
            .or_else(|| text(self.conversation))
            .or_else(|| text(object::<Object<'_>>(self.conversation)?.id))
    }
}

impl Metadata<'_> {
    fn key(&self) -> Option<String> {
        let ids = [
            self.conversation_id,
            self.session_id,
            self.thread_id,
            self.chat_id,
        ];
        let session = |user: &String| user.contains("_session_") || user.contains("session_id");
        let id = ids.into_iter().find_map(text);
        id.or_else(|| text(self.user_id).filter(session))
    }
}

/// The text of a string that can be a key; nothing else is one.
fn text(raw: Raw<'_>) -> Option<String> {
    // an escape takes six bytes at most
    let raw = raw?.get();
    if !raw.starts_with('"') || raw.len() > 6 * MAX_KEY {
        return None;
    }
    let text: String = serde_json::from_str(raw).ok()?;
    is_key(&text).then_some(text)
}

fn object<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    let raw = raw?.get();
    if !raw.starts_with('{') {
        return None;
    }
    serde_json::from_str(raw).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of_body(body: &str) -> Option<String> {
        key(&HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn bodies_name_it_in_many_ways() {
        for (body, wanted) in [
            (r#"{"conversation_id": "c"}"#, Some("c")),
            (r#"{"metadata": {"session_id": "s"}}"#, Some("s")),
            (r#"{"metadata": {"sessionId": "s"}}"#, Some("s")),
            (
                r#"{"metadata": {"conversationId": "c", "thread_id": "t"}}"#,
                Some("c"),
            ),
            (r#"{"metadata": {"threadId": "t"}}"#, Some("t")),
            (r#"{"metadata": {"chat_id": "h"}}"#, Some("h")),
            (
                r#"{"metadata": {"user_id": "user_1_account_2_session_3"}}"#,
                Some("user_1_account_2_session_3"),
            ),
            (
                r#"{"metadata": {"user_id": "{\"session_id\":\"3\"}"}}"#,
                Some(r#"{"session_id":"3"}"#),
            ),
            (r#"{"metadata": {"user_id": "somebody"}}"#, None),
            (
                r#"{"prompt_cache_key": "p", "conversation": "c"}"#,
                Some("p"),
            ),
            (r#"{"conversation": "conv_1"}"#, Some("conv_1")),
            (r#"{"conversation": {"id": "conv_1"}}"#, Some("conv_1")),
            (r#"{"conversation_id": null, "metadata": null}"#, None),
            (r#"{"conversation_id": 7, "metadata": "x"}"#, None),
            (r#"{"conversation_id": ""}"#, None),
            (r#"{"messages": [{"conversation_id": "c"}]}"#, None),
            (r#"{"previous_response_id": "resp_1"}"#, None),
            ("not json", None),
        ] {
            assert_eq!(of_body(body).as_deref(), wanted, "{body}");
        }
    }

    #[test]
    fn headers_come_first() {
        let body = br#"{"conversation_id": "body"}"#;
        for name in &HEADERS {
            let request = TestRequest::default().insert_header((name.clone(), " header "));
            let request = request.to_http_request();
            assert_eq!(key(request.headers(), body).as_deref(), Some("header"));
        }
        let empty = TestRequest::default().insert_header(("x-session-id", ""));
        let empty = empty.to_http_request();
        assert_eq!(key(empty.headers(), body).as_deref(), Some("body"));
    }

    #[test]
    fn what_is_too_long_for_an_id_is_none() {
        let at = |length: usize| {
            of_body(&format!(
                r#"{{"conversation_id": "{}"}}"#,
                "x".repeat(length)
            ))
        };
        assert!(at(MAX_KEY).is_some());
        assert_eq!(at(MAX_KEY + 1), None);
        assert_eq!(at(10 * MAX_KEY), None);
    }
}
