//! How values, requests and errors look in the REST API of Cloudflare KV.
//!
//! Protocol: <https://developers.cloudflare.com/api/resources/kv/>. A value is the body as it is. Errors are
//! `{"success":false,"errors":[{"code":…,"message":"…"}],…}`; the codes below are those that the API sends.

use std::time::Duration;

use awc::http::{StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use url::Url;

use super::{
    super::{
        KvError,
        rest::{Reply, said, unavailable},
    },
    overlay::Entry,
};

/// The shortest time to live that Cloudflare takes, in seconds.
const SHORTEST_TTL: u64 = 60;
/// The longest: it is a signed number of 32 bits there.
const LONGEST_TTL: u64 = i32::MAX as u64;
/// The longest key, in bytes.
const MAX_KEY: usize = 512;
/// A value begins with this and one line end: when it is over, in milliseconds since 1970, or `-`.
const HEAD: &str = "troupe ";
/// `key not found`; a 404 of another code is about the namespace or the account.
const KEY_NOT_FOUND: u32 = 10_009;
/// The longest pause that an answer may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The address of `key`, which is percent-encoded, below that of its namespace.
///
/// # Errors
/// [`KvError::Refused`] for keys that Cloudflare does not take.
pub fn place(namespace: &Url, key: &str) -> Result<Url, KvError> {
    if key.is_empty() || key.len() > MAX_KEY || matches!(key, "." | "..") {
        return Err(KvError::Refused(format!(
            "cloudflare kv takes keys of 1 to {MAX_KEY} bytes, other than . and .."
        )));
    }
    let mut url = namespace.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.push("values").push(key);
    }
    Ok(url)
}

/// The bytes that stand for `entry`, which carry when it is over: Cloudflare takes no time to live below a minute, and
/// may go on serving what is over.
pub fn sealed(entry: &Entry) -> Vec<u8> {
    let over = entry.over_ms.map_or("-".to_owned(), |ms| ms.to_string());
    let mut bytes = format!("{HEAD}{over}\n").into_bytes();
    bytes.extend_from_slice(&entry.value);
    bytes
}

/// The entry that was stored as `bytes`.
pub fn opened(bytes: &[u8]) -> Result<Entry, KvError> {
    let read = || {
        let rest = bytes.strip_prefix(HEAD.as_bytes())?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let over_ms = match str::from_utf8(&rest[..end]).ok()? {
            "-" => None,
            digits => Some(digits.parse().ok()?),
        };
        Some(Entry {
            value: rest[end + 1..].into(),
            over_ms,
        })
    };
    read().ok_or_else(|| KvError::Refused("the value was not stored by troupe".to_owned()))
}

/// The time to live to ask of Cloudflare, in seconds, lengthened to what it takes.
pub fn ttl(entry: &Entry, now_ms: u64) -> Option<u64> {
    let left = entry.over_ms?.saturating_sub(now_ms).div_ceil(1000);
    Some(left.clamp(SHORTEST_TTL, LONGEST_TTL))
}

#[derive(Deserialize, Default)]
struct Failure {
    #[serde(default)]
    errors: Vec<Told>,
}

#[derive(Deserialize, Default)]
struct Told {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
}

/// The answer's body, unless it says that the key is not there.
///
/// # Errors
/// [`KvError::Refused`] where the same request will never do, else [`KvError::Unavailable`].
pub fn found(reply: Reply) -> Result<Option<Reply>, KvError> {
    if reply.status.is_success() {
        return Ok(Some(reply));
    }
    let failure: Failure = serde_json::from_slice(&reply.body).unwrap_or_default();
    let told = failure.errors.into_iter().next().unwrap_or_default();
    if reply.status == StatusCode::NOT_FOUND && told.code == KEY_NOT_FOUND {
        return Ok(None);
    }
    Err(objection(reply.status, &told))
}

fn objection(status: StatusCode, told: &Told) -> KvError {
    let number = status.as_u16();
    let reason = match (told.code, &*told.message) {
        (0, "") => number.to_string(),
        (code, message) => format!("{number}, code {code}: {message}"),
    };
    match status {
        // what it says of a token is not repeated
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => unavailable(&format!(
            "cloudflare does not accept the token ({number}), check storage.kv_url, and that the token may edit \
             workers kv storage"
        )),
        StatusCode::NOT_FOUND => unavailable(&format!(
            "cloudflare does not know the account or the namespace, check storage.kv_url ({reason})"
        )),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => unavailable(&reason),
        status if status.is_client_error() => KvError::Refused(said(&reason)),
        _ => unavailable(&reason),
    }
}

