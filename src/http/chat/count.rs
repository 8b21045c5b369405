//! `POST /v1/messages/count_tokens`: the upstream's own count where it counts, else an estimate.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::HeaderValue},
    web,
};
use bytes::Bytes;
use serde_json::{Value, json};
use troupe_actors::{
    catalog::Target,
    credentials::{Outcome as LeaseOutcome, Terms},
    providers::{
        exchange::{ExchangeError, exchange},
        upstream::{Endpoint, Outgoing},
    },
    tokens::{Family, Prompt},
};
use troupe_protocol::{
    chat::ChatRequest,
    dialect::{Client, Dialect},
    failure::FailureKind,
    gemini::{read_count, write_count},
};

use super::question::Question;
use crate::http::{
    call::Call,
    enter::{admitted_json, enter},
    error::ApiError,
    fallback::unknown_model,
    passing::complete,
    services::{OnWorker, Services},
};

const ROUTE: &str = "/v1/messages/count_tokens";
/// The largest answer of an upstream that counts.
const ANSWER_LIMIT: usize = 64 << 10;

pub async fn count_tokens(
    worker: OnWorker,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let mut call = match enter(&worker.0, &request, ROUTE, Client::Anthropic) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = &worker.0.services;
    match count(services, &request, payload, &mut call).await {
        Ok(tokens) => {
            let body = json!({"input_tokens": tokens}).to_string();
            let json = Some(HeaderValue::from_static("application/json"));
            complete(call, StatusCode::OK, json, body.into())
        }
        Err(error) => call.refuse(&error),
    }
}

async fn count(
    services: &Services,
    request: &HttpRequest,
    payload: web::Payload,
    call: &mut Call,
) -> Result<u64, ApiError> {
    let body = admitted_json(call, services, request, payload).await?;
    let mut question = Question::read(Client::Anthropic, request, body)?;
    let model = question.head.model.clone();
    let directory = services.catalog.directory();
    let Some(candidates) = directory.candidates(&model, None, call.draw()) else {
        call.asks_unknown(&model, false);
        return Err(unknown_model(&model));
    };
    drop(directory);
    call.asks(&candidates, false);
    // where the provider is too busy there is the estimate
    if let Some(target) = candidates.targets.first()
        && call.turn_to(target).await.is_ok()
        && let Some(tokens) = ask(&mut question, target, call).await?
    {
        return Ok(tokens);
    }
    call.estimated();
    let upstream = candidates.targets.first().map(|target| &*target.upstream);
    let family = Family::of(upstream.unwrap_or(&model));
    let prompt = prompt(question.request()?);
    Ok(services.tokens.count(family, prompt).await)
}

/// The upstream's own count. None where it has none, or none to be had now.
async fn ask(
    question: &mut Question,
    target: &Target,
    call: &mut Call,
) -> Result<Option<u64>, ApiError> {
    let Some(dialect) = target.provider.upstream.counts_tokens() else {
        return Ok(None);
    };
    let outgoing = Outgoing {
        endpoint: Endpoint::CountTokens(dialect),
        model: target.upstream.clone(),
        body: written(question, target, dialect)?,
        stream: false,
        headers: question.headers(dialect),
    };
    let terms = Terms {
        may_wait: false,
        ..Terms::default()
    };
    let asked = exchange(&target.provider, &target.upstream, &outgoing, terms, call).await;
    match asked {
        Ok(answer) => {
            let body = answer.body.collect(ANSWER_LIMIT).await;
            answer.lease.report(match &body {
                Ok(_) => LeaseOutcome::Success,
                Err(fault) => LeaseOutcome::Failure(fault.kind()),
            });
            Ok(body.ok().and_then(|body| counted(&body, dialect)))
        }
        // for all else there is the estimate
        Err(error) if is_callers_fault(&error) => Err(error.into()),
        Err(error) => {
            log::debug!("{} did not count tokens: {error}", target.id);
            Ok(None)
        }
    }
}

/// Whether the caller has to mend the request. Not where the upstream only turns out not to count, nor where it
/// refuses earlier thoughts, which a message would be sent without.
fn is_callers_fault(error: &ExchangeError) -> bool {
    match error {
        ExchangeError::Failed {
            kind: FailureKind::InvalidRequest,
            status,
            refuses_thoughts: false,
            ..
        } => !matches!(status, Some(404 | 405 | 501)),
        _ => false,
    }
}

fn written(question: &mut Question, target: &Target, dialect: Dialect) -> Result<Bytes, ApiError> {
    if dialect == Dialect::Gemini {
        let encoding = question.encoding(target);
        return Ok(write_count(question.request()?, &encoding)?.body);
    }
    Ok(question.passed(target, false)?.0)
}

fn counted(body: &[u8], dialect: Dialect) -> Option<u64> {
    if dialect == Dialect::Gemini {
        return read_count(body);
    }
    let answer: Value = serde_json::from_slice(body).ok()?;
    answer.get("input_tokens")?.as_u64()
}

/// What of a request is counted.
pub fn prompt(request: &ChatRequest) -> Prompt {
    let pieces = request.pieces();
    let mut prompt = Prompt::default();
    for text in &pieces.texts {
        prompt.text(text);
    }
    prompt.messages = pieces.messages as u64;
    prompt.tools = pieces.tools as u64;
    prompt.images = (pieces.images + pieces.documents) as u64;
    prompt
}
