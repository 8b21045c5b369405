//! A tap on an OpenAI chat stream that passes through: it watches without holding bytes back.
//!
//! Only two kinds of events are parsed: those up to the first content, and those whose bytes show a
//! usage or an error. All others are searched for three keys and let go.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{classify::classify_event, upstream_error::upstream_message};
use crate::{
    failure::FailureKind,
    json::KeyFinder,
    sse::{EventTooLong, SseEvent, SseScanner},
    usage::{OpenAiUsage, Usage},
};

static USAGE: LazyLock<KeyFinder> = LazyLock::new(|| KeyFinder::new("\"usage\""));
static ERROR: LazyLock<KeyFinder> = LazyLock::new(|| KeyFinder::new("\"error\""));
static FINISH: LazyLock<KeyFinder> = LazyLock::new(|| KeyFinder::new("\"finish_reason\""));

/// What a stream has shown so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamSeen {
    /// Events with data, `[DONE]` not counted.
    pub events: u64,
    /// Whether a delta had more than a role: text, reasoning, a tool call, …
    pub content: bool,
    /// Whether a choice gave its finish reason.
    pub finish_reason: bool,
    /// Whether `[DONE]` came.
    pub done: bool,
    /// The last usage that was reported.
    pub usage: Option<Usage>,
    /// The first error event.
    pub error: Option<StreamError>,
}

/// An error that an upstream sent in mid-stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The upstream's words, without secrets.
    pub message: Option<String>,
}

/// Watches a stream, and takes the usage event out where only the gateway had asked for it.
#[derive(Debug)]
pub struct StreamTap {
    strip_usage: bool,
    scanner: SseScanner,
    seen: StreamSeen,
    /// Bytes of an event that is not complete; only kept with `strip_usage`.
    held: Vec<u8>,
}

impl StreamTap {
    /// A tap for one stream. With `strip_usage` the event with usage and no choices is cut out.
    /// `max_event` bounds one event in bytes.
    #[must_use]
    pub fn new(strip_usage: bool, max_event: usize) -> Self {
        Self {
            strip_usage,
            scanner: SseScanner::new(max_event),
            seen: StreamSeen::default(),
            held: Vec::new(),
        }
    }

    /// Takes the next chunk and returns what to forward now, which may be empty.
    ///
    /// Without `strip_usage` that is the very chunk. With it, complete events go on at once and
    /// the beginning of an incomplete one is held until its rest is here.
    ///
    /// # Errors
    /// When an event passes the limit; the stream must then be given up.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, EventTooLong> {
        if self.strip_usage {
            return self.push_stripping(&chunk);
        }
        let seen = &mut self.seen;
        self.scanner.feed(&chunk, |event| {
            seen.watch(&event);
        })?;
        Ok(chunk)
    }

    fn push_stripping(&mut self, chunk: &Bytes) -> Result<Bytes, EventTooLong> {
        let seen = &mut self.seen;
        let mut cuts = Vec::new();
        let settled = self.scanner.feed(chunk, |event| {
            if seen.watch(&event) == Verdict::OnlyUsage {
                cuts.push(event.at);
            }
        })?;
        let out = if self.held.is_empty() && cuts.is_empty() {
            chunk.slice(..settled)
        } else if settled == 0 {
            Bytes::new()
        } else {
            let held = std::mem::take(&mut self.held);
            without(&cuts, held, &chunk[..settled]).into()
        };
        self.held.extend_from_slice(&chunk[settled..]);
        Ok(out)
    }

    /// Ends the stream: reads an event that lacks its blank line, and returns the bytes still held.
    pub fn finish(&mut self) -> Bytes {
        let seen = &mut self.seen;
        let mut verdict = Verdict::Forward;
        self.scanner.finish(|event| verdict = seen.watch(&event));
        let held = std::mem::take(&mut self.held);
        match verdict {
            Verdict::Forward => held.into(),
            Verdict::OnlyUsage => Bytes::new(),
        }
    }

    /// Whether the bytes forwarded so far end inside an event, so that an event of our own needs a
    /// blank line before it.
    #[must_use]
    pub fn forwarded_half_event(&self) -> bool {
        !self.strip_usage && self.scanner.in_event()
    }

    /// Whether `[DONE]` came.
    #[must_use]
    pub fn done(&self) -> bool {
        self.seen.done
    }

    /// The last usage that was reported.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.seen.usage
    }

    /// All that was seen.
    #[must_use]
    pub fn seen(&self) -> &StreamSeen {
        &self.seen
    }
}

