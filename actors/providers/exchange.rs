//! One request's attempts at a provider, until an answer's headers are here.
//!
//! Before the first byte a failed attempt may be followed by another with the next credential; after
//! it there is no way back, and the body's fate is the caller's to report through the lease.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_rt::time::Instant;
use awc::{
    ClientResponse,
    error::{ConnectError, SendRequestError},
    http::{
        Method, StatusCode, Uri,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use derive_more::{Display, Error};
use troupe_protocol::{
    failure::FailureKind,
    openai::upstream_error::upstream_message,
    retry_after::{parse_retry_after, parse_retry_after_ms},
};

use super::{
    body::{Alarm, UpstreamBody, content_length},
    client::client,
    opening::{is_event_stream, opened},
    provider::Provider,
    turns::{Missed, in_turn},
    upstream::{Endpoint, LocalWork, Outgoing, Plan},
};
use crate::{
    credentials::{Lease, LeaseError, Terms},
    media::MediaError,
};

/// An upstream's good answer, its body still to come.
pub struct Answer {
    pub status: u16,
    pub content_type: Option<HeaderValue>,
    pub body: UpstreamBody,
    /// To be reported when the body has ended one way or the other.
    pub lease: Lease,
}

/// What the caller learns of the attempts while they are made.
pub trait Watch {
    /// An attempt begins with the credential of that alias.
    fn attempt(&mut self, alias: &Arc<str>);
    /// So long was spent waiting for the upstream.
    fn upstream_took(&mut self, time: Duration);
    /// The time that it has waited for credentials. Each wait is added to it.
    fn waited(&mut self) -> &mut Duration;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum ExchangeError {
    /// The last attempt failed so.
    #[display("{kind}")]
    Failed {
        kind: FailureKind,
        /// The upstream's status, where it answered.
        status: Option<u16>,
        /// The upstream's own words, cleaned of secrets.
        message: Option<String>,
        /// It complains of the signatures of earlier thoughts: without them it may answer.
        refuses_thoughts: bool,
        /// Whether the upstream may still be at work on it: the request went out, and no answer came.
        open: bool,
    },
    #[display("{_0}")]
    NoLease(#[error(source)] LeaseError),
    /// What the upstream made cannot be kept here: it has no part in that.
    #[display("{message}")]
    NotStored { full: bool, message: String },
    #[display("the provider does not serve this endpoint")]
    NotServed,
    /// The upstream turned out not to have this endpoint, which is remembered: another dialect may do.
    #[display("the upstream does not have this endpoint")]
    Lacking,
}

impl ExchangeError {
    /// What was made, and the media store did not take; none where the file is at fault, and not the store.
    #[must_use]
    pub fn not_stored(error: &MediaError) -> Option<Self> {
        error.is_ours().then(|| Self::NotStored {
            full: error.is_full(),
            message: error.to_string(),
        })
    }

    /// What decides whether another provider is asked.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Failed { kind, .. } => *kind,
            Self::NoLease(error) => error.kind(),
            // neither the request is at fault nor the credential
            Self::NotStored { .. } => FailureKind::Upstream,
            Self::NotServed | Self::Lacking => FailureKind::NotEntitled,
        }
    }

    /// The same, where it is a matter of time to be asked again after `time`.
    pub(crate) fn again_in(mut self, time: Duration) -> Self {
        if let Self::Failed { kind, .. } = &mut self {
            *kind = kind.again_in(time);
        }
        self
    }
}

/// The most of a failed answer that is read, to learn why.
const ERROR_BODY: usize = 64 << 10;
/// How long reading a failed answer may take.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);

/// Sends `outgoing` to `provider`, with one credential after the other where that may help, each
/// borrowed on `terms`.
///
/// # Errors
/// [`ExchangeError`] of the last attempt.
pub async fn exchange(
    provider: &Provider,
    model: &Arc<str>,
    outgoing: &Outgoing,
    terms: Terms,
    watch: &mut impl Watch,
) -> Result<Answer, ExchangeError> {
    let (arrived, lease) = in_turn(
        provider,
        model,
        terms,
        watch,
        async |lease, watch| match send(provider, outgoing, lease, watch).await {
            Ok(Ok(arrived)) => Ok(arrived),
            Ok(Err(failure)) if failure.lacking => Err(Missed::Over(ExchangeError::Lacking)),
            Ok(Err(failure)) => Err(Missed::Failed {
                again: may_try_again(outgoing, &failure),
                error: failure.into(),
            }),
            Err(error) => Err(Missed::Over(error)),
        },
    )
    .await?;
    Ok(arrived.with(lease))
}

/// Whether a second attempt is harmless and may help. A time-out is not tried again: the client has
/// waited long, and the upstream may still be at work, or charge, for the first.
fn may_try_again(outgoing: &Outgoing, failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Timeout => !failure.sent,
        // a picture that was perhaps drawn is not ordered twice
        FailureKind::Network => !failure.sent || outgoing.endpoint != Endpoint::Images,
        kind => kind.worth_another_credential(),
    }
}

struct Failure {
    kind: FailureKind,
    status: Option<u16>,
    message: Option<String>,
    refuses_thoughts: bool,
    /// The upstream has no such endpoint.
    lacking: bool,
    /// Whether the upstream may have begun to work on it.
    sent: bool,
}

impl Failure {
    /// One without an answer.
    fn silent(kind: FailureKind, sent: bool) -> Self {
        Self {
            kind,
            status: None,
            message: None,
            refuses_thoughts: false,
            lacking: false,
            sent,
        }
    }
}

impl From<Failure> for ExchangeError {
    fn from(failure: Failure) -> Self {
        Self::Failed {
            kind: failure.kind,
            open: failure.sent && failure.status.is_none(),
            status: failure.status,
            message: failure.message,
            refuses_thoughts: failure.refuses_thoughts,
        }
    }
}

/// An answer that is not yet tied to its lease.
struct Arrived {
    status: u16,
    content_type: Option<HeaderValue>,
    body: UpstreamBody,
}

impl Arrived {
    fn with(self, lease: Lease) -> Answer {
        Answer {
            status: self.status,
            content_type: self.content_type,
            body: self.body,
            lease,
        }
    }
}

async fn send(
    provider: &Provider,
    outgoing: &Outgoing,
    lease: &Lease,
    watch: &mut impl Watch,
) -> Result<Result<Arrived, Failure>, ExchangeError> {
    let plan = provider.upstream.plan(outgoing, lease.secret());
    let begun = Instant::now();
    let sent = match plan.ok_or(ExchangeError::NotServed)? {
        Plan::Http {
            method,
            uri,
            headers,
        } => {
            let call = HttpCall {
                method,
                uri,
                headers,
            };
            call.send(provider, outgoing).await
        }
        Plan::Local(work) => run_here(provider, outgoing, work).await,
    };
    watch.upstream_took(begun.elapsed());
    Ok(sent)
}

struct HttpCall {
    method: Method,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl HttpCall {
    async fn send(self, provider: &Provider, outgoing: &Outgoing) -> Result<Arrived, Failure> {
        let timeouts = provider.timeouts;
        let begun = Instant::now();
        let first_byte = Duration::from_millis(timeouts.first_byte_ms.min(timeouts.total_ms));
        let client = client(Duration::from_millis(timeouts.connect_ms));
        let mut request = client.request(self.method, self.uri).timeout(first_byte);
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT, accepts(outgoing.stream));
        for (name, value) in outgoing.headers.iter().cloned().chain(self.headers) {
            headers.insert(name, value);
        }
        let answered = if outgoing.body.is_empty() {
            request.send().await
        } else {
            request.headers_mut().insert(header::CONTENT_TYPE, JSON);
            request.send_body(outgoing.body.clone()).await
        };
        let response = answered.map_err(|error| unsent(&error))?;
        let total = Duration::from_millis(timeouts.total_ms).saturating_sub(begun.elapsed());
        let alarm = Alarm::new(Duration::from_millis(timeouts.idle_ms), total);
        if response.status().is_success() {
            let patience = Duration::from_millis(timeouts.first_event_ms);
            return begun_well(arrived(response, alarm), outgoing, patience).await;
        }
        Err(refused(provider, outgoing, response, alarm).await)
    }
}

/// How the gateway calls itself.
pub(crate) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("troupe/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn accepts(stream: bool) -> HeaderValue {
    if stream {
        HeaderValue::from_static("text/event-stream")
    } else {
        JSON
    }
}

fn arrived(response: ClientResponse, alarm: Alarm) -> Arrived {
    let headers = response.headers();
    let content_type = headers.get(header::CONTENT_TYPE).cloned();
    let length = content_length(headers);
    Arrived {
        status: response.status().as_u16(),
        content_type,
        body: UpstreamBody::http(response, length, alarm),
    }
}

/// The answer of an upstream that has not failed with its first event.
async fn begun_well(
    arrived: Arrived,
    outgoing: &Outgoing,
    patience: Duration,
) -> Result<Arrived, Failure> {
    let Endpoint::Chat(dialect) = outgoing.endpoint else {
        return Ok(arrived);
    };
    if !outgoing.stream || !is_event_stream(arrived.content_type.as_ref()) {
        return Ok(arrived);
    }
    match opened(arrived.body, dialect, patience).await {
        Ok(body) => Ok(Arrived { body, ..arrived }),
        Err(error) => Err(Failure {
            status: Some(arrived.status),
            message: error.message,
            ..Failure::silent(error.kind, true)
        }),
    }
}

async fn refused(
    provider: &Provider,
    outgoing: &Outgoing,
    response: ClientResponse,
    alarm: Alarm,
) -> Failure {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let body = UpstreamBody::http(response, None, alarm).collect(ERROR_BODY);
    // the status says enough where the body does not come
    let body = match actix_rt::time::timeout(ERROR_BODY_WAIT, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    failed(provider, outgoing, status, retry_after, &body)
}

fn failed(
    provider: &Provider,
    outgoing: &Outgoing,
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Failure {
    let upstream = &provider.upstream;
    // a redirect is not followed: the credential belongs to the configured host alone
    let kind = if status.is_redirection() {
        FailureKind::Upstream
    } else {
        upstream.classify(status.as_u16(), retry_after, body)
    };
    Failure {
        kind,
        status: Some(status.as_u16()),
        message: upstream_message(body),
        refuses_thoughts: upstream.refuses_thoughts(status.as_u16(), body),
        lacking: upstream.lacks(outgoing.endpoint, status.as_u16(), body),
        sent: true,
    }
}

/// When a server wants to be asked again, as its headers say.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("retry-after-ms")
        .and_then(parse_retry_after_ms)
        .or_else(|| parse_retry_after(text("retry-after")?, SystemTime::now()))
}

fn unsent(error: &SendRequestError) -> Failure {
    let (kind, sent) = unsent_kind(error);
    Failure::silent(kind, sent)
}

/// What a request without an answer means, and whether the upstream may have begun to work on it.
pub(crate) fn unsent_kind(error: &SendRequestError) -> (FailureKind, bool) {
    match error {
        SendRequestError::Connect(ConnectError::Timeout) => (FailureKind::Timeout, false),
        SendRequestError::Connect(_) | SendRequestError::Url(_) => (FailureKind::Network, false),
        SendRequestError::Timeout => (FailureKind::Timeout, true),
        SendRequestError::Response(_) => (FailureKind::Upstream, true),
        _ => (FailureKind::Network, true),
    }
}

async fn run_here(
    provider: &Provider,
    outgoing: &Outgoing,
    work: LocalWork,
) -> Result<Arrived, Failure> {
    let Ok(answer) = actix_rt::task::spawn_blocking(work).await else {
        return Err(Failure::silent(FailureKind::Upstream, true));
    };
    if !(200..300).contains(&answer.status) {
        let body = answer.pieces.concat();
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        return Err(failed(provider, outgoing, status, None, &body));
    }
    let total = Duration::from_millis(provider.timeouts.total_ms);
    Ok(Arrived {
        status: answer.status,
        content_type: Some(HeaderValue::from_static(answer.content_type)),
        body: UpstreamBody::local(answer.pieces, answer.pace, Alarm::new(total, total)),
    })
}
