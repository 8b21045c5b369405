//! Whole answers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::part;
use crate::{
    anthropic::{read_answer, write_answer},
    chat::{ChatAnswer, Part, PartBody, Reply, Seal, Stop, Thinking, ToolCall, ToolNames},
    dialect::Dialect,
    usage::Usage,
};

fn reply() -> Reply {
    Reply {
        id: "msg_1".to_owned(),
        model: "asked".to_owned(),
        ..Reply::default()
    }
}

fn call(id: &str, name: &str, input: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        custom: false,
        seal: None,
    }
}

fn thoughts(text: &str, seal: Option<Seal>) -> Part {
    let text = text.to_owned();
    part(PartBody::Thinking(Thinking { text, seal }))
}

fn answer(parts: Vec<Part>, stop: Stop) -> ChatAnswer {
    ChatAnswer {
        model: None,
        parts,
        stop,
        usage: None,
        service_tier: None,
        logprobs: None,
    }
}

fn write(answer: &ChatAnswer) -> Value {
    serde_json::from_slice(&write_answer(answer, &reply())).unwrap()
}

fn full() -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "blob"},
            {"type": "text", "text": "It is"},
            {"type": "tool_use", "id": "toolu_a", "name": "f", "input": {"z": 1, "a": {"b": [true]}}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
            "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 4}, "service_tier": "standard"},
    })
}

#[test]
fn an_answer_comes_back_as_it_was() {
    let read = read_answer(full().to_string().as_bytes()).unwrap();
    let redacted = Seal {
        id: Some("redacted".to_owned()),
        ..Seal::new(Dialect::Anthropic, "blob")
    };
    let parts = vec![
        thoughts("hm", Some(Seal::new(Dialect::Anthropic, "sig"))),
        thoughts("", Some(redacted)),
        Part::text("It is"),
        part(PartBody::Call(call(
            "toolu_a",
            "f",
            r#"{"z":1,"a":{"b":[true]}}"#,
        ))),
    ];
    let expected = ChatAnswer {
        model: Some("claude-x".to_owned()),
        usage: Some(Usage {
            prompt: 15,
            completion: 7,
            cached: 3,
            reasoning: 4,
            cache_write: 2,
        }),
        service_tier: Some("standard".to_owned()),
        ..answer(parts, Stop::ToolCalls)
    };
    assert_eq!(read, expected);
    assert_eq!(write(&read), full());
}

#[test]
fn server_tools_and_news_are_passed_over() {
    let body = json!({"content": [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]},
        {"type": "of_tomorrow", "text": 5},
        {"type": "text", "text": "", "citations": null},
        {"type": "text", "text": "found", "citations": [{"type": "page_location"}]},
        {"type": "tool_use", "id": "a", "name": "f"},
    ]});
    let read = read_answer(body.to_string().as_bytes()).unwrap();
    let call = part(PartBody::Call(call("a", "f", "{}")));
    let expected = answer(vec![Part::text("found"), call], Stop::ToolCalls);
    assert_eq!(read, expected);
}

#[test]
fn stop_reasons_both_ways() {
    let sequence = Stop::Sequence(Some("END".to_owned()));
    #[rustfmt::skip]
    let cases = [
        (json!("end_turn"), Value::Null, Stop::End),
        (json!("max_tokens"), Value::Null, Stop::MaxTokens),
        (json!("model_context_window_exceeded"), Value::Null, Stop::ContextWindow),
        (json!("stop_sequence"), json!("END"), sequence),
        (json!("refusal"), Value::Null, Stop::Refusal),
        (json!("pause_turn"), Value::Null, Stop::Pause),
    ];
    for (reason, sequence, stop) in cases {
        let body = json!({"content": [], "stop_reason": reason, "stop_sequence": sequence});
        let read = read_answer(body.to_string().as_bytes()).unwrap();
        assert_eq!(read.stop, stop);
        let written = write(&read);
        assert_eq!(written["stop_reason"], reason);
        assert_eq!(written["stop_sequence"], sequence);
        assert_eq!(written["content"], json!([]));
        assert_eq!(written["model"], "asked");
        assert_eq!(written["usage"]["input_tokens"], 0);
    }
    for odd in [
        json!({"content": []}),
        json!({"content": [], "stop_reason": "new"}),
    ] {
        let read = read_answer(odd.to_string().as_bytes()).unwrap();
        assert_eq!((read.stop, read.usage), (Stop::End, None));
    }
}

#[test]
fn calls_force_their_stop_reason_and_have_ids() {
    let calls = vec![
        part(PartBody::Call(call("", "f", ""))),
        part(PartBody::Call(call("", "f", "{oops"))),
    ];
    let written = write(&answer(calls, Stop::End));
    assert_eq!(written["stop_reason"], "tool_use");
    let expected = json!([
        {"type": "tool_use", "id": "toolu_1_1", "name": "f", "input": {}},
        {"type": "tool_use", "id": "toolu_1_2", "name": "f", "input": {"_raw": "{oops"}}]);
    assert_eq!(written["content"], expected);
}

#[test]
fn names_are_given_back() {
    let mut tools = ToolNames::default();
    let offered = tools.offer("with.dots", 64, false);
    let reply = Reply {
        tools: Arc::new(tools),
        ..reply()
    };
    let answer = answer(
        vec![part(PartBody::Call(call("a", &offered, "{}")))],
        Stop::End,
    );
    let written: Value = serde_json::from_slice(&write_answer(&answer, &reply)).unwrap();
    assert_eq!(written["content"][0]["name"], "with.dots");
}

#[test]
fn refusals_and_foreign_thoughts() {
    let parts = vec![
        thoughts("hm", None),
        thoughts("", Some(Seal::new(Dialect::Gemini, "g"))),
        part(PartBody::Refusal("no".to_owned())),
    ];
    let written = write(&answer(parts, Stop::End));
    assert_eq!(written["stop_reason"], "refusal");
    let expected = json!([
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "thinking", "thinking": "", "signature": "troupe.gemini..g"},
        {"type": "text", "text": "no"}]);
    assert_eq!(written["content"], expected);
}

#[test]
fn what_is_no_message_is_malformed() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"content":null}"#,
        r#"{"content":["text"]}"#,
        r#"{"type":"error","error":{"type":"api_error","message":"x"}}"#,
        r#"{"content":[{"type":"text","text":7}]}"#,
    ] {
        assert!(read_answer(body.as_bytes()).is_err(), "{body}");
    }
}
