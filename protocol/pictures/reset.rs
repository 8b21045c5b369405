//! When a quota is whole again, from the time that it is now. Upstreams reckon in days of their own.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike as _, FixedOffset, Months, NaiveTime, Utc};

/// Until the next midnight in China, where days of Gitee and ModelScope end.
#[must_use]
pub fn beijing_midnight(now: SystemTime) -> Duration {
    midnight(now, 8)
}

/// Until the next midnight in UTC.
#[must_use]
pub fn utc_midnight(now: SystemTime) -> Duration {
    midnight(now, 0)
}

fn midnight(now: SystemTime, hours_east: i64) -> Duration {
    const DAY: u64 = 24 * 3600;
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let local = since.as_secs().saturating_add_signed(hours_east * 3600);
    Duration::from_secs(DAY - local % DAY)
}

/// Until the first of the next month in UTC.
#[must_use]
pub fn next_month(now: SystemTime) -> Duration {
    let now: DateTime<FixedOffset> = DateTime::<Utc>::from(now).fixed_offset();
    let first = now
        .date_naive()
        .with_day(1)
        .and_then(|day| day.checked_add_months(Months::new(1)));
    let first = first.map(|day| day.and_time(NaiveTime::MIN).and_utc().fixed_offset());
    let wait = first.and_then(|first| (first - now).to_std().ok());
    wait.unwrap_or(Duration::from_secs(31 * 24 * 3600))
}

/// The time of a text such as `Try again in 23:59:09`, in hours, minutes, seconds; `retry in` is the same.
#[must_use]
pub fn clock_in(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let at = ["try again in ", "retry in "]
        .iter()
        .find_map(|words| Some(lower.find(words)? + words.len()))?;
    let clock: String = lower[at..]
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ':')
        .collect();
    let mut fields = clock.splitn(3, ':').map(|field| field.parse::<u32>().ok());
    let (hours, minutes, seconds) = (fields.next()??, fields.next()??, fields.next()??);
    (minutes < 60 && seconds < 60).then(|| {
        Duration::from_secs(u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    #[test]
    fn days_end_where_the_upstream_is() {
        let now = at("2026-02-28T15:59:00Z");
        assert_eq!(beijing_midnight(now), Duration::from_secs(60));
        assert_eq!(
            beijing_midnight(at("2026-02-28T16:00:00Z")),
            Duration::from_secs(86_400)
        );
        assert_eq!(utc_midnight(now), Duration::from_secs(8 * 3600 + 60));
        assert_eq!(next_month(now), Duration::from_secs(8 * 3600 + 60));
        assert_eq!(
            next_month(at("2026-12-31T23:59:59Z")),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn clocks_are_read() {
        for (text, seconds) in [
            (
                "(146s requested vs. 62s left). Try again in 23:59:09. …",
                Some(86_349),
            ),
            ("retry in 0:09:48", Some(588)),
            ("Try again in 100:00:01", Some(360_001)),
            ("Try again in 5 minutes", None),
            ("Try again in 1:99:00", None),
            ("later", None),
        ] {
            assert_eq!(clock_in(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
