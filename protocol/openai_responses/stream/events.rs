//! Numbered events, and the bound of what is held for the last one.

use super::object::{Object, push_item};

/// Counts the events and output items of one answer, and keeps what its last event repeats.
#[derive(Debug)]
pub(super) struct Events {
    sequence: u64,
    /// What ids are made of: the answer's own without its prefix.
    tail: String,
    /// The `output_index` of the item under way, or of the next one.
    index: u64,
    /// The items that have ended, as the items of a JSON list.
    output: Vec<u8>,
    /// How many bytes of text may still be kept.
    room: usize,
    /// Whether there was too much text to keep.
    pub(super) overflowed: bool,
}

impl Events {
    /// For an answer of this id, of which at most `max_held` bytes of text are kept.
    pub(super) fn new(id: &str, max_held: usize) -> Self {
        let tail = id.split_once('_').map_or(id, |(_, tail)| tail);
        Self {
            sequence: 0,
            tail: tail.to_owned(),
            index: 0,
            output: Vec::new(),
            room: max_held,
            overflowed: false,
        }
    }

    /// An id for the item under way: `msg_…`, `rs_…`, `fc_…`, `ctc_…`, `call_…`.
    pub(super) fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.tail, self.index)
    }

    /// The items that have ended.
    pub(super) fn output(&self) -> &[u8] {
        &self.output
    }

    /// The state in which an item ends.
    pub(super) fn status(&self) -> &'static str {
        match self.overflowed {
            true => "incomplete",
            false => "completed",
        }
    }

    /// Writes one event; `fields` adds what follows its type and number.
    pub(super) fn push(
        &mut self,
        name: &str,
        out: &mut Vec<u8>,
        fields: impl for<'o> FnOnce(Object<'o>) -> Object<'o>,
    ) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let event = Object::begin(out)
            .field("type", name)
            .field("sequence_number", &self.sequence);
        fields(event).end();
        out.extend_from_slice(b"\n\n");
        self.sequence += 1;
    }

    /// An event about the item under way.
    pub(super) fn push_part(
        &mut self,
        name: &str,
        item_id: &str,
        out: &mut Vec<u8>,
        fields: impl for<'o> FnOnce(Object<'o>) -> Object<'o>,
    ) {
        let index = self.index;
        self.push(name, out, |event| {
            let event = event
                .field("item_id", item_id)
                .field("output_index", &index);
            fields(event)
        });
    }

    /// `output_item.added`: the item under way begins.
    pub(super) fn begin_item(&mut self, item: &[u8], out: &mut Vec<u8>) {
        let index = self.index;
        self.push("response.output_item.added", out, |event| {
            event.field("output_index", &index).json("item", item)
        });
    }

    /// `output_item.done`: the item under way is whole.
    pub(super) fn end_item(&mut self, item: &[u8], out: &mut Vec<u8>) {
        let index = self.index;
        self.push("response.output_item.done", out, |event| {
            event.field("output_index", &index).json("item", item)
        });
        push_item(&mut self.output, item);
        self.index += 1;
    }

    /// Keeps a piece of text for the end. Once one is too much, no later one is kept either, so that what
    /// is kept is the beginning.
    pub(super) fn keep(&mut self, kept: &mut String, piece: &str) {
        match self.room.checked_sub(piece.len()) {
            Some(room) => {
                self.room = room;
                kept.push_str(piece);
            }
            None => {
                self.room = 0;
                self.overflowed = true;
            }
        }
    }
}

/// A JSON object as bytes.
pub(super) fn object(fields: impl for<'o> FnOnce(Object<'o>) -> Object<'o>) -> Vec<u8> {
    let mut out = Vec::new();
    fields(Object::begin(&mut out)).end();
    out
}
