//! Requests that pass through as they are: embeddings and pictures.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Payload},
};
use troupe_actors::{
    catalog::{Affinity, Target},
    providers::upstream::{Endpoint, Outgoing},
};
use troupe_protocol::{dialect::Client, openai::request::RequestHead};

use crate::http::{
    call::Call,
    conversation,
    enter::{admitted_json, enter},
    error::ApiError,
    fallback::{self, Question, ask_in_turn},
    passing::pass,
    services::{OnWorker, Services},
};

/// One route of the dialect.
pub struct Surface {
    pub endpoint: Endpoint,
    /// The route, as it stands in call records.
    pub name: &'static str,
}

/// An upstream that has answered.
pub type Asked = fallback::Asked<()>;

/// Serves one request by passing it on.
pub async fn forward(
    surface: &Surface,
    worker: OnWorker,
    request: &HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut call = match enter(&worker.0, request, surface.name, Client::OpenaiChat) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = &worker.0.services;
    let asked = match admitted_json(&mut call, services, request, payload).await {
        Ok(body) => ask(surface, services, request, body, &mut call).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(asked) => {
            pass(
                asked.answer,
                Client::OpenaiChat,
                false,
                None,
                call,
                services,
            )
            .await
        }
        Err(error) => call.refuse(&error),
    }
}

/// A request that goes upstream with nothing changed but its model's name.
pub struct Plain {
    endpoint: Endpoint,
    head: RequestHead,
    body: Bytes,
}

impl Plain {
    pub fn new(endpoint: Endpoint, head: RequestHead, body: Bytes) -> Self {
        Self {
            endpoint,
            head,
            body,
        }
    }
}

impl Question for Plain {
    type Way = ();

    fn model(&self) -> &str {
        &self.head.model
    }

    fn stream(&self) -> bool {
        false
    }

    fn prepare(&mut self, target: &Target) -> Result<(Outgoing, ()), ApiError> {
        let (body, _) = self.head.rewrite(&self.body, &target.upstream, false);
        let outgoing = Outgoing {
            endpoint: self.endpoint,
            model: target.upstream.clone(),
            body,
            stream: false,
            headers: Vec::new(),
        };
        Ok((outgoing, ()))
    }
}

/// Asks the upstreams that may serve the request's model, in turn.
///
/// # Errors
/// Whatever is wrong with the request, or kept every attempt from an answer.
pub async fn ask(
    surface: &Surface,
    services: &Services,
    request: &HttpRequest,
    body: Bytes,
    call: &mut Call,
) -> Result<Asked, ApiError> {
    let head = RequestHead::parse(&body)?;
    // a body is read again only where that decides something
    let sticks = services.catalog.directory().sticks(&head.model);
    let key = sticks.then(|| conversation::key(request.headers(), &body));
    let affinity = key.flatten().map(|key| Affinity::of(call.app_id(), &key));
    let mut question = Plain::new(surface.endpoint, head, body);
    ask_in_turn(&mut question, affinity, services, call).await
}
