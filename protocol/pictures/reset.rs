//! When a quota is whole again, from the time that it is now. Upstreams reckon in days of their own.

use std::time::{Duration, SystemTime};

use chrono::{
    DateTime, Datelike as _, FixedOffset, Months, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday,
};

/// Until the next midnight in China, where days of Gitee and ModelScope end.
#[must_use]
pub fn beijing_midnight(now: SystemTime) -> Duration {
    midnight(now, 8)
}

fn midnight(now: SystemTime, hours_east: i64) -> Duration {
    const DAY: u64 = 24 * 3600;
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let local = since.as_secs().saturating_add_signed(hours_east * 3600);
    Duration::from_secs(DAY - local % DAY)
}

/// Until the next midnight on the Pacific coast of the United States, where days of Google end.
#[must_use]
pub fn pacific_midnight(now: SystemTime) -> Duration {
    let hours_east = |now| if in_summer_time(now) { -7 } else { -8 };
    let wait = midnight(now, hours_east(now));
    // the clocks may be changed before that midnight
    match hours_east(now + wait) - hours_east(now) {
        1 => wait.saturating_sub(Duration::from_secs(3600)),
        -1 => wait + Duration::from_secs(3600),
        _ => wait,
    }
}

/// Whether clocks of the United States are an hour ahead: from the second Sunday of March to the first of
/// November, at two o'clock by the clock that then ends.
fn in_summer_time(now: SystemTime) -> bool {
    let now = DateTime::<Utc>::from(now);
    let sunday = |month, which| {
        let day = NaiveDate::from_weekday_of_month_opt(now.year(), month, Weekday::Sun, which)?;
        Some(day.and_time(NaiveTime::MIN).and_utc())
    };
    let (Some(march), Some(november)) = (sunday(3, 2), sunday(11, 1)) else {
        return false;
    };
    (march + TimeDelta::hours(10)..november + TimeDelta::hours(9)).contains(&now)
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

/// The time of a text such as `Please try again in 6m0.5s`, with the units `h`, `m`, `s` and `ms`.
#[must_use]
pub fn span_in(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let words = "try again in ";
    let span = lower[lower.find(words)? + words.len()..]
        .split_ascii_whitespace()
        .next()?;
    let mut rest = span.trim_end_matches(['.', ',']);
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit = &rest[number..];
        let end = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        let (value, unit) = (rest[..number].parse::<f64>().ok()?, &unit[..end]);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(value * seconds).ok()?)?;
        rest = &rest[number + end..];
    }
    (total > Duration::ZERO).then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!(next_month(now), Duration::from_secs(8 * 3600 + 60));
        assert_eq!(
            next_month(at("2026-12-31T23:59:59Z")),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn days_of_google_end_by_clocks_that_change() {
        for (now, hours) in [
            ("2026-01-15T07:00:00Z", 1),
            ("2026-07-15T06:00:00Z", 1),
            ("2026-07-15T07:00:00Z", 24),
            // the days of 23 and of 25 hours
            ("2026-03-08T08:00:00Z", 23),
            ("2026-03-09T06:00:00Z", 1),
            ("2026-11-01T07:00:00Z", 25),
            ("2026-11-02T07:00:00Z", 1),
        ] {
            let wait = Duration::from_secs(hours * 3600);
            assert_eq!(pacific_midnight(at(now)), wait, "{now}");
        }
    }

    proptest! {
        #[test]
        fn google_s_midnight_is_the_next_one(seconds in 1_700_000_000_u64..2_000_000_000) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let wait = pacific_midnight(now);
            prop_assert!(wait > Duration::ZERO && wait <= Duration::from_secs(25 * 3600));
            let then = now + wait;
            let east = if in_summer_time(then) { 7 } else { 8 };
            prop_assert_eq!((seconds + wait.as_secs()) % 86_400, east * 3600);
            // there is no midnight before it
            let just_before = then - Duration::from_secs(1);
            prop_assert_eq!(pacific_midnight(just_before), Duration::from_secs(1));
        }
    }

    #[test]
    fn spans_are_read() {
        for (text, millis) in [
            (
                "images per min: Limit 5. Please try again in 12s. Visit",
                Some(12_000),
            ),
            ("Please try again in 6m0s.", Some(360_000)),
            ("try again in 1h2m3.5s", Some(3_723_500)),
            ("try again in 40ms, or", Some(40)),
            ("Try again in 23:59:09", None),
            ("try again in 5 minutes", None),
            ("try again in 0s", None),
            ("try again in 1e999s", None),
            ("try again in ", None),
            ("later", None),
        ] {
            assert_eq!(span_in(text), millis.map(Duration::from_millis), "{text}");
        }
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
