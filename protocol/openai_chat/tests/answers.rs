//! Whole answers, both ways.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{call, json as parsed, reply, thinking};
use crate::{
    chat::{ChatAnswer, Part, PartBody, Reply, Seal, Stop, ToolCall, ToolNames},
    dialect::Dialect,
    openai_chat::{read_answer, write_answer},
    usage::Usage,
};

fn read(choice: &Value) -> ChatAnswer {
    read_answer(json!({"choices": [choice]}).to_string().as_bytes()).unwrap()
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

fn message_of(answer: &ChatAnswer, reply: &Reply) -> Value {
    parsed(&write_answer(answer, reply))["choices"][0]["message"].take()
}

#[test]
fn messages_of_upstreams() {
    let text = |text: &str| Part::text(text);
    let cases = [
        (
            json!({"content": "hi", "refusal": null, "annotations": []}),
            vec![text("hi")],
        ),
        (json!({"content": null}), vec![]),
        (json!({"content": ""}), vec![]),
        (
            json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
            vec![text("ab")],
        ),
        // Mistral
        (
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "b"}]}),
            vec![thinking("hm", None), text("b")],
        ),
        (
            json!({"content": "a", "reasoning_content": "hm"}),
            vec![thinking("hm", None), text("a")],
        ),
        (
            json!({"content": "a", "reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s"}]}),
            vec![
                thinking("hm", Some(Seal::new(Dialect::OpenaiChat, "s"))),
                text("a"),
            ],
        ),
        (
            json!({"content": null, "refusal": "no"}),
            vec![PartBody::Refusal("no".to_owned()).into()],
        ),
        (
            json!({"content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"},
                 "extra_content": {"google": {"thought_signature": "s"}}},
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ]}),
            vec![
                PartBody::Call(ToolCall {
                    seal: Some(Seal::new(Dialect::Gemini, "s")),
                    ..call("c1", "f", "{}")
                })
                .into(),
                PartBody::Call(ToolCall {
                    custom: true,
                    ..call("c2", "g", "x")
                })
                .into(),
            ],
        ),
        (
            json!({"function_call": {"name": "f", "arguments": "{}"}}),
            vec![PartBody::Call(call("", "f", "{}")).into()],
        ),
    ];
    for (message, parts) in cases {
        let read = read(&json!({"message": message, "finish_reason": "stop"}));
        assert_eq!(read.parts, parts, "{message}");
    }
}

#[test]
fn reasons_to_stop() {
    let cases = [
        (json!("stop"), Stop::End),
        (json!("length"), Stop::MaxTokens),
        (json!("content_filter"), Stop::Refusal),
        // no call came, so there is none to run
        (json!("tool_calls"), Stop::End),
        (json!("whatever"), Stop::End),
        (Value::Null, Stop::End),
    ];
    for (reason, stop) in cases {
        let read = read(&json!({"message": {"content": "a"}, "finish_reason": reason}));
        assert_eq!(read.stop, stop, "{reason}");
    }
    let sequence = read(&json!({"message": {}, "finish_reason": "stop", "stop_reason": "###"}));
    assert_eq!(sequence.stop, Stop::Sequence(Some("###".to_owned())));
    let token = read(&json!({"message": {}, "finish_reason": "stop", "stop_reason": 7}));
    assert_eq!(token.stop, Stop::End);
    let calls = json!([{"id": "c", "function": {"name": "f", "arguments": "{}"}}]);
    for (reason, stop) in [("stop", Stop::ToolCalls), ("length", Stop::MaxTokens)] {
        let read = read(&json!({"message": {"tool_calls": calls}, "finish_reason": reason}));
        assert_eq!(read.stop, stop, "{reason}");
    }
}

#[test]
fn the_rest_of_an_answer() {
    let body = json!({
        "id": "x", "model": "m", "service_tier": "default",
        "choices": [
            {"index": 0, "message": {"content": "a"}, "finish_reason": "stop", "logprobs": {"content": [{"token": "a"}]}},
            {"index": 1, "message": {"content": "b"}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3}},
    });
    let read = read_answer(body.to_string().as_bytes()).unwrap();
    let usage = Usage {
        prompt: 9,
        completion: 5,
        cached: 4,
        reasoning: 3,
        cache_write: 2,
    };
    let expected = ChatAnswer {
        model: Some("m".to_owned()),
        usage: Some(usage),
        service_tier: Some("default".to_owned()),
        logprobs: Some(vec![json!({"token": "a"})]),
        ..answer(vec![Part::text("a")], Stop::End)
    };
    assert_eq!(read, expected);
}

