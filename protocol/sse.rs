//! Server-sent events, cut out of a byte stream as it comes.
//!
//! Works on bytes, so a character split between chunks does no harm, and copies only what a chunk
//! leaves unfinished.

use std::ops::Range;

use derive_more::{Display, Error};
use memchr::memchr2;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event with data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// The `event:` field; empty where there was none.
    pub name: &'a [u8],
    /// The `data:` lines, joined by line feeds.
    pub data: &'a [u8],
    /// Where it stands in the chunk, its blank line included. A start of 0 may mean that it began
    /// in an earlier chunk.
    pub at: Range<usize>,
}

/// An event grew past the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("an event of the stream is longer than {limit} bytes")]
pub struct EventTooLong {
    /// The accepted size in bytes.
    pub limit: usize,
}

/// An incremental scanner. Lines may end in LF, CR or CRLF, as the standard says.
#[derive(Debug)]
pub struct SseScanner {
    limit: usize,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Data of the open event, as far as it cannot be borrowed from the chunk.
    data: Vec<u8>,
    has_data: bool,
    name: Vec<u8>,
    /// Whether a field was read since the last event.
    open: bool,
    /// Bytes of earlier chunks that belong to the open event.
    open_bytes: usize,
    /// The last chunk ended in CR; an LF now belongs to it.
    after_cr: bool,
    /// Past the first line, where a byte order mark may stand.
    started: bool,
}

