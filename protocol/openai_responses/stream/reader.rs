//! An upstream's stream, read.

use std::collections::VecDeque;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    super::{
        failure::failure,
        item::{Item, ItemKind, Response},
        watch::{Carrier, kind},
    },
    track::{List, Part, Track},
};
use crate::{
    chat::{ChatEvent, ReadEvents},
    failure::FailureKind,
    sse::SseEvent,
    usage::OpenAiUsage,
};

/// Reads the events of `/v1/responses`. Items stand one behind the other in what it gives: should an
/// upstream mix two, what comes for the later one waits here until the first has ended.
#[derive(Debug, Default)]
pub struct EventReader {
    started: bool,
    ended: bool,
    /// Items that have not ended, in the order in which they began; the first one goes out.
    tracks: VecDeque<Track>,
    any_items: bool,
    has_calls: bool,
}

impl EventReader {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl ReadEvents for EventReader {
    fn read(&mut self, event: &SseEvent<'_>, out: &mut Vec<ChatEvent>) {
        // a few compatible upstreams end with what chat ends with
        if self.ended || event.data.trim_ascii() == b"[DONE]" {
            return;
        }
        if self.take(&kind(event), event.data, out).is_err() {
            self.ended = true;
            out.push(ChatEvent::Error {
                kind: FailureKind::Upstream,
                message: None,
            });
        }
    }

    /// The end is always told: nothing is left to add.
    fn end(&mut self, _: &mut Vec<ChatEvent>) {}
}

/// The data of `*.delta` and of the `*.done` of a part.
#[derive(Deserialize)]
struct Piece<'a> {
    output_index: Option<u64>,
    content_index: Option<u64>,
    summary_index: Option<u64>,
    delta: Option<String>,
    text: Option<String>,
    refusal: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    #[serde(borrow, default)]
    logprobs: Option<&'a RawValue>,
}

impl Piece<'_> {
    fn part(&self, list: List) -> Part {
        let at = match list {
            List::Summary => self.summary_index,
            List::Input => None,
            List::Text | List::Refusal | List::Reasoning => self.content_index,
        };
        Part {
            list,
            at: at.unwrap_or(0),
        }
    }

    fn whole(&self) -> &str {
        let texts = [&self.text, &self.refusal, &self.arguments, &self.input];
        texts
            .into_iter()
            .flatten()
            .next()
            .map_or("", String::as_str)
    }
}

/// The data of `output_item.added` and `.done`.
#[derive(Deserialize)]
struct ItemCarrier<'a> {
    output_index: Option<u64>,
    #[serde(borrow)]
    item: &'a RawValue,
}

type Read = Result<(), serde_json::Error>;

impl EventReader {
    fn take(&mut self, kind: &str, data: &[u8], out: &mut Vec<ChatEvent>) -> Read {
        match kind {
            "response.created" | "response.in_progress" => {
                let Carrier { response } = serde_json::from_slice(data)?;
                self.start(response.model, response.service_tier, out);
            }
            "response.queued" | "keepalive" | "ping" => out.push(ChatEvent::Ping),
            "response.output_item.added" => self.item_added(&serde_json::from_slice(data)?, out)?,
            "response.output_item.done" => self.item_done(&serde_json::from_slice(data)?, out)?,
            "response.completed" | "response.incomplete" | "response.failed" => {
                let Carrier { response } = serde_json::from_slice(data)?;
                if kind == "response.failed" || response.has_failed() {
                    self.fail(response.error.map_or("{}", RawValue::get).as_bytes(), out);
                } else {
                    self.finish(response, out)?;
                }
            }
            "error" => self.fail(data, out),
            // without a name and a type: is it JSON at all?
            "" => {
                serde_json::from_slice::<IgnoredAny>(data)?;
            }
            _ => {
                if let Some((list, is_delta)) = part_event(kind) {
                    self.piece(list, is_delta, serde_json::from_slice(data)?, out)?;
                }
            }
        }
        Ok(())
    }

