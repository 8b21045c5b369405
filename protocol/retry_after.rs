//! How long an upstream asks us to stay away, as it says so in headers.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime};

/// No wait that an upstream asks for is believed beyond this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// Reads a `Retry-After` header: whole or fractional seconds, or an HTTP date against `now`.
///
/// A date in the past is zero; anything past [`MAX_RETRY_AFTER`] is cut to it; `None` where the
/// value is neither.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.parse::<f64>().is_ok() {
        return seconds(value);
    }
    let wait = http_date(value)?.duration_since(now).unwrap_or_default();
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Reads a `retry-after-ms` header: whole or fractional milliseconds, cut like
/// [`parse_retry_after`].
#[must_use]
pub fn parse_retry_after_ms(value: &str) -> Option<Duration> {
    capped(value.trim().parse::<f64>().ok()? / 1_000.0)
}

/// Reads a number of seconds, whole or fractional, cut like the rest.
pub(crate) fn seconds(value: &str) -> Option<Duration> {
    capped(value.parse().ok()?)
}

fn capped(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    let seconds = seconds.min(MAX_RETRY_AFTER.as_secs_f64());
    Duration::try_from_secs_f64(seconds).ok()
}

/// The three forms of RFC 9110: the fixed one first, then the two obsolete ones.
fn http_date(value: &str) -> Option<SystemTime> {
    if let Ok(date) = DateTime::parse_from_rfc2822(value) {
        return Some(date.into());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(value, form).ok())
        .map(|date| date.and_utc().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Sun, 06 Nov 1994 08:49:37 GMT
    const RFC_EXAMPLE: u64 = 784_111_777;

    #[test]
    fn seconds_dates_and_nonsense() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(RFC_EXAMPLE - 90);
        let seconds = Duration::from_secs;
        let cases = [
            ("7", Some(seconds(7))),
            (" 0 ", Some(Duration::ZERO)),
            ("1.5", Some(Duration::from_millis(1_500))),
            ("99999999999", Some(MAX_RETRY_AFTER)),
            ("inf", Some(MAX_RETRY_AFTER)),
            ("NaN", None),
            ("-3", None),
            ("", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(seconds(90))),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(seconds(90))),
            ("Sun Nov  6 08:49:37 1994", Some(seconds(90))),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(Duration::ZERO)),
            ("Sun, 06 Nov 2044 08:49:37 GMT", Some(MAX_RETRY_AFTER)),
        ];
        for (value, expected) in cases {
            assert_eq!(parse_retry_after(value, now), expected, "{value:?}");
        }
    }

    #[test]
    fn milliseconds() {
        assert_eq!(
            parse_retry_after_ms("250"),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            parse_retry_after_ms("0.5"),
            Some(Duration::from_micros(500))
        );
        assert_eq!(parse_retry_after_ms("-1"), None);
        assert_eq!(parse_retry_after_ms("x"), None);
    }
}
