//! How the gateway fares, for those who draw with it.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use troupe_actors::{
    credentials::token_pool::snapshot::{BreakerSnapshot, PoolSnapshot, TokenState},
    pictures::Studio,
    providers::provider::Provider,
};

use super::{
    generate::OWN_KINDS,
    refusal::Refusal,
    tasks::{answer, fresh},
    words,
};
use crate::{
    disk,
    http::{
        auth,
        pictures::draft::drawing,
        services::{OnWorker, Services},
    },
};

/// `GET /api/v1/health`, for probes: no key is needed.
pub async fn health(worker: OnWorker) -> HttpResponse {
    let upstreams = upstreams(&drawing(&worker.0.services)).await;
    fresh().json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "api_connected": any_connected(&upstreams),
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
    }))
}

/// `GET /api/v1/system/info`
pub async fn info(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let told = async {
        auth::principal(&request, &services.keys)?;
        Ok::<_, Refusal>(fresh().json(gathered(services).await?))
    };
    answer(told.await, language)
}

async fn gathered(services: &Services) -> Result<Value, Refusal> {
    let providers = drawing(services);
    let (upstreams, quota, queue, usage) = futures_util::join!(
        upstreams(&providers),
        services.studio.quotas.shown(&providers, services),
        services.jobs.counts(),
        services.media.usage(),
    );
    let (queue, usage) = (queue?, usage.map_err(crate::http::error::ApiError::from)?);
    let folders = services.studio.folders.clone();
    // a disk that hangs must not hold up who serves
    let disk = web::block(move || disk::scarcest(&folders))
        .await
        .ok()
        .flatten();
    let up = services.clock.now().saturating_sub(services.studio.began);
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "api_connected": any_connected(&upstreams),
        "models": models(&providers),
        "upstreams": upstreams,
        "quota": quota,
        "disk": disk.map(|space| json!({"free": space.free, "total": space.total})),
        "storage": {"files": usage.files, "bytes": usage.bytes, "limit": usage.limit},
        "queue": {"queued": queue.queued, "running": queue.running},
        "uptime_seconds": up.as_secs(),
    }))
}

/// Their models as they may be ordered here: bare where that means a task.
fn models(providers: &[Arc<Provider>]) -> Vec<String> {
    let named = |provider: &Arc<Provider>, studio: &Studio| -> Vec<String> {
        let is_own = OWN_KINDS.contains(&studio.kind);
        let specs = studio.specs();
        match is_own {
            true => specs.map(|spec| spec.id.clone()).collect(),
            false => specs
                .map(|spec| format!("{}/{}", provider.name, spec.id))
                .collect(),
        }
    };
    let each = providers.iter().flat_map(|provider| {
        let studio = provider.studio.as_ref();
        studio.map_or_else(Vec::new, |studio| named(provider, studio))
    });
    each.collect()
}

async fn upstreams(providers: &[Arc<Provider>]) -> Vec<Value> {
    let look = async |provider: &Arc<Provider>| {
        let snapshot = provider.pool.snapshot().await.ok();
        let state = snapshot.as_ref().map_or("unknown", state);
        json!({
            "provider": *provider.name,
            "kind": provider.studio.as_ref().map(|studio| studio.kind),
            "connected": matches!(state, "ready" | "busy"),
            "state": state,
        })
    };
    futures_util::future::join_all(providers.iter().map(look)).await
}

fn any_connected(upstreams: &[Value]) -> bool {
    upstreams
        .iter()
        .any(|upstream| upstream["connected"] == true)
}

/// What the last attempts have shown of an upstream and of its credentials.
fn state(snapshot: &PoolSnapshot) -> &'static str {
    if !matches!(snapshot.breaker, BreakerSnapshot::Closed { .. }) {
        return "failing";
    }
    let any = |state| snapshot.tokens.iter().any(|token| token.state == state);
    if any(TokenState::Ready) || snapshot.tokens.is_empty() {
        "ready"
    } else if any(TokenState::Busy) {
        "busy"
    } else if any(TokenState::Cold) {
        "resting"
    } else {
        "refused"
    }
}
