//! Requests for upstreams.

use serde_json::{Value, json};

use super::{call, json as parsed};

use crate::{
    chat::{
        Cache, ChatRequest, ConvertError, Document, Encoded, Encoding, Image, Message, Part,
        PartBody, Role, Seal, Source, Thinking, ToolCall, ToolResult,
    },
    dialect::Dialect,
    openai_chat::write_request,
};

pub(super) const ENCODING: Encoding<'_> = Encoding {
    model: "up",
    default_max_tokens: 100,
    ask_usage: true,
    keep_thinking: true,
    openai_fields: true,
    call_signatures: true,
};

pub(super) fn request() -> ChatRequest {
    ChatRequest::new(Dialect::Anthropic, "m")
}

/// A request with one message.
pub(super) fn asks(role: Role, parts: Vec<Part>) -> ChatRequest {
    ChatRequest {
        messages: vec![Message { role, parts }],
        ..request()
    }
}

pub(super) fn write(request: &ChatRequest) -> Encoded {
    write_request(request, &ENCODING).unwrap()
}

pub(super) fn body(request: &ChatRequest) -> Value {
    parsed(&write(request).body)
}

fn messages(request: &ChatRequest) -> Value {
    body(request)["messages"].take()
}

pub(super) fn lost(encoded: &Encoded) -> Vec<&str> {
    encoded.losses.iter().collect()
}

pub(super) fn refused(request: &ChatRequest) -> ConvertError {
    write_request(request, &ENCODING).unwrap_err()
}

fn result(call_id: &str, parts: Vec<Part>) -> Part {
    PartBody::Result(ToolResult {
        call_id: call_id.to_owned(),
        name: None,
        parts,
        is_error: false,
    })
    .into()
}

fn png() -> Part {
    PartBody::Image(Image {
        source: Source::from_url("data:image/png;base64,AA=="),
        detail: None,
    })
    .into()
}

fn document(source: Source) -> Part {
    PartBody::Document(Document {
        source,
        title: Some("t".to_owned()),
        context: Some("c".to_owned()),
    })
    .into()
}

#[test]
fn texts_alone_become_one() {
    let request = ChatRequest {
        system: vec![Part::text("a"), Part::text(""), Part::text("b")],
        messages: vec![
            Message {
                role: Role::User,
                parts: vec![Part::text("c"), Part::text("d")],
            },
            Message {
                role: Role::Assistant,
                parts: vec![Part::text("e"), Part::text("f")],
            },
            Message {
                role: Role::System,
                parts: vec![Part::text("g")],
            },
        ],
        ..request()
    };
    let expected = json!({"model": "up", "messages": [
        {"role": "system", "content": "a\n\nb"},
        {"role": "user", "content": "c\n\nd"},
        {"role": "assistant", "content": "ef"},
        {"role": "system", "content": "g"},
    ]});
    assert_eq!(body(&request), expected);
}

#[test]
fn pictures_and_files_become_parts() {
    let base64 = Source::Base64 {
        media_type: "application/pdf".to_owned(),
        data: "AA==".to_owned(),
    };
    let audio = PartBody::Audio {
        data: "BB==".to_owned(),
        format: "wav".to_owned(),
    };
    let request = asks(
        Role::User,
        vec![
            Part::text("a"),
            Part::text(""),
            png(),
            document(base64),
            document(Source::Text("x".to_owned())),
            audio.into(),
        ],
    );
    let written = write(&request);
    let expected = json!([{"role": "user", "content": [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "file", "file": {"filename": "t", "file_data": "data:application/pdf;base64,AA=="}},
        {"type": "text", "text": "t\n\nc\n\nx"},
        {"type": "input_audio", "input_audio": {"data": "BB==", "format": "wav"}},
    ]}]);
    assert_eq!(parsed(&written.body)["messages"], expected);
    assert_eq!(lost(&written), ["context"]);
}

#[test]
fn what_only_another_provider_has_is_refused() {
    let file = || Source::FileId("f1".to_owned());
    let image = |source| -> Part {
        let detail = None;
        PartBody::Image(Image { source, detail }).into()
    };
    let cases = [
        image(file()),
        document(file()),
        document(Source::Url("https://x/a.pdf".to_owned())),
        result("c", vec![image(file())]),
    ];
    for part in cases {
        let mut asked = asks(Role::User, vec![part]);
        assert_eq!(refused(&asked).param, "messages");
        asked.dialect = Dialect::OpenaiResponses;
        if let Ok(written) = write_request(&asked, &ENCODING) {
            let content = &parsed(&written.body)["messages"][0]["content"];
            assert_eq!(
                content,
                &json!([{"type": "file", "file": {"file_id": "f1"}}])
            );
        } else {
            assert_eq!(refused(&asked).param, "input");
        }
    }
}