impl SseScanner {
    /// A scanner that takes events up to `limit` bytes on the wire.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            name: Vec::new(),
            open: false,
            open_bytes: 0,
            after_cr: false,
            started: false,
        }
    }

    /// Reads the next chunk and reports each event that it completes. Returns how many of its bytes
    /// are settled: what lies behind belongs to an event or a line that is not complete yet.
    ///
    /// # Errors
    /// When an event passes the limit; the scanner is of no use after that.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        mut on_event: impl FnMut(SseEvent<'_>),
    ) -> Result<usize, EventTooLong> {
        let mut start = self.skip_line_feed(chunk);
        let mut settled = if self.in_event() { 0 } else { start };
        // data that needs no copy, since the event may end in this very chunk
        let mut borrowed: Option<&[u8]> = None;
        while let Some(offset) = memchr2(b'\n', b'\r', &chunk[start..]) {
            let end = start + offset;
            let next = self.after_line_end(chunk, end);
            self.check_length(next - settled)?;
            let carried = self.take_carried(&chunk[start..end]);
            let line = carried.as_deref().unwrap_or(&chunk[start..end]);
            match Field::of(line, &mut self.started) {
                Field::Data(from) => {
                    self.open = true;
                    if carried.is_none() && borrowed.is_none() && !self.has_data {
                        borrowed = Some(&chunk[start + from..end]);
                    } else {
                        self.keep_data(borrowed.take());
                        self.keep_data(Some(&line[from..]));
                    }
                }
                Field::Name(from) => {
                    self.open = true;
                    self.name.clear();
                    self.name.extend_from_slice(&line[from..]);
                }
                Field::Other => self.open = true,
                Field::Comment if self.open => {}
                Field::Comment => settled = self.settle(next),
                Field::Blank => {
                    self.dispatch(borrowed.take(), settled..next, &mut on_event);
                    settled = self.settle(next);
                }
            }
            if let Some(mut used) = carried {
                used.clear();
                self.line = used;
            }
            start = next;
        }
        self.keep_data(borrowed);
        self.check_length(chunk.len() - settled)?;
        self.open_bytes += chunk.len() - settled;
        self.line.extend_from_slice(&chunk[start..]);
        Ok(settled)
    }

    /// Reports the last event, if the stream ended without its blank line.
    pub fn finish(&mut self, mut on_event: impl FnMut(SseEvent<'_>)) {
        let line = std::mem::take(&mut self.line);
        match Field::of(&line, &mut self.started) {
            Field::Data(from) => self.keep_data(Some(&line[from..])),
            Field::Name(from) => self.name = line[from..].to_vec(),
            Field::Other | Field::Comment | Field::Blank => {}
        }
        self.dispatch(None, 0..0, &mut on_event);
        self.settle(0);
    }

    /// Whether the bytes so far end inside an event or a line.
    #[must_use]
    pub fn in_event(&self) -> bool {
        self.open || !self.line.is_empty()
    }

    /// Where the first line of the chunk begins.
    fn skip_line_feed(&mut self, chunk: &[u8]) -> usize {
        let Some(first) = chunk.first() else { return 0 };
        usize::from(std::mem::take(&mut self.after_cr) && *first == b'\n')
    }

    /// Where the next line begins after the line end at `end`.
    fn after_line_end(&mut self, chunk: &[u8], end: usize) -> usize {
        if chunk[end] == b'\n' {
            return end + 1;
        }
        self.after_cr = end + 1 == chunk.len();
        end + 1 + usize::from(chunk.get(end + 1) == Some(&b'\n'))
    }

    /// The whole line, if it began in an earlier chunk.
    fn take_carried(&mut self, rest: &[u8]) -> Option<Vec<u8>> {
        if self.line.is_empty() {
            return None;
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(rest);
        Some(line)
    }

    fn keep_data(&mut self, data: Option<&[u8]>) {
        let Some(data) = data else { return };
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(data);
    }

    fn dispatch(
        &self,
        borrowed: Option<&[u8]>,
        at: Range<usize>,
        on_event: &mut impl FnMut(SseEvent<'_>),
    ) {
        let kept = self.has_data.then_some(self.data.as_slice());
        if let Some(data) = borrowed.or(kept) {
            let name = self.name.as_slice();
            on_event(SseEvent { name, data, at });
        }
    }

    /// Forgets the open event; what follows `at` is new.
    fn settle(&mut self, at: usize) -> usize {
        self.open = false;
        self.open_bytes = 0;
        self.has_data = false;
        self.data.clear();
        self.name.clear();
        at
    }

    fn check_length(&self, more: usize) -> Result<(), EventTooLong> {
        if self.open_bytes + more > self.limit {
            return Err(EventTooLong { limit: self.limit });
        }
        Ok(())
    }
}

/// What a line says; the numbers tell where the value begins in it.
enum Field {
    Blank,
    Comment,
    Data(usize),
    Name(usize),
    Other,
}

impl Field {
    fn of(line: &[u8], started: &mut bool) -> Self {
        let mark = match std::mem::replace(started, true) {
            false if line.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len(),
            _ => 0,
        };
        let line = &line[mark..];
        match line.first() {
            None => Self::Blank,
            Some(b':') => Self::Comment,
            Some(b'd') => value_of(line, b"data").map_or(Self::Other, |at| Self::Data(mark + at)),
            Some(b'e') => value_of(line, b"event").map_or(Self::Other, |at| Self::Name(mark + at)),
            Some(_) => Self::Other,
        }
    }
}

/// Where the value of `name` begins: behind the colon and one space, each of which may be missing.
fn value_of(line: &[u8], name: &[u8]) -> Option<usize> {
    match line.strip_prefix(name)? {
        [] => Some(line.len()),
        [b':', b' ', ..] => Some(name.len() + 2),
        [b':', ..] => Some(name.len() + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (String, String);

    fn owned(event: &SseEvent<'_>) -> Owned {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(event.name), text(event.data))
    }

    fn events<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> (Vec<Owned>, bool) {
        let mut scanner = SseScanner::new(limit);
        let mut seen = Vec::new();
        for chunk in chunks {
            if scanner
                .feed(chunk, |event| seen.push(owned(&event)))
                .is_err()
            {
                return (seen, true);
            }
        }
        scanner.finish(|event| seen.push(owned(&event)));
        (seen, false)
    }

    fn data_of(stream: &[u8]) -> Vec<String> {
        let (events, too_long) = events([stream], 1 << 20);
        assert!(!too_long);
        events.into_iter().map(|(_, data)| data).collect()
    }

    #[test]
    fn the_standards_forms() {
        assert_eq!(data_of(b"data: a\n\ndata:b\n\n"), ["a", "b"]);
        assert_eq!(
            data_of(b"data: a\r\n\r\ndata: b\r\rdata: c\n\r\n"),
            ["a", "b", "c"]
        );
        assert_eq!(data_of(b"data: one\ndata: two\n\n"), ["one\ntwo"]);
        assert_eq!(data_of(b"data\ndata:\n\n"), ["\n"]);
        assert_eq!(data_of(b"data:  two spaces\n\n"), [" two spaces"]);
        assert_eq!(data_of(b"\xef\xbb\xbfdata: marked\n\n"), ["marked"]);
        assert_eq!(data_of(b": note\n\n:x\ndata: a\n:y\n\n"), ["a"]);
        assert_eq!(
            data_of(b"event: ping\nid: 3\nretry: 5\n\ndatum: x\n\n"),
            [""; 0]
        );
        assert_eq!(data_of(b"data: last"), ["last"]);
        assert_eq!(data_of(b"data: last\n"), ["last"]);
        assert_eq!(data_of(b""), [""; 0]);
    }

    #[test]
    fn names_last_for_one_event() {
        let (events, _) = events([&b"event: error\ndata: a\n\ndata: b\n\n"[..]], 100);
        let pair = |name: &str, data: &str| (name.to_owned(), data.to_owned());
        assert_eq!(events, [pair("error", "a"), pair("", "b")]);
    }

    #[test]
    fn settled_bytes_end_with_an_event_or_a_stray_comment() {
        let mut scanner = SseScanner::new(100);
        let mut places = Vec::new();
        let mut feed = |chunk: &[u8]| scanner.feed(chunk, |event| places.push(event.at));
        assert_eq!(feed(b"data: a\n\ndata: b"), Ok(9));
        assert_eq!(feed(b"\n"), Ok(0));
        assert_eq!(feed(b"\n: note\ndata: c\n\n:"), Ok(17));
        assert_eq!(places, [0..9, 0..1, 8..17]);
        assert!(scanner.in_event());
    }

    #[test]
    fn a_line_feed_after_a_split_crlf_opens_nothing() {
        let mut scanner = SseScanner::new(100);
        assert_eq!(scanner.feed(b"data: a\r\n\r", |_| {}), Ok(10));
        assert!(!scanner.in_event());
        assert_eq!(scanner.feed(b"", |_| {}), Ok(0));
        assert_eq!(scanner.feed(b"\n", |_| {}), Ok(1));
        assert!(!scanner.in_event());
    }

    #[test]
    fn the_limit_covers_lines_and_whole_events() {
        assert_eq!(events([&b"data: 12\n\ndata: 34\n\n"[..]], 10).0.len(), 2);
        assert_eq!(events([&b"data: 123\n\n"[..]], 10), (vec![], true));
        assert_eq!(events([&b"data: 12"[..], b"3456"], 10), (vec![], true));
        let endless = std::iter::repeat_n(&b"id: 1\n"[..], 100);
        assert_eq!(events(endless, 50), (vec![], true));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            pieces in proptest::collection::vec(prop::sample::select(&[
                "data: ä€😀", "data:x", "data", "event: e", ": c", "id: 1", "\n", "\r", "\r\n",
                "\n\n", "\r\n\r\n", "\u{feff}", "data: {\"a\":1}\n\n",
            ][..]), 0..24),
            cuts in proptest::collection::vec(0usize..200, 0..12),
            limit in prop::sample::select(&[24usize, 1 << 20][..]),
        ) {
            let stream = pieces.concat().into_bytes();
            // a CRLF on the edge of the limit counts one byte less when it is split
            prop_assume!(limit > 24 || !pieces.iter().any(|piece| piece.contains('\r')));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let split = events(cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]), limit);
            prop_assert_eq!(split, events([&stream[..]], limit));
        }
    }
}
