use serde_json::json;

use super::*;

#[test]
fn the_shortest_request_stores_nothing() {
    let mut request = chat();
    request.messages = vec![Message {
        role: Role::User,
        parts: vec![Part::text("hi")],
    }];
    let (body, encoded) = encode(&request);
    let expected = json!({
        "model": "up", "store": false, "include": ["reasoning.encrypted_content"],
        "input": [{"type": "message", "role": "user", "content": "hi"}],
    });
    assert_eq!(body, expected);
    assert!(encoded.losses.is_empty() && !encoded.has_thinking);
}

#[test]
fn instructions_are_joined_and_empty_ones_left_out() {
    let mut request = anthropic();
    request.system = ["one", "", "two"].map(Part::text).to_vec();
    assert_eq!(encode(&request).0["instructions"], "one\n\ntwo");
    request.system = vec![Part::text("")];
    assert_eq!(encode(&request).0.get("instructions"), None);
}

#[test]
fn a_turn_becomes_items_in_order() {
    let seal = |by, id: Option<&str>| {
        let id = id.map(str::to_owned);
        Some(Seal {
            by,
            id,
            data: "SIG".to_owned(),
        })
    };
    let items = input(
        anthropic(),
        vec![
            (Role::User, vec![text("go"), text("on")]),
            (
                Role::Assistant,
                vec![
                    thinking("mine", seal(Dialect::OpenaiResponses, Some("rs_1"))),
                    thinking("", seal(Dialect::OpenaiResponses, None)),
                    thinking("theirs", seal(Dialect::Anthropic, None)),
                    thinking("bare", None),
                    text(""),
                    text("a"),
                    PartBody::Refusal("no".to_owned()),
                    call("c1", "f", "", false),
                    call("c2", "patch", "*** text", true),
                    text("b"),
                ],
            ),
            (
                Role::User,
                vec![
                    text("and now"),
                    result("c1", false, vec![text("1"), text("2")]),
                    result("c2", true, vec![text("bad")]),
                ],
            ),
            (Role::System, vec![text("be brief")]),
        ],
    );
    let expected = json!([
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}, {"type": "input_text", "text": "on"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "mine"}], "encrypted_content": "SIG"},
        {"type": "reasoning", "summary": [], "encrypted_content": "SIG"},
        {"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": "a", "annotations": []},
            {"type": "refusal", "refusal": "no"},
        ]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** text"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b", "annotations": []}]},
        {"type": "function_call_output", "call_id": "c1", "output": "1\n2"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "Error: bad"},
        {"type": "message", "role": "user", "content": "and now"},
        {"type": "message", "role": "developer", "content": "be brief"},
    ]);
    assert_eq!(items, expected);
}

#[test]
fn thoughts_stay_away_when_told_to() {
    let mut request = anthropic();
    let seal = Seal::new(Dialect::OpenaiResponses, "E");
    request.messages = vec![Message {
        role: Role::Assistant,
        parts: vec![thinking("t", Some(seal)).into()],
    }];
    assert!(encode(&request).1.has_thinking);
    let encoding = Encoding {
        keep_thinking: false,
        ..ENCODING
    };
    let encoded = write_request(&request, &encoding).unwrap();
    assert!(!encoded.has_thinking);
    assert!(encoded.body.ends_with(b"\"input\":[]}"));
}

#[test]
fn pictures_and_papers_go_along_in_results_too() {
    let image = |source| {
        PartBody::Image(Image {
            source,
            detail: None,
        })
    };
    let pdf = Source::from_url("data:application/pdf;base64,AA");
    let paper = |source, title: Option<&str>, context: Option<&str>| {
        PartBody::Document(Document {
            source,
            title: title.map(str::to_owned),
            context: context.map(str::to_owned),
        })
    };
    let items = input(
        chat(),
        vec![(
            Role::User,
            vec![
                result(
                    "c1",
                    true,
                    vec![image(Source::Url("https://x/y.png".to_owned()))],
                ),
                image(Source::from_url("data:image/png;base64,BB")),
                paper(pdf.clone(), None, None),
                paper(pdf, Some("a.pdf"), Some("from mail")),
                paper(Source::Url("https://x/y.pdf".to_owned()), Some("t"), None),
                paper(Source::Text("words".to_owned()), Some("t"), None),
                paper(Source::FileId("file_1".to_owned()), None, None),
            ],
        )],
    );
    let expected = json!([
        {"type": "function_call_output", "call_id": "c1", "output": [
            {"type": "input_text", "text": "Error: "},
            {"type": "input_image", "image_url": "https://x/y.png"},
        ]},
        {"type": "message", "role": "user", "content": [
            {"type": "input_image", "image_url": "data:image/png;base64,BB"},
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,AA"},
            {"type": "input_text", "text": "from mail"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
            {"type": "input_file", "file_url": "https://x/y.pdf"},
            {"type": "input_text", "text": "t"},
            {"type": "input_text", "text": "words"},
            {"type": "input_file", "file_id": "file_1"},
        ]},
    ]);
    assert_eq!(items, expected);
}

#[test]
fn ids_of_calls_fit_and_stay_pairs() {
    for id in ["call_1", "toolu_01:odd id", &"c".repeat(100), ""] {
        let items = input(
            anthropic(),
            vec![
                (Role::Assistant, vec![call(id, "f", "{}", false)]),
                (Role::User, vec![result(id, false, vec![text("1")])]),
            ],
        );
        let sent = items[0]["call_id"].as_str().unwrap();
        assert_eq!(items[1]["call_id"], sent);
        assert!(!sent.is_empty() && sent.len() <= 64, "{sent}");
    }
}
