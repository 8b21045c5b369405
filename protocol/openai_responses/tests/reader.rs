use serde_json::{Value, json};

use super::{created, delta, read, read_in, sse, start};
use crate::{
    chat::{Block, ChatEvent, Seal, Stop},
    dialect::Dialect,
    failure::FailureKind,
    usage::Usage,
};

fn added(index: u64, item: Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": index, "item": item})
}

fn done(index: u64, item: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}

fn text(index: u64, delta: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": index, "content_index": 0, "delta": delta, "logprobs": []})
}

fn arguments(index: u64, delta: &str) -> Value {
    json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": index, "delta": delta})
}

fn message(text: &str) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn function(arguments: &str) -> Value {
    json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": arguments})
}

fn completed() -> Value {
    json!({"type": "response.completed", "response": {
        "status": "completed", "incomplete_details": null, "error": null,
        "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15},
    }})
}

fn finish(stop: Stop) -> ChatEvent {
    let usage = Usage {
        prompt: 10,
        completion: 5,
        cached: 4,
        reasoning: 3,
        cache_write: 0,
    };
    ChatEvent::Finish {
        stop,
        usage: Some(usage),
    }
}

fn open_call() -> ChatEvent {
    Open(Block::Call {
        id: "c1".to_owned(),
        name: "f".to_owned(),
        custom: false,
    })
}

use ChatEvent::{Close, Open};

#[test]
fn a_whole_stream_is_the_same_however_it_is_cut() {
    let stream = [
        created(),
        json!({"type": "response.in_progress", "response": {"model": "m"}}),
        added(0, json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "one"}),
        json!({"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 0, "text": "one"}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "tw"}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "ö"}),
        done(
            0,
            json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "twö"}], "encrypted_content": "ENC"}),
        ),
        added(1, message("")),
        json!({"type": "response.content_part.added", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        text(1, "Hi \"you\""),
        text(1, "\n"),
        json!({"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "Hi \"you\"\n"}),
        done(1, message("Hi \"you\"\n")),
        added(
            2,
            json!({"type": "web_search_call", "id": "ws_1", "action": {"query": "x"}, "arguments": {}}),
        ),
        json!({"type": "response.web_search_call.searching", "output_index": 2}),
        done(
            2,
            json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
        ),
        added(3, function("")),
        arguments(3, "{\"x\":"),
        arguments(3, "1}"),
        json!({"type": "response.function_call_arguments.done", "output_index": 3, "arguments": "{\"x\":1}"}),
        done(3, function("{\"x\":1}")),
        added(
            4,
            json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "patch", "input": ""}),
        ),
        json!({"type": "response.custom_tool_call_input.delta", "output_index": 4, "delta": "***"}),
        json!({"type": "response.custom_tool_call_input.done", "output_index": 4, "input": "***"}),
        done(
            4,
            json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "patch", "input": "***"}),
        ),
        completed(),
    ];
    let seal = Seal {
        by: Dialect::OpenaiResponses,
        id: Some("rs_1".to_owned()),
        data: "ENC".to_owned(),
    };
    let custom = Block::Call {
        id: "c2".to_owned(),
        name: "patch".to_owned(),
        custom: true,
    };
    let expected = [
        start(),
        Open(Block::Thinking),
        delta("one"),
        delta("\n\n"),
        delta("tw"),
        delta("ö"),
        ChatEvent::Seal(seal),
        Close,
        Open(Block::Text),
        delta("Hi \"you\""),
        delta("\n"),
        Close,
        open_call(),
        delta("{\"x\":"),
        delta("1}"),
        Close,
        Open(custom),
        delta("***"),
        Close,
        finish(Stop::ToolCalls),
    ];
    for size in [1, 2, 3, 7, 64, usize::MAX] {
        assert_eq!(read_in(&sse(&stream), size), expected, "{size}");
    }
    let nameless = sse(&stream).replace("event: ", ": ");
    assert_eq!(read_in(&nameless, usize::MAX), expected);
}

