use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::openai::error::ErrorCode;

fn head(body: &str) -> RequestHead {
    RequestHead::parse(body.as_bytes()).unwrap()
}

fn refusal(body: &str) -> (Option<String>, ErrorCode, String) {
    let error = RequestHead::parse(body.as_bytes()).unwrap_err();
    (
        error.param().map(str::to_owned),
        error.code(),
        error.to_string(),
    )
}

fn rewritten(body: &str, model: &str, ask_usage: bool) -> (String, bool) {
    let (out, injected) =
        head(body).rewrite(&Bytes::copy_from_slice(body.as_bytes()), model, ask_usage);
    (String::from_utf8(out.to_vec()).unwrap(), injected)
}

#[test]
fn reads_the_head_wherever_it_stands() {
    let body = r#" {"messages":[{"model":"inner","content":"\"model\":\"no\""}],"mod\u0065l":"gp\u0074-4o","stream":true,"x":{"stream":1}} "#;
    let head = head(body);
    assert_eq!((head.model.as_str(), head.stream), ("gpt-4o", true));
    for unasked in [
        r#"{"model":"m","stream":null}"#,
        r#"{"model":"m","stream_options":{"include_usage":true}}"#,
    ] {
        let head = self::head(unasked);
        assert!(!head.stream && !head.wants_usage(), "{unasked}");
    }
}

