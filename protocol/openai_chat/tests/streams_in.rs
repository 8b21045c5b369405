//! Streams of upstreams.

use serde_json::{Value, json};

use super::{events_of, said, stream_of};

use crate::{
    chat::{Block, ChatEvent, ReadEvents, Seal, Stop},
    dialect::Dialect,
    failure::FailureKind,
    openai_chat::EventReader,
    sse::SseEvent,
    usage::Usage,
};

pub(super) fn events(chunks: &[Value]) -> Vec<ChatEvent> {
    events_of([stream_of(chunks).as_bytes()])
}

/// A chunk with this delta.
pub(super) fn delta(delta: Value) -> Value {
    json!({"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

pub(super) fn end(reason: &str) -> Value {
    json!({"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn start() -> ChatEvent {
    ChatEvent::Start {
        model: Some("m".to_owned()),
        usage: None,
        service_tier: None,
    }
}

pub(super) fn finish(stop: Stop) -> ChatEvent {
    ChatEvent::Finish { stop, usage: None }
}

/// The events between the start and the end.
pub(super) fn inner(chunks: &[Value]) -> Vec<ChatEvent> {
    let mut events = events(chunks);
    assert_eq!(events.remove(0), start());
    assert!(matches!(events.pop(), Some(ChatEvent::Finish { .. })));
    events
}

pub(super) const TEXT: ChatEvent = ChatEvent::Open(Block::Text);

const THINKING: ChatEvent = ChatEvent::Open(Block::Thinking);

#[test]
fn a_plain_answer() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    let mut trailing = json!({"model": "m", "choices": []});
    trailing["usage"] = usage;
    let chunks = [
        // Azure's first
        json!({"model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
        delta(json!({"role": "assistant", "content": "", "refusal": null})),
        delta(json!({"content": "He"})),
        delta(json!({"content": "y"})),
        end("stop"),
        trailing,
        json!("[DONE]"),
        delta(json!({"content": "late"})),
    ];
    let usage = Some(Usage {
        prompt: 3,
        completion: 2,
        ..Usage::default()
    });
    let stop = Stop::End;
    let expected = [
        start(),
        TEXT,
        said("He"),
        said("y"),
        ChatEvent::Close,
        ChatEvent::Finish { stop, usage },
    ];
    assert_eq!(events(&chunks), expected);
}

#[test]
fn the_end_is_told_once_all_is_known() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2});
    let known = Usage {
        prompt: 3,
        completion: 2,
        ..Usage::default()
    };
    let with = |mut chunk: Value, usage: &Value| {
        chunk["usage"] = usage.clone();
        chunk
    };
    let hi = delta(json!({"content": "hi"}));
    let in_choice =
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]});
    let groq = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": usage}});
    let early = json!({"prompt_tokens": 3, "completion_tokens": 1});
    let cases = [
        vec![with(end("stop"), &usage)],
        vec![with(end("stop"), &usage), json!("[DONE]")],
        vec![end("stop"), with(json!({"choices": []}), &usage)],
        vec![
            end("stop"),
            with(delta(json!({"content": ""})), &usage),
            json!("[DONE]"),
        ],
        vec![
            with(end("stop"), &early),
            with(json!({"choices": []}), &usage),
        ],
        vec![in_choice],
        vec![groq, json!("[DONE]")],
    ];
    for case in cases {
        let mut chunks = vec![hi.clone()];
        chunks.extend(case);
        let all = events(&chunks);
        let ends: Vec<_> = all
            .iter()
            .filter(|event| matches!(event, ChatEvent::Finish { .. }))
            .collect();
        let expected = ChatEvent::Finish {
            stop: Stop::End,
            usage: Some(known),
        };
        assert_eq!(ends, [&expected], "{chunks:?}");
        assert_eq!(all.last(), Some(&expected));
    }
    // an upstream that says neither why nor how much, but that it is done
    assert_eq!(
        events(&[hi.clone(), json!("[DONE]")]).last(),
        Some(&finish(Stop::End))
    );
    // and one that was cut short
    assert_eq!(events(&[hi]), [start(), TEXT, said("hi")]);
    assert_eq!(events(&[]), []);
}

#[test]
fn thoughts_and_texts_take_turns() {
    let chunks = [
        delta(json!({"content": "", "reasoning_content": "a"})),
        delta(json!({"content": null, "reasoning_content": "b"})),
        delta(json!({"content": "c", "reasoning_content": null})),
        delta(
            json!({"reasoning": "d", "reasoning_details": [{"type": "reasoning.summary", "summary": "d"}]}),
        ),
        delta(json!({"refusal": "no"})),
        end("stop"),
    ];
    let close = ChatEvent::Close;
    let expected = [
        THINKING,
        said("a"),
        said("b"),
        close.clone(),
        TEXT,
        said("c"),
        close.clone(),
        THINKING,
        said("d"),
        close.clone(),
        ChatEvent::Open(Block::Refusal),
        said("no"),
        close,
    ];
    assert_eq!(inner(&chunks), expected);
}

