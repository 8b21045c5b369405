use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    super::{EventWriter, write_answer},
    delta, parse, reply, start, write,
};
use crate::{
    chat::{
        Block, ChatAnswer, ChatEvent, Part, PartBody, Reply, Seal, Stop, StreamFault, Thinking,
        ToolCall, ToolNames, WriteEvents,
    },
    dialect::Dialect,
    openai::error::ErrorCode,
    usage::Usage,
};

use ChatEvent::{Close, Open};

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

fn call(id: &str, name: &str, custom: bool) -> ChatEvent {
    Open(Block::Call {
        id: id.to_owned(),
        name: name.to_owned(),
        custom,
    })
}

/// Events without their numbers, which `parse` has checked, and without the response objects.
fn stream(events: Vec<ChatEvent>) -> (Vec<Value>, Value) {
    let mut writer = EventWriter::new(reply());
    let mut written = write(&mut writer, events);
    let mut last = Value::Null;
    for event in &mut written {
        let fields = event.as_object_mut().unwrap();
        fields.shift_remove("sequence_number");
        last = fields.shift_remove("response").unwrap_or_default();
    }
    let whole: Value = serde_json::from_slice(writer.response().unwrap()).unwrap();
    assert_eq!(whole, last);
    (written, last)
}

#[test]
fn the_whole_sequence() {
    let seal = Seal::new(Dialect::Anthropic, "SIG");
    let (events, last) = stream(vec![
        start(),
        Open(Block::Thinking),
        delta("hm"),
        delta("m"),
        ChatEvent::Seal(seal),
        Close,
        Open(Block::Text),
        delta("Hi"),
        Close,
        Open(Block::Refusal),
        delta("no"),
        Close,
        call("c1", "f", false),
        delta("{\"x\":"),
        delta("1}"),
        Close,
        finish(Stop::ToolCalls),
    ]);
    let reasoning = json!({"id": "rs_1_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hmm"}], "encrypted_content": "troupe.anthropic..SIG"});
    let text = json!({"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []});
    let refusal = json!({"type": "refusal", "refusal": "no"});
    let message = json!({"id": "msg_1_1", "type": "message", "status": "completed", "role": "assistant", "content": [text, refusal]});
    let function = json!({"id": "fc_1_2", "type": "function_call", "status": "completed", "call_id": "c1", "name": "f", "arguments": "{\"x\":1}"});
    let expected = [
        json!({"type": "response.created"}),
        json!({"type": "response.in_progress"}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_1_0", "type": "reasoning", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "item_id": "rs_1_0", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1_0", "output_index": 0, "summary_index": 0, "delta": "hm"}),
        json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1_0", "output_index": 0, "summary_index": 0, "delta": "m"}),
        json!({"type": "response.reasoning_summary_text.done", "item_id": "rs_1_0", "output_index": 0, "summary_index": 0, "text": "hmm"}),
        json!({"type": "response.reasoning_summary_part.done", "item_id": "rs_1_0", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": "hmm"}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": reasoning}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"id": "msg_1_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}}),
        json!({"type": "response.content_part.added", "item_id": "msg_1_1", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []}}),
        json!({"type": "response.output_text.delta", "item_id": "msg_1_1", "output_index": 1, "content_index": 0, "delta": "Hi", "logprobs": []}),
        json!({"type": "response.output_text.done", "item_id": "msg_1_1", "output_index": 1, "content_index": 0, "text": "Hi", "logprobs": []}),
        json!({"type": "response.content_part.done", "item_id": "msg_1_1", "output_index": 1, "content_index": 0, "part": text}),
        json!({"type": "response.content_part.added", "item_id": "msg_1_1", "output_index": 1, "content_index": 1, "part": {"type": "refusal", "refusal": ""}}),
        json!({"type": "response.refusal.delta", "item_id": "msg_1_1", "output_index": 1, "content_index": 1, "delta": "no"}),
        json!({"type": "response.refusal.done", "item_id": "msg_1_1", "output_index": 1, "content_index": 1, "refusal": "no"}),
        json!({"type": "response.content_part.done", "item_id": "msg_1_1", "output_index": 1, "content_index": 1, "part": refusal}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": message}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"id": "fc_1_2", "type": "function_call", "status": "in_progress", "call_id": "c1", "name": "f", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1_2", "output_index": 2, "delta": "{\"x\":"}),
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1_2", "output_index": 2, "delta": "1}"}),
        json!({"type": "response.function_call_arguments.done", "item_id": "fc_1_2", "output_index": 2, "arguments": "{\"x\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": function}),
        json!({"type": "response.completed"}),
    ];
    for (event, expected) in events.iter().zip(&expected) {
        assert_eq!(event, expected);
    }
    assert_eq!(events.len(), expected.len());
    assert_eq!(last["output"], json!([reasoning, message, function]));
}

