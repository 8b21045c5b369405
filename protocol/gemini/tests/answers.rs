//! Whole answers, and streams.

use serde_json::json;

use super::*;
use crate::{
    chat::{Block, ChatAnswer, ChatEvent, ReadEvents, Stop},
    failure::FailureKind,
    gemini::{EventReader, read_answer},
    sse::SseScanner,
    usage::Usage,
};

pub(super) fn events(chunks: &[&[u8]]) -> Vec<ChatEvent> {
    let mut scanner = SseScanner::new(1 << 20);
    let mut reader = EventReader::default();
    let mut out = Vec::new();
    for chunk in chunks {
        let read = scanner.feed(chunk, |event| reader.read(&event, &mut out));
        read.unwrap();
    }
    scanner.finish(|event| reader.read(&event, &mut out));
    reader.end(&mut out);
    out
}

pub(super) fn stream(pieces: &[Value]) -> String {
    pieces
        .iter()
        .map(|piece| format!("data: {piece}\r\n\r\n"))
        .collect()
}

pub(super) fn streamed(pieces: &[Value]) -> Vec<ChatEvent> {
    events(&[stream(pieces).as_bytes()])
}

/// A piece with these parts.
pub(super) fn piece(parts: Value) -> Value {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}], "modelVersion": "gemini-2.5-flash"})
}

pub(super) fn ending(parts: Value, reason: &str) -> Value {
    json!({
        "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "toolUsePromptTokenCount": 2, "totalTokenCount": 20},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r1",
    })
}

const USAGE: Usage = Usage {
    prompt: 12,
    completion: 8,
    cached: 4,
    reasoning: 3,
    cache_write: 0,
};

fn delta(text: &str) -> ChatEvent {
    ChatEvent::Delta(text.to_owned())
}

fn start(usage: Option<Usage>) -> ChatEvent {
    ChatEvent::Start {
        model: Some("gemini-2.5-flash".to_owned()),
        usage,
        service_tier: None,
    }
}

fn finish(stop: Stop) -> ChatEvent {
    let usage = Some(USAGE);
    ChatEvent::Finish { stop, usage }
}

fn seal(data: &str) -> ChatEvent {
    ChatEvent::Seal(Seal::new(Dialect::Gemini, data))
}

fn opened(id: &str, name: &str) -> ChatEvent {
    ChatEvent::Open(Block::Call {
        id: id.to_owned(),
        name: name.to_owned(),
        custom: false,
    })
}

