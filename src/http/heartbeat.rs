//! When a silent stream needs a sign of life.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_rt::time::{Instant, Sleep, sleep_until};

/// Rings when nothing was sent for a while. A piece costs one reading of the clock; the timer itself is
/// only moved when it rings too early.
pub struct Heartbeat {
    every: Duration,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    /// One that rings so long after the last piece; none for zero.
    pub fn new(every: Duration) -> Option<Self> {
        let last = Instant::now();
        (!every.is_zero()).then(|| Self {
            every,
            last,
            timer: Box::pin(sleep_until(last + every)),
        })
    }

    /// A piece was sent.
    pub fn sent(&mut self) {
        self.last = Instant::now();
    }

    /// Ready when a sign of life is due; the time begins anew with it.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let due = self.last + self.every;
            let now = Instant::now();
            if now < due {
                self.timer.as_mut().reset(due);
                continue;
            }
            self.last = now;
            self.timer.as_mut().reset(now + self.every);
            return Poll::Ready(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[actix_rt::test]
    async fn it_rings_after_the_last_piece_and_again() {
        tokio::time::pause();
        assert!(Heartbeat::new(Duration::ZERO).is_none());
        let mut heartbeat = Heartbeat::new(Duration::from_secs(10)).unwrap();
        let begun = Instant::now();
        tokio::time::advance(Duration::from_secs(6)).await;
        heartbeat.sent();
        poll_fn(|cx| heartbeat.poll(cx)).await;
        assert_eq!(begun.elapsed().as_secs(), 16);
        poll_fn(|cx| heartbeat.poll(cx)).await;
        assert_eq!(begun.elapsed().as_secs(), 26);
    }
}
