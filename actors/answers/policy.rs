//! Whether a request repeats another one, and whether an answer is worth being given again. Pure.

use std::time::Duration;

use crate::{accounts::calls::Outcome, supervision::clock::Monotonic};

/// What a request wants of one like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Its answer, however old: it has an `Idempotency-Key`.
    Idempotent,
    /// Its answer, if it is recent.
    Attach,
    /// To be refused, if it is recent.
    Refuse,
}

/// An earlier request as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether its path and body are the same.
    pub same: bool,
    /// Whether its answer is too large to be shared.
    pub too_large: bool,
    /// When it came.
    pub began: Monotonic,
    /// When its answer was complete.
    pub ended: Option<Monotonic>,
}

/// What becomes of the later request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is served by itself.
    Fresh,
    /// It gets the earlier one's answer.
    Attach,
    /// It is refused for now.
    Duplicate {
        /// When it may come again.
        retry_after: Duration,
    },
    /// Its key was used for something else.
    OtherBody,
}

/// How long to wait for a request under way whose answer cannot be shared.
const UNDER_WAY_RETRY: Duration = Duration::from_secs(2);

/// What becomes of a request that meets an earlier one in the table.
#[must_use]
pub fn judge(wish: Wish, earlier: &Standing, now: Monotonic, window: Duration) -> Verdict {
    if wish == Wish::Idempotent {
        return match (earlier.same, earlier.too_large) {
            (false, _) => Verdict::OtherBody,
            (true, false) => Verdict::Attach,
            (true, true) => Verdict::Duplicate {
                retry_after: UNDER_WAY_RETRY,
            },
        };
    }
    let age = now.saturating_sub(earlier.ended.unwrap_or(earlier.began));
    if age >= window {
        return Verdict::Fresh;
    }
    match wish {
        Wish::Attach if !earlier.too_large => Verdict::Attach,
        _ => Verdict::Duplicate {
            retry_after: window - age,
        },
    }
}

/// How the call behind an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Its outcome.
    pub outcome: Outcome,
    /// The upstream calls that it took.
    pub attempts: i32,
}

/// Whether an answer may be given to a later request, too. Not one that another try may better, nor a refusal for
/// which nothing was done: to find fault with a request once more costs nothing, and it may have been mended.
/// `made` is missing for routes that keep no call record.
#[must_use]
pub fn may_be_given_again(status: u16, made: Option<Made>) -> bool {
    if status >= 500 || matches!(status, 408 | 409 | 429) {
        return false;
    }
    match made {
        Some(made) => match made.outcome {
            Outcome::Ok => true,
            Outcome::ClientError => made.attempts > 0,
            _ => false,
        },
        None => status < 400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(2);

    fn at(ms: u64) -> Monotonic {
        Duration::from_millis(ms)
    }

    fn earlier(ended: Option<u64>) -> Standing {
        Standing {
            same: true,
            too_large: false,
            began: at(1_000),
            ended: ended.map(at),
        }
    }

    fn duplicate(ms: u64) -> Verdict {
        let retry_after = at(ms);
        Verdict::Duplicate { retry_after }
    }

    #[test]
    fn twins_are_those_within_the_window_of_a_start_or_an_end() {
        for (ended, now, attach, refuse) in [
            (None, 1_000, Verdict::Attach, duplicate(2_000)),
            (None, 2_999, Verdict::Attach, duplicate(1)),
            (None, 3_000, Verdict::Fresh, Verdict::Fresh),
            (Some(9_000), 9_500, Verdict::Attach, duplicate(1_500)),
            (Some(9_000), 11_000, Verdict::Fresh, Verdict::Fresh),
        ] {
            let found = |wish| judge(wish, &earlier(ended), at(now), WINDOW);
            assert_eq!(found(Wish::Attach), attach, "{ended:?} {now}");
            assert_eq!(found(Wish::Refuse), refuse, "{ended:?} {now}");
            assert_eq!(found(Wish::Idempotent), Verdict::Attach);
        }
    }

    #[test]
    fn what_cannot_be_shared_is_waited_for() {
        let large = Standing {
            too_large: true,
            ..earlier(None)
        };
        let found = |wish, now| judge(wish, &large, at(now), WINDOW);
        assert_eq!(found(Wish::Attach, 1_500), duplicate(1_500));
        assert_eq!(found(Wish::Attach, 3_000), Verdict::Fresh);
        assert_eq!(found(Wish::Idempotent, 90_000), duplicate(2_000));
    }

    #[test]
    fn a_key_is_for_one_request() {
        let other = Standing {
            same: false,
            ..earlier(None)
        };
        let found = judge(Wish::Idempotent, &other, at(1_001), WINDOW);
        assert_eq!(found, Verdict::OtherBody);
    }

    #[test]
    fn only_what_another_try_would_not_better_is_given_again() {
        let made = |outcome, attempts| Some(Made { outcome, attempts });
        for (status, made, again) in [
            (200, made(Outcome::Ok, 1), true),
            (200, made(Outcome::Ok, 0), true),
            (200, None, true),
            (204, None, true),
            (400, made(Outcome::ClientError, 1), true),
            (404, made(Outcome::ClientError, 0), false),
            (404, None, false),
            (408, made(Outcome::ClientError, 1), false),
            (409, made(Outcome::ClientError, 1), false),
            (429, made(Outcome::UpstreamError, 1), false),
            (502, made(Outcome::UpstreamError, 2), false),
            (503, None, false),
            (200, made(Outcome::UpstreamCut, 1), false),
            (200, made(Outcome::UpstreamError, 1), false),
            (200, made(Outcome::Drained, 1), false),
        ] {
            assert_eq!(may_be_given_again(status, made), again, "{status} {made:?}");
        }
    }
}
