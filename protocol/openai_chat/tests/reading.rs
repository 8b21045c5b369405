//! Requests of clients.

use serde_json::{Value, json};

use super::{call, thinking};
use crate::{
    chat::{
        Cache, ChatRequest, Document, Image, Losses, Message, Part, PartBody, Role, Seal, Source,
        Tool, ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect,
    openai_chat::read_request,
};

pub(super) fn read(body: &Value) -> ChatRequest {
    read_request(body.to_string().as_bytes()).unwrap()
}

/// A request with these messages.
fn messages(list: &Value) -> ChatRequest {
    read(&json!({"model": "m", "messages": list}))
}

pub(super) fn lost(losses: &Losses) -> Vec<&str> {
    losses.iter().collect()
}

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn result(call_id: &str, name: Option<&str>, text: &str) -> Part {
    PartBody::Result(ToolResult {
        call_id: call_id.to_owned(),
        name: name.map(str::to_owned),
        parts: vec![Part::text(text)],
        is_error: false,
    })
    .into()
}

#[test]
fn instructions_stand_before_or_between_the_turns() {
    let request = messages(&json!([
        {"role": "developer", "content": "a"},
        {"role": "system", "content": [{"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "c"},
    ]));
    let cache = Some(Cache {
        ttl: Some("1h".to_owned()),
    });
    let cached = Part {
        cache,
        ..Part::text("b")
    };
    assert_eq!(request.system, [Part::text("a"), cached]);
    let expected = [
        said(Role::User, vec![Part::text("hi")]),
        said(Role::System, vec![Part::text("c")]),
    ];
    assert_eq!(request.messages, expected);
    assert_eq!(request.dialect, Dialect::OpenaiChat);
    assert!(request.unread.is_empty());
}

#[test]
fn every_kind_of_part_is_read() {
    let text = |text: &str| PartBody::Text(text.to_owned());
    let image = |source, detail: Option<&str>| {
        let detail = detail.map(str::to_owned);
        PartBody::Image(Image { source, detail })
    };
    let file = |source, title: Option<&str>| {
        PartBody::Document(Document {
            source,
            title: title.map(str::to_owned),
            context: None,
        })
    };
    let base64 = |media_type: &str, data: &str| Source::Base64 {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    let cases = [
        (json!({"type": "text", "text": "a"}), text("a")),
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}),
            image(base64("image/png", "AA=="), Some("low")),
        ),
        (
            json!({"type": "image_url", "image_url": "https://x/y.png"}),
            image(Source::Url("https://x/y.png".to_owned()), None),
        ),
        (
            json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}),
            PartBody::Audio {
                data: "AA==".to_owned(),
                format: "wav".to_owned(),
            },
        ),
        (
            json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}),
            file(base64("application/pdf", "AA=="), Some("a.pdf")),
        ),
        (
            json!({"type": "file", "file": {"file_data": "AA=="}}),
            file(base64("application/pdf", "AA=="), None),
        ),
        (
            json!({"type": "file", "file": {"file_data": "aGk=", "filename": "a.TXT"}}),
            file(Source::Text("hi".to_owned()), Some("a.TXT")),
        ),
        (
            json!({"type": "file", "file": {"file_data": "https://x/a.pdf"}}),
            file(Source::Url("https://x/a.pdf".to_owned()), None),
        ),
        (
            json!({"type": "file", "file": {"file_id": "file-1"}}),
            file(Source::FileId("file-1".to_owned()), None),
        ),
    ];
    for (part, expected) in cases {
        let request = messages(&json!([{"role": "user", "content": [part]}]));
        assert_eq!(request.messages[0].parts, [Part::from(expected)], "{part}");
        assert!(request.unread.is_empty(), "{part}");
    }
    for nothing in [Value::Null, json!(""), json!([])] {
        let request = messages(&json!([{"role": "user", "content": nothing}]));
        assert_eq!(request.messages, [said(Role::User, Vec::new())]);
    }
}

