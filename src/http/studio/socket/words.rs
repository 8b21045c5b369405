//! What goes over the WebSocket, either way. The format is described in `docs/studio-api.md`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use troupe_actors::jobs::Job;

use crate::{
    http::studio::{ids::task_id, refusal::Refusal, view},
    pages::language::Language,
};

/// What a client says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Heard {
    /// Order a task and follow it.
    Generate {
        /// The client's own name for this order; comes back with what is told of it.
        request_id: Option<String>,
        #[serde(flatten)]
        fields: Map<String, Value>,
    },
    /// Tell of a task, from how it stands now on.
    Subscribe {
        task_id: String,
    },
    /// Cancel a task.
    Cancel {
        task_id: String,
    },
    Ping,
}

/// `{"type": "status", …}`: the state has changed, or is told for the first time. A final one is the task's last word.
pub fn status(job: &Job, request_id: Option<&str>, language: Language) -> Value {
    let mut told = json!({
        "type": "status",
        "task_id": task_id(&job.id),
        "status": job.state,
        "progress": job.progress,
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told[name] = value;
        }
    };
    add("request_id", request_id.map(Value::from));
    add("queue_position", job.position.map(Value::from));
    add("estimated_time", job.estimated_seconds.map(Value::from));
    add("next_attempt_at", view::next_attempt_at(job));
    add("last_error", view::last_error(job, language));
    told
}

/// `{"type": "progress", …}`: it got on, or waits at another place.
pub fn progress(job: &Job) -> Value {
    let mut told = json!({
        "type": "progress",
        "task_id": task_id(&job.id),
        "progress": job.progress,
    });
    for (name, value) in [
        ("queue_position", job.position.map(Value::from)),
        ("estimated_time", job.estimated_seconds.map(Value::from)),
        ("next_attempt_at", view::next_attempt_at(job)),
    ] {
        if let Some(value) = value {
            told[name] = value;
        }
    }
    told
}

/// `{"type": "image", …}`: a picture is there.
pub fn image(job: &Job, index: usize, image: Value) -> Value {
    json!({
        "type": "image",
        "task_id": task_id(&job.id),
        "index": index,
        "image": image,
    })
}

/// `{"type": "error", …}`: a task has failed, or the picture at that place.
pub fn failed(job: &Job, index: Option<usize>, error: Value) -> Value {
    let mut told = json!({
        "type": "error",
        "task_id": task_id(&job.id),
        "error": error,
    });
    if let Some(index) = index {
        told["index"] = index.into();
    }
    told
}

/// What a message is about that is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub task_id: Option<&'a str>,
    pub request_id: Option<&'a str>,
}

/// `{"type": "error", …}`: what the client said is refused.
pub fn refused(refusal: &Refusal, about: About<'_>, language: Language) -> Value {
    let body = refusal.body(language);
    let mut error = json!({
        "code": body["code"],
        "kind": body["error"],
        "message": body["message"],
    });
    for name in ["details", "retry_after"] {
        if let Some(value) = body.get(name) {
            error[name] = value.clone();
        }
    }
    let mut told = json!({"type": "error", "error": error});
    for (name, value) in [("task_id", about.task_id), ("request_id", about.request_id)] {
        if let Some(value) = value {
            told[name] = value.into();
        }
    }
    told
}

/// `{"type": "pong"}`
pub fn pong() -> Value {
    json!({"type": "pong"})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Option<Heard> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn what_clients_say_is_read() {
        let said = r#"{"type":"generate","request_id":"r1","prompt":"a fox","num_images":2}"#;
        let Some(Heard::Generate { request_id, fields }) = heard(said) else {
            panic!("{said}");
        };
        assert_eq!(request_id.as_deref(), Some("r1"));
        let fields = Value::from(fields);
        assert_eq!(fields, json!({"prompt": "a fox", "num_images": 2}));
        let task_id = "x".to_owned();
        let subscribe = r#"{"type":"subscribe","task_id":"x"}"#;
        assert_eq!(
            heard(subscribe),
            Some(Heard::Subscribe {
                task_id: task_id.clone()
            })
        );
        let cancel = r#"{"type":"cancel","task_id":"x"}"#;
        assert_eq!(heard(cancel), Some(Heard::Cancel { task_id }));
        assert_eq!(heard(r#"{"type":"ping"}"#), Some(Heard::Ping));
        for text in ["", "[]", r#"{"type":"subscribe"}"#, r#"{"type":"dance"}"#] {
            assert_eq!(heard(text), None, "{text}");
        }
    }
}
