//! How commands and answers look in the REST API of Upstash.
//!
//! A command is a JSON array of strings, posted to `/`; several are an array of such arrays, posted to `/pipeline`. An
//! answer is `{"result": …}` or `{"error": "…"}`, or an array of these. With `Upstash-Encoding: base64` every string in
//! a result is base64, except the literal `OK`; without it bytes that are no UTF-8 would be lost.

use awc::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::Value;

use super::super::{
    KvError,
    rest::{Reply, said, unavailable},
};

/// A command is JSON, which cannot hold any bytes. Values that are text are stored as they are, so that numbers are
/// numbers to Redis; others, and text that begins so, as base64 behind this.
const MARK: &str = "base64:";

/// Parts of the messages by which Upstash says that it serves this database no more for now.
const USED_UP: [&str; 2] = ["max daily request limit", "max requests limit"];

/// A command and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(Vec<String>);

impl Command {
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    pub fn and(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.extend(words.into_iter().map(Into::into));
        self
    }

    /// About how many bytes it takes in a request.
    pub fn size(&self) -> usize {
        self.0.iter().map(|word| word.len() + 3).sum()
    }
}

/// What a command may answer, of what the commands here answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Nothing,
    Integer(i64),
    Bytes(Vec<u8>),
}

/// Path, relative to the database's address, and body of the request for these commands.
pub fn request(commands: &[&Command]) -> (&'static str, Vec<u8>) {
    let words: Vec<_> = commands.iter().map(|command| &command.0).collect();
    match &*words {
        [only] => ("", json(only)),
        several => ("pipeline", json(several)),
    }
}

fn json(words: &(impl serde::Serialize + ?Sized)) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "lists of strings are always JSON")]
    serde_json::to_vec(words).expect("strings are JSON")
}

/// The answer to each of `count` commands.
///
/// # Errors
/// When none of them was run, as far as can be told.
pub fn outcomes(reply: &Reply, count: usize) -> Result<Vec<Result<Outcome, KvError>>, KvError> {
    if reply.status != StatusCode::OK {
        return Err(refusal(reply));
    }
    let entries = match count {
        1 => serde_json::from_slice(&reply.body).map(|entry: Entry| vec![entry]),
        _ => serde_json::from_slice(&reply.body),
    };
    match entries {
        Ok(entries) if entries.len() == count => {
            Ok(entries.into_iter().map(Entry::outcome).collect())
        }
        _ => Err(foreign()),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Error { error: String },
    Result { result: Value },
}

impl Entry {
    fn outcome(self) -> Result<Outcome, KvError> {
        match self {
            Self::Error { error } => Err(objection(&error)),
            Self::Result { result } => match result {
                Value::Null => Ok(Outcome::Nothing),
                Value::Number(number) => number.as_i64().map(Outcome::Integer).ok_or_else(foreign),
                Value::String(text) if text == "OK" => Ok(Outcome::Bytes(text.into_bytes())),
                Value::String(text) => {
                    let bytes = BASE64.decode(text);
                    bytes.map(Outcome::Bytes).map_err(|_| foreign())
                }
                _ => Err(foreign()),
            },
        }
    }
}

/// What an answer with a bad status means.
fn refusal(reply: &Reply) -> KvError {
    let told = serde_json::from_slice(&reply.body);
    let told = match told {
        Ok(Entry::Error { error }) => error,
        _ => String::new(),
    };
    match reply.status {
        // what it says of a token is not repeated
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            unavailable("upstash does not accept the token, check storage.kv_url")
        }
        StatusCode::TOO_MANY_REQUESTS if told.is_empty() => unavailable("too many requests"),
        StatusCode::TOO_MANY_REQUESTS => match objection(&told) {
            KvError::Refused(text) => unavailable(&format!("too many requests: {text}")),
            error => error,
        },
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE if !told.is_empty() => {
            objection(&told)
        }
        status => unavailable(&format!(
            "it answered {}, which upstash does not; check the host in storage.kv_url",
            status.as_u16()
        )),
    }
}

/// What Redis, or Upstash in front of it, has against one command. Some clients of Upstash get the command repeated
/// behind the reason; it may hold a value.
fn objection(error: &str) -> KvError {
    let reason = error.split(", command was").next().unwrap_or_default();
    if USED_UP.iter().any(|part| reason.contains(part)) {
        return unavailable(&format!(
            "the requests that upstash allows this database are used up ({reason}), raise its plan or use another \
             store in storage.kv_url"
        ));
    }
    if reason.starts_with("WRONGPASS") || reason.starts_with("NOAUTH") {
        return unavailable("upstash does not accept the token, check storage.kv_url");
    }
    if reason.contains("max concurrent") || reason.starts_with("LOADING") {
        return unavailable(reason);
    }
    KvError::Refused(said(reason))
}

