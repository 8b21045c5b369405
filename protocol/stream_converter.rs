//! One stream on its way from an upstream's dialect into the client's.

use bytes::Bytes;

use crate::{
    chat::{ChatEvent, ReadEvents, StreamFault, WriteEvents},
    openai::stream::{StreamError, StreamSeen},
    sse::{EventTooLong, SseScanner},
};

/// Takes an upstream's bytes as they come and gives the client's. Holds no more than one event, unless
/// the client's dialect wants the whole answer at its end.
pub struct StreamConverter {
    scanner: SseScanner,
    reader: Box<dyn ReadEvents>,
    writer: Box<dyn WriteEvents>,
    /// Of the event being read; kept for its memory.
    events: Vec<ChatEvent>,
    seen: StreamSeen,
}

impl StreamConverter {
    /// A converter for one stream. `max_event` bounds one event of the upstream in bytes.
    #[must_use]
    pub fn new(
        reader: Box<dyn ReadEvents>,
        writer: Box<dyn WriteEvents>,
        max_event: usize,
    ) -> Self {
        Self {
            scanner: SseScanner::new(max_event),
            reader,
            writer,
            events: Vec::new(),
            seen: StreamSeen::default(),
        }
    }

    /// Takes the next chunk and returns what goes to the client now, which may be empty.
    ///
    /// # Errors
    /// When an event passes the limit; the stream must then be given up.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Bytes, EventTooLong> {
        let Self {
            scanner,
            reader,
            writer,
            events,
            seen,
        } = self;
        let mut out = Vec::with_capacity(chunk.len());
        scanner.feed(chunk, |event| {
            seen.events += 1;
            reader.read(&event, events);
            pass_on(events, seen, &mut **writer, &mut out);
        })?;
        Ok(out.into())
    }

    /// The upstream ended its stream in order; returns what is left to say.
    pub fn finish(&mut self) -> Bytes {
        let mut out = Vec::new();
        let (reader, events) = (&mut self.reader, &mut self.events);
        self.scanner.finish(|event| reader.read(&event, events));
        self.reader.end(&mut self.events);
        pass_on(
            &mut self.events,
            &mut self.seen,
            &mut *self.writer,
            &mut out,
        );
        out.into()
    }

    /// The whole of an answer that came in one piece, for a client that asked for a stream.
    pub fn write_all(&mut self, events: Vec<ChatEvent>) -> Bytes {
        let mut out = Vec::new();
        self.events.extend(events);
        pass_on(
            &mut self.events,
            &mut self.seen,
            &mut *self.writer,
            &mut out,
        );
        out.into()
    }

    /// The error that ends a broken stream, in the client's dialect.
    pub fn fail(&mut self, fault: &StreamFault<'_>) -> Bytes {
        let mut out = Vec::new();
        self.writer.fail(fault, &mut out);
        out.into()
    }

    /// All that was seen. `done` = the client has been told the end.
    #[must_use]
    pub fn seen(&self) -> &StreamSeen {
        &self.seen
    }

    /// The whole answer as the client's dialect has it, where its writer keeps one to be stored.
    #[must_use]
    pub fn whole_answer(&self) -> Option<&[u8]> {
        self.writer.whole_answer()
    }
}

/// Writes what was read, and notes what it tells of the stream. Nothing follows an end or an error.
fn pass_on(
    events: &mut Vec<ChatEvent>,
    seen: &mut StreamSeen,
    writer: &mut dyn WriteEvents,
    out: &mut Vec<u8>,
) {
    for event in events.drain(..) {
        if seen.done || seen.error.is_some() {
            continue;
        }
        match &event {
            ChatEvent::Delta(_) => seen.content = true,
            ChatEvent::Start { usage, .. } => seen.usage = *usage,
            ChatEvent::Finish { usage, .. } => {
                seen.finish_reason = true;
                seen.done = true;
                seen.usage = usage.or(seen.usage);
            }
            ChatEvent::Error { kind, message } => {
                seen.error = Some(StreamError {
                    kind: *kind,
                    message: message.clone(),
                });
                continue;
            }
            _ => {}
        }
        writer.write(event, out);
    }
}
