//! One call of an errand: out with its credential and files, back with what came.

use std::time::{Duration, SystemTime};

use actix_rt::time::Instant;
use awc::{
    ClientRequest, ClientResponse,
    body::SizedStream,
    http::{Method, header},
};
use bytes::Bytes;
use serde_json::Value;
use troupe_protocol::{
    failure::FailureKind,
    pictures::{
        Auth, Body, Call,
        call::{self, Patience},
        volcengine::sign::{Credential, ToSign, sign},
    },
};

use super::{
    config::PicturesConfig,
    events::Events,
    outgoing::Outgoing,
    receive::{ReceiveError, Received, receive},
};
use crate::{
    credentials::Lease,
    media::{Media, Spooled},
    providers::{
        body::{Alarm, UpstreamBody, content_length},
        client::client,
        exchange::{self, ExchangeError, USER_AGENT},
        provider::Provider,
        upstream::{Endpoint, Outgoing as Local, Plan},
    },
    secrets::Secret,
    supervision::Clock,
};

/// What calls of one attempt have in common.
pub(super) struct Carrier<'a> {
    pub provider: &'a Provider,
    pub config: &'a PicturesConfig,
    pub media: &'a Media,
    pub clock: &'a Clock,
    pub lease: &'a Lease,
    pub inputs: &'a [Spooled],
    pub nonce: u64,
    /// When the order must be done.
    pub end: Instant,
}

/// An answer.
pub(super) struct Carried {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: CarriedBody,
}

pub(super) enum CarriedBody {
    Whole(Received),
    Events(Box<Events>),
}

/// A call that has no answer.
#[derive(Debug)]
pub(super) struct CallFault {
    pub kind: FailureKind,
    /// Whether the upstream may have begun to work on it.
    pub sent: bool,
    pub message: Option<String>,
    /// It came, and our store did not take it.
    pub not_stored: Option<Box<ExchangeError>>,
}

impl CallFault {
    pub fn new(kind: FailureKind, sent: bool) -> Self {
        Self {
            kind,
            sent,
            message: None,
            not_stored: None,
        }
    }

    pub fn saying(self, message: impl ToString) -> Self {
        Self {
            message: Some(message.to_string()),
            ..self
        }
    }
}

/// Base URLs that begin so lead to a provider in this process.
const HERE: &str = "local:";

