//! Words, schemas, signatures and long texts.

use serde_json::{Value, json};

use super::{fill::Filler, media::medium_at, *};

#[test]
fn words_change_one_part_each() {
    let mut scene = Scene::default();
    for word in ["think", "text-tools", "length", "cached", "params"] {
        assert!(scene.take(word), "{word}");
    }
    assert_eq!(scene.thinking, Some(Thinking::Open));
    assert!(scene.calls.unwrap().after_text);
    assert_eq!(
        (scene.ending, scene.speech),
        (Ending::Length, Speech::Params)
    );
    assert!(scene.take("long-3") && scene.speech == Speech::Long(3));
    for word in ["tool", "long-", "long-x", "text-12", "1k"] {
        assert!(!scene.take(word), "{word}");
    }
}

#[test]
fn values_fit_their_schemas() {
    for (schema, wanted) in [
        (json!({"type": "string"}), json!("value-1")),
        (json!({"type": ["integer", "null"]}), json!(1)),
        (json!({"enum": ["c", "f"]}), json!("c")),
        (json!({"const": 7}), json!(7)),
        (
            json!({"type": "ARRAY", "items": {"type": "NUMBER"}}),
            json!([1.5]),
        ),
        (
            json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
            json!(true),
        ),
        (Value::Null, json!("value-1")),
        (
            json!({"type": "object", "required": ["b", "a"], "properties": {
                "a": {"type": "string"}, "b": {"$ref": "#/$defs/b"}, "c": {"type": "string"},
            }, "$defs": {"b": {"type": "string"}}}),
            json!({"a": "value-1", "b": "value-2"}),
        ),
        (
            json!({"properties": {"a": {"type": "null"}}}),
            json!({"a": null}),
        ),
        (json!({"$ref": "#"}), Value::Null),
    ] {
        assert_eq!(Filler::default().fill(&schema), wanted, "{schema}");
    }
}

#[test]
fn a_signature_is_good_for_one_token_and_one_text() {
    let signature = sign("sk-a", "a thought");
    assert!(is_signed(&signature, "sk-a", "a thought"));
    assert!(!is_signed(&signature, "sk-a", "another thought"));
    assert!(!is_signed(&signature, "sk-b", "a thought"));
    assert!(signed_by(&signature, "sk-a") && !signed_by(&signature, "sk-b"));
    // FNV-1a's published value for this text
    assert_eq!(fingerprint(b"a"), "af63dc4c8601ec8c");
}

#[test]
fn long_texts_differ() {
    let text = long_text("one", 200);
    assert_eq!(text.split_whitespace().count(), 200);
    assert_eq!(text, long_text("one", 200));
    assert_ne!(text, long_text("two", 200));
    assert!(long_text("one", 300).starts_with(&text));
}

#[test]
fn media_are_described() {
    let print = fingerprint(b"hi");
    assert_eq!(
        medium_at("data:image/png;base64,aGk="),
        format!("image/png 2 bytes {print}")
    );
    assert_eq!(
        medium_at("data:image/png;base64,?"),
        "image/png invalid base64"
    );
    assert_eq!(medium_at("https://a/b.png"), "url https://a/b.png");
}
