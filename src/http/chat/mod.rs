//! The chat surfaces: `/v1/chat/completions`, `/v1/responses` and `/v1/messages`, each on every upstream.
//!
//! | file | what |
//! |---|---|
//! | `question` | the client's request, and what it is written as for each target |
//! | `ask` | its attempts: target after target, again without thoughts, again in another dialect |
//! | `early` | streams whose upstream takes long to begin |
//! | `reply` | the answer on its way back: passed through, or converted |
//! | `stored` | `/v1/responses`: earlier answers that a request goes on from, and answers that are kept |
//! | `count` | `/v1/messages/count_tokens` |

mod ask;
mod count;
mod early;
mod question;
mod reply;
mod stored;

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::FutureExt as _;
use troupe_actors::catalog::Affinity;
use troupe_protocol::dialect::Client;

use self::{
    ask::{affinity, ask},
    early::{Patience, in_time},
    question::Question,
    reply::answer,
};
use super::{
    call::Call,
    enter::{admitted_json, enter},
    error::ApiError,
    layers::resource,
    services::{OnWorker, Services},
};

/// `/v1/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/chat/completions").post(completions))
        .service(resource("/v1/messages").post(messages))
        .service(resource("/v1/messages/count_tokens").post(count::count_tokens))
        .service(resource("/v1/responses").post(responses))
        .service(resource("/v1/responses/{id}/input_items").get(stored::input_items))
        .service(
            resource("/v1/responses/{id}")
                .get(stored::get)
                .delete(stored::delete),
        );
}

async fn completions(
    worker: OnWorker,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    serve(
        Client::OpenaiChat,
        "/v1/chat/completions",
        worker,
        &request,
        payload,
    )
    .await
}

async fn messages(worker: OnWorker, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    serve(Client::Anthropic, "/v1/messages", worker, &request, payload).await
}

async fn responses(worker: OnWorker, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    serve(
        Client::OpenaiResponses,
        "/v1/responses",
        worker,
        &request,
        payload,
    )
    .await
}

/// Serves one chat request.
async fn serve(
    client: Client,
    route: &'static str,
    worker: OnWorker,
    request: &HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let mut call = match enter(&worker.0, request, route, client) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = worker.0.services.clone();
    let question = match question(client, &services, request, payload, &mut call).await {
        Ok(question) => question,
        Err(error) => return call.refuse(&error),
    };
    let affinity = affinity(&question, request, &services, call.app_id());
    let (stream, id) = (question.head.stream, call.id().to_owned());
    // boxed: what is large about a request is there while it is served, and not in each layer around it
    let work = converse(question, affinity, services.clone(), call).boxed_local();
    if !stream {
        return work.await;
    }
    let patience = Patience {
        headers: Duration::from_secs(services.config.early_headers_seconds),
        ping: Duration::from_secs(services.config.ping_seconds),
    };
    in_time(work, patience, client, &id).await
}

/// Serves a chat request in OpenAI's dialect that another surface has written, whole and not as a stream.
pub async fn say(
    services: Arc<Services>,
    request: &HttpRequest,
    body: web::Bytes,
    call: Call,
) -> HttpResponse {
    match Question::read(Client::OpenaiChat, request, body) {
        Ok(question) => converse(question, None, services, call).await,
        Err(error) => call.refuse(&error),
    }
}

/// Asks, and answers.
async fn converse(
    mut question: Question,
    affinity: Option<Affinity>,
    services: Arc<Services>,
    mut call: Call,
) -> HttpResponse {
    match ask(&mut question, affinity, &services, &mut call).await {
        Ok(asked) => answer(asked, question, call, &services).await,
        Err(error) => call.refuse(&error),
    }
}

/// Reads the request, and what it goes on from.
async fn question(
    client: Client,
    services: &Services,
    request: &HttpRequest,
    payload: web::Payload,
    call: &mut Call,
) -> Result<Question, ApiError> {
    let body = admitted_json(call, services, request, payload).await?;
    let mut question = Question::read(client, request, body)?;
    if client == Client::OpenaiResponses {
        stored::go_on(&mut question, services, call.app_id()).await?;
    }
    Ok(question)
}
