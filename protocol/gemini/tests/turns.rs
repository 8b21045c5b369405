//! Turns, calls and their results, and signatures.

use serde_json::json;

use super::*;
use crate::chat::{Image, Source};

const DUMMY: &str = "skip_thought_signature_validator";

fn contents(messages: Vec<Message>, model: &str) -> Value {
    let mut request = ChatRequest::new(Dialect::OpenaiChat, "m");
    request.messages = messages;
    encoded(&request, model).0["contents"].take()
}

fn system(text: &str) -> Message {
    let parts = vec![Part::text(text)];
    let role = Role::System;
    Message { role, parts }
}

fn picture() -> Part {
    PartBody::Image(Image {
        source: Source::Base64 {
            media_type: "image/png".to_owned(),
            data: "AAAA".to_owned(),
        },
        detail: None,
    })
    .into()
}

#[test]
fn turns_alternate_and_hold_something() {
    let mut request = ChatRequest::new(Dialect::OpenaiChat, "m");
    request.system = vec![Part::text("one"), Part::text("")];
    request.messages = vec![
        user(vec![Part::text("a"), Part::text("")]),
        user(vec![Part::text("b")]),
        assistant(vec![Part::text("")]),
        system("two"),
        user(vec![Part::text("c")]),
        assistant(vec![Part::text("d")]),
        assistant(vec![PartBody::Refusal("e".to_owned()).into()]),
        user(vec![Part::text("f")]),
    ];
    let (body, _) = encoded(&request, "gemini-2.5-flash");
    let expected = json!({
        "systemInstruction": {"parts": [{"text": "one"}, {"text": "two"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]},
            {"role": "model", "parts": [{"text": "d"}, {"text": "e"}]},
            {"role": "user", "parts": [{"text": "f"}]},
        ],
    });
    assert_eq!(body, expected);
}

#[test]
fn instructions_alone_are_said_by_the_user() {
    let contents = contents(vec![system("do")], "gemini-2.5-flash");
    assert_eq!(
        contents,
        json!([{"role": "user", "parts": [{"text": "do"}]}])
    );
}

