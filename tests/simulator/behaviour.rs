//! What an upstream does with a request, and the words that name it.

use std::{str::FromStr, time::Duration};

/// What the upstream does with one request. `n` counts events that carry content; in a plain answer
/// "after n" means after half of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers as it should.
    Ok,
    /// Refuses; see [`Refusal`].
    Refuse(Refusal),
    /// Takes the request and never answers.
    Hang,
    /// Falls silent in mid-answer with the connection open.
    HangAfter(u32),
    /// Sends one event at a time with this pause between them.
    SlowDrip(Duration),
    /// Closes the connection without a byte of answer.
    CutBeforeHeaders,
    /// Closes the connection in mid-answer, without a terminator.
    CutAfter(u32),
    /// Sends frames and JSON that do not parse.
    Malformed,
    /// Sends text of multi-byte characters, each cut in two by a write's end.
    SplitUtf8,
    /// Sends each byte in a write of its own.
    OneByteWrites,
    /// Ends a stream's lines with this: `"\r\n"` or `"\r"`.
    LineEnds(&'static str),
    /// Ends a stream properly but without its last frame, such as `[DONE]` or `message_stop`.
    NoDone,
    /// Sends an error event in mid-stream, such as `data: {"error": …}`, and ends.
    ErrorAfter(u32),
    /// Sends one event whose line has this many bytes.
    HugeLine(usize),
    /// Answers with the request's headers and body under `echo`, beside the usual fields.
    Echo,
    /// A plain answer of this many bytes.
    BigAnswer(usize),
    /// An image file of this many bytes.
    Image(usize),
    /// An image of noise, a byte of the file for each pixel: 1024x1024 are a mebibyte.
    Noise,
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// What is wrong, where the status alone does not say it.
    pub reason: Reason,
    /// `Retry-After` as it goes out: seconds or a date.
    pub retry_after: Option<String>,
}

/// Which of the upstream's texts goes with a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The text that the real service sends with this status.
    Usual,
    /// 429 with `insufficient_quota`.
    Quota,
    /// 400 with `content_policy_violation`.
    Policy,
    /// What the service says to a wrong credential, whatever the status here.
    WrongCredential,
    /// The full credential stands in the message, as some services do.
    LeaksCredential,
    /// These bytes as they are.
    Body(String),
}

impl Behaviour {
    /// An error with the real service's text for this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Refuse(Refusal::new(status, Reason::Usual))
    }

    /// An error with this body.
    #[must_use]
    pub fn status_with(status: u16, body: &str) -> Self {
        Self::Refuse(Refusal::new(status, Reason::Body(body.to_owned())))
    }

    /// 401 with `invalid_api_key`.
    #[must_use]
    pub fn invalid_key() -> Self {
        Self::status(401)
    }

    /// 429 with `rate_limit_exceeded` and `Retry-After`: seconds, or a date.
    #[must_use]
    pub fn rate_limited(retry_after: &str) -> Self {
        Self::Refuse(Refusal {
            retry_after: Some(retry_after.to_owned()),
            ..Refusal::new(429, Reason::Usual)
        })
    }

    /// 429 with `insufficient_quota`.
    #[must_use]
    pub fn insufficient_quota() -> Self {
        Self::Refuse(Refusal::new(429, Reason::Quota))
    }

    /// 400 with `content_policy_violation`.
    #[must_use]
    pub fn content_policy() -> Self {
        Self::Refuse(Refusal::new(400, Reason::Policy))
    }

    /// 401 whose message holds the whole credential.
    #[must_use]
    pub fn leaks_credential() -> Self {
        Self::Refuse(Refusal::new(401, Reason::LeaksCredential))
    }
}

impl Refusal {
    fn new(status: u16, reason: Reason) -> Self {
        Self {
            status,
            reason,
            retry_after: None,
        }
    }
}

/// The words of the crate's head: `status-429-after-7`, `cut-after-3`, …
impl FromStr for Behaviour {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        plain_word(word)
            .or_else(|| word_with_value(word))
            .ok_or_else(|| format!("unknown behaviour `{word}`"))
    }
}

fn plain_word(word: &str) -> Option<Behaviour> {
    Some(match word {
        "ok" => Behaviour::Ok,
        "missing" => Behaviour::status(404),
        "bad-key" => Behaviour::Refuse(Refusal::new(401, Reason::WrongCredential)),
        "quota" => Behaviour::insufficient_quota(),
        "policy" => Behaviour::content_policy(),
        "leak" => Behaviour::leaks_credential(),
        "hang" => Behaviour::Hang,
        "cut" => Behaviour::CutBeforeHeaders,
        "malformed" => Behaviour::Malformed,
        "utf8" => Behaviour::SplitUtf8,
        "bytes" => Behaviour::OneByteWrites,
        "crlf" => Behaviour::LineEnds("\r\n"),
        "cr" => Behaviour::LineEnds("\r"),
        "no-done" => Behaviour::NoDone,
        "echo" => Behaviour::Echo,
        "noise" => Behaviour::Noise,
        _ => return None,
    })
}

fn word_with_value(word: &str) -> Option<Behaviour> {
    if let Some(status) = word.strip_prefix("status-") {
        return match status.split_once("-after-") {
            Some((status, after)) => Some(Behaviour::Refuse(Refusal {
                retry_after: Some(after.to_owned()),
                ..Refusal::new(status.parse().ok()?, Reason::Usual)
            })),
            None => Some(Behaviour::status(status.parse().ok()?)),
        };
    }
    let (name, value) = word.rsplit_once('-')?;
    Some(match name {
        "hang-after" => Behaviour::HangAfter(value.parse().ok()?),
        "cut-after" => Behaviour::CutAfter(value.parse().ok()?),
        "error-after" => Behaviour::ErrorAfter(value.parse().ok()?),
        "drip" => Behaviour::SlowDrip(millis(value)?),
        "line" => Behaviour::HugeLine(size(value)?),
        "big" => Behaviour::BigAnswer(size(value)?),
        "image" => Behaviour::Image(size(value)?),
        _ => return None,
    })
}

/// `20ms` → 20 ms.
pub(crate) fn millis(text: &str) -> Option<Duration> {
    let number = text.strip_suffix("ms")?;
    Some(Duration::from_millis(number.parse().ok()?))
}

/// `300`, `64k`, `1m` → bytes.
pub(crate) fn size(text: &str) -> Option<usize> {
    let (number, unit) = match text.strip_suffix('k') {
        Some(number) => (number, 1 << 10),
        None => match text.strip_suffix('m') {
            Some(number) => (number, 1 << 20),
            None => (text, 1),
        },
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_behaviours() {
        for (word, wanted) in [
            ("ok", Behaviour::Ok),
            ("status-503", Behaviour::status(503)),
            ("status-429-after-7", Behaviour::rate_limited("7")),
            (
                "status-429-after-Wed, 21 Oct 2026 07:28:00 GMT",
                Behaviour::rate_limited("Wed, 21 Oct 2026 07:28:00 GMT"),
            ),
            ("cut-after-3", Behaviour::CutAfter(3)),
            ("drip-20ms", Behaviour::SlowDrip(Duration::from_millis(20))),
            ("line-2m", Behaviour::HugeLine(2 << 20)),
        ] {
            assert_eq!(word.parse(), Ok(wanted), "{word}");
        }
        for word in ["", "nonsense", "status-x", "cut-after-", "line-9z"] {
            assert!(word.parse::<Behaviour>().is_err(), "{word}");
        }
    }
}
