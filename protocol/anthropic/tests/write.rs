//! Requests for upstreams.

use serde_json::{Value, json};

use super::{
    ENCODING, call, encode, encode_for, from_chat, function, message, part, result, with_messages,
    written,
};
use crate::{
    chat::{
        Cache, ChatRequest, Document, Encoding, Format, Image, Part, PartBody, Role, Seal, Source,
        Thinking, Tool, ToolChoice, ToolResult,
    },
    dialect::Dialect,
};

/// What the messages of a chat client become.
fn messages(messages: Vec<(Role, Vec<Part>)>) -> Value {
    let mut request = from_chat();
    request.messages = messages
        .into_iter()
        .map(|(role, parts)| message(role, parts))
        .collect();
    written(&request).0["messages"].take()
}

#[test]
fn a_plain_request() {
    let mut request = from_chat();
    request.system = vec![Part::text("be kind")];
    request.user = Some("u".to_owned());
    request.service_tier = Some("default".to_owned());
    request.stream = true;
    request.sampling.temperature = Some(1.7);
    request.sampling.stop = vec!["END".to_owned(), " \n".to_owned()];
    request.sampling.seed = Some(1);
    request.verbosity = Some("low".to_owned());
    let (body, losses) = written(&request);
    let expected = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 4096, "system": "be kind",
        "messages": [{"role": "user", "content": "hi"}], "stop_sequences": ["END"],
        "metadata": {"user_id": "u"}, "service_tier": "standard_only", "stream": true,
    });
    assert_eq!(body, expected);
    assert_eq!(losses, "stop, seed, verbosity");
}

#[test]
fn turns_alternate_and_hold_something() {
    let text = |text: &str| vec![Part::text(text)];
    let user = |content: Value| json!({"role": "user", "content": content});
    let assistant = |content: Value| json!({"role": "assistant", "content": content});
    let block = |text: &str| json!({"type": "text", "text": text});
    use Role::{Assistant, User};
    #[rustfmt::skip]
    let cases = [
        (vec![], json!([user(json!("Start."))])),
        (vec![(Assistant, text("hello"))], json!([user(json!("Start.")), assistant(json!("hello"))])),
        (vec![(User, text("a")), (User, text("b"))], json!([user(json!([block("a"), block("b")]))])),
        (vec![(User, text("a")), (Assistant, text(" \n")), (User, text("b"))],
            json!([user(json!([block("a"), block("b")]))])),
        (vec![(User, vec![Part::text(""), Part::text("a")])], json!([user(json!("a"))])),
        (vec![(User, text("a")), (Assistant, text("so: \n"))], json!([user(json!("a")), assistant(json!("so:"))])),
    ];
    for (given, expected) in cases {
        assert_eq!(messages(given.clone()), expected, "{given:?}");
    }
}

#[test]
fn results_come_first_in_one_turn() {
    let turns = messages(vec![
        (Role::User, vec![Part::text("go")]),
        (Role::Assistant, vec![Part::text("on it")]),
        (
            Role::Assistant,
            vec![call("a", "f", r#"{"x":1}"#), call("b", "g", "")],
        ),
        (Role::User, vec![Part::text("look")]),
        (Role::User, vec![result("a", vec![Part::text("1")])]),
        (Role::User, vec![result("b", vec![])]),
    ]);
    let expected = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [
            {"type": "text", "text": "on it"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
            {"type": "tool_use", "id": "b", "name": "g", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "1"},
            {"type": "tool_result", "tool_use_id": "b"},
            {"type": "text", "text": "look"}]},
    ]);
    assert_eq!(turns, expected);
}

