//! `/v1/responses`: earlier answers that a request goes on from, and answers that are kept.

use std::time::Duration;

use actix_rt::time::timeout;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use troupe_actors::{
    responses::{NewResponse, ResponseError},
    storage::queries::responses::ResponseRow,
};
use troupe_protocol::{
    dialect::Client,
    openai::error::ErrorCode,
    openai_responses::history::{Turn, head, input_items as items_of, listed_items, with_history},
};
use uuid::Uuid;

use super::question::{Previous, Question};
use crate::http::{
    auth,
    error::{ApiError, request_id_headers},
    relay::Keep,
    services::{OnWorker, Services},
};

/// What of a request is stored with its answer.
pub struct Storing {
    previous_id: Option<String>,
    model: String,
    /// The request's own items, as a JSON array.
    input: String,
}

/// Looks at what a request of `/v1/responses` says of storing, and puts the earlier turns in front of it.
///
/// # Errors
/// 400 for an answer that is not known, or for what is not served; 503 when the storage cannot be read.
pub async fn go_on(
    question: &mut Question,
    services: &Services,
    app_id: &str,
) -> Result<(), ApiError> {
    let asked = head(&question.body)?;
    if asked.background {
        let message = "background responses are not served here; leave `background` out and stream";
        return Err(ApiError::param(
            ErrorCode::InvalidRequest,
            "background",
            message,
        ));
    }
    question.in_conversation = asked.conversation.is_some();
    if asked.store {
        question.storing = Some(Storing {
            previous_id: asked.previous_response_id.clone(),
            model: question.head.model.clone(),
            input: Value::Array(items_of(&question.body)?).to_string(),
        });
    }
    let Some(id) = asked.previous_response_id else {
        return Ok(());
    };
    let turns = services.responses.chain(app_id, &id).await;
    let turns = turns.map_err(unreadable)?;
    question.previous = Some(Previous {
        id,
        is_foreign: turns.is_none(),
    });
    let Some(turns) = turns else {
        // an upstream of the same dialect may have stored it
        return Ok(());
    };
    let turns: Vec<Turn> = turns.into_iter().map(turn).collect::<Result<_, _>>()?;
    let body = with_history(&question.body, &turns)?;
    question.replace(body)
}

fn turn(stored: ResponseRow) -> Result<Turn, ApiError> {
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|error| {
            log::error!("a stored response cannot be read: {error}");
            ApiError::new(ErrorCode::InternalError, "a stored response cannot be read")
        })
    };
    Ok(Turn {
        input: read(&stored.input)?,
        output: read(&stored.output)?,
    })
}

fn unreadable(error: ResponseError) -> ApiError {
    if let ResponseError::Database(error) = error {
        log::warn!("stored responses cannot be reached: {error}");
        let message = "stored responses cannot be reached at the moment, try again later";
        return ApiError::new(ErrorCode::StorageUnavailable, message);
    }
    let param = "previous_response_id";
    ApiError::param(ErrorCode::InvalidRequest, param, error.to_string())
}

/// How long the client's last byte waits for a database that is slow, or gone.
const STORE_WAIT: Duration = Duration::from_secs(2);

impl Storing {
    /// Stores the answer before the client gets its last byte. An answer that cannot be stored is served
    /// all the same: the log says so.
    pub fn keep(&self, services: &Services, app_id: &str) -> Keep {
        let store = services.responses.clone();
        let (app_id, previous_id) = (app_id.to_owned(), self.previous_id.clone());
        let (model, input) = (self.model.clone(), self.input.clone());
        Box::new(move |answer: &[u8]| {
            let Some((id, output)) = id_and_text(answer) else {
                return async {}.boxed_local();
            };
            let new = NewResponse {
                id,
                app_id,
                previous_id,
                model,
                input,
                output,
            };
            async move {
                match timeout(STORE_WAIT, store.save(new)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => log::warn!("a response was not stored: {error}"),
                    Err(_) => log::warn!("a response is perhaps not stored: the database is slow"),
                }
            }
            .boxed_local()
        })
    }
}

/// The id of a response object, and the object as text. None for an error or what is no such object.
fn id_and_text(answer: &[u8]) -> Option<(String, String)> {
    #[derive(serde::Deserialize)]
    struct Head {
        id: String,
        status: Option<String>,
    }
    let text = std::str::from_utf8(answer).ok()?;
    let head: Head = serde_json::from_str(text).ok()?;
    let ended = matches!(head.status.as_deref(), Some("completed" | "incomplete"));
    ended.then(|| (head.id, text.to_owned()))
}

/// `GET /v1/responses/{id}`
pub async fn get(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let found = find(services, &request, &id).await;
    told(found.map(|turn| Bytes::from(turn.output)))
}

/// `GET /v1/responses/{id}/input_items`
pub async fn input_items(
    worker: OnWorker,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let services = &worker.0.services;
    let found = find(services, &request, &id).await;
    told(found.and_then(|turn| item_list(&turn.input, &id)))
}

/// The items as a list, each with an id.
fn item_list(input: &str, id: &str) -> Result<Bytes, ApiError> {
    let broken = |_| ApiError::new(ErrorCode::InternalError, "a stored response cannot be read");
    let items = listed_items(serde_json::from_str(input).map_err(broken)?, id);
    let id_of = |item: Option<&Value>| item.and_then(|item| item.get("id")).cloned();
    let (first_id, last_id) = (id_of(items.first()), id_of(items.last()));
    let list = json!({
        "object": "list", "data": items, "first_id": first_id, "last_id": last_id, "has_more": false,
    });
    Ok(list.to_string().into())
}

/// `DELETE /v1/responses/{id}`
pub async fn delete(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let deleted = async {
        let principal = auth::principal(&request, &services.keys)?;
        let deleted = services.responses.delete(principal.app_id(), &id).await;
        match deleted.map_err(unreadable)? {
            true => Ok(Bytes::from(
                json!({"id": &*id, "object": "response", "deleted": true}).to_string(),
            )),
            false => Err(not_found(&id)),
        }
    };
    told(deleted.await)
}

async fn find(
    services: &Services,
    request: &HttpRequest,
    id: &str,
) -> Result<ResponseRow, ApiError> {
    let principal = auth::principal(request, &services.keys)?;
    let found = services.responses.get(principal.app_id(), id).await;
    found.map_err(unreadable)?.ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ApiError {
    let message = format!(
        "there is no stored response `{id}`: it was never stored, was deleted or has expired"
    );
    ApiError::param(ErrorCode::NotFound, "response_id", message)
}

fn told(answer: Result<Bytes, ApiError>) -> HttpResponse {
    let id = Uuid::now_v7().to_string();
    match answer {
        Ok(body) => {
            let mut response = HttpResponse::build(StatusCode::OK);
            response.content_type("application/json");
            for header in request_id_headers(Client::OpenaiResponses, &id) {
                response.insert_header(header);
            }
            response.body(body)
        }
        Err(error) => error.respond_to(Client::OpenaiResponses, &id),
    }
}
