//! What an answer's headers tell of the rate limit, in the words of each surface.

use std::time::{Duration, UNIX_EPOCH};

use actix_web::http::header::{HeaderName, HeaderValue};
use chrono::{DateTime, SecondsFormat, Utc};
use troupe_actors::accounts::rate::{RateExceeded, RateLimit, Standing};
use troupe_protocol::dialect::Client;

/// A header as it is sent.
pub type Header = (HeaderName, HeaderValue);

const OPENAI: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const ANTHROPIC: [HeaderName; 3] = [
    HeaderName::from_static("anthropic-ratelimit-requests-limit"),
    HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
    HeaderName::from_static("anthropic-ratelimit-requests-reset"),
];
const IMAGINE: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// All names, for pages of other origins to be allowed to read.
pub fn names() -> impl Iterator<Item = HeaderName> {
    OPENAI.into_iter().chain(ANTHROPIC).chain(IMAGINE)
}

/// The words of a surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// The reset as a time from now.
    Openai,
    /// The reset as a moment.
    Anthropic,
    /// Of `/api/v1`: the reset in milliseconds since 1970.
    Imagine,
}

impl Words {
    /// By the route, or else by the client's dialect.
    pub fn of(route: &str, client: Client) -> Self {
        match client {
            _ if route.starts_with("/api/v1/") => Self::Imagine,
            Client::Anthropic => Self::Anthropic,
            Client::OpenaiChat | Client::OpenaiResponses => Self::Openai,
        }
    }

    fn names(self) -> [HeaderName; 3] {
        match self {
            Self::Openai => OPENAI,
            Self::Anthropic => ANTHROPIC,
            Self::Imagine => IMAGINE,
        }
    }

    fn reset(self, standing: &Standing) -> String {
        match self {
            Self::Openai => format!("{}s", rounded_up(standing.reset_in)),
            Self::Anthropic => {
                let reset = UNIX_EPOCH + Duration::from_millis(standing.reset_ms);
                DateTime::<Utc>::from(reset).to_rfc3339_opts(SecondsFormat::Secs, true)
            }
            Self::Imagine => standing.reset_ms.to_string(),
        }
    }

    /// Where the key stands.
    pub fn headers(self, standing: &Standing) -> [Header; 3] {
        let [limit, remaining, reset] = self.names();
        #[expect(clippy::expect_used, reason = "digits, letters and punctuation only")]
        let moment = HeaderValue::try_from(self.reset(standing)).expect("a header value");
        [
            (limit, standing.limit.into()),
            (remaining, standing.remaining.into()),
            (reset, moment),
        ]
    }
}

/// Counts a request of the key with this id, and tells where the key stands, also if the request is one too many.
pub async fn count(
    limit: &RateLimit,
    key_id: &str,
    words: Words,
) -> (Option<[Header; 3]>, Result<(), RateExceeded>) {
    let taken = limit.take(key_id).await;
    let standing = match &taken {
        Ok(standing) => standing.as_ref(),
        Err(RateExceeded(standing)) => Some(standing),
    };
    let told = standing.map(|standing| words.headers(standing));
    (told, taken.map(drop))
}

/// In whole seconds: who comes early meets the same window.
fn rounded_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// What a refusal tells whose limit has no number: nothing is left for so long.
pub fn nothing_left(client: Client, reset_in: Duration) -> [Header; 2] {
    let now = Utc::now().timestamp_millis();
    let standing = Standing {
        limit: 0,
        remaining: 0,
        reset_ms: u64::try_from(now).unwrap_or(0) + rounded_up(reset_in) * 1_000,
        reset_in,
    };
    let [_, remaining, reset] = Words::of("", client).headers(&standing);
    [remaining, reset]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_surface_has_its_words() {
        let standing = Standing {
            limit: 60,
            remaining: 59,
            reset_ms: 1_763_700_060_000,
            reset_in: Duration::from_millis(1_500),
        };
        let shown = |route, client| {
            let headers = Words::of(route, client).headers(&standing);
            let lines = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
            lines.join("\n")
        };
        assert_eq!(
            shown("/v1/chat/completions", Client::OpenaiChat),
            "x-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: 59\n\
             x-ratelimit-reset-requests: 2s"
        );
        assert_eq!(
            shown("/v1/messages", Client::Anthropic),
            "anthropic-ratelimit-requests-limit: 60\nanthropic-ratelimit-requests-remaining: 59\n\
             anthropic-ratelimit-requests-reset: 2025-11-21T04:41:00Z"
        );
        assert_eq!(
            shown("/api/v1/generate", Client::OpenaiChat),
            "x-ratelimit-limit: 60\nx-ratelimit-remaining: 59\nx-ratelimit-reset: 1763700060000"
        );
    }

    #[test]
    fn a_refusal_tells_that_nothing_is_left() {
        let left = nothing_left(Client::OpenaiResponses, Duration::from_secs(3));
        let left = left.map(|(_, value)| value.to_str().unwrap().to_owned());
        assert_eq!(left, ["0", "3s"]);
    }
}
