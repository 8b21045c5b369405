//! How long a credential rests after a failure, and why: one table from failure kind to verdict.

use std::time::Duration;

use derive_more::Display;
use serde::Serialize;
use troupe_protocol::failure::{FailureKind, QuotaScope};

use super::config::PoolConfig;
use crate::supervision::clock::Monotonic;

/// No cooldown is longer, whatever an upstream asks for: it keeps sums of times in range.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The longest pause between two re-checks of a token that was refused as invalid.
const LONGEST_RECHECK: Duration = Duration::from_secs(24 * 3600);

/// Why a credential cannot be lent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColdReason {
    #[display("rate limited")]
    RateLimited,
    #[display("quota exhausted")]
    QuotaExhausted,
    #[display("not entitled to this model")]
    NotEntitled,
    #[display("upstream overloaded")]
    Overloaded,
    #[display("upstream fault")]
    Fault,
    #[display("refused as invalid")]
    Invalid,
    #[display("all its places are taken")]
    Busy,
}

impl ColdReason {
    /// The word under which it is stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::NotEntitled => "not_entitled",
            Self::Overloaded => "overloaded",
            Self::Fault => "fault",
            Self::Invalid => "invalid",
            Self::Busy => "busy",
        }
    }

    /// The reason behind a stored word; an unknown one (written by a newer version) is a fault.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "rate_limited" => Self::RateLimited,
            "quota_exhausted" => Self::QuotaExhausted,
            "not_entitled" => Self::NotEntitled,
            "overloaded" => Self::Overloaded,
            "invalid" => Self::Invalid,
            "busy" => Self::Busy,
            _ => Self::Fault,
        }
    }
}

/// A rest that something takes: a credential, or a credential for one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    pub until: Monotonic,
    pub reason: ColdReason,
    /// How often in a row it was cooled for this reason, at least 1.
    pub streak: u32,
}

impl Cooldown {
    /// Whether it still lasts.
    #[must_use]
    pub fn is_cold(&self, now: Monotonic) -> bool {
        now < self.until
    }

    /// How many coolings for `reason` came right before: old ones, and other reasons, do not count.
    #[must_use]
    pub fn row(&self, now: Monotonic, reason: ColdReason, config: &PoolConfig) -> u32 {
        let forgotten = self.until + millis(config.max_cooldown_ms);
        if self.reason != reason || now > forgotten {
            return 0;
        }
        // The requests that were out when it cooled fail together: the burst counts once.
        if self.is_cold(now) {
            self.streak - 1
        } else {
            self.streak
        }
    }
}

/// What a cooldown covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Credential,
    Model,
}

/// What a failure does to the credential with which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was not the credential's fault.
    Acquit,
    Cool {
        scope: Scope,
        reason: ColdReason,
        /// The upstream said itself how long. If not, the last credential that can be lent is
        /// spared when the reason is a fault: another try may succeed, none cannot.
        asked: Option<Duration>,
    },
    Disable,
}

/// The table. `Retry-After` of zero counts as none given.
#[must_use]
pub fn verdict(failure: FailureKind) -> Verdict {
    let asked = failure.retry_after().filter(|span| !span.is_zero());
    let cool = |scope, reason| Verdict::Cool {
        scope,
        reason,
        asked,
    };
    match failure {
        FailureKind::RateLimited { .. } => cool(Scope::Model, ColdReason::RateLimited),
        FailureKind::QuotaExhausted { scope, .. } => cool(
            match scope {
                QuotaScope::Credential | QuotaScope::CredentialDay => Scope::Credential,
                QuotaScope::CredentialModel => Scope::Model,
            },
            ColdReason::QuotaExhausted,
        ),
        FailureKind::NotEntitled => cool(Scope::Model, ColdReason::NotEntitled),
        FailureKind::Overloaded { .. } => cool(Scope::Model, ColdReason::Overloaded),
        FailureKind::Timeout | FailureKind::Network | FailureKind::Upstream => {
            cool(Scope::Model, ColdReason::Fault)
        }
        FailureKind::AuthInvalid => Verdict::Disable,
        FailureKind::InvalidRequest | FailureKind::ContentPolicy | FailureKind::Cancelled => {
            Verdict::Acquit
        }
    }
}

