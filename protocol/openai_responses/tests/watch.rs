use serde_json::{Value, json};

use super::{super::watch, sse};
use crate::{
    failure::FailureKind,
    openai::stream::{StreamError, StreamSeen},
    sse::SseScanner,
    usage::Usage,
};

fn seen_in(stream: &str) -> StreamSeen {
    let mut seen = StreamSeen::default();
    let mut scanner = SseScanner::new(1 << 20);
    scanner
        .feed(stream.as_bytes(), |event| watch(&event, &mut seen))
        .unwrap();
    seen
}

fn seen(events: &[Value]) -> StreamSeen {
    let named = seen_in(&sse(events));
    assert_eq!(seen_in(&sse(events).replace("event: ", ": ")), named);
    named
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"status": "in_progress", "usage": null, "error": null}})
}

fn delta() -> Value {
    json!({"type": "response.output_text.delta", "delta": "{\"type\":\"error\"}"})
}

#[test]
fn a_good_stream() {
    let usage = json!({"input_tokens": 2, "output_tokens": 3, "total_tokens": 5});
    for (name, status) in [
        ("response.completed", "completed"),
        ("response.incomplete", "incomplete"),
    ] {
        let last =
            json!({"type": name, "response": {"status": status, "usage": usage, "output": []}});
        let expected = StreamSeen {
            events: 3,
            content: true,
            finish_reason: true,
            done: true,
            usage: Some(Usage {
                prompt: 2,
                completion: 3,
                ..Usage::default()
            }),
            error: None,
        };
        assert_eq!(seen(&[created(), delta(), last]), expected);
    }
}

#[test]
fn a_stream_under_way() {
    let begun = seen(&[created()]);
    assert!(!begun.content && !begun.done);
    let cut = seen(&[created(), delta()]);
    assert!(cut.content && !cut.done && !cut.finish_reason && cut.error.is_none());
    let whole =
        json!({"type": "response.completed", "response": {"output": [{"type": "message"}]}});
    assert!(
        seen(&[created(), whole]).content,
        "text that came only at the end"
    );
}

#[test]
fn failures_are_never_taken_for_an_end() {
    let limited = FailureKind::RateLimited { retry_after: None };
    let error = json!({"code": "rate_limit_exceeded", "message": "slow"});
    let usage = json!({"input_tokens": 2, "output_tokens": 0});
    let cases = [
        json!({"type": "response.failed", "response": {"status": "failed", "error": error, "usage": usage}}),
        json!({"type": "response.completed", "response": {"status": "failed", "error": error}}),
        json!({"type": "response.failed", "error": error}),
        json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": null, "sequence_number": 2}),
        json!({"type": "error", "error": error}),
    ];
    for last in cases {
        let seen = seen(&[created(), delta(), last.clone()]);
        let expected = StreamError {
            kind: limited,
            message: Some("slow".to_owned()),
        };
        assert_eq!(seen.error, Some(expected), "{last}");
        assert!(!seen.done && !seen.finish_reason, "{last}");
    }
    let bare = seen(&[
        json!({"type": "response.failed", "response": {"status": "failed", "error": null}}),
    ]);
    assert_eq!(bare.error.unwrap().kind, FailureKind::Upstream);
}