/// Joins what was held with the chunk, the cuts left out. A cut from 0 covers what was held.
fn without(cuts: &[Range<usize>], held: Vec<u8>, chunk: &[u8]) -> Vec<u8> {
    let mut out = held;
    if cuts.first().is_some_and(|cut| cut.start == 0) {
        out.clear();
    }
    let mut from = 0;
    for cut in cuts {
        out.extend_from_slice(&chunk[from..cut.start]);
        from = cut.end;
    }
    out.extend_from_slice(&chunk[from..]);
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Forward,
    /// An event that says nothing but the usage.
    OnlyUsage,
}

/// Notes what an event shows.
pub(crate) fn watch(event: &SseEvent<'_>, seen: &mut StreamSeen) {
    seen.watch(event);
}

impl StreamSeen {
    fn watch(&mut self, event: &SseEvent<'_>) -> Verdict {
        let data = event.data;
        if data.trim_ascii() == b"[DONE]" {
            self.done = true;
            return Verdict::Forward;
        }
        self.events += 1;
        if !self.content {
            self.content = has_content(data);
        }
        if !self.finish_reason {
            self.finish_reason = FINISH.values(data).any(|value| value.starts_with(b"\""));
        }
        let mut verdict = Verdict::Forward;
        if USAGE.values(data).any(|value| value.starts_with(b"{")) {
            verdict = self.watch_usage(data);
        }
        if has_error(event) {
            verdict = Verdict::Forward;
            self.error.get_or_insert_with(|| StreamError {
                kind: classify_event(data),
                message: upstream_message(data),
            });
        }
        verdict
    }

    fn watch_usage(&mut self, data: &[u8]) -> Verdict {
        let Ok(chunk) = serde_json::from_slice::<UsageChunk>(data) else {
            return Verdict::Forward;
        };
        let choices = chunk.choices.unwrap_or_default();
        let only_usage = choices.is_empty();
        let usage = chunk
            .usage
            .or_else(|| choices.into_iter().find_map(|choice| choice.usage))
            .or_else(|| chunk.x_groq?.usage)
            .and_then(OpenAiUsage::usage);
        self.usage = usage.or(self.usage);
        match usage {
            Some(_) if only_usage => Verdict::OnlyUsage,
            _ => Verdict::Forward,
        }
    }
}

fn has_error(event: &SseEvent<'_>) -> bool {
    let set = |value: &[u8]| value.starts_with(b"{") || value.starts_with(b"\"");
    event.name == b"error" || ERROR.values(event.data).any(set)
}

/// Whether a delta (or the text of an old completion) holds more than a role.
fn has_content(data: &[u8]) -> bool {
    let Ok(chunk) = serde_json::from_slice::<ContentChunk<'_>>(data) else {
        return false;
    };
    let empty = ["null", "\"\"", "[]", "{}"];
    let says = |name: &str, value: &RawValue| name != "role" && !empty.contains(&value.get());
    chunk.choices.iter().flatten().any(|choice| {
        let mut delta = choice.delta.iter().flatten();
        choice.text.is_some_and(|text| says("text", text))
            || delta.any(|(name, value)| says(name, value))
    })
}

#[derive(Deserialize)]
struct ContentChunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<ContentChoice<'a>>>,
}

#[derive(Deserialize)]
struct ContentChoice<'a> {
    #[serde(borrow, default)]
    delta: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

/// Where upstreams put the usage: on top; Moonshot in a choice; Groq in a field of its own.
#[derive(Deserialize)]
struct UsageChunk {
    #[serde(default)]
    usage: Option<OpenAiUsage>,
    #[serde(default)]
    choices: Option<Vec<UsageHolder>>,
    #[serde(default)]
    x_groq: Option<UsageHolder>,
}

#[derive(Deserialize)]
struct UsageHolder {
    #[serde(default)]
    usage: Option<OpenAiUsage>,
}

#[cfg(test)]
mod tests;
