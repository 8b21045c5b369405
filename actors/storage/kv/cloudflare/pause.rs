//! How long no write is sent, after one did not arrive.

use std::time::Duration;

use crate::supervision::clock::Monotonic;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// A pause that doubles each time it ends in vain. Pure: the time comes in as an argument.
#[derive(Debug, Default)]
pub struct Pause {
    until: Monotonic,
    /// `None` while writes arrive.
    length: Option<Duration>,
}

impl Pause {
    pub fn is_over(&self, now: Monotonic) -> bool {
        now >= self.until
    }

    /// The later of `at` and the end of the pause.
    pub fn until(&self, at: Monotonic) -> Monotonic {
        at.max(self.until)
    }

    /// A write did not arrive for `reason`. Those that were under way together make one pause; it lasts at least as
    /// long as Cloudflare `wanted`.
    pub fn begin(&mut self, now: Monotonic, wanted: Option<Duration>, reason: &str) {
        if self.is_over(now) {
            let length = self.length.map_or(SHORTEST, |last| LONGEST.min(last * 2));
            if self.length.replace(length).is_none() {
                log::warn!("writes to cloudflare kv wait until it takes them: {reason}");
            }
            self.until = now + length;
        }
        self.until = self.until.max(now + wanted.unwrap_or_default());
    }

    /// A write arrived. Within the pause that says nothing: it left before.
    pub fn end(&mut self, now: Monotonic) {
        if self.is_over(now) && self.length.take().is_some() {
            log::info!("cloudflare kv takes writes again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_doubles_until_a_write_arrives() {
        let (mut pause, mut now) = (Pause::default(), SECOND);
        assert!(pause.is_over(now));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            for _ in 0..3 {
                pause.begin(now, None, "all of a round");
            }
            pause.end(now);
            assert_eq!(pause.until(now), now + seconds * SECOND);
            now += seconds * SECOND;
            assert!(pause.is_over(now));
        }
        pause.end(now);
        pause.begin(now, None, "again");
        assert_eq!(pause.until(now), now + SECOND);
    }

    #[test]
    fn cloudflare_may_ask_for_more() {
        let mut pause = Pause::default();
        pause.begin(SECOND, Some(30 * SECOND), "too many requests");
        pause.begin(SECOND, None, "another of the round");
        assert!(!pause.is_over(30 * SECOND));
        assert!(pause.is_over(31 * SECOND));
    }
}
