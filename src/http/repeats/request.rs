//! A request that may repeat another one, and what becomes of it.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{Payload, Service, ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use troupe_actors::{
    accounts::{
        keys::{Dedupe, Principal},
        limits::Admission,
    },
    answers::{Ask, Begun, End, Fingerprint, Reader, Recalled, Refusal, Ticket},
    providers::exchange::Watch as _,
};
use troupe_protocol::{
    dialect::Client,
    openai::{error::ErrorCode, request::RequestHead},
};
use uuid::Uuid;

use super::{IDEMPOTENCY_KEY, bodies, body::Body, maker::make};
use crate::http::{
    auth,
    call::Call,
    dialect::{Shape, client_of},
    error::ApiError,
    services::Worker,
};

/// Told to clients that got the answer to an earlier request with their `Idempotency-Key`.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Told to clients that got the answer to a twin of their request.
const DEDUPLICATED: HeaderName = HeaderName::from_static("x-troupe-deduplicated");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The longest `Idempotency-Key`, in characters.
const MAX_KEY: usize = 255;
/// When to come again after something that passes at once.
const SOON: Duration = Duration::from_secs(1);
/// When to come again while the database, or room, is missing.
const LATER: Duration = Duration::from_secs(5);

/// Serves a request that may be a repeat; by `service` where it is none.
pub async fn serve<S>(
    service: Rc<S>,
    request: ServiceRequest,
    worker: Rc<Worker>,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    // what no route takes is not worth more than being told so
    let Some(route) = request.match_pattern() else {
        return service.call(request).await;
    };
    let caller = match Caller::of(&request, route, &worker) {
        Ok(Some(caller)) => caller,
        Ok(None) => return service.call(request).await,
        Err(refusal) => return Ok(request.into_response(refusal)),
    };
    let (http, payload) = request.into_parts();
    let (place, body, fingerprint) = match caller.read(&http, payload).await {
        Ok(read) => read,
        Err(error) => return Ok(ServiceResponse::new(http, caller.refuse(&error, &[]))),
    };
    let answered = match caller.meet(fingerprint).await {
        Met::First(ticket) => {
            // a job has it in its row, so that the key outlives this process
            if let Some(submission) = worker.services.answers.submission(&ticket) {
                http.extensions_mut().insert(submission);
            }
            http.extensions_mut().insert(place);
            let request = ServiceRequest::from_parts(http, body.payload());
            return make(service, request, ticket, &worker).await;
        }
        Met::Nobody => {
            http.extensions_mut().insert(place);
            let request = ServiceRequest::from_parts(http, body.payload());
            return service.call(request).await;
        }
        Met::Another(reader) => {
            // it is not served itself
            drop(place);
            caller.share(reader, body.json()).await
        }
        Met::Refused(error) => caller.refuse(&error, body.json()),
    };
    Ok(ServiceResponse::new(http, answered))
}

/// Whoever sent a request that may be a repeat.
struct Caller {
    worker: Rc<Worker>,
    principal: Arc<Principal>,
    /// The route's name, without any parameter.
    route: String,
    client: Client,
    /// That refusals are told in.
    shape: Shape,
    /// The `Idempotency-Key`; a request that has one is told from others by that alone.
    key: Option<String>,
}

/// What a request met that looked for another one like it.
enum Met {
    /// None: it is the first, and answers for those to come.
    First(Ticket),
    /// One that answers for it, too.
    Another(Reader),
    /// None, nor can others meet it.
    Nobody,
    /// Something that forbids to serve it.
    Refused(ApiError),
}