#[test]
fn results_stand_first_and_their_pictures_behind_them() {
    let failed = PartBody::Result(ToolResult {
        call_id: "c2".to_owned(),
        name: None,
        parts: vec![Part::text("broke")],
        is_error: true,
    });
    let request = ChatRequest {
        messages: vec![
            Message {
                role: Role::User,
                parts: vec![Part::text("look"), result("c1", vec![png()]), failed.into()],
            },
            Message {
                role: Role::User,
                parts: vec![result("c3", vec![Part::text("x"), Part::text("y"), png()])],
            },
            Message {
                role: Role::Assistant,
                parts: vec![Part::text("ok")],
            },
        ],
        ..request()
    };
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let expected = json!([
        {"role": "tool", "tool_call_id": "c1", "content": "See the next message."},
        {"role": "tool", "tool_call_id": "c2", "content": "Error: broke"},
        {"role": "user", "content": [{"type": "text", "text": "From the tool call c1:"}, image, {"type": "text", "text": "look"}]},
        {"role": "tool", "tool_call_id": "c3", "content": "x\n\ny"},
        {"role": "user", "content": [{"type": "text", "text": "From the tool call c3:"}, image]},
        {"role": "assistant", "content": "ok"},
    ]);
    assert_eq!(messages(&request), expected);
}

#[test]
fn a_run_of_results_is_not_broken_by_pictures() {
    let turn = |part| Message {
        role: Role::User,
        parts: vec![part],
    };
    let request = ChatRequest {
        messages: vec![
            turn(result("c1", vec![png()])),
            turn(result("c2", vec![Part::text("x")])),
            turn(Part::text("go on")),
        ],
        ..request()
    };
    let list = messages(&request);
    let roles: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["role"])
        .collect();
    assert_eq!(roles, ["tool", "tool", "user"]);
    assert_eq!(
        list[2]["content"][2],
        json!({"type": "text", "text": "go on"})
    );
}

#[test]
fn the_assistant_calls_and_declines() {
    let custom = ToolCall {
        custom: true,
        ..call("c4", "patch", "*** x")
    };
    let calls = [
        call("c1", "f", "{ \"b\":1, \"a\":2}"),
        call("c2", "f", ""),
        call("c3", "f", "{\"a\":"),
        custom,
    ];
    let parts = calls.map(|call| Part::from(PartBody::Call(call))).into();
    let function = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let expected = json!([{"role": "assistant", "content": null, "tool_calls": [
        function("c1", "f", "{ \"b\":1, \"a\":2}"),
        function("c2", "f", "{}"),
        function("c3", "f", r#"{"_raw":"{\"a\":"}"#),
        function("c4", "patch", r#"{"input":"*** x"}"#),
    ]}]);
    let written = write(&asks(Role::Assistant, parts));
    assert_eq!(parsed(&written.body)["messages"], expected);
    assert_eq!(written.tools.original("patch"), ("patch", true));
    let refusal = PartBody::Refusal("no".to_owned()).into();
    let expected = json!([{"role": "assistant", "content": null, "refusal": "no"}]);
    assert_eq!(messages(&asks(Role::Assistant, vec![refusal])), expected);
    let nothing = asks(Role::Assistant, vec![Part::text("")]);
    assert_eq!(messages(&nothing), json!([]));
}

#[test]
fn only_own_thoughts_go_back() {
    let thinking = |text: &str, seal: Option<Seal>| -> Part {
        let text = text.to_owned();
        PartBody::Thinking(Thinking { text, seal }).into()
    };
    let own = Seal {
        id: Some("rs_1".to_owned()),
        ..Seal::new(Dialect::OpenaiChat, "own")
    };
    let foreign = Some(Seal::new(Dialect::Anthropic, "foreign"));
    let signed = ToolCall {
        seal: Some(Seal::new(Dialect::Gemini, "g")),
        ..call("c", "f", "{}")
    };
    let mut request = asks(
        Role::Assistant,
        vec![
            thinking("a", Some(own.clone())),
            thinking("", Some(own)),
            thinking("b", foreign.clone()),
            thinking("c", None),
            PartBody::Call(signed).into(),
        ],
    );
    let written = write(&request);
    let expected = json!([{"role": "assistant", "content": null,
        "reasoning_details": [
            {"type": "reasoning.text", "id": "rs_1", "text": "a", "signature": "own", "index": 0},
            {"type": "reasoning.encrypted", "id": "rs_1", "data": "own", "index": 1},
        ],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "g"}}}],
    }]);
    assert_eq!(parsed(&written.body)["messages"], expected);
    assert!(written.has_thinking && written.losses.is_empty());

    let bare = Encoding {
        keep_thinking: false,
        ..ENCODING
    };
    let written = write_request(&request, &bare).unwrap();
    let expected = json!([{"role": "assistant", "content": null,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }]);
    assert_eq!(parsed(&written.body)["messages"], expected);
    assert!(!written.has_thinking);

    request.messages[0].parts = vec![thinking("b", foreign)];
    assert_eq!(messages(&request), json!([]));
}

#[test]
fn lost_breakpoints_are_noted_once() {
    let cached = |text: &str| Part {
        cache: Some(Cache::default()),
        ..Part::text(text)
    };
    let request = ChatRequest {
        system: vec![cached("a")],
        ..asks(
            Role::User,
            vec![cached("b"), result("c", vec![cached("d")])],
        )
    };
    assert_eq!(lost(&write(&request)), ["cache_control"]);
}