#[test]
fn the_response_object_repeats_the_request() {
    let echo = super::echo(br#"{"instructions":"be brief","store":false,"service_tier":"flex"}"#);
    let reply = Reply {
        echo: Arc::new(echo),
        ..reply()
    };
    let mut writer = EventWriter::new(reply);
    let first = ChatEvent::Start {
        model: None,
        usage: Some(Usage::default()),
        service_tier: Some("default".to_owned()),
    };
    let events = write(&mut writer, vec![first, finish(Stop::End)]);
    let in_progress = json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "in_progress", "error": null,
        "incomplete_details": null, "model": "asked", "output": [], "usage": null, "background": false,
        "instructions": "be brief", "max_output_tokens": null, "max_tool_calls": null, "parallel_tool_calls": true,
        "previous_response_id": null, "prompt_cache_key": null, "reasoning": {"effort": null, "summary": null},
        "safety_identifier": null, "service_tier": "default", "store": false, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1.0,
        "truncation": "disabled", "user": null, "metadata": {},
    });
    assert_eq!(events[0]["response"], in_progress);
    assert_eq!(events[1]["response"], in_progress);
    let mut completed = in_progress;
    completed["status"] = json!("completed");
    completed["usage"] = json!({
        "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15,
    });
    assert_eq!(events[2]["response"], completed);
    assert!(writer.whole_answer().is_some());
}

#[test]
fn how_answers_end() {
    let cases = [
        (Stop::End, "response.completed", Value::Null),
        (Stop::Sequence(None), "response.completed", Value::Null),
        (Stop::ToolCalls, "response.completed", Value::Null),
        (Stop::Pause, "response.completed", Value::Null),
        (
            Stop::MaxTokens,
            "response.incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        (
            Stop::ContextWindow,
            "response.incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        (
            Stop::Refusal,
            "response.incomplete",
            json!({"reason": "content_filter"}),
        ),
    ];
    for (stop, name, details) in cases {
        let (events, last) = stream(vec![start(), finish(stop.clone())]);
        assert_eq!(events.last().unwrap()["type"], name, "{stop:?}");
        assert_eq!(last["status"], name.trim_start_matches("response."));
        assert_eq!(last["incomplete_details"], details);
    }
}

#[test]
fn blocks_without_anything_leave_no_trace() {
    let (events, last) = stream(vec![
        start(),
        Open(Block::Thinking),
        delta(""),
        Close,
        Open(Block::Text),
        Close,
        Open(Block::Text),
        delta(""),
        Close,
        finish(Stop::End),
    ]);
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(last["output"], json!([]));
}

#[test]
fn texts_in_a_row_are_parts_of_one_message() {
    let (_, last) = stream(vec![
        start(),
        Open(Block::Text),
        delta("a"),
        Close,
        Open(Block::Text),
        delta("b"),
        Close,
        call("c1", "f", false),
        Close,
        Open(Block::Text),
        delta("c"),
        Close,
        finish(Stop::ToolCalls),
    ]);
    let texts = |item: &Value| -> Vec<String> {
        let content = item["content"].as_array().unwrap().iter();
        content
            .map(|part| part["text"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(texts(&last["output"][0]), ["a", "b"]);
    assert_eq!(last["output"][1]["arguments"], "{}");
    assert_eq!(texts(&last["output"][2]), ["c"]);
}

#[test]
fn calls_without_an_id_get_one_each() {
    let (events, last) = stream(vec![
        start(),
        call("", "f", false),
        Close,
        call("", "f", false),
        Close,
        finish(Stop::ToolCalls),
    ]);
    assert_eq!(last["output"][0]["call_id"], "call_1_0");
    assert_eq!(last["output"][1]["call_id"], "call_1_1");
    let deltas = events.iter().filter(|event| event["delta"] == "{}").count();
    assert_eq!(deltas, 2);
}

#[test]
fn tools_come_back_under_their_names() {
    let mut names = ToolNames::default();
    let long = "x".repeat(90);
    let short = names.offer(&long, 64, false);
    let patch = names.offer("apply_patch", 64, true);
    let reply = Reply {
        tools: Arc::new(names),
        ..reply()
    };
    let mut writer = EventWriter::new(reply);
    let events = write(
        &mut writer,
        vec![
            start(),
            call("c1", &short, false),
            delta("{}"),
            Close,
            call("c2", &patch, false),
            delta("{\"inp"),
            delta("ut\":\"*** a\\nb\"}"),
            Close,
            call("c3", &patch, false),
            delta("*** bare"),
            Close,
            call("c4", "native", true),
            delta("raw"),
            Close,
            finish(Stop::ToolCalls),
        ],
    );
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["name"], long);
    let custom = |id: &str, n: usize, name: &str, input: &str| json!({"id": format!("ctc_1_{n}"), "type": "custom_tool_call", "status": "completed", "call_id": id, "name": name, "input": input});
    assert_eq!(output[1], custom("c2", 1, "apply_patch", "*** a\nb"));
    assert_eq!(output[2], custom("c3", 2, "apply_patch", "*** bare"));
    assert_eq!(output[3], custom("c4", 3, "native", "raw"));
    let of_patch = events.iter().filter(|event| event["item_id"] == "ctc_1_1");
    let kinds: Vec<&str> = of_patch
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done"
        ]
    );
}

