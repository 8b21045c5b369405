//! The messages themselves: a job as it is seen over HTTP, in an envelope.

use serde_json::{Map, Value, json};
use troupe_actors::{
    jobs::{
        Job, State,
        webhooks::{Shape, Tell, Topic},
    },
    media::Links,
};

use super::iso;
use crate::http::jobs::view::Base;

/// Writes messages with links as this gateway hands them out.
pub struct Messages {
    pub public_url: String,
    pub links: Links,
}

impl Tell for Messages {
    fn body(&self, shape: Shape, topic: Topic, job: &Job, at: i64) -> String {
        let base = Base {
            public_url: &self.public_url,
            links: &self.links,
        };
        let body = match shape {
            Shape::Standard => json!({
                "type": topic,
                "timestamp": iso(at),
                "data": base.job(job),
            }),
            Shape::Imagine => imagine(job, base),
        };
        body.to_string()
    }
}

/// As Imagine Server tells it: the first result, of several all of them under `images`, or the error's text.
fn imagine(job: &Job, base: Base<'_>) -> Value {
    let mut body = json!({"taskId": job.id, "provider": job.provider});
    if job.state != State::Completed {
        let message = job.error.as_ref().map(|error| error.message.clone());
        let message = message.unwrap_or_else(|| format!("the task was {}", job.state));
        body["status"] = "failed".into();
        body["error"] = message.into();
        return body;
    }
    let made: Vec<Value> = job
        .output
        .results
        .iter()
        .map(|made| base.result(made))
        .filter(|made| made.get("error").is_none())
        .collect();
    let mut result = made.first().cloned().unwrap_or(Value::Object(Map::new()));
    if made.len() > 1 {
        result["images"] = made.into();
    }
    body["status"] = "completed".into();
    body["result"] = result;
    body
}