    fn start(
        &mut self,
        model: Option<String>,
        service_tier: Option<String>,
        out: &mut Vec<ChatEvent>,
    ) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(ChatEvent::Start {
                model,
                usage: None,
                service_tier,
            });
        }
    }

    fn item_added(&mut self, carrier: &ItemCarrier<'_>, out: &mut Vec<ChatEvent>) -> Read {
        self.start(None, None, out);
        let index = carrier.output_index.unwrap_or_default();
        if let Some((kind, mut item)) = Item::read(carrier.item)? {
            self.begin(Track::begin(index, kind, &mut item));
            self.send(out);
        }
        Ok(())
    }

    fn item_done(&mut self, carrier: &ItemCarrier<'_>, out: &mut Vec<ChatEvent>) -> Read {
        self.start(None, None, out);
        let Some((kind, mut item)) = Item::read(carrier.item)? else {
            return Ok(());
        };
        let track = match self.track(carrier.output_index, |open| open == kind) {
            Some(at) => &mut self.tracks[at],
            None => {
                let index = carrier.output_index.unwrap_or_default();
                self.begin(Track::begin(index, kind, &mut item))
            }
        };
        track.finish(item);
        self.send(out);
        Ok(())
    }

    fn piece(
        &mut self,
        list: List,
        is_delta: bool,
        piece: Piece<'_>,
        out: &mut Vec<ChatEvent>,
    ) -> Read {
        self.start(None, None, out);
        if is_delta {
            self.delta(list, piece)?;
        } else if let Some(at) = self.track(piece.output_index, |kind| list.is_of(kind)) {
            self.tracks[at].complete(piece.part(list), piece.whole());
        }
        self.send(out);
        Ok(())
    }

    fn delta(&mut self, list: List, mut piece: Piece<'_>) -> Read {
        let Some(track) = self.track_of(list, piece.output_index) else {
            return Ok(());
        };
        track.push(piece.part(list), piece.delta.take().unwrap_or_default());
        if let Some(logprobs) = piece.logprobs.filter(|json| json.get() != "[]") {
            let logprobs: Option<_> = serde_json::from_str(logprobs.get())?;
            track.push_logprobs(logprobs.unwrap_or_default());
        }
        Ok(())
    }

    /// The end, with all that was not told before.
    fn finish(&mut self, mut response: Response<'_>, out: &mut Vec<ChatEvent>) -> Read {
        self.start(response.model.take(), response.service_tier.take(), out);
        let output = response.output.take().filter(|_| !self.any_items);
        for json in output.into_iter().flatten() {
            if let Some((kind, mut item)) = Item::read(json)? {
                self.begin(Track::begin(0, kind, &mut item)).finish(item);
            }
        }
        self.tracks.iter_mut().for_each(Track::close);
        self.send(out);
        self.ended = true;
        out.push(ChatEvent::Finish {
            stop: response.stop(self.has_calls),
            usage: response.usage.and_then(OpenAiUsage::usage),
        });
        Ok(())
    }

    fn fail(&mut self, error: &[u8], out: &mut Vec<ChatEvent>) {
        let failure = failure(error);
        self.ended = true;
        out.push(ChatEvent::Error {
            kind: failure.kind,
            message: failure.message,
        });
    }

    /// Where the open item of this index and kind stands; the last one where an upstream counts nothing.
    fn track(&self, index: Option<u64>, is_kind: impl Fn(ItemKind) -> bool) -> Option<usize> {
        let is_meant = |track: &Track| index.is_none_or(|index| index == track.index);
        self.tracks
            .iter()
            .rposition(|track| is_meant(track) && is_kind(track.kind) && !track.closed)
    }

    /// The item that a delta belongs to. Where it was not announced it begins here.
    fn track_of(&mut self, list: List, index: Option<u64>) -> Option<&mut Track> {
        match self.track(index, |kind| list.is_of(kind)) {
            Some(at) => self.tracks.get_mut(at),
            None => {
                let kind = list.item()?;
                Some(self.begin(Track::new(index.unwrap_or_default(), kind)))
            }
        }
    }

    fn begin(&mut self, track: Track) -> &mut Track {
        self.any_items = true;
        self.has_calls |= track.kind.is_call();
        self.tracks.push_back(track);
        let last = self.tracks.len() - 1;
        &mut self.tracks[last]
    }

    /// Sends what the first item has, and that of those behind it once it has ended.
    fn send(&mut self, out: &mut Vec<ChatEvent>) {
        while let Some(first) = self.tracks.front_mut() {
            out.append(&mut first.waiting);
            if !first.closed {
                return;
            }
            self.tracks.pop_front();
        }
    }
}

/// What an event about a part of an item says: of which list the part is, and whether it is a delta or
/// the whole.
fn part_event(kind: &str) -> Option<(List, bool)> {
    let (name, is_delta) = match kind.strip_prefix("response.")?.rsplit_once('.')? {
        (name, "delta") => (name, true),
        (name, "done") => (name, false),
        _ => return None,
    };
    let list = match name {
        "output_text" => List::Text,
        "refusal" => List::Refusal,
        "reasoning_summary_text" => List::Summary,
        "reasoning_text" => List::Reasoning,
        "function_call_arguments" | "custom_tool_call_input" => List::Input,
        _ => return None,
    };
    Some((list, is_delta))
}
