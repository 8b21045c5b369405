//! The events of the two protocols of Gradio.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    frames::{Faults, Frames, Reel},
    studio::State,
};

/// How a function ended.
pub(super) enum End {
    Made(Value),
    /// Null, where the app does not show its errors.
    Error(Value),
    /// It does not, until the client leaves.
    Never,
}

impl End {
    /// As the prompt wanted it.
    pub fn of(state: State, outputs: Value) -> Self {
        match state {
            State::Failed => Self::Error(Value::Null),
            State::AtWork => Self::Never,
            _ => Self::Made(outputs),
        }
    }

    /// What ZeroGPU says to who has no seconds left.
    pub fn quota() -> Self {
        let text = "'You have exceeded your ZeroGPU quota (146s requested vs. 62s left). Try again in 23:59:09. \
                    Subscribe to PRO for more.'";
        Self::Error(json!({"error": text, "visible": true, "title": "ZeroGPU quota exceeded"}))
    }
}

/// `GET …/call/{api_name}/{event_id}`
pub(super) fn call(end: &End) -> Frames {
    let event = |name: &str, data: &Value| format!("event: {name}\ndata: {data}\n\n");
    let mut reel = Reel::default();
    reel.event(&event("heartbeat", &Value::Null));
    reel.event(&event("generating", &json!([null, 42])));
    let (last, broken) = match end {
        End::Made(outputs) => (event("complete", outputs), "event: complete\ndata: [{\n\n"),
        End::Error(error) => (event("error", error), "event: error\ndata: {\n\n"),
        End::Never => (String::new(), ""),
    };
    let error = event("error", &Value::Null);
    reel.end(last, faults(error, broken))
}

/// `GET …/queue/data`
pub(super) fn queue(event_id: &str, end: &End) -> Frames {
    let event = |msg: &str, more: Value| {
        let mut data = json!({"msg": msg, "event_id": event_id});
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        format!("data: {data}\n\n")
    };
    let mut reel = Reel::default();
    reel.event(&event(
        "estimation",
        json!({"rank": 0, "queue_size": 1, "rank_eta": 2.5}),
    ));
    reel.event(&event("process_starts", json!({"eta": 2.5})));
    reel.event(&event("log", json!({"log": "warming up", "level": "info"})));
    reel.event("data: {\"msg\": \"heartbeat\"}\n\n");
    reel.event(&event(
        "process_generating",
        json!({"output": {"data": [null, 42]}, "success": true}),
    ));
    let last = match end {
        End::Made(outputs) => {
            let output = json!({"data": outputs, "is_generating": false, "duration": 2.5});
            event(
                "process_completed",
                json!({"output": output, "success": true}),
            )
        }
        End::Error(error) => {
            let (text, title) = (error.get("error").unwrap_or(&Value::Null), &error["title"]);
            let output = json!({"error": text});
            event(
                "process_completed",
                json!({"output": output, "success": false, "title": title}),
            )
        }
        End::Never => String::new(),
    };
    if !last.is_empty() {
        reel.event(&last);
    }
    let error = event(
        "unexpected_error",
        json!({"message": "Session not found", "success": false}),
    );
    let close = match end {
        End::Never => String::new(),
        _ => event("close_stream", json!({})),
    };
    reel.end(close, faults(error, "data: {\"msg\": \n\n"))
}

fn faults(error: String, broken: &'static str) -> Faults {
    Faults {
        error: Bytes::from(error),
        broken,
        line: (
            "data: {\"msg\": \"log\", \"log\": \"".to_owned(),
            "\"}".to_owned(),
        ),
    }
}