#[test]
fn text_that_comes_only_whole_is_not_lost() {
    let hi = |stop| vec![start(), Open(Block::Text), delta("hi"), Close, finish(stop)];
    let no_deltas = [
        created(),
        added(0, message("")),
        json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "hi"}),
        done(0, message("hi")),
        completed(),
    ];
    assert_eq!(read(&no_deltas), hi(Stop::End));
    assert_eq!(
        read(&[created(), done(0, message("hi")), completed()]),
        hi(Stop::End)
    );
    let mut last = completed();
    last["response"]["output"] = json!([message("hi")]);
    assert_eq!(read(&[created(), last.clone()]), hi(Stop::End));
    // what was told before is not told again
    assert_eq!(read(&[created(), text(0, "hi"), last]), hi(Stop::End));
    let half = [
        created(),
        added(0, message("")),
        text(0, "h"),
        done(0, message("hi")),
        completed(),
    ];
    let expected = [
        start(),
        Open(Block::Text),
        delta("h"),
        delta("i"),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(read(&half), expected);
    let call = [created(), done(0, function("{}")), completed()];
    let expected = [
        start(),
        open_call(),
        delta("{}"),
        Close,
        finish(Stop::ToolCalls),
    ];
    assert_eq!(read(&call), expected);
}

#[test]
fn a_stream_without_its_frame_is_read_all_the_same() {
    let first = ChatEvent::Start {
        model: None,
        usage: None,
        service_tier: None,
    };
    // no created, no added, no index, no done
    let bare = [
        json!({"type": "response.output_text.delta", "delta": "hi"}),
        completed(),
    ];
    let expected = [
        first,
        Open(Block::Text),
        delta("hi"),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(read(&bare), expected);
}

#[test]
fn items_that_overlap_are_put_in_order() {
    let stream = [
        created(),
        added(0, message("")),
        text(0, "a"),
        added(1, function("")),
        arguments(1, "{"),
        text(0, "b"),
        arguments(1, "}"),
        done(1, function("{}")),
        text(0, "c"),
        done(0, message("abc")),
        completed(),
    ];
    let expected = [
        start(),
        Open(Block::Text),
        delta("a"),
        delta("b"),
        delta("c"),
        Close,
        open_call(),
        delta("{"),
        delta("}"),
        Close,
        finish(Stop::ToolCalls),
    ];
    assert_eq!(read(&stream), expected);
}

#[test]
fn two_kinds_under_one_index_are_two_items() {
    let stream = [
        created(),
        json!({"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "hm"}),
        text(0, "hi"),
        completed(),
    ];
    let expected = [
        start(),
        Open(Block::Thinking),
        delta("hm"),
        Close,
        Open(Block::Text),
        delta("hi"),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(read(&stream), expected);
}

#[test]
fn thoughts_of_all_shapes() {
    let item = |item: Value| read(&[created(), done(0, item), completed()]);
    let sealed = |id: Option<&str>| {
        ChatEvent::Seal(Seal {
            by: Dialect::OpenaiResponses,
            id: id.map(str::to_owned),
            data: "E".to_owned(),
        })
    };
    let hidden =
        json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"});
    let expected = [
        start(),
        Open(Block::Thinking),
        sealed(Some("rs_1")),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(item(hidden), expected);
    let nothing = json!({"type": "reasoning", "id": "rs_1", "summary": [], "content": null});
    assert_eq!(item(nothing), [start(), finish(Stop::End)]);
    let full = json!({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "a"}, {"type": "reasoning_text", "text": "b"}]});
    let expected = [
        start(),
        Open(Block::Thinking),
        delta("a"),
        delta("\n\n"),
        delta("b"),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(item(full), expected);
    // in full and as a summary: one of the two
    let both = [
        created(),
        json!({"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "full"}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "short"}),
        done(
            0,
            json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "short"}]}),
        ),
        completed(),
    ];
    let expected = [
        start(),
        Open(Block::Thinking),
        delta("full"),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(read(&both), expected);
}

#[test]
fn refusals_and_log_probabilities() {
    let token = json!({"token": "hi", "logprob": -0.5, "bytes": [104, 105], "top_logprobs": []});
    let mut with_logprobs = text(0, "hi");
    with_logprobs["logprobs"] = json!([token]);
    let stream = [
        created(),
        with_logprobs,
        json!({"type": "response.refusal.delta", "output_index": 0, "content_index": 1, "delta": "no"}),
        completed(),
    ];
    let expected = [
        start(),
        Open(Block::Text),
        delta("hi"),
        ChatEvent::Logprobs(vec![token.clone()]),
        Close,
        Open(Block::Refusal),
        delta("no"),
        Close,
        finish(Stop::End),
    ];
    assert_eq!(read(&stream), expected);
    let mut whole = message("hi");
    whole["content"][0]["logprobs"] = json!([token]);
    let events = read(&[created(), done(0, whole), completed()]);
    assert_eq!(events[3], ChatEvent::Logprobs(vec![token]));
}

#[test]
fn how_answers_end() {
    let end = |reason: Value| {
        let response = json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
        let events = read(&[
            created(),
            json!({"type": "response.incomplete", "response": response}),
        ]);
        events.last().cloned()
    };
    let finish = |stop| Some(ChatEvent::Finish { stop, usage: None });
    assert_eq!(end(json!("max_output_tokens")), finish(Stop::MaxTokens));
    assert_eq!(end(json!("content_filter")), finish(Stop::Refusal));
    assert_eq!(end(json!("boredom")), finish(Stop::End));
    assert_eq!(end(Value::Null), finish(Stop::End));
    assert_eq!(
        read(&[created(), text(0, "a")]),
        [start(), Open(Block::Text), delta("a")],
        "cut short"
    );
}

#[test]
fn failures_end_the_stream() {
    let limited = FailureKind::RateLimited { retry_after: None };
    let cases = [
        (
            json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}}}),
            limited,
            Some("slow"),
        ),
        (
            json!({"type": "response.completed", "response": {"status": "failed", "error": {"code": "server_error", "message": "oops"}}}),
            FailureKind::Upstream,
            Some("oops"),
        ),
        (
            json!({"type": "response.failed", "response": {"status": "failed"}}),
            FailureKind::Upstream,
            None,
        ),
        (
            json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": null}),
            limited,
            Some("slow"),
        ),
        (
            json!({"type": "error", "error": {"code": "invalid_prompt", "message": "bad"}}),
            FailureKind::InvalidRequest,
            Some("bad"),
        ),
        (
            json!({"type": "response.output_text.delta", "delta": 5}),
            FailureKind::Upstream,
            None,
        ),
    ];
    for (event, kind, message) in cases {
        let expected = ChatEvent::Error {
            kind,
            message: message.map(str::to_owned),
        };
        assert_eq!(
            read(&[created(), event.clone(), completed()]),
            [start(), expected],
            "{event}"
        );
    }
    let no_json = "data: {\"type\":\n\n";
    assert!(matches!(
        read_in(no_json, 100)[..],
        [ChatEvent::Error { .. }]
    ));
}

#[test]
fn signs_of_life_and_unknown_events() {
    let stream = [
        json!({"type": "response.queued", "response": {"status": "queued"}}),
        created(),
        json!({"type": "keepalive", "sequence_number": 3}),
        json!({"type": "response.brand_new", "x": []}),
        completed(),
    ];
    let mut text = sse(&stream);
    text.push_str("data: [DONE]\n\n");
    let expected = [ChatEvent::Ping, start(), ChatEvent::Ping, finish(Stop::End)];
    assert_eq!(read_in(&text, usize::MAX), expected);
}