#[test]
fn results_keep_their_pictures_and_errors() {
    let image = part(PartBody::Image(Image {
        source: Source::from_url("data:image/jpg;base64,AA"),
        detail: Some("high".to_owned()),
    }));
    let failed = part(PartBody::Result(ToolResult {
        call_id: "a".to_owned(),
        name: None,
        parts: vec![Part::text("no"), image],
        is_error: true,
    }));
    let turns = messages(vec![(Role::User, vec![failed])]);
    let expected = json!([{"role": "user", "content": [{
        "type": "tool_result", "tool_use_id": "a", "is_error": true, "content": [
            {"type": "text", "text": "no"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AA"}}],
    }]}]);
    assert_eq!(turns, expected);
}

#[test]
fn ids_are_made_fit_the_same_way_for_both() {
    let turns = messages(vec![
        (
            Role::Assistant,
            vec![call("call:1|x", "f", ""), call("", "f", "")],
        ),
        (
            Role::User,
            vec![result("call:1|x", vec![]), result("", vec![])],
        ),
    ]);
    let ids = |turn: usize, key: &str| -> Vec<String> {
        let blocks = turns[turn]["content"].as_array().unwrap();
        let id = |block: &Value| block[key].as_str().unwrap().to_owned();
        blocks.iter().map(id).collect()
    };
    let called = ids(1, "id");
    assert_eq!(called, ids(2, "tool_use_id"));
    assert_eq!(called[1], "toolu_2");
    assert!(
        called[0].starts_with("call_1_x_") && called[0].len() == 25,
        "{called:?}"
    );
}

#[test]
fn documents_in_all_their_forms() {
    let document = |source| {
        let mut request = from_chat();
        request.messages[0].parts = vec![part(PartBody::Document(Document {
            source,
            title: Some("T".to_owned()),
            context: None,
        }))];
        encode(&request).map(|(mut body, _)| body["messages"][0]["content"][0].take())
    };
    let inline = |media_type: &str, data: &str| Source::Base64 {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    let written = |source: Value| json!({"type": "document", "source": source, "title": "T"});
    let plain = written(json!({"type": "text", "media_type": "text/plain", "data": "hey"}));
    let pdf = json!({"type": "base64", "media_type": "application/pdf", "data": "AA"});
    let url = Source::Url("https://x/y.pdf".to_owned());
    assert_eq!(document(inline("application/pdf", "AA")), Ok(written(pdf)));
    assert_eq!(document(inline("text/markdown", "aGV5")), Ok(plain.clone()));
    assert_eq!(document(Source::Text("hey".to_owned())), Ok(plain));
    let expected = written(json!({"type": "url", "url": "https://x/y.pdf"}));
    assert_eq!(document(url), Ok(expected));
    for refused in [
        inline("application/zip", "AA"),
        inline("text/plain", "/w=="),
        Source::FileId("file-1".to_owned()),
    ] {
        assert_eq!(document(refused).unwrap_err().param, "messages");
    }
}

#[test]
fn what_would_change_the_answer_is_refused() {
    type Change = fn(&mut ChatRequest);
    #[rustfmt::skip]
    let cases: [(Change, &str); 5] = [
        (|request| request.sampling.n = Some(2), "n"),
        (|request| request.messages[0].parts.push(part(PartBody::Audio {
            data: "AA".to_owned(), format: "wav".to_owned() })), "messages"),
        (|request| {
            request.dialect = Dialect::OpenaiResponses;
            let source = Source::FileId("file-1".to_owned());
            request.messages[0].parts.push(part(PartBody::Image(Image { source, detail: None })));
        }, "input"),
        (|request| {
            request.tools = vec![Tool::Hosted { name: "web_search".to_owned() }, function("f")];
            request.tool_choice = Some(ToolChoice::Named("web_search".to_owned()));
        }, "tool_choice"),
        (|request| {
            request.tools = vec![Tool::Hosted { name: "web_search".to_owned() }];
            request.tool_choice = Some(ToolChoice::Required);
        }, "tool_choice"),
    ];
    for (change, param) in cases {
        let mut request = from_chat();
        change(&mut request);
        let error = encode(&request).unwrap_err();
        assert_eq!(error.param, param, "{error}");
    }
}

#[test]
fn forms_of_output() {
    let mut request = from_chat();
    request.format = Some(Format::Schema {
        name: Some("n".to_owned()),
        description: None,
        schema: json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}}),
        strict: Some(true),
    });
    let (body, losses) = written(&request);
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {
        "a": {"type": "array", "items": {"type": "object", "additionalProperties": false}}}});
    let expected = json!({"format": {"type": "json_schema", "schema": schema}});
    assert_eq!(body["output_config"], expected);
    assert_eq!(losses, "");
    request.format = Some(Format::Json);
    let (body, losses) = written(&request);
    assert!(body.get("output_config").is_none());
    assert_eq!(losses, "response_format");
    request.dialect = Dialect::OpenaiResponses;
    assert_eq!(written(&request).1, "text.format");
}

#[test]
fn breakpoints_and_instructions() {
    let cached = |text: &str| Part {
        cache: Some(Cache::default()),
        ..Part::text(text)
    };
    let mut request = from_chat();
    request.system = vec![cached("a"), Part::text(""), Part::text("b")];
    request.messages = vec![
        message(Role::User, vec![cached("hi")]),
        message(Role::System, vec![Part::text("late")]),
        message(Role::User, vec![Part::text("more")]),
    ];
    let (body, losses) = written(&request);
    let mark = json!({"type": "ephemeral"});
    let expected = json!([
        {"type": "text", "text": "a", "cache_control": mark},
        {"type": "text", "text": "b"}, {"type": "text", "text": "late"}]);
    assert_eq!(body["system"], expected);
    let expected = json!([{"role": "user", "content": [
        {"type": "text", "text": "hi", "cache_control": mark}, {"type": "text", "text": "more"}]}]);
    assert_eq!(body["messages"], expected);
    assert_eq!(losses, "");
}

#[test]
fn only_own_thoughts_go_along() {
    let thoughts = |text: &str, seal| {
        let text = text.to_owned();
        part(PartBody::Thinking(Thinking { text, seal }))
    };
    let mut request = from_chat();
    request.messages.push(message(
        Role::Assistant,
        vec![
            thoughts("own", Some(Seal::new(Dialect::Anthropic, "sig"))),
            thoughts("unsigned", None),
            thoughts("foreign", Some(Seal::new(Dialect::Gemini, "g"))),
            Part::text("yes"),
            thoughts("last", Some(Seal::new(Dialect::Anthropic, "sig2"))),
        ],
    ));
    request
        .messages
        .push(message(Role::User, vec![Part::text("why")]));
    let (body, encoded) = encode(&request).unwrap();
    let expected = json!([
        {"type": "thinking", "thinking": "own", "signature": "sig"}, {"type": "text", "text": "yes"}]);
    assert_eq!(body["messages"][1]["content"], expected);
    assert!(encoded.has_thinking);
    assert!(encoded.losses.is_empty());
    let without = Encoding {
        keep_thinking: false,
        ..ENCODING
    };
    let (body, encoded) = encode_for(&request, without).unwrap();
    assert_eq!(body["messages"][1]["content"], "yes");
    assert!(!encoded.has_thinking);
}

#[test]
fn redacted_and_silent_thoughts_stay_apart() {
    let content = json!([
        {"type": "redacted_thinking", "data": "blob"},
        {"type": "thinking", "thinking": "", "signature": "sig"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
    ]);
    let request = with_messages(json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "1"}]},
    ]));
    assert_eq!(written(&request).0["messages"][1]["content"], content);
}
