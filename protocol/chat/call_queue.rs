//! Tool calls of a stream, one after the other.
//!
//! OpenAI's chat dialect sends a call in fragments under an index and never says that one is complete;
//! the fragments of two may even alternate. The other dialects want one block at a time. So the first
//! call that is not complete streams through, and what comes for later ones waits: until the first
//! one's input is a whole JSON value, which in an ordinary stream it is before the next one begins.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    event::{Block, ChatEvent},
    seal::Seal,
};

/// See the module's head. Text waits here only while fragments of two calls alternate.
#[derive(Debug, Default)]
pub struct CallQueue {
    /// The one that streams, then those that wait.
    calls: VecDeque<Call>,
    /// The ids of those that were closed, by their index: what comes late for them is left out.
    closed: HashMap<u64, HashSet<String>>,
    /// Whether the first one's block is open.
    open: bool,
}

#[derive(Debug)]
struct Call {
    index: u64,
    id: String,
    name: String,
    custom: bool,
    /// What has not gone out yet.
    input: String,
    /// Whether some of its input has gone out: a seal that comes later comes too late.
    begun: bool,
    seal: Option<Seal>,
    end: JsonEnd,
}

/// The most calls under way at once, twice what a model is known to make. Past that the first one ends
/// with what it has, so that a stream cannot make the search among them long.
const MAX_WAITING: usize = 256;

/// A piece of a call, as an upstream sends it.
#[derive(Debug, Default)]
pub struct Fragment<'a> {
    pub index: u64,
    /// In the first piece of a call, or in all; empty = not given.
    pub id: &'a str,
    /// As the id.
    pub name: &'a str,
    pub custom: bool,
    pub input: &'a str,
    pub seal: Option<Seal>,
}

impl CallQueue {
    /// Takes a fragment, and reports what may go out now.
    pub fn push(&mut self, fragment: Fragment<'_>, out: &mut Vec<ChatEvent>) {
        if let Some(call) = self.call_of(&fragment) {
            call.add(fragment);
        }
        loop {
            self.send_first(false, out);
            let complete = self.calls.front().is_some_and(Call::is_complete);
            let ends = complete && self.calls.len() > 1;
            if !ends && self.calls.len() <= MAX_WAITING {
                return;
            }
            self.send_first(true, out);
            self.close_first(out);
        }
    }

    /// Whether no call waits for the rest of its input, so that other blocks may follow.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.calls.iter().all(Call::is_complete)
    }

    /// Ends all calls, in their order, with what they have.
    pub fn finish(&mut self, out: &mut Vec<ChatEvent>) {
        while !self.calls.is_empty() {
            self.send_first(true, out);
            self.close_first(out);
        }
    }

    /// The call that a fragment belongs to; a new one where it begins one. Some upstreams give every
    /// call the same index, so another id under a known index is another call.
    fn call_of(&mut self, fragment: &Fragment<'_>) -> Option<&mut Call> {
        let known = self.calls.iter().rposition(|call| call.takes(fragment));
        let at = match known {
            Some(at) => at,
            None if self.is_late(fragment) => return None,
            None => {
                self.calls.push_back(Call::new(fragment));
                self.calls.len() - 1
            }
        };
        self.calls.get_mut(at)
    }

    fn is_late(&self, fragment: &Fragment<'_>) -> bool {
        let nameless = fragment.id.is_empty() && fragment.name.is_empty();
        let ids = self.closed.get(&fragment.index);
        ids.is_some_and(|ids| nameless || (!fragment.id.is_empty() && ids.contains(fragment.id)))
    }

    /// Sends what the first call has. Its name comes with its first fragment; where it does not, the
    /// call waits for it, unless the stream is at its `end`.
    fn send_first(&mut self, end: bool, out: &mut Vec<ChatEvent>) {
        let Some(first) = self.calls.front_mut() else {
            return;
        };
        if !self.open {
            if first.name.is_empty() && !end {
                return;
            }
            self.open = true;
            out.push(ChatEvent::Open(Block::Call {
                id: first.id.clone(),
                name: std::mem::take(&mut first.name),
                custom: first.custom,
            }));
        }
        if let Some(seal) = first.seal.take().filter(|_| !first.begun) {
            out.push(ChatEvent::Seal(seal));
        }
        if !first.input.is_empty() {
            first.begun = true;
            out.push(ChatEvent::Delta(std::mem::take(&mut first.input)));
        }
    }

    fn close_first(&mut self, out: &mut Vec<ChatEvent>) {
        if let Some(call) = self.calls.pop_front() {
            self.closed.entry(call.index).or_default().insert(call.id);
            self.open = false;
            out.push(ChatEvent::Close);
        }
    }
}

impl Call {
    fn new(fragment: &Fragment<'_>) -> Self {
        Self {
            index: fragment.index,
            id: fragment.id.to_owned(),
            name: String::new(),
            custom: fragment.custom,
            input: String::new(),
            begun: false,
            seal: None,
            end: JsonEnd::default(),
        }
    }

    fn takes(&self, fragment: &Fragment<'_>) -> bool {
        let same_id = fragment.id.is_empty() || self.id.is_empty() || fragment.id == self.id;
        fragment.index == self.index && same_id
    }

    fn add(&mut self, fragment: Fragment<'_>) {
        if self.id.is_empty() {
            self.id.push_str(fragment.id);
        }
        if self.name.is_empty() {
            self.name.push_str(fragment.name);
        }
        self.input.push_str(fragment.input);
        self.end.feed(fragment.input);
        if fragment.seal.is_some() {
            self.seal = fragment.seal;
        }
    }