#[test]
fn mistral_sends_parts() {
    let chunks = [
        delta(
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
        ),
        delta(json!({"content": [{"type": "text", "text": "a"}]})),
        delta(json!({"content": "b"})),
        end("stop"),
    ];
    let expected = [
        THINKING,
        said("hm"),
        ChatEvent::Close,
        TEXT,
        said("a"),
        said("b"),
        ChatEvent::Close,
    ];
    assert_eq!(inner(&chunks), expected);
}

#[test]
fn seals_belong_to_their_thoughts() {
    let detail = |detail: Value| delta(json!({"reasoning_details": [detail]}));
    let own = |data: &str| ChatEvent::Seal(Seal::new(Dialect::OpenaiChat, data));
    let chunks = [
        detail(json!({"type": "reasoning.text", "text": "a", "index": 0})),
        detail(json!({"type": "reasoning.text", "text": "b", "index": 0})),
        detail(json!({"type": "reasoning.text", "signature": "s1", "index": 0})),
        detail(json!({"type": "reasoning.text", "text": "c", "signature": "s2", "index": 1})),
        detail(json!({"type": "reasoning.summary", "summary": "d", "index": 2})),
        detail(json!({"type": "reasoning.encrypted", "data": "e", "index": 3})),
        delta(json!({"content": "x"})),
        detail(json!({"type": "reasoning.encrypted", "data": "f", "index": 4})),
        end("stop"),
    ];
    let close = || ChatEvent::Close;
    let expected = [
        THINKING,
        said("a"),
        said("b"),
        own("s1"),
        close(),
        THINKING,
        said("c"),
        own("s2"),
        close(),
        THINKING,
        said("d"),
        close(),
        THINKING,
        own("e"),
        close(),
        TEXT,
        said("x"),
        close(),
        THINKING,
        own("f"),
        close(),
    ];
    assert_eq!(inner(&chunks), expected);
}

#[test]
fn only_the_first_choice_counts_and_has_its_logprobs() {
    let chunks = [
        json!({"model": "m", "choices": [
            {"index": 1, "delta": {"content": "no"}},
            {"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [{"token": "a"}]}},
        ]}),
        json!({"model": "m", "choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}),
        json!({"model": "m", "choices": [{"index": 0, "delta": {}, "logprobs": {"content": []}, "finish_reason": "stop", "stop_reason": "#"}]}),
    ];
    let expected = [
        start(),
        TEXT,
        said("a"),
        ChatEvent::Logprobs(vec![json!({"token": "a"})]),
        ChatEvent::Close,
        finish(Stop::Sequence(Some("#".to_owned()))),
    ];
    assert_eq!(events(&chunks), expected);
}

#[test]
fn errors_end_the_stream() {
    let hi = delta(json!({"content": "hi"}));
    let limited = FailureKind::RateLimited { retry_after: None };
    let cases = [
        (
            json!({"error": {"message": "slow down", "code": 429}}),
            limited,
            Some("slow down"),
        ),
        (
            json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], "error": {"code": 502, "message": "broke"}}),
            FailureKind::Upstream,
            Some("broke"),
        ),
        (
            json!({"object": "error", "message": "flat", "code": 500}),
            FailureKind::Upstream,
            Some("flat"),
        ),
        (json!("{\"choices\": oops"), FailureKind::Upstream, None),
        (json!("[]x"), FailureKind::Upstream, None),
    ];
    for (chunk, kind, message) in cases {
        let message = message.map(str::to_owned);
        let expected = [
            start(),
            TEXT,
            said("hi"),
            ChatEvent::Error { kind, message },
        ];
        assert_eq!(
            events(&[hi.clone(), chunk, hi.clone(), json!("[DONE]")]),
            expected
        );
    }
    let fine = json!({"error": null, "choices": [{"index": 0, "delta": {"content": "a"}}]});
    assert!(
        !events(&[fine])
            .iter()
            .any(|event| matches!(event, ChatEvent::Error { .. }))
    );
}

#[test]
fn an_event_named_error_is_one_whatever_it_holds() {
    let mut reader = EventReader::new();
    let mut out = Vec::new();
    let event = SseEvent {
        name: b"error",
        data: b"upstream went away",
        at: 0..0,
    };
    reader.read(&event, &mut out);
    let kind = FailureKind::Upstream;
    let message = None;
    assert_eq!(out, [ChatEvent::Error { kind, message }]);
}
