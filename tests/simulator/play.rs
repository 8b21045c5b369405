//! Plays the steps of an answer into a connection: writes, pauses, silences, cuts.

use std::{
    future::Future,
    io,
    net::Shutdown,
    os::fd::AsFd,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpRequest,
    body::{BodySize, MessageBody},
    rt::net::TcpStream,
};
use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::script::Script;

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Bytes that are not an event of their own.
    Write(Bytes),
    /// An event with content; these are counted.
    Event(Bytes),
    /// Waits; measured from the end of the last pause, so that a pace does not drift.
    Pause(Duration),
    /// Lets what was written go out before the next step.
    Flush,
    /// Never goes on.
    Hang,
    /// Closes the connection.
    Cut,
}

/// A second handle on a client's socket, with which a handler can close it under the server's feet.
#[derive(Debug)]
pub(crate) struct Socket(std::net::TcpStream);

impl Socket {
    pub(crate) fn of(connection: &TcpStream) -> io::Result<Self> {
        let handle = connection.as_fd().try_clone_to_owned()?;
        Ok(Self(handle.into()))
    }

    fn cut(&self) {
        // an error here means that the peer was faster
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Closes a request's connection at once.
pub(crate) fn cut(request: &HttpRequest) {
    if let Some(socket) = request.conn_data::<Rc<Socket>>() {
        socket.cut();
    }
}

/// Counts an answer as under way, and on drop as ended or as left by its client.
pub(crate) struct Flight {
    script: Script,
    model: Rc<str>,
    streams: bool,
    events: u32,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Sent,
    Cut,
}

impl Flight {
    pub(crate) fn begin(script: &Script, model: &Rc<str>, streams: bool) -> Self {
        script.count(|stats| {
            stats.open += 1;
            stats.streams_opened += u64::from(streams);
        });
        Self {
            script: script.clone(),
            model: Rc::clone(model),
            streams,
            events: 0,
            end: None,
        }
    }

    pub(crate) fn end_with_cut(&mut self) {
        self.end = Some(End::Cut);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.script.count(|stats| {
            stats.open = stats.open.saturating_sub(1);
            match self.end {
                Some(End::Sent) => stats.streams_completed += u64::from(self.streams),
                Some(End::Cut) => stats.cuts += 1,
                None => stats.count_cancellation(&self.model, self.events),
            }
        });
    }
}

/// A body that plays its steps.
pub(crate) struct Play {
    steps: Rc<[Step]>,
    at: usize,
    size: BodySize,
    started: Option<Instant>,
    pause: Option<Pin<Box<Sleep>>>,
    flushing: bool,
    socket: Option<Rc<Socket>>,
    flight: Flight,
}

impl Play {
    /// `length` is what the head promises; `None` = chunked.
    pub(crate) fn new(
        steps: Rc<[Step]>,
        length: Option<u64>,
        request: &HttpRequest,
        flight: Flight,
    ) -> Self {
        Self {
            steps,
            at: 0,
            size: length.map_or(BodySize::Stream, BodySize::Sized),
            started: None,
            pause: None,
            flushing: false,
            socket: request.conn_data::<Rc<Socket>>().cloned(),
            flight,
        }
    }

    /// Ready when the pause is over.
    fn poll_pause(&mut self, pause: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let until = started + pause;
        match &mut self.pause {
            Some(sleep) if sleep.deadline() != until => sleep.as_mut().reset(until),
            Some(_) => {}
            None => self.pause = Some(Box::pin(sleep_until(until))),
        }
        if let Some(sleep) = &mut self.pause {
            std::task::ready!(sleep.as_mut().poll(cx));
        }
        self.started = Some(until);
        Poll::Ready(())
    }

    /// Pending once: the server writes out what it has when a body has nothing for it.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.flushing = !self.flushing;
        if self.flushing {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl MessageBody for Play {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        let this = &mut *self;
        // paces count from the moment the answer began
        this.started.get_or_insert_with(Instant::now);
        loop {
            let Some(step) = this.steps.get(this.at) else {
                this.flight.end = Some(End::Sent);
                return Poll::Ready(None);
            };
            match step {
                Step::Write(bytes) | Step::Event(bytes) => {
                    this.flight.events += u32::from(matches!(step, Step::Event(_)));
                    let bytes = bytes.clone();
                    this.at += 1;
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Step::Pause(pause) => {
                    let pause = *pause;
                    std::task::ready!(this.poll_pause(pause, cx));
                }
                Step::Flush => std::task::ready!(this.poll_flush(cx)),
                Step::Hang => return Poll::Pending,
                Step::Cut => {
                    this.flight.end_with_cut();
                    if let Some(socket) = &this.socket {
                        socket.cut();
                    }
                    return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
                }
            }
            this.at += 1;
        }
    }
}