#[test]
fn what_is_no_answer_is_malformed_and_not_quoted() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"choices":[]}"#,
        r#"{"choices":"sk-secret"}"#,
        r#"{"error":{"message":"x"}}"#,
    ] {
        let error = read_answer(body.as_bytes()).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn an_answer_for_a_client() {
    let usage = Usage {
        prompt: 9,
        completion: 5,
        cached: 4,
        reasoning: 3,
        cache_write: 2,
    };
    let seal = Some(Seal::new(Dialect::Anthropic, "sig"));
    let parts = vec![
        thinking("hm", seal.clone()),
        thinking("", seal),
        Part::text("a"),
        Part::text("b"),
        PartBody::Call(call("", "f", "")).into(),
        PartBody::Call(ToolCall {
            seal: Some(Seal::new(Dialect::Gemini, "g")),
            ..call("c2", "f", "{\"x\":1}")
        })
        .into(),
    ];
    let answer = ChatAnswer {
        model: Some("m".to_owned()),
        usage: Some(usage),
        service_tier: Some("default".to_owned()),
        logprobs: Some(vec![json!({"token": "a"})]),
        ..answer(parts, Stop::End)
    };
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "m",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant", "content": "ab", "refusal": null, "reasoning_content": "hm",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "hm", "signature": "troupe.anthropic..sig", "index": 0},
                    {"type": "reasoning.encrypted", "data": "troupe.anthropic..sig", "index": 1},
                ],
                "tool_calls": [
                    {"id": "call_1_0", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"},
                     "extra_content": {"google": {"thought_signature": "g"}}},
                ],
            },
            "logprobs": {"content": [{"token": "a"}]},
            "finish_reason": "tool_calls",
        }],
        "usage": {
            "prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        "service_tier": "default",
    });
    assert_eq!(parsed(&write_answer(&answer, &reply())), expected);
}

#[test]
fn what_is_not_there_is_null_or_left_out() {
    let body = parsed(&write_answer(&answer(vec![], Stop::Refusal), &reply()));
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "alias",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "", "refusal": null},
            "logprobs": null, "finish_reason": "content_filter"}],
    });
    assert_eq!(body, expected);
    let refusal = answer(vec![PartBody::Refusal("no".to_owned()).into()], Stop::End);
    let expected = json!({"role": "assistant", "content": null, "refusal": "no"});
    assert_eq!(message_of(&refusal, &reply()), expected);
    let calls = answer(vec![PartBody::Call(call("c", "f", "{}")).into()], Stop::End);
    assert_eq!(message_of(&calls, &reply())["content"], Value::Null);
}

#[test]
fn reasons_to_stop_in_openais_words() {
    let cases = [
        (Stop::End, "stop"),
        (Stop::Pause, "stop"),
        (Stop::Sequence(None), "stop"),
        (Stop::ToolCalls, "stop"),
        (Stop::MaxTokens, "length"),
        (Stop::ContextWindow, "length"),
        (Stop::Refusal, "content_filter"),
    ];
    for (stop, reason) in cases {
        let body = parsed(&write_answer(&answer(vec![], stop.clone()), &reply()));
        assert_eq!(body["choices"][0]["finish_reason"], reason, "{stop:?}");
    }
}

#[test]
fn tools_get_their_names_and_kinds_back() {
    let mut names = ToolNames::default();
    let long = "x".repeat(80);
    let offered = names.offer(&long, 64, false);
    names.offer("patch", 64, true);
    let reply = Reply {
        tools: Arc::new(names),
        ..reply()
    };
    let parts = vec![
        PartBody::Call(call("a", &offered, "{}")).into(),
        PartBody::Call(call("b", "patch", "{\"input\":\"*** x\\n\"}")).into(),
        PartBody::Call(call("c", "patch", "not json")).into(),
        PartBody::Call(ToolCall {
            custom: true,
            ..call("d", "other", "text")
        })
        .into(),
    ];
    let message = message_of(&answer(parts, Stop::ToolCalls), &reply);
    let expected = json!([
        {"id": "a", "type": "function", "function": {"name": long, "arguments": "{}"}},
        {"id": "b", "type": "custom", "custom": {"name": "patch", "input": "*** x\n"}},
        {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "not json"}},
        {"id": "d", "type": "custom", "custom": {"name": "other", "input": "text"}},
    ]);
    assert_eq!(message["tool_calls"], expected);
}