#[test]
fn results_come_first_and_in_the_order_of_their_calls() {
    let mut failed = result("b", vec![Part::text("no\nsuch"), Part::text("file")]);
    if let PartBody::Result(result) = &mut failed.body {
        result.is_error = true;
    }
    let messages = vec![
        user(vec![Part::text("go")]),
        assistant(vec![
            Part::text("I look"),
            call("a", "find", r#"{"q":1}"#, None),
            call("b", "find", "", None),
        ]),
        user(vec![Part::text("and then?"), failed]),
        user(vec![result("a", vec![Part::text(r#"{"n":1}"#)])]),
    ];
    let expected = json!([
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [
            {"text": "I look"},
            {"functionCall": {"id": "a", "name": "find", "args": {"q": 1}}},
            {"functionCall": {"id": "b", "name": "find", "args": {}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "a", "name": "find", "response": {"output": "{\"n\":1}"}}},
            {"functionResponse": {"id": "b", "name": "find", "response": {"error": "no\nsuch\nfile"}}},
            {"text": "and then?"},
        ]},
    ]);
    assert_eq!(contents(messages, "gemini-2.5-flash"), expected);
}

#[test]
fn pictures_of_results_stand_inside_or_behind() {
    let messages = || {
        vec![
            user(vec![Part::text("go")]),
            assistant(vec![call("a", "shot", "{}", Some("sig"))]),
            user(vec![Part::text("so?"), result("a", vec![picture()])]),
        ]
    };
    let blob = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    let behind = json!([
        {"functionResponse": {"id": "a", "name": "shot", "response": {"output": ""}}},
        {"text": "so?"},
        {"text": "From the tool call a:"},
        blob,
    ]);
    assert_eq!(contents(messages(), "gemini-2.5-pro")[2]["parts"], behind);
    let inside = json!([
        {"functionResponse": {"id": "a", "name": "shot", "response": {"output": ""}, "parts": [blob]}},
        {"text": "so?"},
    ]);
    assert_eq!(
        contents(messages(), "gemini-3-pro-preview")[2]["parts"],
        inside
    );
}

#[test]
fn names_are_found_from_the_calls() {
    let long = "y".repeat(70);
    let messages = vec![
        assistant(vec![call("a", &long, "{}", None)]),
        user(vec![result("a", vec![Part::text("1")])]),
    ];
    let written = contents(messages, "gemini-2.5-flash");
    let called = &written[0]["parts"][0]["functionCall"]["name"];
    assert_eq!(called.as_str().unwrap().len(), 64);
    assert_eq!(&written[1]["parts"][0]["functionResponse"]["name"], called);

    let mut request = ChatRequest::new(Dialect::Anthropic, "m");
    request.messages = vec![user(vec![result("a", vec![Part::text("1")])])];
    let error = write_request(&request, &encoding("gemini-2.5-flash")).unwrap_err();
    assert_eq!(error.param, "tool_result.tool_use_id");
    if let PartBody::Result(result) = &mut request.messages[0].parts[0].body {
        result.name = Some("find".to_owned());
    }
    let (body, _) = encoded(&request, "gemini-2.5-flash");
    let written = &body["contents"][0]["parts"][0]["functionResponse"];
    assert_eq!(written["name"], "find");
}

/// Two turns, the second with two steps; only some calls are signed.
fn steps() -> Vec<Message> {
    vec![
        user(vec![Part::text("one")]),
        assistant(vec![call("a", "f", "{}", None)]),
        user(vec![result("a", vec![])]),
        assistant(vec![Part::text("done")]),
        user(vec![Part::text("two")]),
        assistant(vec![call("b", "f", "{}", None), call("c", "f", "{}", None)]),
        user(vec![result("b", vec![]), result("c", vec![])]),
        assistant(vec![Part::text("on"), call("d", "f", "{}", Some("own"))]),
        user(vec![result("d", vec![])]),
    ]
}

fn signatures(contents: &Value) -> Vec<Option<&str>> {
    let turns = contents.as_array().unwrap().iter();
    let parts = turns.flat_map(|turn| turn["parts"].as_array().unwrap());
    let calls = parts.filter(|part| part.get("functionCall").is_some());
    calls
        .map(|part| part.get("thoughtSignature").and_then(Value::as_str))
        .collect()
}

#[test]
fn the_third_generation_gets_a_signature_for_each_step_of_the_current_turn() {
    let third = contents(steps(), "gemini-3-pro-preview");
    assert_eq!(signatures(&third), [None, Some(DUMMY), None, Some("own")]);
    let second = contents(steps(), "gemini-2.5-pro");
    assert_eq!(signatures(&second), [None, None, None, Some("own")]);

    let mut request = ChatRequest::new(Dialect::OpenaiChat, "m");
    request.messages = steps();
    let bare = Encoding {
        keep_thinking: false,
        ..encoding("gemini-3-pro-preview")
    };
    let encoded = write_request(&request, &bare).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(
        signatures(&body["contents"]),
        [None, Some(DUMMY), None, Some(DUMMY)]
    );
    assert!(!encoded.has_thinking);
}

#[test]
fn own_thoughts_go_back_and_others_stay() {
    let own = |data: &str| Some(Seal::new(Dialect::Gemini, data));
    let mut request = ChatRequest::new(Dialect::Anthropic, "m");
    request.messages = vec![
        user(vec![Part::text("go")]),
        assistant(vec![
            thinking("mine", own("s1")),
            thinking("unsigned", None),
            thinking("foreign", Some(Seal::new(Dialect::Anthropic, "x"))),
            Part::text("so"),
            thinking("", own("s2")),
        ]),
    ];
    let (body, encoded) = encoded(&request, "gemini-3-pro-preview");
    let expected = json!([
        {"thought": true, "text": "mine", "thoughtSignature": "s1"},
        {"text": "so"},
        {"text": "", "thoughtSignature": "s2"},
    ]);
    assert_eq!(body["contents"][1]["parts"], expected);
    assert!(encoded.has_thinking);
    assert!(encoded.losses.is_empty());
    let bare = Encoding {
        keep_thinking: false,
        ..encoding("gemini-3-pro-preview")
    };
    let encoded = write_request(&request, &bare).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(body["contents"][1]["parts"], json!([{"text": "so"}]));
    assert!(!encoded.has_thinking);
}

#[test]
fn a_lone_seal_belongs_to_the_call_behind_it() {
    let own = |data: &str| thinking("", Some(Seal::new(Dialect::Gemini, data)));
    let messages = vec![assistant(vec![
        own("s1"),
        call("a", "f", "{}", None),
        own("s2"),
        call("b", "f", "{}", Some("s3")),
    ])];
    let expected = json!([
        {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "s1"},
        {"text": "", "thoughtSignature": "s2"},
        {"functionCall": {"id": "b", "name": "f", "args": {}}, "thoughtSignature": "s3"},
    ]);
    assert_eq!(contents(messages, "gemini-2.5-pro")[0]["parts"], expected);
}

#[test]
fn custom_calls_go_as_functions_with_one_argument() {
    let mut patch = call("a", "patch", "*** begin", None);
    if let PartBody::Call(call) = &mut patch.body {
        call.custom = true;
    }
    let mut request = ChatRequest::new(Dialect::OpenaiChat, "m");
    request.messages = vec![
        assistant(vec![patch]),
        user(vec![result("a", vec![Part::text("ok")])]),
    ];
    let (body, encoded) = encoded(&request, "gemini-2.5-flash");
    let written = &body["contents"][0]["parts"][0]["functionCall"]["args"];
    assert_eq!(*written, json!({"input": "*** begin"}));
    assert_eq!(encoded.tools.original("patch"), ("patch", true));
}