    /// Free text has no end that could be seen: there the next call's beginning is the end.
    fn is_complete(&self) -> bool {
        self.custom || self.end.complete
    }
}

/// Finds the end of a JSON object or array that comes in pieces.
#[derive(Debug, Default)]
struct JsonEnd {
    depth: usize,
    in_string: bool,
    escaped: bool,
    complete: bool,
}

impl JsonEnd {
    fn feed(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete = self.complete || self.depth == 0;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment<'a>(index: u64, id: &'a str, name: &'a str, input: &'a str) -> Fragment<'a> {
        Fragment {
            index,
            id,
            name,
            input,
            ..Fragment::default()
        }
    }

    /// What comes out, a line a block: `id name input`, and how many pieces the last input came in.
    fn run(fragments: Vec<Fragment<'_>>) -> Vec<String> {
        let mut queue = CallQueue::default();
        let mut events = Vec::new();
        for fragment in fragments {
            queue.push(fragment, &mut events);
        }
        queue.finish(&mut events);
        let (mut blocks, mut open) = (Vec::new(), None);
        for event in events {
            match event {
                ChatEvent::Open(Block::Call { id, name, .. }) => {
                    assert!(open.is_none(), "blocks do not interleave");
                    open = Some(format!("{id} {name} "));
                }
                ChatEvent::Delta(text) => open.as_mut().unwrap().push_str(&text),
                ChatEvent::Close => blocks.push(open.take().unwrap()),
                other => panic!("{other:?}"),
            }
        }
        assert!(open.is_none());
        blocks
    }

    #[test]
    fn a_seal_stands_before_the_input_or_nowhere() {
        let sealed = |input| Fragment {
            seal: Some(Seal::new(crate::dialect::Dialect::Gemini, "s")),
            ..fragment(0, "a", "f", input)
        };
        let (mut queue, mut events) = (CallQueue::default(), Vec::new());
        for input in ["", "{\"x\":", "1}"] {
            queue.push(sealed(input), &mut events);
        }
        queue.finish(&mut events);
        let kinds = events.iter().map(|event| match event {
            ChatEvent::Open(_) => "open",
            ChatEvent::Seal(_) => "seal",
            ChatEvent::Delta(_) => "input",
            _ => "close",
        });
        let kinds: Vec<&str> = kinds.collect();
        assert_eq!(kinds, ["open", "seal", "seal", "input", "input", "close"]);
    }

    #[test]
    fn one_after_the_other_streams_through() {
        let mut queue = CallQueue::default();
        let mut out = Vec::new();
        queue.push(fragment(0, "a", "f", ""), &mut out);
        queue.push(fragment(0, "", "", "{\"x\":"), &mut out);
        assert_eq!(out.len(), 2, "nothing waits: {out:?}");
        queue.push(fragment(0, "", "", "1}"), &mut out);
        assert_eq!(out.len(), 3);
        queue.push(fragment(1, "b", "g", "{}"), &mut out);
        assert_eq!(out[3], ChatEvent::Close);
        assert_eq!(out.len(), 6);
    }

    #[test]
    fn fragments_that_alternate_are_put_in_order() {
        let blocks = run(vec![
            fragment(0, "a", "f", ""),
            fragment(1, "b", "g", ""),
            fragment(0, "", "", "{\"q\":\"}"),
            fragment(1, "", "", "{\"r\":"),
            fragment(0, "", "", "\\\"\"}"),
            fragment(1, "", "", "2}"),
            fragment(0, "", "", " "),
        ]);
        assert_eq!(blocks, [r#"a f {"q":"}\""}"#, r#"b g {"r":2}"#]);
    }

    #[test]
    fn calls_without_arguments_and_with_one_index_are_told_apart() {
        let blocks = run(vec![
            fragment(0, "a", "f", ""),
            fragment(0, "b", "g", "{}"),
            fragment(0, "c", "h", ""),
        ]);
        assert_eq!(blocks, ["a f ", "b g {}", "c h "]);
        let whole = run(vec![
            fragment(0, "a", "f", "{\"x\":1}"),
            fragment(1, "b", "f", "{\"x\":2}"),
        ]);
        assert_eq!(whole, [r#"a f {"x":1}"#, r#"b f {"x":2}"#]);
    }

    #[test]
    fn a_call_without_a_name_opens_before_it_closes() {
        let blocks = run(vec![
            fragment(0, "a", "", "{}"),
            fragment(1, "b", "g", "{}"),
        ]);
        assert_eq!(blocks, ["a  {}", "b g {}"]);
    }

    #[test]
    fn no_more_than_so_many_wait() {
        let names: Vec<String> = (0..=MAX_WAITING).map(|at| format!("f{at}")).collect();
        let mut queue = CallQueue::default();
        let mut out = Vec::new();
        for (name, index) in names.iter().zip(0..) {
            queue.push(fragment(index, name, name, "{"), &mut out);
        }
        assert_eq!(out[2], ChatEvent::Close, "the first has ended as it was");
        assert_eq!(queue.calls.len(), MAX_WAITING);
    }

    #[test]
    fn what_is_repeated_or_late_does_no_harm() {
        let blocks = run(vec![
            fragment(0, "a", "f", "{"),
            fragment(0, "a", "f", "}"),
            fragment(1, "b", "g", "{}"),
            fragment(0, "a", "f", ""),
            fragment(0, "", "", "\n"),
        ]);
        assert_eq!(blocks, ["a f {}", "b g {}"]);
    }
}
