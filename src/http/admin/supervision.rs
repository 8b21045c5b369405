//! `/api/admin/supervision`: the tree, its events, restarts by hand and injected faults.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use troupe_actors::supervision::{Disturbance, Tree, TreeError};
use troupe_protocol::openai::error::ErrorCode;

use super::{List, admitted, json, refuse};
use crate::http::{error::ApiError, services::OnWorker};

/// `GET /api/admin/supervision`
pub async fn tree(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    match worker.0.services.tree.snapshot().await {
        Ok(tree) => json(&List {
            count: tree.nodes.len() as u64,
            list: tree.nodes,
            next: None,
        }),
        Err(error) => refuse(&told(&error)),
    }
}

/// `POST /api/admin/supervision/{path}/restart`
pub async fn restart(
    worker: OnWorker,
    request: HttpRequest,
    path: web::Path<String>,
) -> HttpResponse {
    disturb(&worker, &request, &path, Disturbance::Restart).await
}

/// A fault to inject: `{"kind":"panic"}`, and the other kinds of [`Disturbance`].
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Fault(Disturbance);

/// `POST /api/admin/supervision/{path}/fault`, where `supervision.fault_injection` allows it.
pub async fn fault(
    worker: OnWorker,
    request: HttpRequest,
    path: web::Path<String>,
    fault: web::Json<Fault>,
) -> HttpResponse {
    if !worker.0.services.fault_injection {
        return refuse(&ApiError::new(
            ErrorCode::NotFound,
            "faults can be injected only with `supervision.fault_injection = true`",
        ));
    }
    disturb(&worker, &request, &path, fault.0.0).await
}

async fn disturb(
    worker: &OnWorker,
    request: &HttpRequest,
    path: &str,
    disturbance: Disturbance,
) -> HttpResponse {
    if let Err(refusal) = admitted(worker, request).await {
        return refusal;
    }
    match worker.0.services.tree.disturb(path, disturbance).await {
        Ok(()) => {
            HttpResponse::build(StatusCode::ACCEPTED).json(serde_json::json!({ "path": path }))
        }
        Err(error) => refuse(&told(&error)),
    }
}

fn told(error: &TreeError) -> ApiError {
    let code = match error {
        TreeError::NoSuchActor { .. } => ErrorCode::NotFound,
        TreeError::Down { .. } => ErrorCode::ActorDown,
        TreeError::StartTimeout { .. } | TreeError::NoSupervisor => ErrorCode::InternalError,
    };
    ApiError::new(code, error.to_string())
}

/// `GET /api/admin/supervision/events`: an event of the stream for each fall, with the rows of the
/// restart log, and a comment now and then so that no proxy cuts it.
pub async fn events(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    let services = &worker.0.services;
    let newest = services.tree.newest_event();
    let seen = *newest.borrow();
    let feed = Feed {
        tree: services.tree.clone(),
        newest,
        seen,
        end: services.draining.clone(),
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream::unfold(feed, |mut feed| async {
            let piece = feed.next().await?;
            Some((Ok::<_, actix_web::Error>(piece), feed))
        }))
}

struct Feed {
    tree: Tree,
    newest: watch::Receiver<u64>,
    seen: u64,
    end: CancellationToken,
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The most falls told at once.
const AT_ONCE: usize = 100;

impl Feed {
    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            () = self.end.cancelled() => return None,
            () = actix_rt::time::sleep(KEEP_ALIVE) => return Some(Bytes::from_static(b": alive\n\n")),
            changed = self.newest.wait_for(|newest| *newest > self.seen) => { changed.ok()?; }
        }
        let events = self.tree.events_after(self.seen, AT_ONCE).await.ok()?;
        let mut text = String::new();
        for event in &events {
            self.seen = event.seq;
            let json = serde_json::to_string(event).ok()?;
            text.push_str(&format!(
                "id: {}\nevent: restart\ndata: {json}\n\n",
                event.seq
            ));
        }
        Some(text.into())
    }
}
