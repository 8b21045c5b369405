//! `GET /v1/jobs/{id}/events`: a job as a stream of server-sent events, which ends with the job. `Last-Event-ID` goes
//! on where a stream before had ended.

use std::{pin::Pin, sync::Arc, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use troupe_actors::jobs::{Event, JobResult, events::EventKind};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    routes::{absent, refused},
    view,
};
use crate::http::{
    auth,
    error::ApiError,
    seats::Seat,
    services::{OnWorker, Services},
};

/// A stream that is silent for so long gets a comment, so that no proxy cuts it.
const SILENCE: Duration = Duration::from_secs(15);
/// When to come again after the app has as many streams as it may.
const SEAT_RETRY: Duration = Duration::from_secs(10);

pub async fn events(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = worker.0.services.clone();
    let after = request.headers().get("last-event-id");
    let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let watched = async {
        let principal = auth::principal(&request, &services.keys)?;
        let seat = services.job_streams.take(principal.app_id());
        let seat = seat.ok_or_else(|| crowded(&services))?;
        let watched = services
            .jobs
            .watch(principal.app_id(), &id, after.unwrap_or_default());
        let news = watched.await?.ok_or_else(|| absent(&id))?;
        Ok((news, seat))
    };
    let (news, seat) = match watched.await {
        Ok(watched) => watched,
        Err::<_, ApiError>(error) => return refused(&error),
    };
    let feed = Feed {
        news: Box::pin(news),
        services,
        _seat: seat,
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream::unfold(feed, |mut feed| async {
            let piece = feed.next().await?;
            Some((Ok::<_, Error>(piece), feed))
        }))
}

fn crowded(services: &Services) -> ApiError {
    let most = services.jobs.config().streams_per_app;
    let message = format!(
        "your app has {most} streams of events open, as many as jobs.streams_per_app allows; close some, or ask for the \
         job now and then"
    );
    ApiError::new(ErrorCode::AppLimitReached, message).retry(SEAT_RETRY)
}

struct Feed {
    news: Pin<Box<dyn Stream<Item = Event>>>,
    services: Arc<Services>,
    _seat: Seat,
}

impl Feed {
    /// The next piece; none after the job's end, or when the gateway drains: the client comes back.
    async fn next(&mut self) -> Option<Bytes> {
        let draining = self.services.draining.clone();
        tokio::select! {
            event = self.news.next() => Some(told(&event?, &self.services)),
            () = draining.cancelled() => None,
            () = actix_rt::time::sleep(SILENCE) => Some(Bytes::from_static(b": still here\n\n")),
        }
    }
}

fn told(event: &Event, services: &Services) -> Bytes {
    let job = &event.job;
    let (name, data): (_, Value) = match event.kind {
        EventKind::Status => ("status", view::job(job, services)),
        EventKind::Progress => ("progress", view::progress(job)),
        EventKind::Result(at) => {
            let made: Option<&JobResult> = job.output.results.get(at);
            let made = made.map_or(Value::Null, |made| view::result(made, services));
            ("result", json!({"id": job.id, "index": at, "result": made}))
        }
        EventKind::Error => ("error", json!({"id": job.id, "error": job.error})),
    };
    let number = event.number;
    Bytes::from(format!("id: {number}\nevent: {name}\ndata: {data}\n\n"))
}
