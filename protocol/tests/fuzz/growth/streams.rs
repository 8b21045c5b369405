//! Streams with much of something.

use std::iter::once;

use serde_json::{Value, json};
use troupe_protocol::{
    chat::ReadEvents,
    convert,
    dialect::{Client, Dialect},
    sse::SseScanner,
    stream_converter::StreamConverter,
};

use super::check;

/// The events of a stream with so many of something.
type Make = fn(usize) -> Vec<Value>;

fn check_all(dialect: Dialect, cases: &[(&str, Make)]) {
    for (name, make) in cases {
        let name = format!("{dialect}: {name}");
        check(
            &name,
            |count| print(make(count)),
            |stream| {
                for client in Client::ALL {
                    let writer = convert::event_writer(client, Default::default());
                    let reader: Box<dyn ReadEvents> = convert::event_reader(dialect);
                    let mut converter = StreamConverter::new(reader, writer, usize::MAX);
                    for chunk in stream.chunks(100) {
                        converter.push(chunk).unwrap();
                    }
                    converter.finish();
                    assert!(
                        converter.seen().error.is_none(),
                        "{name}: {:?}",
                        converter.seen()
                    );
                    assert!(converter.seen().done, "{name} ends");
                }
            },
        );
    }
}

fn print(events: Vec<Value>) -> Vec<u8> {
    let print = |event: Value| format!("data: {event}\n\n");
    events
        .into_iter()
        .map(print)
        .collect::<String>()
        .into_bytes()
}

#[test]
fn scanner() {
    let run = |stream: &[u8]| {
        for size in [1, 50, 10_000] {
            let mut scanner = SseScanner::new(usize::MAX);
            for chunk in stream.chunks(size) {
                scanner.feed(chunk, |_| {}).unwrap();
            }
            scanner.finish(|_| {});
        }
    };
    check(
        "one long line",
        |count| ["data: ".into(), vec![b'x'; count * 100]].concat(),
        run,
    );
    check(
        "an event of many lines",
        |count| "data: xxxx\n".repeat(count * 10).into_bytes(),
        run,
    );
    check(
        "names alone",
        |count| "event: xxxx\n".repeat(count * 10).into_bytes(),
        run,
    );
    check(
        "comments",
        |count| ": xxxx\r\n\r\n".repeat(count * 10).into_bytes(),
        run,
    );
}

#[test]
fn stream_openai_chat() {
    fn chunk(delta: Value) -> Value {
        json!({"model": "m", "choices": [{"index": 0, "delta": delta}]})
    }
    fn call(index: usize, id: Option<String>, arguments: &str) -> Value {
        let name = id.as_ref().map(|_| "f");
        let function = json!({"name": name, "arguments": arguments});
        chunk(json!({"tool_calls": [{"index": index, "id": id, "function": function}]}))
    }
    fn begin(at: usize, arguments: &str) -> Value {
        call(at, Some(format!("call_{at}")), arguments)
    }
    fn ended(events: impl Iterator<Item = Value>) -> Vec<Value> {
        events
            .chain(once(
                json!({"choices": [{"index": 0, "finish_reason": "stop"}]}),
            ))
            .collect()
    }
    check_all(
        Dialect::OpenaiChat,
        &[
            ("texts", |count| {
                ended((0..count).map(|_| chunk(json!({"content": " word"}))))
            }),
            ("texts and thoughts", |count| {
                ended((0..count).map(|at| match at % 2 {
                    0 => chunk(json!({"content": "word"})),
                    _ => chunk(json!({"reasoning_content": "hm"})),
                }))
            }),
            ("calls", |count| ended((0..count).map(|at| begin(at, "{}")))),
            ("calls of one index", |count| {
                ended((0..count).map(|at| call(0, Some(format!("call_{at}")), "{}")))
            }),
            ("calls under way at once", |count| {
                let begins = (0..count).map(|at| begin(at, "{"));
                ended(begins.chain((0..count).map(|at| call(at, None, "}"))))
            }),
            ("pieces of a call", |count| {
                let pieces = (0..count).map(|_| call(0, None, "[1],"));
                ended(
                    once(begin(0, "{\"a\":["))
                        .chain(pieces)
                        .chain(once(call(0, None, "0]}"))),
                )
            }),
            ("texts within a call", |count| {
                let texts = (0..count).map(|_| chunk(json!({"content": " word"})));
                ended(
                    once(begin(0, "{"))
                        .chain(texts)
                        .chain(once(call(0, None, "}"))),
                )
            }),
            ("a long text", |count| {
                ended(once(chunk(
                    json!({"content": "a \"ü\"\n".repeat(count * 10)}),
                )))
            }),
        ],
    );
}