/// How long the answer asks to be left alone.
pub fn pause(reply: &Reply) -> Option<Duration> {
    let seconds = reply
        .headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use awc::http::header::{HeaderMap, HeaderValue};

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.as_bytes().into(),
        }
    }

    #[test]
    fn keys_are_percent_encoded_and_bad_ones_refused() {
        let namespace = Url::parse("https://h/v4/n").unwrap();
        let shown = |key: &str| place(&namespace, key).map(String::from);
        assert_eq!(
            shown("a/b c?d#e%f:ü").as_deref(),
            Ok("https://h/v4/n/values/a%2Fb%20c%3Fd%23e%25f:%C3%BC")
        );
        for key in ["", ".", "..", &"k".repeat(513)] {
            assert!(matches!(shown(key), Err(KvError::Refused(_))), "{key}");
        }
        assert!(shown(&"k".repeat(512)).is_ok());
    }

    #[test]
    fn a_value_carries_when_it_is_over() {
        for over_ms in [None, Some(1_763_735_550_123)] {
            let entry = Entry {
                value: [0, b'\n', 255].into(),
                over_ms,
            };
            assert_eq!(opened(&sealed(&entry)), Ok(entry));
        }
        for foreign in [&b"hello"[..], b"troupe ", b"troupe x\nv"] {
            assert!(opened(foreign).is_err());
        }
    }

    #[test]
    fn no_time_to_live_is_below_what_cloudflare_takes() {
        let entry = |over_ms| Entry {
            value: [].into(),
            over_ms,
        };
        assert_eq!(ttl(&entry(None), 5), None);
        assert_eq!(ttl(&entry(Some(1_001)), 1_000), Some(60));
        assert_eq!(ttl(&entry(Some(62_000)), 999), Some(62));
        assert_eq!(ttl(&entry(Some(u64::MAX)), 0), Some(LONGEST_TTL));
    }

    #[test]
    fn what_cloudflare_says_is_an_absence_a_refusal_or_no_answer() {
        let missing = r#"{"result":null,"success":false,"errors":[{"code":10009,"message":"get: 'key not found'"}],"messages":[]}"#;
        assert!(matches!(found(reply(404, missing)), Ok(None)));
        assert!(matches!(found(reply(200, "v")), Ok(Some(_))));
        let unavailable = [
            (
                404,
                r#"{"errors":[{"code":10013,"message":"get: 'namespace not found'"}]}"#,
                "10013",
            ),
            (404, "<html>", "namespace"),
            (
                401,
                r#"{"errors":[{"code":10000,"message":"Authentication error"}]}"#,
                "token",
            ),
            (
                403,
                r#"{"errors":[{"code":10000,"message":"Authentication error"}]}"#,
                "token",
            ),
            (
                429,
                r#"{"errors":[{"code":971,"message":"Please wait and consider throttling"}]}"#,
                "throttling",
            ),
            (502, "", "502"),
        ];
        for (status, body, part) in unavailable {
            let error = found(reply(status, body)).err().unwrap();
            assert!(matches!(error, KvError::Unavailable(_)), "{body}: {error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        for (status, body) in [
            (400, r#"{"errors":[{"code":1,"message":"no"}]}"#),
            (413, ""),
        ] {
            let error = found(reply(status, body)).err().unwrap();
            assert!(matches!(error, KvError::Refused(_)), "{body}: {error}");
        }
    }

    #[test]
    fn a_pause_is_as_long_as_the_answer_asks_within_reason() {
        let mut limited = reply(429, "");
        assert_eq!(pause(&limited), None);
        for (text, seconds) in [("7", Some(7)), ("99999", Some(3600)), ("soon", None)] {
            let value = HeaderValue::from_static(text);
            limited.headers.insert(RETRY_AFTER, value);
            assert_eq!(pause(&limited), seconds.map(Duration::from_secs));
        }
    }
}
