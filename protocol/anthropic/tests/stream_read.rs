//! Streams of upstreams.

use serde_json::json;

use crate::{
    anthropic::EventReader,
    chat::{Block, ChatEvent, ReadEvents, Seal, Stop},
    dialect::Dialect,
    failure::FailureKind,
    sse::SseScanner,
    usage::Usage,
};

/// A stream's events, in chunks that end at the cuts; `end` = it was closed in order.
pub(super) fn events_of(stream: &[u8], cuts: &[usize], end: bool) -> Vec<ChatEvent> {
    let mut scanner = SseScanner::new(1 << 20);
    let mut reader = EventReader::new();
    let mut events = Vec::new();
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| *cut.min(&stream.len())).collect();
    bounds.extend([0, stream.len()]);
    bounds.sort_unstable();
    for pair in bounds.windows(2) {
        let chunk = &stream[pair[0]..pair[1]];
        let fed = scanner.feed(chunk, |event| reader.read(&event, &mut events));
        fed.unwrap();
    }
    scanner.finish(|event| reader.read(&event, &mut events));
    if end {
        reader.end(&mut events);
    }
    events
}

/// As most tests write it: a line of JSON an event, named by its type.
pub(super) fn sse(lines: &[serde_json::Value]) -> String {
    let event = |line: &serde_json::Value| {
        let name = line["type"].as_str().unwrap_or_default();
        format!("event: {name}\ndata: {line}\n\n")
    };
    lines.iter().map(event).collect()
}

fn read(lines: &[serde_json::Value]) -> Vec<ChatEvent> {
    events_of(sse(lines).as_bytes(), &[], true)
}

fn start(usage: Option<Usage>) -> ChatEvent {
    ChatEvent::Start {
        model: Some("claude-x".to_owned()),
        usage,
        service_tier: None,
    }
}

fn delta(text: &str) -> ChatEvent {
    ChatEvent::Delta(text.to_owned())
}

pub(super) fn full() -> Vec<serde_json::Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
            "model": "claude-x", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "blob"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "It "}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "citations_delta", "citation": {"type": "page_location"}}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "is ä😀\n\"x\""}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "content_block_start", "index": 3, "content_block": {"type": "tool_use", "id": "toolu_a", "name": "f", "input": {}}}),
        json!({"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{\"x\":"}}),
        json!({"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": " 1}"}}),
        json!({"type": "content_block_stop", "index": 3}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 20}}),
        json!({"type": "message_stop"}),
    ]
}

#[test]
fn a_whole_stream() {
    let before = Usage {
        prompt: 15,
        completion: 1,
        cached: 5,
        ..Usage::default()
    };
    let redacted = Seal {
        id: Some("redacted".to_owned()),
        ..Seal::new(Dialect::Anthropic, "blob")
    };
    let call = Block::Call {
        id: "toolu_a".to_owned(),
        name: "f".to_owned(),
        custom: false,
    };
    let expected = vec![
        start(Some(before)),
        ChatEvent::Open(Block::Thinking),
        ChatEvent::Ping,
        delta("hm"),
        ChatEvent::Seal(Seal::new(Dialect::Anthropic, "sig")),
        ChatEvent::Close,
        ChatEvent::Open(Block::Thinking),
        ChatEvent::Seal(redacted),
        ChatEvent::Close,
        ChatEvent::Open(Block::Text),
        delta("It "),
        delta("is ä😀\n\"x\""),
        ChatEvent::Close,
        ChatEvent::Open(call),
        delta("{\"x\":"),
        delta(" 1}"),
        ChatEvent::Close,
        ChatEvent::Finish {
            stop: Stop::ToolCalls,
            usage: Some(Usage {
                completion: 20,
                ..before
            }),
        },
    ];
    assert_eq!(read(&full()), expected);
}

#[test]
fn servers_tools_and_news_are_passed_over() {
    let events = read(&[
        json!({"type": "message_start", "message": {"model": "claude-x"}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"query\":1}"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "web_search_tool_result", "tool_use_id": "s", "content": [1]}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "of_tomorrow", "delta": "odd", "usage": 7}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        json!({"type": "message_stop"}),
        json!({"type": "content_block_start", "index": 3, "content_block": {"type": "text", "text": "late"}}),
    ]);
    let call = Block::Call {
        id: "a".to_owned(),
        name: "f".to_owned(),
        custom: false,
    };
    let finish = ChatEvent::Finish {
        stop: Stop::ToolCalls,
        usage: None,
    };
    let expected = [
        start(None),
        ChatEvent::Open(call),
        delta("{\"x\":1}"),
        ChatEvent::Close,
        finish,
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_stream_without_names_or_with_a_done_is_the_same() {
    let nameless: String = full()
        .iter()
        .map(|line| format!("data:{line}\n\n"))
        .collect();
    let nameless = nameless + "data: [DONE]\n\n";
    assert_eq!(events_of(nameless.as_bytes(), &[], true), read(&full()));
}

#[test]
fn the_end_is_told_once_it_is_known() {
    let all = full();
    let until = |count: usize| events_of(sse(&all[..count]).as_bytes(), &[], true);
    let last = |events: Vec<ChatEvent>| events.last().cloned().unwrap();
    let whole = last(until(all.len()));
    assert_eq!(
        last(until(all.len() - 1)),
        whole,
        "the stop reason is known"
    );
    let cut = until(all.len() - 2);
    assert!(
        !cut.iter()
            .any(|event| matches!(event, ChatEvent::Finish { .. }))
    );
}

#[test]
fn errors_end_it() {
    let error =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let nameless = format!("data: {error}\n\ndata: {error}\n\n");
    let expected = ChatEvent::Error {
        kind: FailureKind::Overloaded { retry_after: None },
        message: Some("Overloaded".to_owned()),
    };
    let events = events_of(nameless.as_bytes(), &[], true);
    assert_eq!(events, std::slice::from_ref(&expected));
    let mut lines = full()[..3].to_vec();
    lines.push(error);
    lines.push(json!({"type": "message_stop"}));
    assert_eq!(read(&lines).last(), Some(&expected));
    for odd in [
        "data: {oops\n\n",
        "data: {\"type\":\"content_block_delta\",\"delta\":7}\n\n",
        "data: 7\n\n",
    ] {
        let events = events_of(odd.as_bytes(), &[], true);
        let upstream = ChatEvent::Error {
            kind: FailureKind::Upstream,
            message: None,
        };
        assert_eq!(events, [upstream], "{odd}");
    }
}
