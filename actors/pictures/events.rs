//! The answer of a call as events, one after the other.

use std::collections::VecDeque;

use troupe_protocol::{
    failure::FailureKind,
    sse::{SseEvent, SseScanner},
};

use super::carry::CallFault;
use crate::providers::body::UpstreamBody;

/// The longest event of an answer.
const EVENT_LIMIT: usize = 1 << 20;

/// The events of an answer, one after the other.
pub(super) struct Events {
    body: UpstreamBody,
    scanner: SseScanner,
    waiting: VecDeque<(String, String)>,
    is_over: bool,
}

impl Events {
    pub fn of(body: UpstreamBody) -> Self {
        Self {
            body,
            scanner: SseScanner::new(EVENT_LIMIT),
            waiting: VecDeque::new(),
            is_over: false,
        }
    }

    /// The next event's name and data; none at the end.
    pub async fn next(&mut self) -> Result<Option<(String, String)>, CallFault> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), CallFault> {
        let waiting = &mut self.waiting;
        let mut add = |event: SseEvent<'_>| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            waiting.push_back((text(event.name), text(event.data)));
        };
        match std::future::poll_fn(|cx| self.body.poll_piece(cx)).await {
            Some(Ok(piece)) => {
                let scanned = self.scanner.feed(&piece, add);
                scanned
                    .map_err(|error| CallFault::new(FailureKind::Upstream, true).saying(error))?;
            }
            Some(Err(fault)) => {
                return Err(CallFault::new(fault.kind(), true).saying(fault));
            }
            None => {
                self.scanner.finish(&mut add);
                self.is_over = true;
            }
        }
        Ok(())
    }
}