#[test]
fn a_signed_call_has_its_seal_before_it() {
    let seal = Seal::new(Dialect::Gemini, "SIG");
    let (_, last) = stream(vec![
        start(),
        call("c1", "f", false),
        ChatEvent::Seal(seal.clone()),
        delta("{}"),
        Close,
        finish(Stop::ToolCalls),
    ]);
    let reasoning = json!({"id": "rs_1_0", "type": "reasoning", "summary": [], "encrypted_content": "troupe.gemini..SIG"});
    assert_eq!(last["output"][0], reasoning);
    assert_eq!(last["output"][1]["id"], "fc_1_1");
    // and back again
    let next = json!({"model": "m", "input": last["output"]}).to_string();
    let request = super::super::read_request(next.as_bytes()).unwrap();
    let [
        Part {
            body: PartBody::Call(call),
            ..
        },
    ] = request.messages[0].parts.as_slice()
    else {
        panic!("{request:?}")
    };
    assert_eq!(call.seal, Some(seal));
}

#[test]
fn log_probabilities_go_with_their_text() {
    let (one, two) = (json!({"token": "a"}), json!({"token": "b"}));
    let (events, last) = stream(vec![
        start(),
        Open(Block::Text),
        delta("a"),
        ChatEvent::Logprobs(vec![one.clone()]),
        delta("b"),
        ChatEvent::Logprobs(vec![two.clone()]),
        Close,
        finish(Stop::End),
    ]);
    assert_eq!(
        last["output"][0]["content"][0]["logprobs"],
        json!([one, two])
    );
    let told: Vec<&Value> = events
        .iter()
        .filter(|event| event["delta"] == "")
        .map(|event| &event["logprobs"])
        .collect();
    assert_eq!(told, [&json!([one]), &json!([two])]);
}

#[test]
fn too_much_text_is_cut_and_says_so() {
    let bounded = Reply {
        max_held: 5,
        ..reply()
    };
    let mut writer = EventWriter::new(bounded);
    let events = write(
        &mut writer,
        vec![
            start(),
            Open(Block::Text),
            delta("abc"),
            delta("def"),
            delta("g"),
            Close,
            finish(Stop::End),
        ],
    );
    let deltas: Vec<&str> = events
        .iter()
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(
        deltas,
        ["abc", "def", "g"],
        "nothing is kept from the client"
    );
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    assert_eq!(last["response"]["output"][0]["content"][0]["text"], "abc");
    assert!(writer.overflowed());
    assert_eq!(writer.whole_answer(), None, "half an answer is not stored");
}

#[test]
fn failures_are_told_in_both_ways() {
    let mut writer = EventWriter::new(reply());
    let mut out = Vec::new();
    for event in [start(), Open(Block::Text), delta("half"), ChatEvent::Ping] {
        writer.write(event, &mut out);
    }
    assert!(out.ends_with(b": ping\n\n"));
    let fault = StreamFault {
        code: ErrorCode::RateLimitExceeded,
        message: "slow down",
        request_id: "req-1",
    };
    writer.fail(&fault, &mut out);
    let events = parse(&out);
    let [.., failed, error] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(failed["type"], "response.failed");
    assert_eq!(failed["response"]["status"], "failed");
    assert_eq!(
        failed["response"]["error"],
        json!({"code": "rate_limit_exceeded", "message": "slow down"})
    );
    let number = events.len() - 1;
    let expected = json!({"type": "error", "sequence_number": number, "code": "rate_limit_exceeded", "message": "slow down", "param": null, "request_id": "req-1"});
    assert_eq!(error, &expected);
    assert_eq!(writer.response(), None);
}

#[test]
fn a_whole_answer_is_what_the_last_event_holds() {
    let answer = ChatAnswer {
        model: Some("m".to_owned()),
        parts: vec![
            PartBody::Thinking(Thinking {
                text: "hm".to_owned(),
                seal: None,
            })
            .into(),
            Part::text("Hi"),
            PartBody::Call(ToolCall {
                id: "c1".to_owned(),
                name: "f".to_owned(),
                input: "{}".to_owned(),
                custom: false,
                seal: None,
            })
            .into(),
        ],
        stop: Stop::ToolCalls,
        usage: None,
        service_tier: None,
        logprobs: None,
    };
    let bare = Reply {
        echo: Arc::new(Map::new()),
        max_held: 0,
        ..reply()
    };
    let written: Value = serde_json::from_slice(&write_answer(&answer, &bare)).unwrap();
    let expected = json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "completed", "error": null,
        "incomplete_details": null, "model": "m", "usage": null,
        "output": [
            {"id": "rs_1_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"id": "msg_1_1", "type": "message", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []},
            ]},
            {"id": "fc_1_2", "type": "function_call", "status": "completed", "call_id": "c1", "name": "f", "arguments": "{}"},
        ],
    });
    assert_eq!(written, expected);
}
