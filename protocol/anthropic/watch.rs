//! A tap on an Anthropic stream that passes through: only the events that frame it are parsed, all
//! others are counted.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{classify::classify_event, usage::Counts};
use crate::{
    json::KeyFinder,
    openai::{
        stream::{StreamError, StreamSeen},
        upstream_error::upstream_message,
    },
    sse::SseEvent,
};

static TYPE: LazyLock<KeyFinder> = LazyLock::new(|| KeyFinder::new("\"type\""));

/// Notes what an event shows: content, the stop reason (`finish_reason`), the stream's end (`done`), an
/// error, and the usage, which `message_start` begins and `message_delta` completes.
pub fn watch(event: &SseEvent<'_>, seen: &mut StreamSeen) {
    seen.events += 1;
    match kind(event) {
        Kind::Start => watch_usage(event.data, seen),
        Kind::Content => seen.content = true,
        Kind::Delta => {
            let delta = serde_json::from_slice::<Delta<'_>>(event.data).ok();
            let reason = delta.and_then(|event| event.delta?.stop_reason);
            seen.finish_reason |= reason.is_some();
            watch_usage(event.data, seen);
        }
        Kind::Stop => seen.done = true,
        Kind::Error => {
            seen.error.get_or_insert_with(|| StreamError {
                kind: classify_event(event.data),
                message: upstream_message(event.data),
            });
        }
        Kind::Other => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Start,
    Content,
    Delta,
    Stop,
    Error,
    Other,
}

/// No block or delta inside an event has a type of these names.
const KINDS: [(&str, Kind); 6] = [
    ("content_block_delta", Kind::Content),
    ("content_block_start", Kind::Other),
    ("message_start", Kind::Start),
    ("message_delta", Kind::Delta),
    ("message_stop", Kind::Stop),
    ("error", Kind::Error),
];

/// The kind by the event's name, or by the `type` in its data where it has none.
fn kind(event: &SseEvent<'_>) -> Kind {
    let named = |name: &[u8]| KINDS.iter().find(|(kind, _)| kind.as_bytes() == name);
    let found = if event.name.is_empty() {
        TYPE.values(event.data)
            .find_map(|value| quoted(value).and_then(named))
    } else {
        named(event.name)
    };
    found.map_or(Kind::Other, |(_, kind)| *kind)
}

/// The string that the bytes begin with.
fn quoted(value: &[u8]) -> Option<&[u8]> {
    let value = value.strip_prefix(b"\"")?;
    value.split(|byte| *byte == b'"').next()
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    delta: Option<StopReason<'a>>,
}

#[derive(Deserialize)]
struct StopReason<'a> {
    #[serde(borrow)]
    stop_reason: Option<&'a str>,
}

/// `message_start` has the usage in its message, `message_delta` on top.
#[derive(Deserialize)]
struct Holder {
    usage: Option<Counts>,
    message: Option<Box<Holder>>,
}

fn watch_usage(data: &[u8], seen: &mut StreamSeen) {
    let holder = serde_json::from_slice::<Holder>(data).ok();
    let counts = holder.and_then(|holder| holder.usage.or_else(|| holder.message?.usage));
    let Some(counts) = counts else { return };
    let mut all = seen.usage.map(Counts::of).unwrap_or_default();
    all.update(counts);
    seen.usage = all.usage();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::FailureKind, sse::SseScanner, usage::Usage};

    fn seen(stream: &str) -> StreamSeen {
        let mut seen = StreamSeen::default();
        let mut scanner = SseScanner::new(1 << 16);
        scanner
            .feed(stream.as_bytes(), |event| watch(&event, &mut seen))
            .unwrap();
        seen
    }

    const STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":5,"cache_read_input_tokens":4,"cache_creation_input_tokens":3,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"error message_stop "type":"error""}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

"#;

    #[test]
    fn a_stream_is_seen_with_and_without_names() {
        let expected = StreamSeen {
            events: 6,
            content: true,
            finish_reason: true,
            done: true,
            usage: Some(Usage {
                prompt: 12,
                completion: 9,
                cached: 4,
                reasoning: 0,
                cache_write: 3,
            }),
            error: None,
        };
        assert_eq!(seen(STREAM), expected);
        let nameless: Vec<&str> = STREAM
            .lines()
            .filter(|line| !line.starts_with("event:"))
            .collect();
        assert_eq!(seen(&(nameless.join("\n") + "\n\n")), expected);
        let half: String = STREAM.split_inclusive("\n\n").take(3).collect();
        let half = seen(&half);
        assert!(!half.content && !half.finish_reason && !half.done);
        assert_eq!(half.usage.map(|usage| usage.prompt), Some(12));
    }

    #[test]
    fn the_type_is_found_wherever_it_stands() {
        let stream = r#"data: {"delta":{"stop_reason":"tool_use"},"type":"message_delta","usage":{"input_tokens":8,"output_tokens":2}}

data: {"delta":{"text":"x","type":"text_delta"},"index":0,"type":"content_block_delta"}

"#;
        let seen = seen(stream);
        assert!(seen.finish_reason && seen.content && !seen.done);
        assert_eq!(seen.usage.map(|usage| usage.prompt), Some(8));
    }

    #[test]
    fn an_error_is_kept_clean() {
        let stream = r#"event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded sk-ant-api03-abcdefgh"}}

"#;
        let error = seen(stream).error.unwrap();
        assert_eq!(error.kind, FailureKind::Overloaded { retry_after: None });
        assert_eq!(error.message.as_deref(), Some("Overloaded [redacted]"));
    }
}
