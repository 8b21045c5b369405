//! Answers that reach the client as the upstream sent them.

use std::{pin::pin, time::Duration};

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use bytes::Bytes;
use troupe_actors::{
    accounts::calls::Outcome,
    credentials::{Lease, Outcome as LeaseOutcome},
    providers::{
        body::{BodyFault, ReadAhead, UpstreamBody},
        exchange::Answer,
        opening::is_event_stream,
    },
};
use troupe_protocol::{
    dialect::Client, failure::FailureKind, openai::error::ErrorCode, openai_responses::read_failure,
};

use super::{
    call::Call,
    relay::{Keep, Relay},
    services::Services,
    tap::{Tap, usage_of},
};

/// Answers up to this size are held whole: their usage is read and their record written in one go.
const HELD: usize = 256 << 10;

/// Carries an upstream's answer to a client of the same dialect.
pub async fn pass(
    answer: Answer,
    client: Client,
    strip_usage: bool,
    keep: Option<Keep>,
    call: Call,
    services: &Services,
) -> HttpResponse {
    let Answer {
        status,
        content_type,
        body,
        lease,
    } = answer;
    let passing = Passing {
        client,
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
        is_stream: is_event_stream(content_type.as_ref()),
        content_type,
        lease,
        keep,
    };
    let held = passing.held();
    if !body
        .length()
        .map_or(held > 0, |length| length <= held as u64)
    {
        let tap = passing.tap(strip_usage, body.length());
        return passing.relay(body, tap, call, services);
    }
    let length_known = body.length().is_some();
    let read = match services.unless_cut(pin!(body.read_ahead(held))).await {
        Ok(read) => read,
        Err(error) => return call.refuse(&error),
    };
    match read {
        Ok(ReadAhead::Whole(body)) if length_known || is_json(&body) => {
            passing.whole(body, call).await
        }
        Ok(ReadAhead::Whole(_)) => passing.refuse(BodyFault::Cut, call),
        Ok(ReadAhead::More(body)) => {
            let tap = passing.tap(strip_usage, body.length());
            passing.relay(body, tap, call, services)
        }
        Err(fault) => passing.refuse(fault, call),
    }
}

/// Carries a stream of events that is none of a chat, such as that of pictures which are drawn, byte by byte.
pub fn pass_events(
    answer: Answer,
    client: Client,
    call: Call,
    services: &Services,
) -> HttpResponse {
    let passing = Passing {
        client,
        status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK),
        is_stream: true,
        content_type: answer.content_type,
        lease: answer.lease,
        keep: None,
    };
    let tap = Tap::tail(client, answer.body.length());
    passing.relay(answer.body, tap, call, services)
}

/// An answer whose headers are here.
struct Passing {
    client: Client,
    status: StatusCode,
    is_stream: bool,
    content_type: Option<HeaderValue>,
    lease: Lease,
    keep: Option<Keep>,
}

/// What is to be stored is read whole up to this size.
const KEPT: usize = 64 << 20;

impl Passing {
    /// How much is held to see whether it is the whole answer.
    fn held(&self) -> usize {
        match (self.is_stream, &self.keep) {
            (true, _) => 0,
            (false, None) => HELD,
            (false, Some(_)) => KEPT,
        }
    }

    /// A small answer, or one that is to be stored.
    async fn whole(self, body: Bytes, mut call: Call) -> HttpResponse {
        call.used(usage_of(self.client, &body));
        if let Some(failure) = self.failure(&body) {
            self.lease.report(LeaseOutcome::Failure(failure));
            return tell(call, self.status, self.content_type, body, Some(failure));
        }
        self.lease.report(LeaseOutcome::Success);
        if let Some(keep) = self.keep {
            keep(&body).await;
        }
        complete(call, self.status, self.content_type, body)
    }

    /// The failure that an answer with a good status tells of: a response's `status` may be `failed`.
    fn failure(&self, body: &[u8]) -> Option<FailureKind> {
        let tells = self.client == Client::OpenaiResponses;
        let failure = tells.then(|| read_failure(body)).flatten();
        failure.map(|failure| failure.kind)
    }

    fn refuse(self, fault: BodyFault, call: Call) -> HttpResponse {
        self.lease.report(LeaseOutcome::Failure(fault.kind()));
        call.refuse(&fault.into())
    }

    fn tap(&self, strip_usage: bool, length: Option<u64>) -> Tap {
        match self.is_stream {
            true => Tap::passing(self.client, strip_usage),
            false => Tap::tail(self.client, length),
        }
    }

    fn relay(self, body: UpstreamBody, tap: Tap, call: Call, services: &Services) -> HttpResponse {
        let mut response = call.response(self.status);
        if let Some(content_type) = self.content_type {
            response.insert_header((header::CONTENT_TYPE, content_type));
        }
        if self.is_stream {
            unbuffered(&mut response);
        }
        call.observe_overhead();
        let cut = services.cut.clone().cancelled_owned();
        let every = Duration::from_secs(services.config.ping_seconds);
        let relay = Relay::new(call, self.lease, body, tap, self.status.as_u16(), cut);
        response.body(relay.with_heartbeat(every).keeping(self.keep))
    }
}

/// Headers that keep proxies from holding a stream back.
pub fn unbuffered(response: &mut actix_web::HttpResponseBuilder) {
    response.insert_header((header::CACHE_CONTROL, "no-cache"));
    response.insert_header(("x-accel-buffering", "no"));
}

/// Whether an answer without a length is whole: a connection that broke cannot be told from its end.
fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Records a call whose whole answer is here, and makes the response.
pub fn complete(
    call: Call,
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
) -> HttpResponse {
    tell(call, status, content_type, body, None)
}

fn tell(
    mut call: Call,
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
    failure: Option<FailureKind>,
) -> HttpResponse {
    let mut response = call.response(status);
    if let Some(content_type) = content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    call.observe_overhead();
    call.first_byte();
    call.sent(body.len());
    let code = failure.map(|kind| ErrorCode::from(kind).as_str());
    let outcome = failure.map_or(Outcome::Ok, |_| Outcome::UpstreamError);
    call.finish(outcome, status.as_u16(), code);
    response.body(body)
}
