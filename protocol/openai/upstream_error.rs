//! What an OpenAI-compatible upstream says in the body of a failed answer, in the known shapes.

use derive_more::{Display, Error};
use serde_json::Value;

/// An answer that should be good is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("the upstream's answer is malformed: {reason}")]
pub struct MalformedAnswer {
    /// What the parser says; it quotes nothing of the answer but names and types.
    pub reason: String,
}

/// The longest message that is passed on, in characters.
pub const MAX_MESSAGE_CHARS: usize = 500;

const REDACTED: &str = "[redacted]";

/// The parts of an error body, lower case but for the message.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// `code`; a number becomes its digits.
    pub(crate) code: String,
    /// `type` or, with Google, `status`.
    pub(crate) kind: String,
    pub(crate) message: String,
    /// The error object, for the few who say more.
    pub(crate) error: Value,
}

impl Said {
    /// Reads `{"error":{…}}`, `[{"error":{…}}]`, `{"error":"text"}`, `{"errors":{…}}`, and flat
    /// bodies with `message`, `detail` or `msg`. A body that is no JSON says nothing.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Ok(mut root) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        if let Some(first) = root.get_mut(0) {
            root = first.take();
        }
        let nested = ["error", "errors"].iter().find_map(|key| root.get(key));
        let error = match nested {
            Some(object @ Value::Object(_)) => object.clone(),
            _ => root.clone(),
        };
        let field = |name: &str| text(error.get(name)).or_else(|| text(root.get(name)));
        let message = ["message", "error", "detail", "msg"]
            .into_iter()
            .find_map(field);
        Self {
            code: field("code").unwrap_or_default().to_lowercase(),
            kind: field("type")
                .or_else(|| field("status"))
                .unwrap_or_default()
                .to_lowercase(),
            message: message.unwrap_or_default(),
            error,
        }
    }
}

/// A text or number; of a list (FastAPI's `detail`), the first entry's.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => text(list.first()),
        Value::Object(fields) => text(fields.get("message").or_else(|| fields.get("msg"))),
        _ => None,
    }
}

/// The upstream's message, fit to be shown and stored: on one line, at most
/// [`MAX_MESSAGE_CHARS`] long, and with whatever looks like a key masked.
#[must_use]
pub fn upstream_message(body: &[u8]) -> Option<String> {
    clean(&Said::read(body).message)
}

/// An upstream's text in the same state; none where nothing is left of it.
#[must_use]
pub fn clean(text: &str) -> Option<String> {
    let clean = mask_secrets(&one_line(text));
    let clean = clean.trim();
    (!clean.is_empty()).then(|| shortened(clean))
}

fn one_line(text: &str) -> String {
    text.chars()
        // more than is shown, since masking shortens; a bound for what is worked on
        .take(4 * MAX_MESSAGE_CHARS)
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Replaces each word that looks like a key, or that is announced as one.
fn mask_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = "";
    let mut rest = text;
    while !rest.is_empty() {
        let (gap, word, after) = next_word(rest);
        out.push_str(gap);
        if looks_like_key(word) || (announces_key(before, gap) && may_be_key(word)) {
            out.push_str(REDACTED);
        } else {
            out.push_str(word);
        }
        (before, rest) = (word, after);
    }
    out
}

/// Splits into what stands before the next word, the word, and the rest. Keys hold letters, digits
/// and a few signs; shortened ones hold stars.
fn next_word(text: &str) -> (&str, &str, &str) {
    let in_word = |char: char| char.is_ascii_alphanumeric() || "-_.*|+/~".contains(char);
    let (gap, rest) = text.split_at(text.find(in_word).unwrap_or(text.len()));
    let word = &rest[..rest.find(|char| !in_word(char)).unwrap_or(rest.len())];
    // a full stop at the end is the sentence's, unless there is nothing else
    let length = match word.trim_end_matches('.').len() {
        0 => word.len(),
        length => length,
    };
    (gap, &rest[..length], &rest[length..])
}

/// `Bearer x`, `key: x`, `token=x`, …
fn announces_key(before: &str, gap: &str) -> bool {
    const NAMES: &[&str] = &[
        "key",
        "token",
        "provided",
        "secret",
        "authorization",
        "password",
    ];
    let before = before.to_lowercase();
    let named = NAMES.iter().any(|name| before.ends_with(name));
    before == "bearer" || (named && gap.contains([':', '=']))
}

