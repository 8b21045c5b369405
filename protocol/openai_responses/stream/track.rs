//! One output item of an upstream's stream.
//!
//! Its text comes in deltas, and once more whole where a part and the item end. Some upstreams send
//! only one of the two, so what was sent is counted and the rest of the whole is sent after it.

use serde_json::Value;

use super::super::item::{Content, Item, ItemKind};
use crate::chat::{Block, ChatEvent};

/// See the module's head.
#[derive(Debug)]
pub(super) struct Track {
    /// Its `output_index`.
    pub(super) index: u64,
    pub(super) kind: ItemKind,
    /// What has not gone out: more than the last event's only while another item is open.
    pub(super) waiting: Vec<ChatEvent>,
    /// The part that the open block is of.
    open: Option<Part>,
    /// How many bytes of each part were sent.
    sent: Vec<(Part, usize)>,
    /// Whether nothing more comes.
    pub(super) closed: bool,
}

/// A part of an item: of which of its lists, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) list: List,
    pub(super) at: u64,
}

/// What a part is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Text,
    Refusal,
    /// The summary of a reasoning item.
    Summary,
    /// The text of a reasoning item.
    Reasoning,
    /// The input of a call.
    Input,
}

impl List {
    /// Whether such parts belong to items of this kind.
    pub(super) fn is_of(self, kind: ItemKind) -> bool {
        match self {
            Self::Text | Self::Refusal => kind == ItemKind::Message,
            Self::Summary | Self::Reasoning => kind == ItemKind::Reasoning,
            Self::Input => kind.is_call(),
        }
    }

    /// The item that such a part begins where none was announced; none for a call, since only the item
    /// itself has the name.
    pub(super) fn item(self) -> Option<ItemKind> {
        [ItemKind::Message, ItemKind::Reasoning]
            .into_iter()
            .find(|kind| self.is_of(*kind))
    }

    /// The block that such a part opens; a call's is open from the start.
    fn block(self) -> Option<Block> {
        Some(match self {
            Self::Text => Block::Text,
            Self::Refusal => Block::Refusal,
            Self::Summary | Self::Reasoning => Block::Thinking,
            Self::Input => return None,
        })
    }
}

impl Track {
    pub(super) fn new(index: u64, kind: ItemKind) -> Self {
        Self {
            index,
            kind,
            waiting: Vec::new(),
            open: None,
            sent: Vec::new(),
            closed: false,
        }
    }

    /// An item as it begins. A call's block opens at once.
    pub(super) fn begin(index: u64, kind: ItemKind, item: &mut Item<'_>) -> Self {
        let mut track = Self::new(index, kind);
        if kind.is_call() {
            let block = Block::Call {
                id: item.take_call_id(),
                name: item.take_name(),
                custom: kind == ItemKind::CustomCall,
            };
            track.open = Some(INPUT);
            track.waiting.push(ChatEvent::Open(block));
        }
        track
    }

    /// More of a part.
    pub(super) fn push(&mut self, part: Part, text: String) {
        if text.is_empty() || !self.takes(part) {
            return;
        }
        self.open(part);
        match self.sent.iter_mut().rev().find(|(sent, _)| *sent == part) {
            Some((_, bytes)) => *bytes += text.len(),
            None => self.sent.push((part, text.len())),
        }
        self.waiting.push(ChatEvent::Delta(text));
    }

    /// The log probabilities of what was just sent.
    pub(super) fn push_logprobs(&mut self, logprobs: Vec<Value>) {
        if self.open.is_some() && !logprobs.is_empty() {
            self.waiting.push(ChatEvent::Logprobs(logprobs));
        }
    }

    /// The whole of a part, of which the end may not have been sent.
    pub(super) fn complete(&mut self, part: Part, whole: &str) {
        if let Some(rest) = whole.get(self.sent(part)..) {
            self.push(part, rest.to_owned());
        }
    }

    /// The whole item, which is its end.
    pub(super) fn finish(&mut self, mut item: Item<'_>) {
        match self.kind {
            ItemKind::Message => self.finish_message(item),
            ItemKind::Reasoning => {
                let (parts, is_summary) = item.thoughts();
                let list = if is_summary {
                    List::Summary
                } else {
                    List::Reasoning
                };
                for (at, text) in (0..).zip(parts) {
                    self.complete(Part { list, at }, text.text().unwrap_or_default());
                }
                if let Some(seal) = item.take_seal() {
                    if self.open.is_none() {
                        self.open(Part { list, at: 0 });
                    }
                    self.waiting.push(ChatEvent::Seal(seal));
                }
            }
            ItemKind::FunctionCall | ItemKind::CustomCall => {
                self.complete(INPUT, &item.take_input());
            }
        }
        self.close();
    }

    fn finish_message(&mut self, item: Item<'_>) {
        for (at, content) in (0..).zip(item.content.into_iter().flatten()) {
            let list = if content.is_refusal() {
                List::Refusal
            } else {
                List::Text
            };
            let part = Part { list, at };
            let nothing_sent = self.sent(part) == 0;
            self.complete(part, content.text().unwrap_or_default());
            if let (
                true,
                Content {
                    logprobs: Some(logprobs),
                    ..
                },
            ) = (nothing_sent, content)
            {
                self.push_logprobs(logprobs);
            }
        }
    }

    /// The end of the item, told or not.
    pub(super) fn close(&mut self) {
        if self.open.take().is_some() {
            self.waiting.push(ChatEvent::Close);
        }
        self.closed = true;
    }

    fn sent(&self, part: Part) -> usize {
        let sent = self.sent.iter().rev().find(|(sent, _)| *sent == part);
        sent.map_or(0, |(_, bytes)| *bytes)
    }

    /// Thoughts come as a summary or in full; where an upstream sends both, the first to come is taken.
    fn takes(&self, part: Part) -> bool {
        let first = self.sent.first().map(|(first, _)| first.list);
        self.kind != ItemKind::Reasoning || first.is_none_or(|first| first == part.list)
    }

    /// Makes the part's block the open one. Parts of thoughts share a block, with a blank line between.
    fn open(&mut self, part: Part) {
        let before = self.open.replace(part);
        match before {
            Some(before) if before == part => {}
            Some(_) if self.kind == ItemKind::Reasoning => {
                self.waiting.push(ChatEvent::Delta("\n\n".to_owned()));
            }
            _ => {
                self.waiting.extend(before.map(|_| ChatEvent::Close));
                self.waiting.extend(part.list.block().map(ChatEvent::Open));
            }
        }
    }
}

/// The one part that a call has.
pub(super) const INPUT: Part = Part {
    list: List::Input,
    at: 0,
};