/// How long to rest: what the upstream `asked` for, else our own span for the reason, doubled for
/// each of `row` coolings before. `rng` adds jitter, never takes away.
#[must_use]
pub fn span(
    config: &PoolConfig,
    reason: ColdReason,
    asked: Option<Duration>,
    row: u32,
    rng: u64,
) -> Duration {
    let longest_own = millis(config.max_cooldown_ms);
    let doubled = |first_ms: u64| millis(first_ms.saturating_mul(power(row))).min(longest_own);
    let span = asked.unwrap_or_else(|| match reason {
        ColdReason::QuotaExhausted | ColdReason::NotEntitled => millis(config.quota_cooldown_ms),
        ColdReason::RateLimited => doubled(config.rate_limit_cooldown_ms),
        _ => doubled(config.fault_cooldown_ms),
    });
    let jitter = config.jitter.clamp(0.0, 1.0) * fraction(rng);
    (span.min(LONGEST) + span.min(longest_own).mul_f64(jitter)).min(LONGEST)
}

/// The pause before a token that was refused as invalid `refusals` times in a row is tried again.
#[must_use]
pub fn recheck_after(config: &PoolConfig, refusals: u32) -> Duration {
    let first = Duration::from_secs(config.invalid_recheck_seconds);
    let doublings = power(refusals.saturating_sub(1)).min(u64::from(u32::MAX));
    first
        .saturating_mul(doublings as u32)
        .min(LONGEST_RECHECK.max(first.min(LONGEST)))
}

/// A time left, short enough for a sentence: `850 ms`, `12 s`, `5 min`, `3 h 20 min`, `2 d 1 h`.
/// Rounded up, so that nobody comes back too early.
#[must_use]
pub fn in_words(left: Duration) -> String {
    if left < Duration::from_secs(1) {
        return format!("{} ms", left.as_nanos().div_ceil(1_000_000));
    }
    let seconds = left.as_millis().div_ceil(1_000);
    let minutes = seconds.div_ceil(60);
    let hours = minutes.div_ceil(60);
    let pair = |big: u128, big_unit, small: u128, small_unit| match small {
        0 => format!("{big} {big_unit}"),
        _ => format!("{big} {big_unit} {small} {small_unit}"),
    };
    match seconds {
        0..120 => format!("{seconds} s"),
        120..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..172_800 => pair(minutes / 60, "h", minutes % 60, "min"),
        _ => pair(hours / 24, "d", hours % 24, "h"),
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms).min(LONGEST)
}

fn power(exponent: u32) -> u64 {
    1_u64.checked_shl(exponent).unwrap_or(u64::MAX)
}