#[test]
fn refuses_with_the_field_at_fault() {
    use ErrorCode::{InvalidJson, InvalidRequest, MissingModel};
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(257));
    let cases = [
        ("", None, InvalidJson),
        ("{\"model\":\"m\",\n}", None, InvalidJson),
        (r#"{"model":"m"} x"#, None, InvalidJson),
        (r#"["m",true]"#, None, InvalidRequest),
        ("{}", Some("model"), MissingModel),
        (r#"{"model":null}"#, Some("model"), MissingModel),
        (r#"{"model":" "}"#, Some("model"), MissingModel),
        (r#"{"model":7}"#, Some("model"), InvalidRequest),
        (r#"{"model":"a\nb"}"#, Some("model"), InvalidRequest),
        (&long, Some("model"), InvalidRequest),
        (
            r#"{"model":"m","stream":"true"}"#,
            Some("stream"),
            InvalidRequest,
        ),
        (
            r#"{"model":"m","model":"n"}"#,
            Some("model"),
            InvalidRequest,
        ),
        (
            r#"{"model":"m","stream":true,"str\u0065am":false}"#,
            Some("stream"),
            InvalidRequest,
        ),
        (
            r#"{"model":"m","stream_options":[]}"#,
            Some("stream_options"),
            InvalidRequest,
        ),
        (
            r#"{"model":"m","stream_options":{"include_usage":1}}"#,
            Some("stream_options.include_usage"),
            InvalidRequest,
        ),
        (
            r#"{"model":"m","stream_options":{"include_usage":true,"include_usage":false}}"#,
            Some("include_usage"),
            InvalidRequest,
        ),
    ];
    for (body, param, code) in cases {
        let (found, found_code, text) = refusal(body);
        assert_eq!(
            (found.as_deref(), found_code),
            (param, code),
            "{body}: {text}"
        );
    }
    assert!(
        refusal("{\"model\":\"m\",\n}")
            .2
            .contains("line 2 column 1")
    );
    let error = RequestHead::parse(b"{\"model\":\"m\xff\"}").unwrap_err();
    assert!(
        error.to_string().contains("byte 11 is not UTF-8"),
        "{error}"
    );
}

#[test]
fn an_unchanged_body_is_not_copied() {
    let body = Bytes::from_static(
        br#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
    );
    let head = RequestHead::parse(&body).unwrap();
    for ask_usage in [false, true] {
        assert!(head.wants_usage());
        let (out, injected) = head.rewrite(&body, "m", ask_usage);
        assert_eq!(
            (out.as_ptr(), out.len(), injected),
            (body.as_ptr(), body.len(), false)
        );
    }
}

#[test]
fn changes_stay_in_their_place() {
    assert_eq!(
        rewritten(r#"{ "model" : "a", "x": 1.50 }"#, "b\"/c", true),
        (r#"{ "model" : "b\"/c", "x": 1.50 }"#.to_owned(), false)
    );
    assert_eq!(
        rewritten(r#"{"stream":true,"model":"a"}"#, "a", true),
        (
            r#"{"stream_options":{"include_usage":true},"stream":true,"model":"a"}"#.to_owned(),
            true
        )
    );
    assert_eq!(
        rewritten(
            r#"{"stream":true,"stream_options":null,"model":"a"}"#,
            "b",
            true
        ),
        (
            r#"{"stream":true,"stream_options":{"include_usage":true},"model":"b"}"#.to_owned(),
            true
        )
    );
    assert_eq!(
        rewritten(
            r#"{"model":"a","stream":true,"stream_options":{ }}"#,
            "b",
            true
        ),
        (
            r#"{"model":"b","stream":true,"stream_options":{"include_usage":true }}"#.to_owned(),
            true
        )
    );
    assert_eq!(
        rewritten(
            r#"{"model":"a","stream":true,"stream_options":{"k":1,"include_usage":false}}"#,
            "a",
            true
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"k":1,"include_usage":true}}"#
                .to_owned(),
            true
        )
    );
}

#[test]
fn a_default_model_is_put_in() {
    for (body, expected) in [
        ("{}", r#"{"model":"up"}"#),
        (r#"{"prompt":"p"}"#, r#"{"model":"up","prompt":"p"}"#),
        (
            r#"{"prompt":"p","model":"given"}"#,
            r#"{"prompt":"p","model":"up"}"#,
        ),
        (
            r#"{"stream":true}"#,
            r#"{"model":"up","stream_options":{"include_usage":true},"stream":true}"#,
        ),
    ] {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let head = RequestHead::parse_with_default_model(&body, Some("up")).unwrap();
        assert_eq!(head.rewrite(&body, "up", true).0, expected);
    }
    assert!(RequestHead::parse_with_default_model(br#"{"model":null}"#, Some("m")).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z\"]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_options() -> impl Strategy<Value = Option<Value>> {
    prop::sample::select(vec![
        None,
        Some(Value::Null),
        Some(json!({})),
        Some(json!({"include_usage": null})),
        Some(json!({"include_usage": false, "z": [1, {"include_usage": 2}]})),
        Some(json!({"include_usage": true})),
        Some(json!({"include_obfuscation": false})),
    ])
}

proptest! {
    #[test]
    fn a_rewrite_changes_what_it_should_and_nothing_else(
        fields in proptest::collection::hash_map("[a-z\"]{1,4}", any_json(), 0..5),
        positions in [0usize..6, 0..7, 0..8],
        model in ".{1,12}".prop_filter("a name", |m| !m.trim().is_empty() && !m.chars().any(char::is_control)),
        upstream in ".{1,12}",
        stream in prop::sample::select(vec![None, Some(json!(true)), Some(json!(false)), Some(Value::Null)]),
        options in any_options(),
        ask_usage: bool,
        gap in "[ \n\t]{0,2}",
    ) {
        let mut entries: Vec<(String, Value)> = fields.into_iter().collect();
        let own = [
            ("model", Some(json!(model))),
            ("stream", stream.clone()),
            ("stream_options", options.clone()),
        ];
        for ((name, value), position) in own.into_iter().zip(positions) {
            if let Some(value) = value {
                entries.insert(position.min(entries.len()), (name.to_owned(), value));
            }
        }
        let written: Vec<String> = entries
            .iter()
            .map(|(name, value)| format!("{}{gap}:{gap}{value}", json!(name)))
            .collect();
        let body = Bytes::from(format!("{gap}{{{gap}{}{gap}}}{gap}", written.join(&format!("{gap},"))));
        let original = Value::Object(entries.into_iter().collect());

        let head = RequestHead::parse(&body).unwrap();
        prop_assert_eq!(&head.model, &model);
        let (out, injected) = head.rewrite(&body, &upstream, ask_usage);

        let asked = options.as_ref().is_some_and(|o| o["include_usage"] == json!(true));
        let expect_injected = ask_usage && stream == Some(json!(true)) && !asked;
        prop_assert_eq!(injected, expect_injected);
        let mut expected = original;
        expected["model"] = json!(upstream);
        if expect_injected {
            expected["stream_options"]["include_usage"] = json!(true);
        }
        prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
    }
}
