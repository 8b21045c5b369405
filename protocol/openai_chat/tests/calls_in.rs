//! Calls in the streams of upstreams.

use serde_json::{Value, json};

use super::{
    said,
    streams_in::{TEXT, delta, end, events, finish, inner},
};
use crate::{
    chat::{Block, ChatEvent, Seal, Stop},
    dialect::Dialect,
};

fn opened(id: &str, name: &str) -> ChatEvent {
    ChatEvent::Open(Block::Call {
        id: id.to_owned(),
        name: name.to_owned(),
        custom: false,
    })
}

fn piece(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    let mut call = json!({"index": index, "function": {"arguments": arguments}});
    if !id.is_empty() {
        call["id"] = json!(id);
        call["type"] = json!("function");
    }
    if !name.is_empty() {
        call["function"]["name"] = json!(name);
    }
    delta(json!({"tool_calls": [call]}))
}

#[test]
fn calls_come_one_after_the_other() {
    let expected = [
        opened("a", "f"),
        said("{\"x\":1}"),
        ChatEvent::Close,
        opened("b", "g"),
        said("{}"),
        ChatEvent::Close,
    ];
    let whole = |index: u64| {
        let call = |index: u64, id: &str, name: &str, arguments: &str| json!({"index": index, "id": id, "function": {"name": name, "arguments": arguments}});
        delta(json!({"tool_calls": [call(0, "a", "f", "{\"x\":1}"), call(index, "b", "g", "{}")]}))
    };
    let unnumbered = |id: &str, name: &str, arguments: &str| {
        delta(
            json!({"tool_calls": [{"id": id, "function": {"name": name, "arguments": arguments}}]}),
        )
    };
    let joined = |chunks: &[Value]| {
        let mut joined: Vec<ChatEvent> = Vec::new();
        for event in inner(chunks) {
            match (joined.last_mut(), event) {
                (Some(ChatEvent::Delta(before)), ChatEvent::Delta(text)) => before.push_str(&text),
                (_, event) => joined.push(event),
            }
        }
        joined
    };
    let cases = [
        // in pieces
        vec![
            piece(0, "a", "f", ""),
            piece(0, "", "", "{\"x\""),
            piece(0, "", "", ":1}"),
            piece(1, "b", "g", ""),
            piece(1, "", "", "{}"),
        ],
        // pieces that alternate
        vec![
            piece(0, "a", "f", ""),
            piece(1, "b", "g", "{"),
            piece(0, "", "", "{\"x\":1"),
            piece(1, "", "", "}"),
            piece(0, "", "", "}"),
        ],
        // in one piece each, and both in one chunk
        vec![piece(0, "a", "f", "{\"x\":1}"), piece(1, "b", "g", "{}")],
        vec![whole(1)],
        // all under the same number
        vec![piece(0, "a", "f", "{\"x\":1}"), piece(0, "b", "g", "{}")],
        vec![whole(0)],
        // without numbers
        vec![
            unnumbered("a", "f", "{\"x\":1}"),
            unnumbered("b", "g", "{}"),
        ],
        vec![
            unnumbered("a", "f", "{\"x\""),
            unnumbered("a", "f", ":1}"),
            unnumbered("b", "g", ""),
            unnumbered("", "", "{}"),
        ],
    ];
    for mut chunks in cases {
        chunks.push(end("stop"));
        assert_eq!(joined(&chunks), expected, "{chunks:?}");
        assert_eq!(events(&chunks).last(), Some(&finish(Stop::ToolCalls)));
    }
}

#[test]
fn calls_without_numbers_and_ids_are_told_apart() {
    let call = |name: &str| json!({"function": {"name": name, "arguments": "{}"}});
    let chunks = [
        delta(json!({"tool_calls": [call("f"), call("g")]})),
        delta(json!({"tool_calls": [call("f")]})),
        end("tool_calls"),
    ];
    let names: Vec<String> = inner(&chunks)
        .into_iter()
        .filter_map(|event| match event {
            ChatEvent::Open(Block::Call { name, .. }) => Some(name),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["f", "g", "f"]);
}

#[test]
fn a_call_that_gets_no_name_keeps_the_order_of_blocks() {
    let chunks = [
        delta(json!({"content": "a"})),
        piece(0, "", "", "{\"x\":"),
        delta(json!({"content": "b"})),
        piece(0, "", "", "1}"),
        end("stop"),
    ];
    let close = || ChatEvent::Close;
    let call = [opened("", ""), said("{\"x\":1}"), close()];
    let expected = [
        &[TEXT, said("a"), close()][..],
        &call,
        &[TEXT, said("b"), close()],
    ];
    assert_eq!(inner(&chunks), expected.concat());
}

#[test]
fn a_text_does_not_cut_a_call_in_two() {
    let chunks = [
        delta(json!({"content": "a"})),
        piece(0, "c", "f", "{\"x\":"),
        delta(json!({"content": "b"})),
        piece(0, "", "", "1}"),
        piece(0, "", "", "\n"),
        delta(json!({"content": "d"})),
        end("stop"),
    ];
    let close = || ChatEvent::Close;
    let expected = [
        TEXT,
        said("a"),
        close(),
        opened("c", "f"),
        said("{\"x\":"),
        said("1}"),
        close(),
        TEXT,
        said("b"),
        said("d"),
        close(),
    ];
    assert_eq!(inner(&chunks), expected);
    // a call that never gets its arguments
    let chunks = [
        piece(0, "c", "f", ""),
        delta(json!({"content": "b"})),
        end("stop"),
    ];
    let expected = [opened("c", "f"), close(), TEXT, said("b"), close()];
    assert_eq!(inner(&chunks), expected);
}

#[test]
fn other_kinds_of_calls() {
    let chunks = [
        delta(
            json!({"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "p", "input": ""}}]}),
        ),
        delta(json!({"tool_calls": [{"index": 0, "custom": {"input": "*** x"}}]})),
        end("tool_calls"),
    ];
    let block = Block::Call {
        id: "c".to_owned(),
        name: "p".to_owned(),
        custom: true,
    };
    let expected = [ChatEvent::Open(block), said("*** x"), ChatEvent::Close];
    assert_eq!(inner(&chunks), expected);

    let chunks = [
        delta(json!({"function_call": {"name": "f", "arguments": ""}})),
        delta(json!({"function_call": {"arguments": "{}"}})),
        end("function_call"),
    ];
    let expected = [opened("", "f"), said("{}"), ChatEvent::Close];
    assert_eq!(inner(&chunks), expected);

    let signed = json!({"id": "c", "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "s"}}});
    let chunks = [delta(json!({"tool_calls": [signed]})), end("stop")];
    let seal = ChatEvent::Seal(Seal::new(Dialect::Gemini, "s"));
    let expected = [opened("c", "f"), seal, said("{}"), ChatEvent::Close];
    assert_eq!(inner(&chunks), expected);
}
