//! How many tokens of each provider can be lent, and ending their rests. For admins.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use troupe_actors::{
    credentials::token_pool::snapshot::{PoolSnapshot, TokenState},
    pictures::Atelier,
    providers::provider::Provider,
};

use super::error::admin_only;
use crate::http::{
    pictures::draft::drawing,
    services::{OnWorker, Services},
};

#[derive(Deserialize)]
pub struct Asked {
    provider: Option<String>,
}

/// `{total, exhausted, active}` of one provider, with what each token has left where its upstream tells.
pub async fn stats(
    worker: OnWorker,
    request: HttpRequest,
    asked: web::Query<Asked>,
) -> HttpResponse {
    if let Err(refusal) = admin_only(&worker, &request).await {
        return refusal;
    }
    let services = &worker.0.services;
    let name = asked.provider.as_deref().unwrap_or("gitee");
    match provider(services, name) {
        Some(provider) => HttpResponse::Ok().json(of(&provider, &services.atelier).await),
        None => unknown(services, name),
    }
}

/// The same of all providers that draw, by name.
pub async fn all_stats(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    if let Err(refusal) = admin_only(&worker, &request).await {
        return refusal;
    }
    let services = &worker.0.services;
    let providers = drawing(services);
    let stats = providers
        .iter()
        .map(|provider| of(provider, &services.atelier));
    let stats = futures_util::future::join_all(stats).await;
    let named = providers
        .iter()
        .map(|provider| provider.name.to_string())
        .zip(stats);
    HttpResponse::Ok().json(named.collect::<Map<_, _>>())
}

/// Ends the rests of a provider's tokens.
pub async fn reset(worker: OnWorker, request: HttpRequest, asked: web::Bytes) -> HttpResponse {
    if let Err(refusal) = admin_only(&worker, &request).await {
        return refusal;
    }
    let services = &worker.0.services;
    let asked: Option<Asked> = serde_json::from_slice(&asked).ok();
    let Some(name) = asked.and_then(|asked| asked.provider) else {
        return HttpResponse::BadRequest().json(json!({"error": "Provider is required"}));
    };
    let Some(provider) = provider(services, &name) else {
        return unknown(services, &name);
    };
    match provider.pool.reset(None).await {
        Ok(_) => {
            let message = format!("Token status reset for {name}");
            HttpResponse::Ok().json(json!({"success": true, "message": message}))
        }
        Err(error) => HttpResponse::ServiceUnavailable()
            .json(json!({"error": "Request failed", "message": error.to_string()})),
    }
}

fn unknown(services: &Services, name: &str) -> HttpResponse {
    let known: Vec<String> = drawing(services)
        .iter()
        .map(|provider| provider.name.to_string())
        .collect();
    let message = format!("`{name}` is none; Valid providers: {}", known.join(", "));
    HttpResponse::BadRequest().json(json!({"error": "Invalid provider", "message": message}))
}

fn provider(services: &Services, name: &str) -> Option<Arc<Provider>> {
    drawing(services)
        .into_iter()
        .find(|provider| &*provider.name == name)
}

async fn of(provider: &Provider, atelier: &Atelier) -> Value {
    let snapshot = match provider.pool.snapshot().await {
        Ok(snapshot) => snapshot,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let mut stats = counts(&snapshot);
    let quotas = atelier.quotas(provider).await;
    for (token, remains) in quotas {
        let tokens = stats["tokens"].as_array_mut();
        let found =
            tokens.and_then(|tokens| tokens.iter_mut().find(|known| known["token"] == *token));
        let Some(found) = found else { continue };
        if let Some(quota) = remains.all {
            found["quota"] = json!(quota);
        }
        if !remains.models.is_empty() {
            found["model_quotas"] = json!(remains.models);
        }
    }
    stats
}

fn counts(snapshot: &PoolSnapshot) -> Value {
    let active = |state| matches!(state, TokenState::Ready | TokenState::Busy);
    let total = snapshot.tokens.len();
    let count = snapshot
        .tokens
        .iter()
        .filter(|token| active(token.state))
        .count();
    let tokens = snapshot.tokens.iter().map(|token| {
        json!({
            "token": token.alias,
            "state": token.state,
            "reason": token.reason,
            "resets_in_seconds": token.thaws_in_ms.map(|ms| ms.div_ceil(1_000)),
            "models": token.models,
        })
    });
    json!({
        "total": total,
        "exhausted": total - count,
        "active": count,
        "tokens": tokens.collect::<Vec<_>>(),
    })
}
