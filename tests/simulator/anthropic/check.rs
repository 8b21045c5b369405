//! What the real service objects to in a request.

use serde_json::Value;

use crate::{exchange::Incoming, voice::Problem};

use super::{VERSION, conversation, parameters, voice::invalid};

/// The outcome of a check.
pub(super) type Checked = Result<(), Problem>;

/// Members of a request for a count; one for a message has more.
const COUNTED: [&str; 10] = [
    "cache_control",
    "context_management",
    "mcp_servers",
    "messages",
    "model",
    "output_config",
    "system",
    "thinking",
    "tool_choice",
    "tools",
];

const MORE: [&str; 11] = [
    "container",
    "inference_geo",
    "max_tokens",
    "metadata",
    "output_format",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
];

/// A request for a message.
pub(super) fn message(incoming: &Incoming<'_>) -> Checked {
    let known = [&COUNTED[..], &MORE[..]].concat();
    members(incoming, &known)?;
    parameters::length(incoming.body)?;
    rest(incoming)
}

/// A request for a count.
pub(super) fn count(incoming: &Incoming<'_>) -> Checked {
    members(incoming, &COUNTED)?;
    rest(incoming)
}

fn rest(incoming: &Incoming<'_>) -> Checked {
    parameters::check(incoming.body)?;
    conversation::check(incoming.body, incoming.token)
}

fn members(incoming: &Incoming<'_>, known: &[&str]) -> Checked {
    if !incoming.request.headers().contains_key(VERSION) {
        return Err(invalid("anthropic-version: header is required"));
    }
    only(incoming.body, known, "")
}

/// No members but these; `place` is what stands before a member's name in the error.
pub(super) fn only(value: &Value, known: &[&str], place: &str) -> Checked {
    let names = value.as_object().into_iter().flatten();
    match names
        .map(|(name, _)| name)
        .find(|name| !known.contains(&name.as_str()))
    {
        Some(name) => Err(invalid(&format!(
            "{place}{name}: Extra inputs are not permitted"
        ))),
        None => Ok(()),
    }
}

/// Whether a text is made of letters, digits, `_` and `-`.
pub(super) fn is_plain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}
