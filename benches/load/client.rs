//! One connection, and one exchange on it: the prepared request out, the answer in, checked to its last byte.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use derive_more::{Display, Error, From};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

use crate::{
    answer::{Answer, Malformed},
    body::{Body, Incomplete},
    histogram::Histogram,
};

/// Where requests go, what they are, and what must come back.
#[derive(Debug)]
pub struct Target {
    pub address: SocketAddr,
    /// Head and body, ready to be written.
    pub request: Vec<u8>,
    /// Whether the answer is an event stream.
    pub stream: bool,
    /// A stream must have so many `data:` lines before its last one.
    pub min_events: u64,
}

/// Why an exchange does not count. The texts are the names under which failures are counted.
#[derive(Debug, Display, Error, From)]
pub enum Failure {
    #[display("connect: {_0}")]
    Connect(#[error(source)] Connect),
    #[display("connection: {_0}")]
    Io(#[error(source)] io::Error),
    #[display("status {_0}")]
    #[from(skip)]
    Status(#[error(not(source))] u16),
    #[display("answer cut by the end of the connection")]
    Cut,
    #[display("{_0}")]
    Malformed(#[error(source)] Malformed),
    #[display("{_0}")]
    Incomplete(#[error(source)] Incomplete),
}

/// A connection that could not be opened.
#[derive(Debug, Display, Error)]
pub struct Connect(#[error(source)] io::Error);

/// Where all connections read into, one at a time: it stays in the cache, and idle connections hold no memory.
pub type Scratch = RefCell<Vec<u8>>;

/// What a whole and correct exchange was like.
#[derive(Debug)]
pub struct Exchange {
    /// When the body's first byte was read.
    pub first_byte: Instant,
    pub end: Instant,
    pub events: u64,
    pub body_bytes: u64,
    /// Whether the other side closes the connection after it.
    pub closes: bool,
}

/// An open connection to the target.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Connects, without the delay for small writes.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await.map_err(Connect)?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends the request and reads the whole answer. The time from each event to the next goes to `gaps`;
    /// `on_first_byte` runs when the body begins. After an error the connection is of no use any more.
    pub async fn exchange(
        &mut self,
        target: &Target,
        scratch: &Scratch,
        gaps: &RefCell<Histogram>,
        on_first_byte: impl FnOnce(),
    ) -> Result<Exchange, Failure> {
        self.0.write_all(&target.request).await?;
        let mut reading = Reading {
            target,
            answer: Answer::new(),
            body: Body::default(),
            first_byte: None,
            last_event: None,
        };
        let mut on_first_byte = Some(on_first_byte);
        while !reading.answer.is_done() {
            poll_fn(|context| self.poll_read(context, &mut reading, scratch, gaps)).await?;
            if reading.first_byte.is_some()
                && let Some(on_first_byte) = on_first_byte.take()
            {
                on_first_byte();
            }
        }
        reading.finish()
    }

    /// Waits for bytes and takes what one read gives.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        reading: &mut Reading<'_>,
        scratch: &Scratch,
        gaps: &RefCell<Histogram>,
    ) -> Poll<Result<(), Failure>> {
        let mut scratch = scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer))?;
        Poll::Ready(if buffer.filled().is_empty() {
            reading.end_of_input()
        } else {
            reading.take(buffer.filled(), &mut gaps.borrow_mut())
        })
    }
}

/// An answer under way.
struct Reading<'a> {
    target: &'a Target,
    answer: Answer,
    body: Body,
    first_byte: Option<Instant>,
    last_event: Option<Instant>,
}

impl Reading<'_> {
    fn take(&mut self, bytes: &[u8], gaps: &mut Histogram) -> Result<(), Failure> {
        let events_before = self.body.events();
        let Self { answer, body, .. } = self;
        if self.target.stream {
            answer.feed(bytes, |piece| body.take_stream(piece))?;
        } else {
            answer.feed(bytes, |piece| body.take_json(piece))?;
        }
        let now = Instant::now();
        if self.first_byte.is_none() && self.body.bytes() > 0 {
            self.first_byte = Some(now);
        }
        for _ in events_before..self.body.events() {
            if let Some(last) = self.last_event.replace(now) {
                gaps.record(now - last);
            }
        }
        Ok(())
    }

    fn end_of_input(&mut self) -> Result<(), Failure> {
        if self.answer.end_of_input() {
            Ok(())
        } else {
            Err(Failure::Cut)
        }
    }

    fn finish(self) -> Result<Exchange, Failure> {
        if self.answer.status() != 200 {
            return Err(Failure::Status(self.answer.status()));
        }
        if self.target.stream {
            self.body.check_stream(self.target.min_events)?;
        } else {
            self.body.check_json()?;
        }
        let end = Instant::now();
        Ok(Exchange {
            first_byte: self.first_byte.unwrap_or(end),
            end,
            events: self.body.events(),
            body_bytes: self.body.bytes(),
            closes: self.answer.closes(),
        })
    }
}
