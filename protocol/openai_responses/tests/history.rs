use serde_json::{Value, json};

use super::super::history::{Head, Turn, head, input_items, listed_items, with_history};

fn continued(body: &Value, turns: &[Turn]) -> Value {
    serde_json::from_slice(&with_history(body.to_string().as_bytes(), turns).unwrap()).unwrap()
}

#[test]
fn what_follows_a_lost_thought_goes_without_its_id() {
    let output = json!({"output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "E"},
        {"type": "function_call", "id": "fc_2", "call_id": "c2", "name": "f", "arguments": "{}"},
    ]});
    let turn = Turn {
        input: json!([]),
        output,
    };
    let whole = continued(&json!({"model": "m", "input": []}), &[turn]);
    let ids: Vec<_> = whole["input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(ids, [&json!(null), &json!("rs_2"), &json!("fc_2")]);
}

#[test]
fn the_whole_conversation_stands_before_the_new_input() {
    let first = Turn {
        input: json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "1"}]}]),
        output: json!({"id": "resp_1", "instructions": "old", "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "E"},
            {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "one"}]},
        ]}),
    };
    let second = Turn {
        input: json!([{"type": "message", "role": "user", "content": "2"}]),
        output: json!({"id": "resp_2", "output": [{"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}]}),
    };
    let body = json!({"model": "m", "previous_response_id": "resp_2", "instructions": "new", "input": [
        {"type": "function_call_output", "call_id": "c1", "output": "3"},
    ]});
    let expected = json!({"model": "m", "instructions": "new", "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "1"}]},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "E"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "one"}]},
        {"type": "message", "role": "user", "content": "2"},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "3"},
    ]});
    assert_eq!(continued(&body, &[first, second]), expected);
}

#[test]
fn a_plain_text_becomes_a_message() {
    let item = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]});
    assert_eq!(
        continued(&json!({"input": "hi"}), &[]),
        json!({"input": [item]})
    );
    assert_eq!(input_items(br#"{"input":"hi"}"#).unwrap(), [item]);
    assert_eq!(
        input_items(br#"{"input":[{"role":"user"}]}"#).unwrap(),
        [json!({"role": "user"})]
    );
    assert!(input_items(b"{}").unwrap().is_empty());
    assert_eq!(
        input_items(br#"{"input":5}"#).unwrap_err().param(),
        Some("input")
    );
    assert!(with_history(b"[]", &[]).is_err());
}

#[test]
fn listed_items_have_ids_that_stay() {
    let items = vec![
        json!({"role": "user", "content": "hi"}),
        json!({"type": "message", "role": "assistant", "content": "yo", "id": null}),
        json!({"type": "function_call", "id": "fc_own", "call_id": "c1"}),
        json!({"type": "function_call_output", "call_id": "c1", "output": "1"}),
    ];
    let listed = listed_items(items.clone(), "resp_9");
    let expected = [
        json!({"type": "message", "id": "msg_9_in0", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}),
        json!({"type": "message", "id": "msg_9_in1", "role": "assistant", "content": [{"type": "output_text", "text": "yo"}]}),
        json!({"type": "function_call", "id": "fc_own", "call_id": "c1"}),
        json!({"type": "function_call_output", "id": "fco_9_in3", "call_id": "c1", "output": "1"}),
    ];
    assert_eq!(listed, expected);
    assert_eq!(listed_items(items, "resp_9"), listed);
}

#[test]
fn the_head_has_the_apis_defaults() {
    let default = Head {
        store: true,
        previous_response_id: None,
        background: false,
        conversation: None,
    };
    for body in [
        r#"{"input":"x"}"#,
        r#"{"store":null,"background":null,"conversation":null}"#,
    ] {
        assert_eq!(head(body.as_bytes()).unwrap(), default);
    }
    let body = br#"{"store":false,"previous_response_id":"resp_1","background":true,"conversation":{"id":"conv_1"}}"#;
    let expected = Head {
        store: false,
        previous_response_id: Some("resp_1".to_owned()),
        background: true,
        conversation: Some(json!({"id": "conv_1"})),
    };
    assert_eq!(head(body).unwrap(), expected);
    assert_eq!(
        head(br#"{"store":"yes"}"#).unwrap_err().param(),
        Some("store")
    );
}