impl Carrier<'_> {
    pub async fn carry(&self, call: &Call) -> Result<Carried, CallFault> {
        if call.url.starts_with(HERE) {
            return self.carry_here(call).await;
        }
        let wait = self.config.first_byte(call.patience).min(self.left());
        let request = self.request(call, wait).await?;
        let response = request.await.map_err(|error| {
            let (kind, sent) = exchange::unsent_kind(&error);
            CallFault::new(kind, sent)
        })?;
        let headers = headers_of(&response);
        let status = response.status().as_u16();
        self.note_quota(status, &headers);
        let is_file = response.status().is_success() && is_file(&headers);
        let length = content_length(response.headers());
        let idle = Duration::from_millis(self.provider.timeouts.idle_ms);
        let body = UpstreamBody::http(response, length, Alarm::new(idle, self.left()));
        let body = if call.events && (200..300).contains(&status) && !is_json(&headers) {
            CarriedBody::Events(Box::new(Events::of(body)))
        } else {
            CarriedBody::Whole(self.receive(body, is_file).await?)
        };
        Ok(Carried {
            status,
            headers,
            body,
        })
    }

    /// What is left of the order's time.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// The time of day, for quotas that come back at one.
    pub fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.clock.wall_ms())
    }

    async fn receive(&self, body: UpstreamBody, is_file: bool) -> Result<Received, CallFault> {
        let limit = self.config.max_file_bytes;
        let received = receive(body, is_file, self.media, limit, self.nonce).await;
        received.map_err(|error| match error {
            ReceiveError::Body(fault) => CallFault::new(fault.kind(), true).saying(fault),
            error => CallFault {
                not_stored: match &error {
                    ReceiveError::Media(error) => ExchangeError::not_stored(error).map(Box::new),
                    _ => None,
                },
                ..CallFault::new(FailureKind::Upstream, true).saying(error)
            },
        })
    }

    /// The request, on its way once it is awaited.
    async fn request(
        &self,
        call: &Call,
        wait: Duration,
    ) -> Result<awc::SendClientRequest, CallFault> {
        let body = with_secret(call, self.lease.secret());
        let outgoing = Outgoing::new(body.as_ref().unwrap_or(&call.body), self.inputs, self.nonce);
        let connect = Duration::from_millis(self.provider.timeouts.connect_ms);
        let method = match call.method {
            call::Method::Get => Method::GET,
            call::Method::Post => Method::POST,
            call::Method::Put => Method::PUT,
            call::Method::Delete => Method::DELETE,
        };
        let mut request = client(connect).request(method, &call.url).timeout(wait);
        request = request.insert_header((header::USER_AGENT, USER_AGENT));
        let accepts = if call.events {
            "text/event-stream"
        } else {
            "*/*"
        };
        request = request.insert_header((header::ACCEPT, accepts));
        for (name, value) in &call.headers {
            request = request.insert_header((*name, value.as_str()));
        }
        if let Some(content_type) = &outgoing.content_type {
            request = request.insert_header((header::CONTENT_TYPE, content_type.as_str()));
        }
        let request = self.authorized(request, call, &outgoing).await?;
        Ok(if outgoing.content_type.is_none() {
            request.send()
        } else {
            request.send_body(SizedStream::new(outgoing.length, outgoing.stream()))
        })
    }

    async fn authorized(
        &self,
        request: ClientRequest,
        call: &Call,
        outgoing: &Outgoing,
    ) -> Result<ClientRequest, CallFault> {
        let Some(secret) = self.lease.secret() else {
            return Ok(request);
        };
        Ok(match call.auth {
            Auth::None | Auth::JsonField(_) => request,
            Auth::Bearer => request
                .insert_header((header::AUTHORIZATION, format!("Bearer {}", secret.expose()))),
            Auth::Header(name) => request.insert_header((name, secret.expose())),
            Auth::Volc { region, service } => {
                let headers = self.signed(secret, call, outgoing, region, service).await?;
                let headers = headers.into_iter();
                headers.fold(request, |request, header| request.insert_header(header))
            }
        })
    }

    async fn signed(
        &self,
        secret: &Secret,
        call: &Call,
        outgoing: &Outgoing,
        region: &str,
        service: &str,
    ) -> Result<Vec<(&'static str, String)>, CallFault> {
        let credential = Credential::parse(secret.expose());
        let credential = credential
            .map_err(|error| CallFault::new(FailureKind::AuthInvalid, false).saying(error))?;
        let hash = outgoing.sha256().await;
        let request = ToSign {
            method: call.method.name(),
            url: &call.url,
            content_type: outgoing.content_type.as_deref().unwrap_or_default(),
            body_sha256: hash
                .map_err(|error| CallFault::new(FailureKind::Upstream, false).saying(error))?,
            region,
            service,
        };
        Ok(sign(&request, &credential, self.now()))
    }

    /// Asks a provider in this process.
    async fn carry_here(&self, call: &Call) -> Result<Carried, CallFault> {
        let Body::Json(json) = &call.body else {
            return Err(CallFault::new(FailureKind::InvalidRequest, false));
        };
        let local = Local {
            endpoint: Endpoint::Images,
            model: "".into(),
            body: Bytes::from(json.to_string()),
            stream: false,
            headers: Vec::new(),
        };
        let Some(Plan::Local(work)) = self.provider.upstream.plan(&local, None) else {
            return Err(CallFault::new(FailureKind::NotEntitled, false));
        };
        let answer = actix_rt::task::spawn_blocking(work).await;
        let answer = answer.map_err(|_| CallFault::new(FailureKind::Upstream, true))?;
        let alarm = Alarm::new(self.left(), self.left());
        let body = UpstreamBody::local(answer.pieces, answer.pace, alarm);
        Ok(Carried {
            status: answer.status,
            headers: Vec::new(),
            body: CarriedBody::Whole(self.receive(body, false).await?),
        })
    }
}

/// The call's JSON with the credential in it, for upstreams that have it there.
fn with_secret(call: &Call, secret: Option<&Secret>) -> Option<Body> {
    let (Auth::JsonField(name), Body::Json(Value::Object(fields))) = (call.auth, &call.body) else {
        return None;
    };
    let mut fields = fields.clone();
    fields.insert(name.to_owned(), secret?.expose().into());
    Some(Body::Json(Value::Object(fields)))
}

fn headers_of<S>(response: &ClientResponse<S>) -> Vec<(String, String)> {
    let headers = response.headers().iter();
    let readable = headers.filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    readable.collect()
}

fn content_type(headers: &[(String, String)]) -> &str {
    let mut headers = headers.iter();
    headers
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, value)| value)
}

fn is_file(headers: &[(String, String)]) -> bool {
    let kind = content_type(headers);
    ["image/", "video/", "application/octet-stream"]
        .iter()
        .any(|prefix| kind.starts_with(prefix))
}

fn is_json(headers: &[(String, String)]) -> bool {
    content_type(headers).starts_with("application/json")
}

/// Follows a link of an upstream's answer that only its credential opens, at a host of the operator's.
pub(super) fn with_credential(url: &str) -> Call {
    Call {
        patience: Patience::Long,
        ..Call::get(url)
    }
}
