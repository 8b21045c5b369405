//! Asks each provider for its models with each of its tokens.

use std::time::{Duration, Instant};

use awc::{Client, http::header, http::header::HeaderMap};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use troupe_actors::{
    providers::{
        config::ProviderConfig,
        upstream::{Outgoing, Plan},
    },
    secrets::Secret,
};

use super::finding::Finding;
use crate::app::providers;

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions under way at a time.
const AT_A_TIME: usize = 8;

/// What one question brought.
pub struct Answer {
    pub finding: Finding,
    /// Our clock minus the provider's, in milliseconds, where it told the time.
    pub skew_ms: Option<i64>,
}

impl Answer {
    fn of(finding: Finding) -> Self {
        Self {
            finding,
            skew_ms: None,
        }
    }
}

/// Asks all providers, in the order of the configuration. Needs a running actix system.
pub async fn ask_all(providers: &[ProviderConfig]) -> Vec<Answer> {
    let client = Client::builder()
        .timeout(PATIENCE)
        .disable_redirects()
        .finish();
    let questions = providers.iter().flat_map(|provider| {
        let tokens: Vec<Option<&Secret>> = match provider.tokens.as_slice() {
            [] => vec![None],
            tokens => tokens.iter().map(Some).collect(),
        };
        tokens.into_iter().map(move |token| (provider, token))
    });
    let asked = questions.map(|(provider, token)| ask(&client, provider, token));
    stream::iter(asked).buffered(AT_A_TIME).collect().await
}

async fn ask(client: &Client, provider: &ProviderConfig, token: Option<&Secret>) -> Answer {
    let subject = match token {
        Some(token) => format!("provider {}, token {}", provider.name, token.hint()),
        None => format!("provider {}", provider.name),
    };
    // the very URL and headers that the provider itself uses
    let plan = match providers::upstream(provider) {
        Ok(upstream) => upstream.plan(&Outgoing::models(), token),
        Err(error) => {
            let next = "correct the provider in the configuration";
            return Answer::of(Finding::fail(subject, error.to_string(), next));
        }
    };
    let Some(Plan::Http { uri, headers, .. }) = plan else {
        return Answer::of(Finding::ok(subject, "built in"));
    };
    let mut request = client
        .get(uri)
        .insert_header((header::ACCEPT, "application/json"));
    for header in headers {
        request = request.insert_header(header);
    }
    let start = Instant::now();
    // awc's own time-out begins after name resolution and connecting
    match tokio::time::timeout(PATIENCE, request.send()).await {
        Ok(Ok(response)) => Answer {
            finding: judge(
                subject,
                response.status().as_u16(),
                token.is_some(),
                start.elapsed(),
            ),
            skew_ms: skew(response.headers(), Utc::now()),
        },
        Ok(Err(error)) => unreachable_for(subject, &error.to_string()),
        Err(_) => unreachable_for(subject, "no answer within 10 s"),
    }
}

fn unreachable_for(subject: String, reason: &str) -> Answer {
    Answer::of(Finding::fail(
        subject,
        format!("not reachable: {reason}"),
        "check base_url, name resolution and the way there (firewall, VPN)",
    ))
}

fn judge(subject: String, status: u16, has_token: bool, took: Duration) -> Finding {
    let answered = format!("answered {status} in {} ms", took.as_millis());
    match status {
        200..=299 => Finding::ok(subject, answered),
        401 | 403 if has_token => Finding::fail(
            subject,
            answered,
            "the token is refused: replace it in `tokens`",
        ),
        401 | 403 => Finding::fail(subject, answered, "it wants a token: add one to `tokens`"),
        404 | 405 => Finding::warn(
            subject,
            answered,
            "it has no list of models: check base_url, and name the models in `models`",
        ),
        429 => Finding::warn(
            subject,
            answered,
            "the token is limited now: try again later",
        ),
        500.. => Finding::fail(
            subject,
            answered,
            "the provider is in trouble: try again later",
        ),
        _ => Finding::warn(subject, answered, "unexpected: check base_url"),
    }
}

/// Our clock minus that of the `Date` header, which has whole seconds: half of one is added.
fn skew(headers: &HeaderMap, now: DateTime<Utc>) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let theirs = DateTime::parse_from_rfc2822(date).ok()?;
    Some(now.timestamp_millis() - theirs.timestamp_millis() - 500)
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

    use super::{super::finding::State, *};

    /// Answers 200 to the token `good-token-0001`, and else 401.
    async fn models(request: HttpRequest) -> HttpResponse {
        let token = request.headers().get("authorization");
        match token.and_then(|token| token.to_str().ok()) {
            Some("Bearer good-token-0001") => HttpResponse::Ok().body("{}"),
            _ => HttpResponse::Unauthorized().finish(),
        }
    }

    fn provider(base_url: &str, tokens: &[&str]) -> ProviderConfig {
        let text = format!("name = \"a\"\nkind = \"openai\"\nbase_url = \"{base_url}\"\n");
        let mut provider: ProviderConfig = toml::from_str(&text).unwrap();
        provider.tokens = tokens
            .iter()
            .map(|token| Secret::from((*token).to_owned()))
            .collect();
        provider
    }

    #[actix_web::test]
    async fn each_token_of_each_provider_is_tried() {
        // another test may have installed it already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = HttpServer::new(|| App::new().route("/v1/models", web::get().to(models)))
            .workers(1)
            .bind(("127.0.0.1", 0))
            .unwrap();
        let port = server.addrs()[0].port();
        let running = server.run();
        let handle = running.handle();
        actix_web::rt::spawn(running);

        let url = format!("http://127.0.0.1:{port}/v1");
        let providers = [
            provider(&url, &["good-token-0001", "stale-token-0002"]),
            provider("http://127.0.0.1:1/v1", &[]),
            toml::from_str("name = \"demo\"\nkind = \"demo\"\n").unwrap(),
        ];
        let answers = ask_all(&providers).await;
        handle.stop(false).await;

        let states: Vec<State> = answers.iter().map(|answer| answer.finding.state).collect();
        assert_eq!(states, [State::Ok, State::Fail, State::Fail, State::Ok]);
        assert!(answers[0].skew_ms.is_some_and(|skew| skew.abs() < 2_000));
        let refused = answers[1].finding.to_string();
        assert!(
            refused.contains("…0002") && !refused.contains("stale-token"),
            "{refused}"
        );
    }

    #[test]
    fn answers_say_what_to_do() {
        let judged = |status, has_token| judge("p".to_owned(), status, has_token, Duration::ZERO);
        assert_eq!(judged(204, true).state, State::Ok);
        assert!(judged(401, false).next.contains("add one"));
        assert_eq!(judged(404, true).state, State::Warn);
        assert_eq!(judged(429, true).state, State::Warn);
        assert_eq!(judged(503, true).state, State::Fail);
        assert_eq!(judged(301, true).state, State::Warn);
    }

    #[test]
    fn the_skew_is_ours_minus_theirs() {
        let mut headers = HeaderMap::new();
        let now = DateTime::from_timestamp(784_111_787, 0).unwrap();
        assert_eq!(skew(&headers, now), None);
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap();
        headers.insert(header::DATE, date);
        assert_eq!(skew(&headers, now), Some(9_500));
    }
}
