//! What an answer's headers tell of the rate limit, in the words of each surface.

use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use chrono::{SecondsFormat, Utc};
use troupe_actors::accounts::rate::Standing;
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

/// Where the key stands, as the client's SDK reads it.
pub fn headers(client: Client, standing: &Standing) -> [Header; 3] {
    let [limit, ..] = names_of(client);
    let [remaining, reset] = left(client, standing.remaining, standing.reset_in);
    [(limit, standing.limit.into()), remaining, reset]
}

/// What is left, and until when. OpenAI tells the time as a duration, Anthropic as a moment.
pub fn left(client: Client, remaining: u32, reset_in: Duration) -> [Header; 2] {
    let [_, name, reset] = names_of(client);
    // rounded up: who comes early meets the same window
    let seconds = reset_in.as_secs() + u64::from(reset_in.subsec_nanos() > 0);
    let text = match client {
        Client::Anthropic => {
            let moment = Utc::now() + Duration::from_secs(seconds);
            moment.to_rfc3339_opts(SecondsFormat::Secs, true)
        }
        Client::OpenaiChat | Client::OpenaiResponses => format!("{seconds}s"),
    };
    #[expect(clippy::expect_used, reason = "digits and punctuation only")]
    let value = HeaderValue::try_from(text).expect("a header value");
    [(name, remaining.into()), (reset, value)]
}

fn names_of(client: Client) -> [HeaderName; 3] {
    match client {
        Client::Anthropic => ANTHROPIC,
        Client::OpenaiChat | Client::OpenaiResponses => OPENAI,
    }
}

/// Where the key stands, for `/api/v1`: the reset in milliseconds since 1970.
pub fn imagine_headers(standing: &Standing) -> [Header; 3] {
    let [limit, remaining, reset] = IMAGINE;
    [
        (limit, standing.limit.into()),
        (remaining, standing.remaining.into()),
        (reset, standing.reset_ms.into()),
    ]
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
        let shown =
            |headers: [Header; 3]| headers.map(|(name, value)| format!("{name}: {value:?}"));
        assert_eq!(
            shown(headers(Client::OpenaiChat, &standing)),
            [
                r#"x-ratelimit-limit-requests: "60""#,
                r#"x-ratelimit-remaining-requests: "59""#,
                r#"x-ratelimit-reset-requests: "2s""#,
            ]
        );
        assert_eq!(
            shown(imagine_headers(&standing)),
            [
                r#"x-ratelimit-limit: "60""#,
                r#"x-ratelimit-remaining: "59""#,
                r#"x-ratelimit-reset: "1763700060000""#,
            ]
        );
        let [_, _, (name, moment)] = headers(Client::Anthropic, &standing);
        assert_eq!(name, "anthropic-ratelimit-requests-reset");
        let moment = moment.to_str().unwrap();
        assert!(
            chrono::DateTime::parse_from_rfc3339(moment).is_ok(),
            "{moment}"
        );
    }
}
