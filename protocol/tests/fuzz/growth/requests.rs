//! Requests with much of something.

use serde_json::{Map, Value, json};
use troupe_protocol::dialect::{Client, Dialect};

use super::{super::targets, check};

/// A request of so many of something.
type Make = fn(usize) -> Value;

fn check_all(client: Client, cases: &[(&str, Make)]) {
    for (name, make) in cases {
        let body = |count| {
            let mut body = make(count);
            body["model"] = json!("m");
            body["max_tokens"] = json!(10);
            body.to_string().into_bytes()
        };
        // a case that is refused would measure nothing
        troupe_protocol::convert::read_request(client, &body(3)).unwrap();
        let name = format!("{client:?}: {name}");
        check(&name, body, |body| targets::request(client, body));
    }
}

fn list(count: usize, item: impl Fn(usize) -> Value) -> Value {
    (0..count).map(item).collect()
}

fn fields(count: usize, value: impl Fn(usize) -> Value) -> Value {
    let fields = (0..count).map(|at| (format!("field_{at}"), value(at)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn schema(count: usize) -> Value {
    let properties = fields(count, |_| json!({"type": "string", "description": "d"}));
    json!({"type": "object", "properties": properties})
}

fn messages(count: usize) -> Value {
    list(count, |at| {
        let role = ["user", "assistant"][at % 2];
        json!({"role": role, "content": format!("message {at}")})
    })
}

fn name(at: usize) -> String {
    format!("tool.with a long name {at}")
}

fn texts(count: usize) -> Value {
    list(
        count,
        |at| json!({"type": "text", "text": format!("part {at}")}),
    )
}

/// What is the same in both dialects with `messages`.
const COMMON: &[(&str, Make)] = &[
    ("messages", |count| json!({"messages": messages(count)})),
    (
        "one side's messages",
        |count| json!({"messages": list(count, |_| json!({"role": "user", "content": "hi"}))}),
    ),
    (
        "a long text",
        |count| json!({"messages": [{"role": "user", "content": "a \"b\"\nü".repeat(count * 10)}]}),
    ),
    (
        "parts",
        |count| json!({"messages": [{"role": "user", "content": texts(count)}]}),
    ),
    ("unknown fields", |count| {
        let mut body = fields(count, |_| json!(1));
        body["messages"] = messages(1);
        body
    }),
    ("unknown fields of a message", |count| {
        let mut message = fields(count, |_| json!(1));
        message["role"] = json!("user");
        message["content"] = json!("hi");
        json!({"messages": [message]})
    }),
];

#[test]
fn request_openai_chat() {
    fn function(at: usize) -> Value {
        json!({"type": "function", "function": {"name": name(at), "parameters": {"type": "object"}}})
    }
    fn custom(at: usize) -> Value {
        json!({"type": "custom", "custom": {"name": name(at)}})
    }
    fn call(at: usize) -> Value {
        json!({"id": format!("call.{at}"), "type": "function", "function": {"name": name(at), "arguments": "{}"}})
    }
    fn result(at: usize) -> Value {
        json!({"role": "tool", "tool_call_id": format!("call.{at}"), "content": "done"})
    }
    check_all(Client::OpenaiChat, COMMON);
    check_all(
        Client::OpenaiChat,
        &[
            (
                "tools",
                |count| json!({"messages": messages(1), "tools": list(count, function)}),
            ),
            (
                "custom tools",
                |count| json!({"messages": messages(1), "tools": list(count, custom)}),
            ),
            ("allowed tools", |count| {
                let choice = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": list(count, function)}});
                json!({"messages": messages(1), "tools": list(count, function), "tool_choice": choice})
            }),
            ("properties", |count| {
                let tool = json!({"type": "function", "function": {"name": "f", "parameters": schema(count)}});
                json!({"messages": messages(1), "tools": [tool]})
            }),
            ("calls and results", |count| {
                let mut messages = vec![json!({"role": "user", "content": "go"})];
                messages.push(json!({"role": "assistant", "tool_calls": list(count, call)}));
                messages.extend((0..count).map(result));
                json!({"messages": messages, "tools": list(count, function)})
            }),
            ("turns of a call and its result", |count| {
                let turn = |at| {
                    [
                        json!({"role": "assistant", "tool_calls": [call(at)]}),
                        result(at),
                    ]
                };
                let turns: Vec<Value> = (0..count).flat_map(turn).collect();
                json!({"messages": turns, "tools": list(count, custom)})
            }),
            (
                "system messages",
                |count| json!({"messages": list(count, |_| json!({"role": "system", "content": "be brief"}))}),
            ),
        ],
    );
}

#[test]
fn request_anthropic() {
    fn tool(at: usize) -> Value {
        json!({"name": name(at), "input_schema": {"type": "object"}})
    }
    fn call(at: usize) -> Value {
        json!({"type": "tool_use", "id": format!("toolu.{at}"), "name": name(at), "input": {}})
    }
    fn result(at: usize) -> Value {
        json!({"type": "tool_result", "tool_use_id": format!("toolu.{at}"), "content": "done"})
    }
    check_all(Client::Anthropic, COMMON);
    check_all(
        Client::Anthropic,
        &[
            (
                "tools",
                |count| json!({"messages": messages(1), "tools": list(count, tool)}),
            ),
            (
                "properties",
                |count| json!({"messages": messages(1), "tools": [{"name": "f", "input_schema": schema(count)}]}),
            ),
            ("calls and results", |count| {
                json!({"messages": [
                    {"role": "user", "content": "go"},
                    {"role": "assistant", "content": list(count, call)},
                    {"role": "user", "content": list(count, result)},
                ]})
            }),
            ("turns of a call and its result", |count| {
                let turn = |at| {
                    [
                        json!({"role": "assistant", "content": [call(at)]}),
                        json!({"role": "user", "content": [result(at)]}),
                    ]
                };
                let turns: Vec<Value> = (0..count).flat_map(turn).collect();
                json!({"messages": turns, "tools": list(count, tool)})
            }),
            ("thoughts", |count| {
                let thought = |at| json!({"type": "thinking", "thinking": format!("hm {at}"), "signature": "c2ln"});
                json!({"messages": [messages(1)[0], {"role": "assistant", "content": list(count, thought)}]})
            }),
            (
                "system",
                |count| json!({"messages": messages(1), "system": texts(count)}),
            ),
        ],
    );
}

#[test]
fn request_openai_responses() {
    fn function(at: usize) -> Value {
        json!({"type": "function", "name": name(at), "parameters": {"type": "object"}})
    }
    fn custom(at: usize) -> Value {
        json!({"type": "custom", "name": name(at)})
    }
    fn call(at: usize) -> Value {
        json!({"type": "function_call", "call_id": format!("call.{at}"), "name": name(at), "arguments": "{}"})
    }
    fn result(at: usize) -> Value {
        json!({"type": "function_call_output", "call_id": format!("call.{at}"), "output": "done"})
    }
    check_all(
        Client::OpenaiResponses,
        &[
            ("items", |count| json!({"input": messages(count)})),
            (
                "a long text",
                |count| json!({"input": "a \"b\"\nü".repeat(count * 10)}),
            ),
            (
                "tools",
                |count| json!({"input": "hi", "tools": list(count, function)}),
            ),
            ("allowed tools", |count| {
                let choice = json!({"type": "allowed_tools", "mode": "auto", "tools": list(count, function)});
                json!({"input": "hi", "tools": list(count, function), "tool_choice": choice})
            }),
            ("calls, then results", |count| {
                let items: Vec<Value> =
                    (0..count).map(call).chain((0..count).map(result)).collect();
                json!({"input": items, "tools": list(count, custom)})
            }),
            ("turns of a call and its result", |count| {
                let items: Vec<Value> = (0..count).flat_map(|at| [call(at), result(at)]).collect();
                json!({"input": items, "tools": list(count, custom)})
            }),
            ("thoughts", |count| {
                let thought = |at| {
                    json!({
                        "type": "reasoning", "id": format!("rs_{at}"), "encrypted_content": "x",
                        "summary": [{"type": "summary_text", "text": "hm"}],
                    })
                };
                json!({"input": list(count, thought)})
            }),
            ("unknown fields", |count| {
                let mut body = fields(count, |_| json!(1));
                body["input"] = json!("hi");
                body
            }),
        ],
    );
}

#[test]
fn answers() {
    type Case = (Dialect, fn(usize) -> Value);
    let cases: [Case; 4] = [
        (Dialect::OpenaiChat, |count| {
            let call = |at| json!({"id": format!("c{at}"), "type": "function", "function": {"name": name(at), "arguments": "{}"}});
            let message = json!({"role": "assistant", "content": "hi".repeat(count), "tool_calls": list(count, call)});
            json!({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
        }),
        (Dialect::OpenaiResponses, |count| {
            let item = |at| match at % 2 {
                0 => {
                    json!({"type": "function_call", "call_id": format!("c{at}"), "name": name(at), "arguments": "{}"})
                }
                _ => {
                    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]})
                }
            };
            json!({"object": "response", "status": "completed", "model": "m", "output": list(count, item)})
        }),
        (Dialect::Anthropic, |count| {
            let block = |at| match at % 2 {
                0 => {
                    json!({"type": "tool_use", "id": format!("t{at}"), "name": name(at), "input": {}})
                }
                _ => json!({"type": "text", "text": "hi"}),
            };
            json!({"type": "message", "role": "assistant", "model": "m", "content": list(count, block), "stop_reason": "end_turn"})
        }),
        (Dialect::Gemini, |count| {
            let part = |at| match at % 2 {
                0 => json!({"functionCall": {"name": name(at), "args": {}}}),
                _ => json!({"text": "hi"}),
            };
            json!({"candidates": [{"content": {"parts": list(count, part)}, "finishReason": "STOP"}]})
        }),
    ];
    for (dialect, make) in cases {
        let body = |count| make(count).to_string().into_bytes();
        troupe_protocol::convert::read_answer(dialect, &body(3)).unwrap();
        let name = format!("answer of {dialect}");
        check(&name, body, |body| targets::answer(dialect, body));
    }
}