fn foreign() -> KvError {
    unavailable("it answered what upstash does not, check the host in storage.kv_url")
}

/// The text under which `value` is stored.
pub fn sealed(value: &[u8]) -> String {
    match str::from_utf8(value) {
        Ok(text) if !text.starts_with(MARK) => text.to_owned(),
        _ => format!("{MARK}{}", BASE64.encode(value)),
    }
}

/// The value that was stored as `text`.
pub fn opened(text: Vec<u8>) -> Result<Vec<u8>, KvError> {
    match text.strip_prefix(MARK.as_bytes()) {
        None => Ok(text),
        Some(encoded) => BASE64
            .decode(encoded)
            .map_err(|_| KvError::Refused("the value was not stored by troupe".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use awc::http::header::HeaderMap;

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.as_bytes().into(),
        }
    }

    #[test]
    fn one_command_goes_alone_and_several_as_a_pipeline() {
        let set = Command::new(["SET", "k", "a\"\u{0}ü"]).and(["NX"]);
        let (path, body) = request(&[&set]);
        assert_eq!(path, "");
        assert_eq!(body, "[\"SET\",\"k\",\"a\\\"\\u0000ü\",\"NX\"]".as_bytes());
        let ping = Command::new(["PING"]);
        let (path, body) = request(&[&ping, &ping]);
        assert_eq!(path, "pipeline");
        assert_eq!(body, br#"[["PING"],["PING"]]"#);
    }

    #[test]
    fn any_bytes_survive_and_numbers_stay_numbers() {
        for value in [
            &b""[..],
            b"12",
            b"OK",
            &[0, 255, 10],
            b"base64:",
            "ü".as_bytes(),
        ] {
            assert_eq!(opened(sealed(value).into_bytes()).as_deref(), Ok(value));
        }
        assert_eq!(sealed(b"12"), "12");
        assert!(opened(b"base64:!".to_vec()).is_err());
    }

    #[test]
    fn results_are_decoded_one_by_one() {
        let body = r#"[{"result":"OK"},{"result":"AP8K"},{"result":7},{"result":null},{"error":"ERR no, command was: [\"SET\"]"}]"#;
        let read = outcomes(&reply(200, body), 5).unwrap();
        assert_eq!(
            read,
            [
                Ok(Outcome::Bytes(b"OK".to_vec())),
                Ok(Outcome::Bytes(vec![0, 255, 10])),
                Ok(Outcome::Integer(7)),
                Ok(Outcome::Nothing),
                Err(KvError::Refused("ERR no".to_owned())),
            ]
        );
        for body in ["<html>", "{}", r#"[{"result":1}]"#, r#"{"result":[1]}"#] {
            let read = outcomes(&reply(200, body), 1).map(|mut read| read.remove(0));
            let error = read.flatten().unwrap_err();
            assert!(matches!(error, KvError::Unavailable(_)), "{body}: {error}");
        }
    }

    #[test]
    fn what_upstash_says_is_a_refusal_or_no_answer() {
        let refused = [
            (
                400,
                r#"{"error":"ERR value is not an integer or out of range"}"#,
            ),
            (
                400,
                r#"{"error":"ERR max request size exceeded. Limit: 1048576 bytes"}"#,
            ),
            (
                400,
                r#"{"error":"NOPERM this user has no permissions to run the 'set' command"}"#,
            ),
        ];
        for (status, body) in refused {
            let error = outcomes(&reply(status, body), 1).unwrap_err();
            assert!(matches!(error, KvError::Refused(_)), "{body}: {error}");
        }
        let unavailable = [
            (
                400,
                r#"{"error":"ERR max daily request limit exceeded. Limit: 10000, Usage: 10001"}"#,
                "used up",
            ),
            (
                429,
                r#"{"error":"ERR max requests limit exceeded. Limit: 500000"}"#,
                "used up",
            ),
            (
                401,
                r#"{"error":"WRONGPASS invalid or missing auth token"}"#,
                "token",
            ),
            (
                400,
                r#"{"error":"WRONGPASS invalid or missing auth token"}"#,
                "token",
            ),
            (429, "", "too many"),
            (429, r#"{"error":"slow down"}"#, "slow down"),
            (404, "not found", "404"),
            (502, "<html>", "502"),
        ];
        for (status, body, part) in unavailable {
            let error = outcomes(&reply(status, body), 2).unwrap_err();
            assert!(matches!(error, KvError::Unavailable(_)), "{body}: {error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