#[test]
fn calls_and_results_find_each_other() {
    let request = messages(&json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"},
             "extra_content": {"google": {"thought_signature": "sig"}}},
            {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** x"}},
            {"id": "c3", "type": "function", "function": {"name": "g", "arguments": {"b": 2}}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "go on"},
        {"role": "tool", "tool_call_id": "c9", "name": "h", "content": "three"},
    ]));
    let calls = vec![
        PartBody::Call(ToolCall {
            seal: Some(Seal::new(Dialect::Gemini, "sig")),
            ..call("c1", "f", "{\"a\":1}")
        })
        .into(),
        PartBody::Call(ToolCall {
            custom: true,
            ..call("c2", "patch", "*** x")
        })
        .into(),
        PartBody::Call(call("c3", "g", "{\"b\":2}")).into(),
    ];
    let expected = [
        said(Role::User, vec![Part::text("hi")]),
        said(Role::Assistant, calls),
        said(
            Role::User,
            vec![
                result("c1", Some("f"), "one"),
                result("c2", Some("patch"), "two"),
            ],
        ),
        said(Role::User, vec![Part::text("go on")]),
        said(Role::User, vec![result("c9", Some("h"), "three")]),
    ];
    assert_eq!(request.messages, expected);
}

#[test]
fn functions_of_old_are_calls() {
    let request = read(&json!({
        "model": "m",
        "messages": [
            {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "one"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "two"},
        ],
        "functions": [{"name": "f", "description": "d", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"},
    }));
    let expected = [
        said(
            Role::Assistant,
            vec![PartBody::Call(call("call_0_f", "f", "{}")).into()],
        ),
        said(Role::User, vec![result("call_0_f", Some("f"), "one")]),
        said(
            Role::Assistant,
            vec![PartBody::Call(call("call_2_f", "f", "{}")).into()],
        ),
        said(Role::User, vec![result("call_2_f", Some("f"), "two")]),
    ];
    assert_eq!(request.messages, expected);
    assert!(matches!(&request.tools[..], [Tool::Function { name, .. }] if name == "f"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".to_owned())));
}

#[test]
fn thoughts_come_with_what_signs_them() {
    let own = |data: &str| Some(Seal::new(Dialect::OpenaiChat, data));
    let foreign = Seal::new(Dialect::Anthropic, "sig");
    let cases = [
        (
            json!({"reasoning_content": "hm"}),
            vec![thinking("hm", None)],
        ),
        (json!({"reasoning": "hm"}), vec![thinking("hm", None)]),
        (
            json!({"reasoning": "hm", "reasoning_details": [
                {"type": "reasoning.text", "text": "h", "index": 0},
                {"type": "reasoning.text", "text": "m", "index": 0},
                {"type": "reasoning.text", "signature": "s", "index": 0},
                {"type": "reasoning.encrypted", "data": "d", "id": null, "format": "x", "index": 1},
            ]}),
            vec![thinking("hm", own("s")), thinking("", own("d"))],
        ),
        (
            json!({"reasoning_details": [
                {"type": "reasoning.summary", "summary": "hm"},
                {"type": "reasoning.encrypted", "data": "d", "id": "rs_1"},
            ]}),
            vec![
                thinking("hm", None),
                thinking(
                    "",
                    own("d").map(|seal| Seal {
                        id: Some("rs_1".to_owned()),
                        ..seal
                    }),
                ),
            ],
        ),
        // what our own streams make of it at a client
        (
            json!({"reasoning_content": "hm", "reasoning_details": [
                {"type": "reasoning.text", "signature": foreign.write(Dialect::OpenaiChat), "index": 0},
            ]}),
            vec![thinking("hm", Some(foreign.clone()))],
        ),
        (
            json!({"reasoning_content": "hm", "reasoning_details": [
                {"type": "reasoning.encrypted", "data": foreign.write(Dialect::OpenaiChat), "index": 0},
            ]}),
            vec![thinking("hm", None), thinking("", Some(foreign.clone()))],
        ),
    ];
    for (fields, expected) in cases {
        let mut message = json!({"role": "assistant", "content": "ok"});
        message
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let request = messages(&json!([message]));
        let mut parts = expected;
        parts.push(Part::text("ok"));
        assert_eq!(request.messages[0].parts, parts, "{fields}");
        assert!(request.unread.is_empty());
    }
}