/// Not a plain word.
fn may_be_key(word: &str) -> bool {
    word.len() >= 8 && !word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The usual prefixes, and anything long that mixes letters and digits without being a path.
fn looks_like_key(word: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "sk-", "sk_", "pk-", "ak-", "rk-", "ms-", "xai-", "gsk_", "hf_", "r8_", "ghp_", "nvapi-",
        "AIza", "AKLT", "eyJ",
    ];
    let prefixed = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    let mixed = word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    (prefixed && word.len() >= 8) || (mixed && word.len() >= 32 && !word.contains('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_known_shapes() {
        let cases = [
            (
                r#"{"error":{"message":"nested","type":"t","code":null}}"#,
                Some("nested"),
            ),
            (
                r#"[{"error":{"code":400,"message":"in a list","status":"INVALID_ARGUMENT"}}]"#,
                Some("in a list"),
            ),
            (
                r#"{"code":"The caller does not have permission","error":"as text"}"#,
                Some("as text"),
            ),
            (
                r#"{"error":"model 'x' not found"}"#,
                Some("model 'x' not found"),
            ),
            (
                r#"{"object":"error","message":"flat","code":404}"#,
                Some("flat"),
            ),
            (
                r#"{"errors":{"message":"plural"},"request_id":"r"}"#,
                Some("plural"),
            ),
            (r#"{"detail":"fast"}"#, Some("fast")),
            (
                r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
                Some("field required"),
            ),
            (r#"{"error":{"message":""}}"#, None),
            (r#"{"ok":true}"#, None),
            ("<html>502</html>", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(
                upstream_message(body.as_bytes()).as_deref(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn codes_and_types_are_read_as_lower_case() {
        let said = Said::read(br#"{"error":{"code":"Arrearage","type":"X","message":"M"}}"#);
        assert_eq!(
            (&*said.code, &*said.kind, &*said.message),
            ("arrearage", "x", "M")
        );
        let said = Said::read(br#"{"code":30001,"message":"m","data":null}"#);
        assert_eq!(said.code, "30001");
    }

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        let cases = [
            (
                "Incorrect API key provided: sk-proj-abc***xyz. You can find your API key at https://platform.openai.com/account/api-keys.",
                "Incorrect API key provided: [redacted]. You can find your API key at https://platform.openai.com/account/api-keys.",
            ),
            (
                "Authorization: Bearer abcd.efgh1234 refused",
                "Authorization: Bearer [redacted] refused",
            ),
            (
                "Your api key: ****7890 is invalid",
                "Your api key: [redacted] is invalid",
            ),
            ("key=0123456789abcdef0123456789abcdef", "key=[redacted]"),
            (
                "token 3f2b8c1e-1111-2222-3333-444455556666 expired",
                "token [redacted] expired",
            ),
            ("two\nlines\tand a bell\u{7}", "two lines and a bell"),
            (
                "model Qwen/Qwen2.5-72B-Instruct-Turbo-2025-01-01-preview not found",
                "model Qwen/Qwen2.5-72B-Instruct-Turbo-2025-01-01-preview not found",
            ),
            (
                "maximum token: 4096, requested 5000",
                "maximum token: 4096, requested 5000",
            ),
            (
                "余额不足或无可用资源包,请充值。",
                "余额不足或无可用资源包,请充值。",
            ),
        ];
        for (said, expected) in cases {
            let body = serde_json::json!({"error": {"message": said}}).to_string();
            assert_eq!(upstream_message(body.as_bytes()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let body = serde_json::json!({"message": "é ".repeat(5_000)}).to_string();
        let message = upstream_message(body.as_bytes()).unwrap();
        assert_eq!(message.chars().count(), MAX_MESSAGE_CHARS + 1);
    }

    proptest! {
        #[test]
        fn a_prefixed_key_never_gets_through(before in "[a-z:= ]{0,20}[ :'\"(=]", key in "[A-Za-z0-9_-]{12,60}", after in "([ ,.:)'\"].{0,10})?") {
            let body = serde_json::json!({"error": {"message": format!("{before}sk-{key}{after}")}}).to_string();
            let message = upstream_message(body.as_bytes()).unwrap();
            prop_assert!(!message.contains(&key), "{}", message);
        }

        #[test]
        fn no_body_makes_it_fail(body in ".{0,200}") {
            let _ = upstream_message(body.as_bytes());
            let quoted = serde_json::json!({"detail": body}).to_string();
            let _ = upstream_message(quoted.as_bytes());
        }
    }
}
