//! `/studio`: pictures and videos made from words and pictures, and those made before.
//!
//! The page signs in with an API key and keeps a session in its place ([`Sessions`](crate::http::session::Sessions)).
//! The server writes the form and all words; the scripts under `static/js` follow what is being made, over
//! `/api/v1/…`.
//!
//! | room | what it is for |
//! |---|---|
//! | `view` | the page |
//! | `sign_in` | the page for who is not signed in |
//! | `models` | what the form offers for each model |
//! | `words` | what the scripts say |

mod models;
mod sign_in;
#[cfg(test)]
mod tests;
mod view;
mod words;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use serde::Deserialize;
use troupe_actors::{
    accounts::keys::{KeyError, Principal},
    secrets::Secret,
};
use troupe_protocol::openai::error::ErrorCode;

use self::{
    models::Model,
    sign_in::{Trouble, document},
};
use super::preferences::{Choice, Preferences};
use crate::http::{
    auth,
    services::{OnWorker, Services},
};

/// What the page is made from.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// Whose pictures these are.
    pub app: String,
    pub models: Vec<Model>,
    /// The model that improves prompts, if any talks.
    pub talker: Option<String>,
    /// The most pictures of one order, and the most that go into one.
    pub max_count: u32,
    pub max_inputs: usize,
    /// The longest prompt, in characters, and the largest file, in bytes.
    pub max_prompt: usize,
    pub max_file: u64,
}

/// `GET /studio`
pub async fn page(
    worker: OnWorker,
    request: HttpRequest,
    choice: web::Query<Choice>,
) -> HttpResponse {
    if let Some(kept) = choice.keep(&request) {
        return kept;
    }
    let preferences = Preferences::of(request.headers());
    let services = &worker.0.services;
    match auth::principal(&request, &services.keys) {
        Ok(principal) => {
            let workshop = workshop(services, &principal);
            view::page(preferences, &workshop).response(StatusCode::OK)
        }
        Err(error) => {
            let trouble = match error.code {
                ErrorCode::MissingApiKey => None,
                ErrorCode::InvalidApiKey => Some(Trouble::Ended),
                _ => Some(Trouble::NotReady),
            };
            document(preferences, trouble).response(StatusCode::OK)
        }
    }
}

fn workshop(services: &Services, principal: &Principal) -> Workshop {
    let config = &services.atelier.config;
    let directory = services.catalog.directory();
    Workshop {
        app: principal.app_name().to_owned(),
        models: models::models(&directory),
        talker: models::talker(&directory),
        max_count: config.max_count,
        max_inputs: config.max_inputs,
        max_prompt: config.max_prompt_chars,
        max_file: config.max_file_bytes,
    }
}

/// What is filled in to sign in.
#[derive(Debug, Deserialize)]
pub struct SignIn {
    key: Secret,
}

/// `POST /studio/session`: begins a session for the API key in the form's field `key`.
pub async fn sign_in(
    worker: OnWorker,
    request: HttpRequest,
    form: Result<web::Form<SignIn>, actix_web::Error>,
) -> HttpResponse {
    let services = &worker.0.services;
    let refused = |status, trouble| {
        let preferences = Preferences::of(request.headers());
        document(preferences, Some(trouble)).response(status)
    };
    // else a foreign page could sign its visitors in with a key of its own, and read what they make
    if !services.sessions.is_own_page(&request) {
        return refused(StatusCode::FORBIDDEN, Trouble::Foreign);
    }
    let key = form.as_ref().map(|form| form.key.expose().trim());
    match key.map(|key| services.keys.check(key)) {
        Ok(Ok(principal)) => to_studio(Some(services.sessions.begin(principal.key_id()))),
        Ok(Err(KeyError::NotReady)) => refused(StatusCode::SERVICE_UNAVAILABLE, Trouble::NotReady),
        Ok(Err(KeyError::Unknown)) | Err(_) => refused(StatusCode::UNAUTHORIZED, Trouble::Unknown),
    }
}

/// `POST /studio/session/end`
pub async fn sign_out(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let sessions = &worker.0.services.sessions;
    match sessions.is_own_page(&request) {
        true => to_studio(Some(sessions.end())),
        false => to_studio(None),
    }
}

fn to_studio(cookie: Option<String>) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((header::LOCATION, "/studio"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(cookie) = cookie {
        response.insert_header((header::SET_COOKIE, cookie));
    }
    response.finish()
}
