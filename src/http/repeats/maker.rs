//! The task that makes an answer for all who wait for it.
//!
//! It calls the handler and reads the answer's body to the end, whoever leaves meanwhile; the client that asked first is
//! but the first reader. For an `Idempotency-Key` it goes on even when nobody is left, so that a retry finds the answer, as
//! long as the upstream's time-outs let it. For a twin it stops then, and the upstream with it.

use std::{pin::Pin, rc::Rc};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody as _},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName},
    web::Bytes,
};
use tokio::sync::{mpsc, oneshot};
use troupe_actors::{
    accounts::calls::Outcome,
    answers::{Answers, Head, Ticket},
};

use super::bodies::{self, Rest};
use crate::http::{
    dialect::client_of,
    ending,
    error::{ANTHROPIC_REQUEST_ID, REQUEST_ID},
    layers::Panicked,
    services::Worker,
};

/// Pieces that may wait for the first reader once an answer is too large to be recorded.
const AHEAD: usize = 4;

/// What of an answer's head belongs to the one request or its connection, and is not given again.
const NOT_AGAIN: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::SET_COOKIE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    REQUEST_ID,
    ANTHROPIC_REQUEST_ID,
    HeaderName::from_static("x-troupe-overhead-ms"),
];

/// What the first reader is told as soon as the answer's head is there.
type Begun = Result<(HttpRequest, HttpResponse<()>, Option<u64>), Error>;

/// Serves the first request of its kind by `service`, in a task of its own.
pub async fn make<S>(
    service: Rc<S>,
    request: ServiceRequest,
    ticket: Ticket,
    worker: &Rc<Worker>,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    let client = client_of(request.path(), request.headers());
    let reader = ticket.read();
    let (begun, begins) = oneshot::channel();
    let (rest, after) = mpsc::channel(AHEAD);
    let answers = worker.services.answers.clone();
    let maker = Maker { ticket, rest };
    let work = async move {
        ending::watched(maker.run(service, request, begun, &answers)).await;
    };
    let panics = worker.clone();
    let on_panic = move |_: &str| panics.services.metrics.panicked();
    let tasks = worker.services.answers.tasks();
    tasks.spawn("answer", work, on_panic);
    // the handler panicked where nobody says anything
    let (request, response, length) = begins.await.map_err(|_| Panicked { client })??;
    let body = bodies::own(reader, after, length);
    Ok(ServiceResponse::new(request, response.set_body(body)))
}

struct Maker {
    ticket: Ticket,
    /// The way to the first reader for what is too much to be recorded.
    rest: mpsc::Sender<Rest>,
}

/// An answer that is complete but for its last piece.
struct Made {
    last: Option<Bytes>,
    /// May have an end to be read still, after which the upstream's connection can be used again.
    body: BoxBody,
}

impl Maker {
    async fn run<S>(
        self,
        service: Rc<S>,
        request: ServiceRequest,
        begun: oneshot::Sender<Begun>,
        answers: &Answers,
    ) where
        S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    {
        let made = tokio::select! {
            biased;
            made = self.answer(service, request, begun) => made,
            () = self.ticket.unread(), if !self.ticket.is_idempotent() => None,
        };
        let Some(Made { last, mut body }) = made else {
            return;
        };
        let ended = ending::noted();
        answers.keep(&self.ticket, last.as_ref(), ended).await;
        let outcome = ended.map_or(Outcome::Ok, |made| made.outcome);
        if !self.ticket.complete(last.clone(), outcome) {
            finish(&self.rest, last).await;
        }
        drop(self.rest);
        while let Some(Ok(_)) = next(&mut body).await {}
    }

    /// Makes the answer up to its last piece. None where it breaks off, or nobody is left to read what cannot be kept.
    async fn answer<S>(
        &self,
        service: Rc<S>,
        request: ServiceRequest,
        begun: oneshot::Sender<Begun>,
    ) -> Option<Made>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    {
        let (request, response) = match service.call(request).await {
            Ok(answered) => answered.into_parts(),
            Err(error) => {
                // an error means that the client has left
                let _ = begun.send(Err(error));
                return None;
            }
        };
        let (response, mut body) = response.into_parts();
        let length = match body.size() {
            BodySize::None => Some(0),
            BodySize::Sized(length) => Some(length),
            BodySize::Stream => None,
        };
        self.ticket.begin(head(&response, length));
        let _ = begun.send(Ok((request, response, length)));
        let mut left = length;
        loop {
            let piece = match next(&mut body).await {
                Some(piece) => piece.ok()?,
                None => return Some(Made { last: None, body }),
            };
            if is_last(&piece, &mut left) {
                let last = Some(piece);
                return Some(Made { last, body });
            }
            if !self.ticket.push(piece.clone()) {
                self.rest.send(Rest::Piece(piece)).await.ok()?;
            }
        }
    }
}

/// Whether a piece is the last one: the length says so, or the call that makes a stream has ended.
fn is_last(piece: &Bytes, left: &mut Option<u64>) -> bool {
    match left {
        Some(left) => {
            *left = left.saturating_sub(piece.len() as u64);
            *left == 0
        }
        None => ending::noted().is_some(),
    }
}

/// Ends the body of the first reader, who is the only one left; or not even he is, which an error means.
async fn finish(rest: &mpsc::Sender<Rest>, last: Option<Bytes>) {
    if let Some(last) = last {
        let _ = rest.send(Rest::Piece(last)).await;
    }
    let _ = rest.send(Rest::End).await;
}

async fn next(body: &mut BoxBody) -> Option<Result<Bytes, Box<dyn std::error::Error>>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await
}

fn head(response: &HttpResponse<()>, length: Option<u64>) -> Head {
    let again = response
        .headers()
        .iter()
        .filter(|(name, _)| !NOT_AGAIN.contains(name));
    let texts = again.filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    Head {
        status: response.status().as_u16(),
        headers: texts.collect(),
        length,
    }
}
