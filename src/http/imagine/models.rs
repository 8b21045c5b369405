//! The models that draw, as a bare list.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use troupe_actors::{credentials::Readiness, pictures::Studio, providers::provider::Provider};
use troupe_protocol::pictures::ModelSpec;
use uuid::Uuid;

use super::error;
use crate::http::{auth, services::OnWorker};

/// Those of providers that could serve now.
pub async fn served(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    list(&worker, &request, |provider, spec| {
        provider.pool.readiness(&spec.upstream) == Readiness::Ready
    })
}

/// All of them.
pub async fn all(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    list(&worker, &request, |_, _| true)
}

fn list(
    worker: &OnWorker,
    request: &HttpRequest,
    fits: impl Fn(&Provider, &ModelSpec) -> bool,
) -> HttpResponse {
    let services = &worker.0.services;
    if let Err(refusal) = auth::principal(request, &services.keys) {
        return error::respond(&refusal, &Uuid::now_v7().to_string());
    }
    let mut models: Vec<Value> = Vec::new();
    for provider in services.catalog.directory().providers() {
        let specs = provider.studio.iter().flat_map(Studio::specs);
        let fitting = specs.filter(|spec| fits(provider, spec));
        models.extend(fitting.map(|spec| describe(provider, spec)));
    }
    HttpResponse::Ok().json(models)
}

fn describe(provider: &Provider, spec: &ModelSpec) -> Value {
    let mut model = json!({
        "id": format!("{}/{}", provider.name, spec.id),
        "name": spec.name,
        "type": spec.types,
    });
    if let Some(steps) = spec.steps {
        model["steps"] = json!(steps);
    }
    if let Some(guidance) = spec.guidance {
        model["guidance"] = json!(guidance);
    }
    if spec.hd.is_some() {
        model["enableHD"] = true.into();
    }
    if spec.is_task {
        model["async"] = true.into();
    }
    if spec.types.iter().any(|kind| kind != "text2text") {
        // whatever the upstream answers with, clients get a link to our copy
        model["responseType"] = "url".into();
    }
    model["sizes"] = spec.sizes.to_string().into();
    model
}
