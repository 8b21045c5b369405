//! Log lines: what is written, and how it looks.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use env_logger::Builder;
use log::{
    LevelFilter, Record,
    kv::{Key, Value, VisitSource, VisitValue},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::config::{LogConfig, LogFormat};

/// Starts logging to standard error. `directives` is the value of `RUST_LOG`, which wins over the level of
/// the configuration. A second call changes nothing.
pub fn init(config: &LogConfig, directives: Option<&str>) {
    let mut builder = Builder::new();
    match directives.filter(|text| !text.trim().is_empty()) {
        Some(directives) => builder.parse_filters(directives),
        None => builder
            .filter_level(LevelFilter::from(config.level))
            // it tells at every start and stop what our own lines tell better
            .filter_module("actix_server", LevelFilter::Warn),
    };
    match config.format {
        LogFormat::Json => builder.format(|out, record| json_line(out, record, Utc::now())),
        LogFormat::Text => builder.format(|out, record| {
            let style = out.default_level_style(record.level());
            text_line(
                out,
                record,
                Utc::now(),
                (style.render(), style.render_reset()),
            )
        }),
    };
    // only tests start it twice, and they share the process
    let _ = builder.try_init();
}

fn timestamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `time LEVEL target: message key=value`, always one line: control characters are escaped, so that nobody
/// forges a line by what he sends.
fn text_line(
    out: &mut dyn Write,
    record: &Record<'_>,
    now: DateTime<Utc>,
    (style, reset): (impl std::fmt::Display, impl std::fmt::Display),
) -> io::Result<()> {
    let time = timestamp(now);
    let level = record.level();
    write!(out, "{time} {style}{level:<5}{reset} {}: ", record.target())?;
    write_escaped(out, &record.args().to_string())?;
    for (key, value) in pairs(record) {
        write!(out, " {key}=")?;
        match value {
            serde_json::Value::String(text) if !text.contains([' ', '"']) => {
                write_escaped(out, &text)?
            }
            other => write!(out, "{other}")?,
        }
    }
    writeln!(out)
}

fn write_escaped(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for part in text.split_inclusive(char::is_control) {
        let plain = part.trim_end_matches(char::is_control);
        out.write_all(plain.as_bytes())?;
        write!(out, "{}", part[plain.len()..].escape_debug())?;
    }
    Ok(())
}

fn json_line(out: &mut dyn Write, record: &Record<'_>, now: DateTime<Utc>) -> io::Result<()> {
    let line = Line {
        record,
        time: timestamp(now),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

/// The line's own keys; a pair of that name would hide them and is left out.
const OWN_KEYS: [&str; 4] = ["ts", "level", "target", "message"];

struct Line<'a> {
    record: &'a Record<'a>,
    time: String,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ts", &self.time)?;
        map.serialize_entry("level", self.record.level().as_str())?;
        map.serialize_entry("target", self.record.target())?;
        map.serialize_entry("message", self.record.args())?;
        for (key, value) in pairs(self.record) {
            if !OWN_KEYS.contains(&key.as_str()) {
                map.serialize_entry(&key, &value)?;
            }
        }
        map.end()
    }
}

/// The record's key-value pairs, in their order.
fn pairs(record: &Record<'_>) -> Vec<(String, serde_json::Value)> {
    let mut pairs = Pairs(Vec::new());
    // our visitor never fails, so nothing is left out
    let _ = record.key_values().visit(&mut pairs);
    pairs.0
}

struct Pairs(Vec<(String, serde_json::Value)>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let mut json = Json(serde_json::Value::Null);
        value.visit(&mut json)?;
        self.0.push((key.to_string(), json.0));
        Ok(())
    }
}

/// A value as JSON; what is no number, word or truth is shown as text.
struct Json(serde_json::Value);

impl VisitValue<'_> for Json {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), log::kv::Error> {
        self.0 = value.to_string().into();
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), log::kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), log::kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), log::kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), log::kv::Error> {
        self.0 = value.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    /// The line that `write` makes of one record.
    fn line(write: impl Fn(&mut Vec<u8>, &Record<'_>) -> io::Result<()>) -> String {
        let pairs = [
            ("count", Value::from(3)),
            ("reason", Value::from("no answer")),
            ("level", Value::from("forged")),
        ];
        let mut out = Vec::new();
        let record = Record::builder()
            .level(Level::Warn)
            .target("troupe::x")
            .args(format_args!("gone\nagain"))
            .key_values(&pairs)
            .build();
        write(&mut out, &record).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn a_time() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_000).unwrap()
    }

    #[test]
    fn json_lines_hold_the_pairs_and_keep_their_own_keys() {
        let line = line(|out, record| json_line(out, record, a_time()));
        assert_eq!(line.lines().count(), 1);
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["ts"], "1970-01-01T00:00:01.000Z");
        assert_eq!(json["level"], "WARN");
        assert_eq!(json["message"], "gone\nagain");
        assert_eq!(json["count"], 3);
        assert_eq!(line.matches("\"level\"").count(), 1);
    }

    #[test]
    fn text_lines_cannot_be_forged() {
        let line = line(|out, record| text_line(out, record, a_time(), ("", "")));
        assert_eq!(
            line,
            "1970-01-01T00:00:01.000Z WARN  troupe::x: gone\\nagain count=3 reason=\"no answer\" level=forged\n"
        );
    }
}
