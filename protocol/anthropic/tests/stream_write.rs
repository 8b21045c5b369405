//! Streams for clients.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stream_read::{events_of, full, sse};
use crate::{
    anthropic::EventWriter,
    chat::{Block, ChatEvent, Reply, Seal, Stop, StreamFault, ToolNames, WriteEvents},
    dialect::Dialect,
    openai::error::ErrorCode,
    usage::Usage,
};

fn reply() -> Reply {
    Reply {
        id: "msg_1".to_owned(),
        model: "asked".to_owned(),
        ..Reply::default()
    }
}

pub(super) fn write_all(events: Vec<ChatEvent>, reply: Reply) -> String {
    let mut writer = EventWriter::new(reply);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The events as clients see them; each must be named by its type.
fn parsed(stream: &str) -> Vec<Value> {
    let mut lines = Vec::new();
    for event in stream.split_terminator("\n\n") {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(format!("event: {}", data["type"].as_str().unwrap()), name);
        lines.push(data);
    }
    lines
}

/// What is written between the message's begin and its end.
fn blocks(events: Vec<ChatEvent>) -> Vec<Value> {
    let all = parsed(&write_all(whole(events), reply()));
    all[1..all.len() - 2].to_vec()
}

fn whole(events: Vec<ChatEvent>) -> Vec<ChatEvent> {
    let mut all = vec![ChatEvent::Start {
        model: None,
        usage: None,
        service_tier: None,
    }];
    all.extend(events);
    all.push(ChatEvent::Finish {
        stop: Stop::End,
        usage: None,
    });
    all
}

fn delta(text: &str) -> ChatEvent {
    ChatEvent::Delta(text.to_owned())
}

fn call(id: &str, custom: bool) -> ChatEvent {
    ChatEvent::Open(Block::Call {
        id: id.to_owned(),
        name: "f".to_owned(),
        custom,
    })
}

#[test]
fn the_bytes_of_a_short_stream() {
    let usage = Usage {
        prompt: 9,
        completion: 2,
        cached: 4,
        ..Usage::default()
    };
    let events = vec![
        ChatEvent::Ping,
        ChatEvent::Start {
            model: Some("gpt".to_owned()),
            usage: None,
            service_tier: Some("default".to_owned()),
        },
        ChatEvent::Open(Block::Text),
        ChatEvent::Ping,
        delta("a \"b\""),
        ChatEvent::Logprobs(vec![json!({"token": "a"})]),
        ChatEvent::Close,
        ChatEvent::Finish {
            stop: Stop::Sequence(Some("END".to_owned())),
            usage: Some(usage),
        },
    ];
    let expected = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"gpt","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0,"service_tier":"standard"}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a \"b\""}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

"#;
    assert_eq!(write_all(events, reply()), expected);
}

#[test]
fn a_stream_comes_back_as_it_was() {
    let mut events = events_of(sse(&full()).as_bytes(), &[], true);
    // a ping may overtake a block that has yet to say something
    events.retain(|event| *event != ChatEvent::Ping);
    let written = write_all(events.clone(), reply());
    assert_eq!(events_of(written.as_bytes(), &[], true), events);
    let starts = written.matches("event: message_start").count();
    assert_eq!(starts, 1);
}

#[test]
fn empty_blocks_leave_nothing_behind() {
    let empty = vec![
        ChatEvent::Open(Block::Text),
        delta(""),
        ChatEvent::Close,
        ChatEvent::Open(Block::Thinking),
        ChatEvent::Close,
        ChatEvent::Open(Block::Refusal),
        ChatEvent::Close,
    ];
    assert_eq!(blocks(empty), [Value::Null; 0]);
}

#[test]
fn a_signature_stands_at_the_end_of_its_thoughts() {
    let seal = |seal| ChatEvent::Seal(seal);
    let own = Seal::new(Dialect::Anthropic, "sig");
    let written = blocks(vec![
        ChatEvent::Open(Block::Thinking),
        seal(own),
        delta("hm"),
        ChatEvent::Close,
        ChatEvent::Open(Block::Thinking),
        seal(Seal::new(Dialect::Gemini, "g")),
        ChatEvent::Close,
        ChatEvent::Open(Block::Thinking),
        delta("unsigned"),
        ChatEvent::Close,
    ]);
    let start = |index: u64| {
        json!({"type": "content_block_start", "index": index,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""}})
    };
    let piece = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let stop = |index: u64| json!({"type": "content_block_stop", "index": index});
    let expected = [
        start(0),
        piece(0, json!({"type": "thinking_delta", "thinking": "hm"})),
        piece(0, json!({"type": "signature_delta", "signature": "sig"})),
        stop(0),
        start(1),
        piece(
            1,
            json!({"type": "signature_delta", "signature": "troupe.gemini..g"}),
        ),
        stop(1),
        start(2),
        piece(2, json!({"type": "thinking_delta", "thinking": "unsigned"})),
        stop(2),
    ];
    assert_eq!(written, expected);
}