impl Caller {
    /// None where the request is nobody's repeat, whatever else comes.
    #[expect(
        clippy::result_large_err,
        reason = "a refusal is moved once and sent; a box would cost more"
    )]
    fn of(
        request: &ServiceRequest,
        route: String,
        worker: &Rc<Worker>,
    ) -> Result<Option<Self>, HttpResponse> {
        let services = &worker.services;
        let client = client_of(request.path(), request.headers());
        let shape = Shape::of(request.path(), request.headers());
        let refuse = |error: ApiError| shape.respond(&error, &Uuid::now_v7().to_string());
        let principal = auth::principal(request.request(), &services.keys).map_err(refuse)?;
        let key = idempotency_key(request.headers());
        if matches!(key, Ok(None)) && principal.dedupe() == Dedupe::Off {
            return Ok(None);
        }
        if services.spool.full() {
            let message = "call records cannot be stored at the moment, try again later";
            return Err(refuse(
                ApiError::new(ErrorCode::SpoolFull, message).retry(LATER),
            ));
        }
        let mut caller = Self {
            worker: worker.clone(),
            principal,
            route,
            client,
            shape,
            key: None,
        };
        match key {
            Ok(key) => caller.key = key,
            Err(error) => return Err(caller.refuse(&error, &[])),
        }
        Ok(Some(caller))
    }

    /// Takes a place, which the one that serves it goes on holding, and reads the body.
    async fn read(
        &self,
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<(Rc<Admission>, Body, Fingerprint), ApiError> {
        let services = &self.worker.services;
        let place = services.limits.admit(&self.principal).await?;
        let (body, fingerprint) = Body::read(services, request, payload).await?;
        Ok((Rc::new(place), body, fingerprint))
    }

    /// Looks for another request like this one.
    async fn meet(&self, fingerprint: Fingerprint) -> Met {
        let principal = &self.principal;
        let ask = match &self.key {
            Some(key) => Ask::with_key(principal.app_id(), key, &self.route, fingerprint),
            None => {
                let refuse = principal.dedupe() == Dedupe::Refuse;
                Ask::twin(principal.key_id(), fingerprint, refuse)
            }
        };
        let answers = &self.worker.services.answers;
        match answers.begin(&ask) {
            Begun::Fresh(ticket) => match answers.recall(ticket).await {
                Recalled::New(ticket) => Met::First(ticket),
                Recalled::Known(reader) => Met::Another(reader),
                Recalled::Refused(refusal) => Met::Refused(refused(refusal)),
            },
            Begun::Attach(reader) => Met::Another(reader),
            Begun::Duplicate { retry_after } => Met::Refused(duplicate(retry_after)),
            Begun::OtherBody => Met::Refused(refused(Refusal::OtherBody)),
            Begun::Full if self.key.is_some() => Met::Refused(refused(Refusal::Unavailable)),
            Begun::Full => Met::Nobody,
        }
    }

    /// Gives it the answer to another request, under a record of its own.
    async fn share(&self, mut reader: Reader, body: &[u8]) -> HttpResponse {
        let mut call = self.call(body);
        let clock = &self.worker.services.clock;
        let began = clock.now();
        let head = reader.head().await;
        // whoever makes the answer waits for an upstream, and so did this request
        call.upstream_took(clock.now().saturating_sub(began));
        match head {
            Ok(head) => {
                let mark = match self.key {
                    Some(_) => REPLAYED,
                    None => DEDUPLICATED,
                };
                bodies::shared(call, &head, (mark, TRUE), reader)
            }
            Err(End::Refused(refusal)) => self.refuse_as(call, &refused(refusal)),
            Err(End::Complete(_) | End::TooLarge | End::Broken) => {
                self.refuse_as(call, &duplicate(SOON))
            }
        }
    }

    fn refuse(&self, error: &ApiError, body: &[u8]) -> HttpResponse {
        self.refuse_as(self.call(body), error)
    }

    fn refuse_as(&self, call: Call, error: &ApiError) -> HttpResponse {
        let response = self.shape.respond(error, call.id());
        call.refuse_as(error, response)
    }

    /// The record of a request that is not served by a handler. It names the model as the client did.
    fn call(&self, body: &[u8]) -> Call {
        let (id, principal) = (Uuid::now_v7(), self.principal.clone());
        let mut call = Call::begin(&self.worker, id, principal, &self.route, self.client);
        if let Ok(head) = RequestHead::parse(body) {
            call.asks_unknown(&head.model, head.stream);
        }
        call
    }
}

/// The key that the client has chosen for this request, if it has.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY);
    let (Some(key), next) = (given.next(), given.next()) else {
        return Ok(None);
    };
    let key = key.as_bytes();
    let is_good = (1..=MAX_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(key) {
        Ok(key) if is_good && next.is_none() => Ok(Some(key.to_owned())),
        _ => Err(ApiError::new(
            ErrorCode::InvalidIdempotencyKey,
            "send one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID",
        )),
    }
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::OtherBody => ApiError::key_reused(),
        Refusal::NotKept => ApiError::new(
            ErrorCode::AnswerNotKept,
            "the request with this Idempotency-Key was answered, but the answer was too large to keep: to have it made anew, choose a new key",
        ),
        Refusal::Unavailable => ApiError::new(
            ErrorCode::IdempotencyUnavailable,
            "answers to Idempotency-Keys cannot be looked up or kept at the moment, and nothing was done: try again with the same key",
        )
        .retry(LATER),
    }
}

fn duplicate(retry_after: Duration) -> ApiError {
    let message = "the same request is under way or was a moment ago, and its answer cannot be shared: send it again later";
    ApiError::new(ErrorCode::DuplicateRequest, message).retry(retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(values: &[&str]) -> Result<Option<String>, ErrorCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(IDEMPOTENCY_KEY, value);
        }
        idempotency_key(&headers).map_err(|error| error.code)
    }

    #[test]
    fn a_key_is_one_visible_word() {
        assert_eq!(key(&[]), Ok(None));
        for good in ["k", "a-b_c:~!", &"x".repeat(MAX_KEY)] {
            assert_eq!(key(&[good]), Ok(Some(good.to_owned())));
        }
        for bad in ["", "two words", "é", "tab\there", &"x".repeat(MAX_KEY + 1)] {
            assert_eq!(key(&[bad]), Err(ErrorCode::InvalidIdempotencyKey), "{bad}");
        }
        assert_eq!(key(&["a", "a"]), Err(ErrorCode::InvalidIdempotencyKey));
    }
}