#[test]
fn stream_anthropic() {
    fn block(index: usize, block: Value, deltas: Vec<Value>) -> Vec<Value> {
        let mut events =
            vec![json!({"type": "content_block_start", "index": index, "content_block": block})];
        events.extend(
            deltas.into_iter().map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
        events
    }
    fn message(blocks: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let start = json!({"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}});
        let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}});
        let stop = json!({"type": "message_stop"});
        once(start).chain(blocks).chain([end, stop]).collect()
    }
    fn input(piece: &str) -> Value {
        json!({"type": "input_json_delta", "partial_json": piece})
    }
    fn tool(at: usize) -> Value {
        json!({"type": "tool_use", "id": format!("toolu_{at}"), "name": "f", "input": {}})
    }
    check_all(
        Dialect::Anthropic,
        &[
            ("texts", |count| {
                let deltas = vec![json!({"type": "text_delta", "text": " word"}); count];
                message(block(0, json!({"type": "text", "text": ""}), deltas))
            }),
            ("blocks", |count| {
                message((0..count).flat_map(|at| match at % 2 {
                    0 => block(at, tool(at), vec![input("{}")]),
                    _ => block(at, json!({"type": "text", "text": "hi"}), Vec::new()),
                }))
            }),
            ("pieces of a call", |count| {
                let mut pieces = vec![input("{\"a\":[0")];
                pieces.extend(vec![input(",[1]"); count]);
                pieces.push(input("]}"));
                message(block(0, tool(0), pieces))
            }),
            ("thoughts", |count| {
                let thought = |at| {
                    let deltas = vec![
                        json!({"type": "thinking_delta", "thinking": "hm"}),
                        json!({"type": "signature_delta", "signature": "c2ln"}),
                    ];
                    block(at, json!({"type": "thinking", "thinking": ""}), deltas)
                };
                message((0..count).flat_map(thought))
            }),
        ],
    );
}

#[test]
fn stream_gemini() {
    fn parts(parts: Value) -> Value {
        json!({"candidates": [{"content": {"parts": parts}}]})
    }
    fn ended(events: impl Iterator<Item = Value>) -> Vec<Value> {
        events
            .chain(once(json!({"candidates": [{"finishReason": "STOP"}]})))
            .collect()
    }
    fn call(at: usize) -> Value {
        json!({"functionCall": {"id": format!("c{at}"), "name": "f", "args": {"x": at}}})
    }
    check_all(
        Dialect::Gemini,
        &[
            ("texts", |count| {
                ended((0..count).map(|_| parts(json!([{"text": " word"}]))))
            }),
            ("calls", |count| {
                ended((0..count).map(|at| parts(json!([call(at)]))))
            }),
            ("calls at once", |count| {
                ended(once(parts((0..count).map(call).collect())))
            }),
            ("thoughts and texts", |count| {
                ended((0..count).map(|at| parts(json!([{"text": "hm", "thought": at % 2 == 0}]))))
            }),
        ],
    );
}

#[test]
fn stream_openai_responses() {
    fn event(name: &str, mut more: Value) -> Value {
        more["type"] = json!(format!("response.{name}"));
        more
    }
    fn ended(events: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let response = json!({"response": {"model": "m", "status": "completed", "output": []}});
        let created = event(
            "created",
            json!({"response": {"model": "m", "status": "in_progress"}}),
        );
        once(created)
            .chain(events)
            .chain(once(event("completed", response)))
            .collect()
    }
    fn item(at: usize, item: Value, deltas: Vec<Value>) -> Vec<Value> {
        let whole = json!({"output_index": at, "item": item});
        let mut events = vec![event("output_item.added", whole.clone())];
        events.extend(deltas);
        events.push(event("output_item.done", whole));
        events
    }
    fn call(at: usize, pieces: usize) -> Vec<Value> {
        let call = json!({"type": "function_call", "id": format!("fc_{at}"), "call_id": format!("c{at}"), "name": "f", "arguments": ""});
        let delta = event(
            "function_call_arguments.delta",
            json!({"output_index": at, "item_id": format!("fc_{at}"), "delta": " "}),
        );
        item(at, call, vec![delta; pieces])
    }
    fn text(part: usize) -> Value {
        event(
            "output_text.delta",
            json!({"output_index": 0, "item_id": "msg", "content_index": part, "delta": " word"}),
        )
    }
    fn message() -> Value {
        json!({"type": "message", "id": "msg", "role": "assistant", "content": []})
    }
    check_all(
        Dialect::OpenaiResponses,
        &[
            ("texts", |count| {
                ended(item(0, message(), vec![text(0); count]))
            }),
            ("parts", |count| {
                ended(item(0, message(), (0..count).map(text).collect()))
            }),
            ("calls", |count| {
                ended((0..count).flat_map(|at| call(at, 1)))
            }),
            ("pieces of a call", |count| ended(call(0, count))),
            ("calls under way at once", |count| {
                let (begins, rests): (Vec<Value>, Vec<Vec<Value>>) = (0..count)
                    .map(|at| {
                        let mut events = call(at, 1);
                        (events.remove(0), events)
                    })
                    .unzip();
                ended(begins.into_iter().chain(rests.into_iter().flatten()))
            }),
            ("thoughts", |count| {
                let delta = |at| {
                    event(
                        "reasoning_summary_text.delta",
                        json!({"output_index": 0, "item_id": "rs", "summary_index": at, "delta": "hm"}),
                    )
                };
                let thought = json!({"type": "reasoning", "id": "rs", "summary": []});
                ended(item(0, thought, (0..count).map(delta).collect()))
            }),
        ],
    );
}