#[test]
fn calls_one_after_the_other() {
    let mut tools = ToolNames::default();
    let offered = tools.offer("my.tool", 64, false);
    let reply = Reply {
        tools: Arc::new(tools),
        ..reply()
    };
    let named = ChatEvent::Open(Block::Call {
        id: String::new(),
        name: offered,
        custom: false,
    });
    let events = whole(vec![
        call("call_a", false),
        delta("{\"x\""),
        delta(":1}"),
        ChatEvent::Close,
        named,
        ChatEvent::Close,
        call("call_c", true),
        delta("a\n"),
        delta("\"b\""),
        ChatEvent::Close,
    ]);
    let written = parsed(&write_all(events, reply));
    let input = |index: u64| -> String {
        let of_block = |line: &&Value| line["index"] == index && line["delta"].is_object();
        let pieces = written.iter().filter(of_block);
        pieces
            .map(|line| line["delta"]["partial_json"].as_str().unwrap())
            .collect()
    };
    let inputs = [r#"{"x":1}"#, "", r#"{"input":"a\n\"b\""}"#];
    assert_eq!([input(0), input(1), input(2)], inputs);
    let started: Vec<&Value> = written
        .iter()
        .filter(|line| line["type"] == "content_block_start")
        .map(|line| &line["content_block"])
        .collect();
    let tool =
        |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {}});
    let expected = [
        tool("call_a", "f"),
        tool("toolu_1_2", "my.tool"),
        tool("call_c", "f"),
    ];
    assert_eq!(started, expected.iter().collect::<Vec<_>>());
    let end = &written[written.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
}

#[test]
fn a_calls_seal_goes_before_it() {
    let written = blocks(vec![
        call("call_a", false),
        ChatEvent::Seal(Seal::new(Dialect::Gemini, "g")),
        delta("{}"),
        ChatEvent::Close,
    ]);
    let thoughts = json!({"type": "thinking", "thinking": "", "signature": ""});
    let tool = json!({"type": "tool_use", "id": "call_a", "name": "f", "input": {}});
    let start = |index, block| json!({"type": "content_block_start", "index": index, "content_block": block});
    let delta =
        |index, delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let stop = |index| json!({"type": "content_block_stop", "index": index});
    let input = |text| json!({"type": "input_json_delta", "partial_json": text});
    let expected = vec![
        start(0, thoughts),
        delta(
            0,
            json!({"type": "signature_delta", "signature": "troupe.gemini..g"}),
        ),
        stop(0),
        start(1, tool),
        delta(1, input("")),
        delta(1, input("{}")),
        stop(1),
    ];
    assert_eq!(written, expected);
}

#[test]
fn a_refusal_is_text_with_its_stop_reason() {
    let events = whole(vec![
        ChatEvent::Open(Block::Refusal),
        delta("no"),
        ChatEvent::Close,
    ]);
    let written = parsed(&write_all(events, reply()));
    assert_eq!(written[2]["delta"]["text"], "no");
    assert_eq!(written[4]["delta"]["stop_reason"], "refusal");
}

#[test]
fn an_answer_may_be_empty() {
    let finish = ChatEvent::Finish {
        stop: Stop::End,
        usage: None,
    };
    let written = parsed(&write_all(vec![finish], reply()));
    let kinds: Vec<&str> = written
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["message_start", "message_delta", "message_stop"]);
}

#[test]
fn a_fault_is_the_last_word() {
    let mut out = Vec::new();
    let fault = StreamFault {
        code: ErrorCode::UpstreamCut,
        message: "the provider broke off",
        request_id: "req-1",
    };
    EventWriter::new(reply()).fail(&fault, &mut out);
    let lines = parsed(std::str::from_utf8(&out).unwrap());
    let error = json!({"type": "api_error", "message": "the provider broke off",
        "code": "upstream_cut", "layer": "upstream"});
    assert_eq!(
        lines,
        [json!({"type": "error", "error": error, "request_id": "req-1"})]
    );
}
