//! Jobs as JSON.

use serde_json::{Value, json};
use troupe_actors::{
    jobs::{Job, JobResult},
    media::{Links, MediaName},
};

use crate::http::services::Services;

/// A job with links to itself and to what was made. Times are in seconds since 1970.
pub fn job(job: &Job, services: &Services) -> Value {
    Base::of(services).job(job)
}

/// One picture of a job, or why there is none.
pub fn result(result: &JobResult, services: &Services) -> Value {
    Base::of(services).result(result)
}

/// The link to the first picture or video that was made.
pub fn first_link(job: &Job, services: &Services) -> Option<String> {
    Base::of(services).first_link(job)
}

/// What links begin with, and how those to files are made.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    pub public_url: &'a str,
    pub links: &'a Links,
}

impl<'a> Base<'a> {
    fn of(services: &'a Services) -> Self {
        Self {
            public_url: &services.public_url,
            links: services.media.links(),
        }
    }

    /// See [`job`].
    pub fn job(self, job: &Job) -> Value {
        let here = format!("{}/v1/jobs/{}", self.public_url, job.id);
        let results = job.output.results.iter();
        let results: Vec<Value> = results.map(|made| self.result(made)).collect();
        json!({
            "id": job.id,
            "object": "job",
            "status": job.state,
            "action": job.action,
            "model": job.model,
            "provider": job.provider,
            "progress": job.progress,
            "attempts": job.attempts,
            "priority": job.priority,
            "queue_position": job.position,
            "next_attempt_at": job.wake_at.map(seconds_up),
            "last_error": job.setback,
            "estimated_seconds": job.estimated_seconds,
            "created_at": job.created_at / 1_000,
            "started_at": job.started_at.map(|at| at / 1_000),
            "completed_at": job.finished_at.map(|at| at / 1_000),
            "prompt": job.order.as_ref().map(|order| &order.prompt),
            "results": results,
            "usage": job.output.usage,
            "cost": job.cost,
            "error": job.error,
            "urls": {"get": here, "cancel": here, "events": format!("{here}/events")},
        })
    }

    /// See [`result`].
    pub fn result(self, result: &JobResult) -> Value {
        match result {
            JobResult::Failed { error } => json!({ "error": error }),
            JobResult::Made {
                name,
                mime,
                bytes,
                width,
                height,
                revised_prompt,
                seed,
            } => json!({
                "url": self.link(name),
                "mime_type": mime,
                "bytes": bytes,
                "width": width,
                "height": height,
                "revised_prompt": revised_prompt,
                "seed": seed,
            }),
        }
    }

    /// See [`first_link`].
    pub fn first_link(self, job: &Job) -> Option<String> {
        self.link(first_file(job)?.0)
    }

    fn link(self, name: &str) -> Option<String> {
        let link = self.links.link(&MediaName::parse(name)?);
        Some(format!("{}{link}", self.public_url))
    }
}

/// What is news of a job that waits, or runs.
pub fn progress(job: &Job) -> Value {
    json!({
        "id": job.id,
        "progress": job.progress,
        "queue_position": job.position,
        "next_attempt_at": job.wake_at.map(seconds_up),
        "estimated_seconds": job.estimated_seconds,
    })
}

/// Seconds since 1970 of milliseconds, not before them.
fn seconds_up(at: i64) -> i64 {
    (at + 999) / 1_000
}

/// Name and type of the first file that was made.
pub fn first_file(job: &Job) -> Option<(&str, &str)> {
    job.output.results.iter().find_map(|result| match result {
        JobResult::Made { name, mime, .. } => Some((name.as_str(), mime.as_str())),
        JobResult::Failed { .. } => None,
    })
}
