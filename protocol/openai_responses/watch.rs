//! A look at the events of a stream that passes through.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{failure::failure, item::Response};
use crate::{openai::stream::StreamSeen, sse::SseEvent, usage::OpenAiUsage};

/// Notes what an event tells of its stream. Only the last events and errors are parsed, all others told
/// by their names: `events` and `content` count them.
///
/// A response that failed is an error however its events are named, and so is never an ordinary end.
pub fn watch(event: &SseEvent<'_>, seen: &mut StreamSeen) {
    seen.events += 1;
    let kind = kind(event);
    match &*kind {
        "error" => note_error(event.data, seen),
        "response.completed" | "response.incomplete" | "response.failed" => {
            watch_last(&kind, event.data, seen);
        }
        kind if kind.ends_with(".delta") => seen.content = true,
        _ => {}
    }
}

/// The kind of an event: its name, or the `type` of its data where there is none.
pub(super) fn kind<'a>(event: &SseEvent<'a>) -> Cow<'a, str> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, default)]
        r#type: Cow<'a, str>,
    }
    if !event.name.is_empty() && event.name != b"message" {
        return String::from_utf8_lossy(event.name);
    }
    serde_json::from_slice(event.data).map_or(Cow::Borrowed(""), |typed: Typed<'_>| typed.r#type)
}

/// The data of the events that carry a response object.
#[derive(Deserialize)]
pub(super) struct Carrier<'a> {
    #[serde(borrow)]
    pub(super) response: Response<'a>,
}

fn watch_last(kind: &str, data: &[u8], seen: &mut StreamSeen) {
    let Ok(Carrier { response }) = serde_json::from_slice(data) else {
        // the name alone says how it ended
        if kind == "response.failed" {
            note_error(data, seen);
        }
        return;
    };
    let has_failed = kind == "response.failed" || response.has_failed();
    seen.content |= response.output.is_some_and(|output| !output.is_empty());
    seen.usage = response.usage.and_then(OpenAiUsage::usage).or(seen.usage);
    if has_failed {
        note_error(response.error.map_or("{}", RawValue::get).as_bytes(), seen);
    } else {
        seen.finish_reason = true;
        seen.done = true;
    }
}

fn note_error(error: &[u8], seen: &mut StreamSeen) {
    seen.error.get_or_insert_with(|| failure(error));
}
