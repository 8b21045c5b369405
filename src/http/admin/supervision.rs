//! `/api/admin/supervision`: the tree, its events, restarts by hand and injected faults.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use troupe_actors::supervision::{Disturbance, Tree};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    List,
    admitted::{Admin, Refused},
    json,
};
use crate::http::error::ApiError;

/// `GET /api/admin/supervision`
pub async fn tree(admin: Admin) -> Result<HttpResponse, Refused> {
    let tree = admin.services.tree.snapshot().await?;
    Ok(json(&List {
        count: tree.nodes.len() as u64,
        list: tree.nodes,
        next: None,
    }))
}

/// `POST /api/admin/supervision/{path}/restart`
pub async fn restart(admin: Admin, path: web::Path<String>) -> Result<HttpResponse, Refused> {
    disturb(&admin, &path, Disturbance::Restart).await
}

/// A fault to inject: `{"kind":"panic"}`, and the other kinds of [`Disturbance`].
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Fault(Disturbance);

/// `POST /api/admin/supervision/{path}/fault`, where `supervision.fault_injection` allows it.
pub async fn fault(
    admin: Admin,
    path: web::Path<String>,
    fault: web::Json<Fault>,
) -> Result<HttpResponse, Refused> {
    if !admin.services.fault_injection {
        let message = "faults can be injected only with `supervision.fault_injection = true`";
        return Err(ApiError::new(ErrorCode::NotFound, message).into());
    }
    disturb(&admin, &path, fault.0.0).await
}

async fn disturb(
    admin: &Admin,
    path: &str,
    disturbance: Disturbance,
) -> Result<HttpResponse, Refused> {
    admin.services.tree.disturb(path, disturbance).await?;
    Ok(HttpResponse::build(StatusCode::ACCEPTED).json(serde_json::json!({ "path": path })))
}

/// `GET /api/admin/supervision/events`: an event of the stream for each fall, with the rows of the
/// restart log, and a comment now and then so that no proxy cuts it.
pub async fn events(admin: Admin) -> HttpResponse {
    let services = &admin.services;
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