#[test]
fn thoughts_then_text() {
    let first = Usage {
        prompt: 10,
        ..Usage::default()
    };
    let mut begin = piece(json!([{"text": "hm", "thought": true}]));
    begin["usageMetadata"] = json!({"promptTokenCount": 10});
    let seen = streamed(&[
        begin,
        piece(json!([{"text": " well", "thought": true}])),
        piece(json!([{"text": "He"}, {"text": "llo"}])),
        piece(json!([{"text": ""}])),
        ending(json!([{"text": "", "thoughtSignature": "c2ln"}]), "STOP"),
    ]);
    let expected = [
        start(Some(first)),
        ChatEvent::Open(Block::Thinking),
        delta("hm"),
        delta(" well"),
        ChatEvent::Close,
        ChatEvent::Open(Block::Text),
        delta("He"),
        delta("llo"),
        ChatEvent::Close,
        ChatEvent::Open(Block::Thinking),
        seal("c2ln"),
        ChatEvent::Close,
        finish(Stop::End),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn calls_come_whole_and_signed() {
    let parts = json!([
        {"functionCall": {"name": "find", "args": {"q": "a", "n": 2}, "id": "c1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "now"}},
    ]);
    let seen = streamed(&[piece(json!([{"text": "I look"}])), ending(parts, "STOP")]);
    let expected = [
        start(None),
        ChatEvent::Open(Block::Text),
        delta("I look"),
        ChatEvent::Close,
        opened("c1", "find"),
        seal("c2ln"),
        delta(r#"{"q":"a","n":2}"#),
        ChatEvent::Close,
        opened("", "now"),
        ChatEvent::Close,
        finish(Stop::ToolCalls),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_trails_behind_the_reason_is_told_before_the_finish() {
    let seen = streamed(&[
        ending(json!([{"text": "a"}]), "MAX_TOKENS"),
        piece(json!([{"text": "b"}])),
        json!({"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}}),
    ]);
    let usage = Usage {
        prompt: 1,
        completion: 2,
        ..Usage::default()
    };
    let last = ChatEvent::Finish {
        stop: Stop::MaxTokens,
        usage: Some(usage),
    };
    assert_eq!(seen[2..], [delta("a"), delta("b"), ChatEvent::Close, last]);
}

#[test]
fn a_stream_cut_short_has_no_finish() {
    let seen = streamed(&[piece(json!([{"text": "a"}]))]);
    assert_eq!(
        seen,
        [start(None), ChatEvent::Open(Block::Text), delta("a")]
    );
    assert_eq!(events(&[b""]), []);
}

#[test]
fn errors_end_the_stream() {
    let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}});
    let seen = streamed(&[
        piece(json!([{"text": "a"}])),
        error,
        ending(json!([]), "STOP"),
    ]);
    let expected = ChatEvent::Error {
        kind: FailureKind::Overloaded { retry_after: None },
        message: Some("The model is overloaded.".to_owned()),
    };
    assert_eq!(seen[3..], [expected]);
    let broken = events(&[b"data: {\"candidates\": 7}\n\ndata: {}\n\n"]);
    let expected = ChatEvent::Error {
        kind: FailureKind::Upstream,
        message: None,
    };
    assert_eq!(broken, [expected]);
    let failed = streamed(&[ending(json!([]), "MALFORMED_FUNCTION_CALL")]);
    assert!(
        matches!(&failed[1], ChatEvent::Error { kind: FailureKind::Upstream, message: Some(why) } if why.contains("MALFORMED_FUNCTION_CALL"))
    );
    assert_eq!(failed.len(), 2);
}

#[test]
fn ways_to_stop() {
    let cases = [
        ("STOP", Stop::End),
        ("MAX_TOKENS", Stop::MaxTokens),
        ("SAFETY", Stop::Refusal),
        ("RECITATION", Stop::Refusal),
        ("PROHIBITED_CONTENT", Stop::Refusal),
        ("IMAGE_SAFETY", Stop::Refusal),
        ("OTHER", Stop::End),
        ("SOMETHING_NEW", Stop::End),
    ];
    for (reason, stop) in cases {
        let seen = streamed(&[ending(json!([{"text": "x"}]), reason)]);
        assert_eq!(seen.last(), Some(&finish(stop)), "{reason}");
    }
}

#[test]
fn a_blocked_prompt_is_a_refusal_with_nothing_said() {
    let blocked = json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}, "modelVersion": "gemini-2.5-flash"});
    let usage = Some(Usage {
        prompt: 3,
        ..Usage::default()
    });
    let stop = Stop::Refusal;
    let seen = streamed(std::slice::from_ref(&blocked));
    assert_eq!(seen, [start(usage), ChatEvent::Finish { stop, usage }]);
    let answer = read_answer(blocked.to_string().as_bytes()).unwrap();
    assert_eq!(
        (answer.stop, answer.parts, answer.usage),
        (Stop::Refusal, vec![], usage)
    );
}

#[test]
fn a_whole_answer() {
    let body = ending(
        json!([
            {"text": "hm", "thought": true},
            {"text": "one "},
            {"text": "answer"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"functionCall": {"name": "f", "args": {"x": 1.5}}, "thoughtSignature": "c2ln"},
        ]),
        "STOP",
    );
    let pretty = serde_json::to_vec_pretty(&body).unwrap();
    let expected = ChatAnswer {
        model: Some("gemini-2.5-flash".to_owned()),
        parts: vec![
            thinking("hm", None),
            Part::text("one answer"),
            call("", "f", r#"{"x":1.5}"#, Some("c2ln")),
        ],
        stop: Stop::ToolCalls,
        usage: Some(USAGE),
        service_tier: None,
        logprobs: None,
    };
    assert_eq!(read_answer(&pretty).unwrap(), expected);
}

#[test]
fn what_is_no_answer() {
    let malformed = ending(json!([]), "MALFORMED_FUNCTION_CALL").to_string();
    let cases = [
        ("", "EOF"),
        ("[]", "no finish reason"),
        ("{}", "no finish reason"),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#,
            "no finish reason",
        ),
        (
            r#"{"error":{"code":400,"message":"secret"}}"#,
            "it is an error",
        ),
        (&malformed, "MALFORMED_FUNCTION_CALL"),
    ];
    for (body, reason) in cases {
        let error = read_answer(body.as_bytes()).unwrap_err();
        assert!(error.reason.contains(reason), "{body}: {error}");
    }
}