/// A number in 0.0..1.0 from 64 random bits.
fn fraction(rng: u64) -> f64 {
    (rng >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Monotonic = Duration::from_secs(1_000);

    fn config() -> PoolConfig {
        PoolConfig::default()
    }

    #[test]
    fn each_failure_has_its_verdict() {
        let retry_after = Some(Duration::from_secs(7));
        let cool = |scope, reason, asked| Verdict::Cool {
            scope,
            reason,
            asked,
        };
        let table = [
            (
                FailureKind::RateLimited { retry_after },
                cool(Scope::Model, ColdReason::RateLimited, retry_after),
            ),
            (
                FailureKind::RateLimited {
                    retry_after: Some(Duration::ZERO),
                },
                cool(Scope::Model, ColdReason::RateLimited, None),
            ),
            (
                FailureKind::QuotaExhausted {
                    scope: QuotaScope::Credential,
                    retry_after: None,
                },
                cool(Scope::Credential, ColdReason::QuotaExhausted, None),
            ),
            (
                FailureKind::QuotaExhausted {
                    scope: QuotaScope::CredentialModel,
                    retry_after,
                },
                cool(Scope::Model, ColdReason::QuotaExhausted, retry_after),
            ),
            (
                FailureKind::NotEntitled,
                cool(Scope::Model, ColdReason::NotEntitled, None),
            ),
            (
                FailureKind::Overloaded { retry_after },
                cool(Scope::Model, ColdReason::Overloaded, retry_after),
            ),
            (
                FailureKind::Timeout,
                cool(Scope::Model, ColdReason::Fault, None),
            ),
            (
                FailureKind::Network,
                cool(Scope::Model, ColdReason::Fault, None),
            ),
            (
                FailureKind::Upstream,
                cool(Scope::Model, ColdReason::Fault, None),
            ),
            (FailureKind::AuthInvalid, Verdict::Disable),
            (FailureKind::InvalidRequest, Verdict::Acquit),
            (FailureKind::ContentPolicy, Verdict::Acquit),
            (FailureKind::Cancelled, Verdict::Acquit),
        ];
        for (failure, expected) in table {
            assert_eq!(verdict(failure), expected, "{failure}");
        }
    }

    #[test]
    fn our_own_spans_double_up_to_the_longest() {
        let own = |row| span(&config(), ColdReason::RateLimited, None, row, 0);
        assert_eq!(own(0), Duration::from_secs(1));
        assert_eq!(own(3), Duration::from_secs(8));
        assert_eq!(own(6), Duration::from_secs(60));
        assert_eq!(own(u32::MAX), Duration::from_secs(60));
    }

    #[test]
    fn what_the_upstream_asks_for_is_never_shortened() {
        let hours = Duration::from_secs(7200);
        for rng in [0, u64::MAX / 3, u64::MAX] {
            let rest = span(&config(), ColdReason::RateLimited, Some(hours), 9, rng);
            assert!(rest >= hours && rest <= hours + Duration::from_secs(6));
        }
        let absurd = span(
            &config(),
            ColdReason::Overloaded,
            Some(Duration::MAX),
            0,
            u64::MAX,
        );
        assert_eq!(absurd, LONGEST);
    }

    #[test]
    fn jitter_only_adds() {
        let with = |rng| span(&config(), ColdReason::Fault, None, 0, rng);
        assert_eq!(with(0), Duration::from_millis(250));
        assert!(with(u64::MAX) > Duration::from_millis(274));
        assert!(with(u64::MAX) <= Duration::from_millis(275));
    }

    #[test]
    fn rechecks_double_up_to_a_day() {
        let pause = |refusals| recheck_after(&config(), refusals).as_secs();
        assert_eq!([pause(1), pause(2), pause(3)], [600, 1200, 2400]);
        assert_eq!(pause(40), 86_400);
        assert_eq!(pause(u32::MAX), 86_400);
    }

    #[test]
    fn a_burst_counts_once_and_old_rows_are_forgotten() {
        let now = NOW;
        let cooldown = Cooldown {
            until: now + Duration::from_secs(1),
            reason: ColdReason::RateLimited,
            streak: 2,
        };
        let row = |at, reason| cooldown.row(at, reason, &config());
        assert_eq!(row(now, ColdReason::RateLimited), 1);
        let thawed = now + Duration::from_secs(2);
        assert_eq!(row(thawed, ColdReason::RateLimited), 2);
        assert_eq!(row(thawed, ColdReason::Fault), 0);
        let long_after = now + Duration::from_secs(62);
        assert_eq!(row(long_after, ColdReason::RateLimited), 0);
    }

    #[test]
    fn times_left_read_well() {
        let words = |ms| in_words(Duration::from_millis(ms));
        assert_eq!(in_words(Duration::from_micros(1)), "1 ms");
        assert_eq!(words(999), "999 ms");
        assert_eq!(words(11_001), "12 s");
        assert_eq!(words(180_000), "3 min");
        assert_eq!(words(3_540_500), "59 min 1 s");
        assert_eq!(words(12_000_000), "3 h 20 min");
        assert_eq!(words(176_400_000), "2 d 1 h");
    }

    #[test]
    fn stored_words_come_back() {
        for reason in [
            ColdReason::RateLimited,
            ColdReason::QuotaExhausted,
            ColdReason::NotEntitled,
            ColdReason::Overloaded,
            ColdReason::Fault,
            ColdReason::Invalid,
            ColdReason::Busy,
        ] {
            assert_eq!(ColdReason::from_code(reason.code()), reason);
        }
        assert_eq!(ColdReason::from_code("from the future"), ColdReason::Fault);
    }
}
