//! What a conversion holds while a stream of 100,000 tokens passes through it.
//!
//! The allocator is one that counts, for the whole binary: so all is one test, and nothing else runs
//! beside it. What the upstream sent and what the client gets is let go before it is looked at.

#![expect(
    clippy::unwrap_used,
    reason = "all of this binary is a test, also what is outside its functions"
)]

use std::alloc::System;

use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use troupe_protocol::{
    chat::Reply,
    convert,
    dialect::{Client, Dialect},
    stream_converter::StreamConverter,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TOKENS: usize = 100_000;
/// Of thoughts and calls, which would show any growth as well: the test is not to take minutes.
const FEWER: usize = 20_000;
/// When everything that a stream needs once has been made.
const WARM: usize = 1_000;
/// How many bytes more may be held after the last token than when it was warm: buffers may still grow
/// a little, as the numbers in the events do.
const SLACK: usize = 4 << 10;
/// How often a writer that repeats the answer at its end may hold a byte of it: a text's buffer doubles
/// when it is full, and what a client may later ask for is held beside it.
const COPIES: usize = 4;

/// What the tokens belong to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Thoughts,
    /// A call's input; Gemini has calls whole.
    Input,
}

/// Bytes that are allocated now.
fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[test]
fn a_long_stream_is_converted_in_constant_memory() {
    for dialect in Dialect::ALL {
        for kind in [Kind::Text, Kind::Thoughts, Kind::Input] {
            if (dialect, kind) == (Dialect::Gemini, Kind::Input) {
                continue;
            }
            let others = Client::ALL.into_iter();
            for client in others.filter(|client| client.dialect() != dialect) {
                check(dialect, client, kind);
            }
        }
    }
}

fn check(dialect: Dialect, client: Client, kind: Kind) {
    let stream = Stream::of(dialect, kind);
    let before = live();
    let mut converter = converter(dialect, client);
    for event in &stream.begin {
        push(&mut converter, event);
    }
    let (mut warm, mut most, mut text) = (0, 0, 0);
    let tokens = if kind == Kind::Text { TOKENS } else { FEWER };
    for number in 0..tokens {
        push(&mut converter, &stream.token);
        let held = live() - before;
        text += stream.length;
        if number < WARM {
            warm = held.max(warm);
        }
        most = held.max(most);
    }
    for event in &stream.end {
        push(&mut converter, event);
    }
    converter.finish();
    most = most.max(live() - before);
    let what = format!("{dialect} to {client:?}, {kind:?}");
    assert!(converter.seen().done, "{what}: {:?}", converter.seen());
    // the last event of this dialect repeats the answer, and it may be stored
    let held_on_purpose = match client {
        Client::OpenaiResponses => COPIES * text,
        Client::OpenaiChat | Client::Anthropic => 0,
    };
    println!("{what}: {warm} bytes, then {most}");
    assert!(
        most <= warm + SLACK + held_on_purpose,
        "{what}: {warm} bytes became {most}, of a text of {text}"
    );
}

fn converter(dialect: Dialect, client: Client) -> StreamConverter {
    let reply = Reply {
        id: "msg_1".to_owned(),
        include_usage: true,
        ..Reply::default()
    };
    let writer = convert::event_writer(client, reply);
    StreamConverter::new(convert::event_reader(dialect), writer, 1 << 20)
}

fn push(converter: &mut StreamConverter, event: &[u8]) {
    converter.push(event).unwrap();
}

/// An upstream's stream of one block: `token` again and again.
struct Stream {
    begin: Vec<Vec<u8>>,
    token: Vec<u8>,
    end: Vec<Vec<u8>>,
    /// Of a token's text, in bytes as they are written in JSON.
    length: usize,
}

impl Stream {
    fn of(dialect: Dialect, kind: Kind) -> Self {
        let (text, begins, ends) = match kind {
            Kind::Input => ("[1], ", "{\"list\": [", "0]}"),
            Kind::Text | Kind::Thoughts => (" word", "", ""),
        };
        let (begin, token, end) = match dialect {
            Dialect::OpenaiChat => openai_chat(kind, [begins, text, ends]),
            Dialect::OpenaiResponses => openai_responses(kind, [begins, text, ends]),
            Dialect::Anthropic => anthropic(kind, [begins, text, ends]),
            Dialect::Gemini => gemini(kind, text),
        };
        let print = |event: Value| format!("data: {event}\n\n").into_bytes();
        Self {
            begin: begin.into_iter().map(print).collect(),
            token: print(token),
            end: end.into_iter().map(print).collect(),
            length: text.len(),
        }
    }
}

type Events = (Vec<Value>, Value, Vec<Value>);

fn openai_chat(kind: Kind, [begins, text, ends]: [&str; 3]) -> Events {
    let chunk = |delta: Value| json!({"model": "m", "choices": [{"index": 0, "delta": delta}]});
    let call = |input: &str| {
        chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": input}}]}))
    };
    let named = json!({"index": 0, "id": "call_1", "function": {"name": "f", "arguments": begins}});
    let stop = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    match kind {
        Kind::Text => (vec![], chunk(json!({"content": text})), vec![stop]),
        Kind::Thoughts => (
            vec![],
            chunk(json!({"reasoning_content": text})),
            vec![stop],
        ),
        Kind::Input => (
            vec![chunk(json!({"tool_calls": [named]}))],
            call(text),
            vec![call(ends), stop],
        ),
    }
}

fn anthropic(kind: Kind, [begins, text, ends]: [&str; 3]) -> Events {
    let start =
        json!({"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}});
    let (block, name, field) = match kind {
        Kind::Text => (json!({"type": "text", "text": ""}), "text_delta", "text"),
        Kind::Thoughts => {
            let block = json!({"type": "thinking", "thinking": "", "signature": ""});
            (block, "thinking_delta", "thinking")
        }
        Kind::Input => {
            let block = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
            (block, "input_json_delta", "partial_json")
        }
    };
    let open = json!({"type": "content_block_start", "index": 0, "content_block": block});
    let delta = |text: &str| {
        let delta = json!({"type": name, field: text});
        json!({"type": "content_block_delta", "index": 0, "delta": delta})
    };
    let end = vec![
        delta(ends),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    (vec![start, open, delta(begins)], delta(text), end)
}

/// Its last events repeat nothing of the text here: an upstream's do, but what one event may be is
/// bounded, and let go.
fn openai_responses(kind: Kind, [begins, text, ends]: [&str; 3]) -> Events {
    let start = json!({"type": "response.created", "response": {"model": "m"}});
    let (item, name) = match kind {
        Kind::Text => (
            json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []}),
            "response.output_text.delta",
        ),
        Kind::Thoughts => (
            json!({"type": "reasoning", "id": "rs_1", "summary": []}),
            "response.reasoning_summary_text.delta",
        ),
        Kind::Input => (
            json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""}),
            "response.function_call_arguments.delta",
        ),
    };
    let open = json!({"type": "response.output_item.added", "output_index": 0, "item": item});
    let delta = |text: &str| json!({"type": name, "output_index": 0, "content_index": 0, "summary_index": 0, "delta": text});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let end =
        json!({"type": "response.completed", "response": {"model": "m", "status": "completed"}});
    (
        vec![start, open, delta(begins)],
        delta(text),
        vec![delta(ends), done, end],
    )
}

fn gemini(kind: Kind, text: &str) -> Events {
    let part = json!({"text": text, "thought": kind == Kind::Thoughts});
    let piece = json!({"candidates": [{"content": {"parts": [part]}}], "modelVersion": "m"});
    let end = json!({"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]});
    (vec![], piece, vec![end])
}
