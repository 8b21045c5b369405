//! Numbers, spans and times as people read them.

use chrono::{DateTime, SecondsFormat};

use super::language::Language;

/// `1234567` → `1,234,567`
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span in its two largest units: `4 s`, `3 min 4 s`, `2 h 3 min`, `1 d 2 h`.
#[must_use]
pub fn span(language: Language, ms: u64) -> String {
    let (s, min, h) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    let part = |name: &'static str, value: u64| (name, value.to_string().into());
    let said = match (h, min, s) {
        (0, 0, 0) => language.say_with("span-ms", [part("ms", ms)]),
        (0, 0, _) => language.say_with("span-s", [part("s", s)]),
        (0, _, _) => language.say_with("span-min", [part("min", min), part("s", s % 60)]),
        (..24, _, _) => language.say_with("span-h", [part("h", h), part("min", min % 60)]),
        _ => language.say_with("span-d", [part("d", h / 24), part("h", h % 24)]),
    };
    said.into_owned()
}

/// How long ago, `ms` back from now; under a second is now.
#[must_use]
pub fn ago(language: Language, ms: u64) -> String {
    if ms < 1_000 {
        return language.say("now").into_owned();
    }
    let parts = [("span", span(language, ms).into())];
    language.say_with("ago", parts).into_owned()
}

/// Milliseconds since 1970 as `2026-11-21T08:15:30Z`.
#[must_use]
pub fn exact(at_ms: u64) -> String {
    i64::try_from(at_ms)
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (ms, text) in [
            (7, "7 ms"),
            (4_900, "4 s"),
            (184_000, "3 min 4 s"),
            (7_380_000, "2 h 3 min"),
            (93_600_000, "1 d 2 h"),
        ] {
            assert_eq!(span(Language::English, ms), text);
        }
        assert_eq!(ago(Language::Chinese, 184_000), "3 分 4 秒前");
        assert_eq!(ago(Language::English, 10), "just now");
    }

    #[test]
    fn exact_times_are_in_utc() {
        assert_eq!(exact(1_795_248_930_123), "2026-11-21T08:15:30Z");
    }
}
