//! Streams for clients.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{reply, said};
use crate::{
    chat::{Block, ChatEvent, Reply, Seal, Stop, StreamFault, ToolNames, WriteEvents},
    dialect::Dialect,
    openai::error::ErrorCode,
    openai_chat::EventWriter,
    usage::Usage,
};

fn written(reply: Reply, events: Vec<ChatEvent>) -> String {
    let mut writer = EventWriter::new(reply);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The deltas of a stream.
fn deltas(reply: Reply, inner: Vec<ChatEvent>) -> Vec<Value> {
    let mut events = vec![start()];
    events.extend(inner);
    let text = written(reply, events);
    let mut deltas = text.split_terminator("\n\n").map(|event| {
        let chunk: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        chunk["choices"][0]["delta"].clone()
    });
    assert_eq!(
        deltas.next(),
        Some(json!({"role": "assistant", "content": ""}))
    );
    deltas.collect()
}

fn start() -> ChatEvent {
    ChatEvent::Start {
        model: None,
        usage: None,
        service_tier: None,
    }
}

fn opened(id: &str, name: &str, custom: bool) -> ChatEvent {
    ChatEvent::Open(Block::Call {
        id: id.to_owned(),
        name: name.to_owned(),
        custom,
    })
}

const CLOSE: ChatEvent = ChatEvent::Close;

#[test]
fn a_plain_stream_to_the_byte() {
    let begin = ChatEvent::Start {
        model: Some("m".to_owned()),
        usage: None,
        service_tier: Some("default".to_owned()),
    };
    let events = vec![
        begin,
        ChatEvent::Open(Block::Text),
        said("h\"i"),
        ChatEvent::Ping,
        CLOSE,
        ChatEvent::Finish {
            stop: Stop::End,
            usage: Some(Usage::default()),
        },
    ];
    let head = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","service_tier":"default","choices":"#;
    let expected = [
        r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"[{"index":0,"delta":{"content":"h\"i"},"finish_reason":null}]}"#,
        "",
        r#"[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    ]
    .map(|rest| match rest {
        "" => ": ping\n\n".to_owned(),
        rest => format!("{head}{rest}\n\n"),
    });
    let expected = expected.concat() + "data: [DONE]\n\n";
    assert_eq!(written(reply(), events), expected);
}

#[test]
fn the_usage_comes_last_where_it_was_asked_for() {
    let asked = Reply {
        include_usage: true,
        ..reply()
    };
    let early = Usage {
        prompt: 5,
        ..Usage::default()
    };
    let last = Usage {
        prompt: 5,
        completion: 2,
        cached: 1,
        ..Usage::default()
    };
    let events = |usage| {
        let begin = ChatEvent::Start {
            model: None,
            usage: Some(early),
            service_tier: None,
        };
        let stop = Stop::MaxTokens;
        vec![begin, ChatEvent::Finish { stop, usage }]
    };
    let text = written(asked.clone(), events(Some(last)));
    let head = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"alias","choices":"#;
    let expected = [
        format!(
            r#"{head}[{{"index":0,"delta":{{"role":"assistant","content":""}},"finish_reason":null}}],"usage":null}}"#
        ),
        format!(r#"{head}[{{"index":0,"delta":{{}},"finish_reason":"length"}}],"usage":null}}"#),
        format!(
            r#"{head}[],"usage":{{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{{"cached_tokens":1}},"completion_tokens_details":{{"reasoning_tokens":0}}}}}}"#
        ),
        "data: [DONE]".to_owned(),
    ];
    assert_eq!(text, expected.join("\n\n") + "\n\n");
    assert!(written(asked, events(None)).contains(r#""completion_tokens":0"#));
    assert!(!written(reply(), events(Some(last))).contains("usage"));
}

#[test]
fn thoughts_are_sealed_and_refusals_told() {
    let foreign = |data: &str| ChatEvent::Seal(Seal::new(Dialect::Anthropic, data));
    let inner = vec![
        ChatEvent::Open(Block::Thinking),
        said("hm"),
        foreign("s"),
        CLOSE,
        ChatEvent::Open(Block::Thinking),
        foreign("d"),
        CLOSE,
        ChatEvent::Open(Block::Refusal),
        said("no"),
        CLOSE,
    ];
    let expected = [
        json!({"reasoning_content": "hm"}),
        json!({"reasoning_details": [{"type": "reasoning.text", "signature": "troupe.anthropic..s", "index": 0}]}),
        json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "troupe.anthropic..d", "index": 1}]}),
        json!({"refusal": "no"}),
    ];
    assert_eq!(deltas(reply(), inner), expected);
}

#[test]
fn calls_are_counted_and_get_ids() {
    let inner = vec![
        ChatEvent::Open(Block::Text),
        said("a"),
        CLOSE,
        opened("c", "f", false),
        said("{\"x\":"),
        said("1}"),
        CLOSE,
        opened("", "g", false),
        CLOSE,
    ];
    let call = |index: usize, id: &str, name: &str| json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]});
    let more = |index: usize, arguments: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]});
    let expected = [
        json!({"content": "a"}),
        call(0, "c", "f"),
        more(0, "{\"x\":"),
        more(0, "1}"),
        call(1, "call_1_1", "g"),
        more(1, "{}"),
    ];
    assert_eq!(deltas(reply(), inner), expected);
}

#[test]
fn a_signature_stands_in_the_first_piece_of_its_call() {
    let inner = vec![
        opened("c", "f", false),
        ChatEvent::Seal(Seal::new(Dialect::Gemini, "s")),
        said("{}"),
        ChatEvent::Seal(Seal::new(Dialect::Gemini, "late")),
        CLOSE,
    ];
    let signature = |text: &str| json!({"google": {"thought_signature": text}});
    let expected = [
        json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}, "extra_content": signature("s")}]}),
        json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        json!({"tool_calls": [{"index": 0, "function": {"arguments": ""}, "extra_content": signature("late")}]}),
    ];
    assert_eq!(deltas(reply(), inner), expected);
}

#[test]
fn custom_tools_get_their_text_back() {
    let mut names = ToolNames::default();
    names.offer("patch", 64, true);
    let reply = Reply {
        tools: Arc::new(names),
        ..reply()
    };
    let inner = vec![
        opened("a", "patch", false),
        said("{\"input\":\"*** "),
        said("x\\n\"}"),
        CLOSE,
        opened("b", "other", true),
        said("te"),
        said("xt"),
        CLOSE,
    ];
    let call = |index: usize, id: &str, name: &str| json!({"tool_calls": [{"index": index, "id": id, "type": "custom", "custom": {"name": name, "input": ""}}]});
    let more = |index: usize, input: &str| json!({"tool_calls": [{"index": index, "custom": {"input": input}}]});
    let expected = [
        call(0, "a", "patch"),
        more(0, "*** x\n"),
        call(1, "b", "other"),
        more(1, "te"),
        more(1, "xt"),
    ];
    assert_eq!(deltas(reply, inner), expected);
}

#[test]
fn logprobs_go_along() {
    let events = vec![
        start(),
        ChatEvent::Open(Block::Text),
        said("a"),
        ChatEvent::Logprobs(vec![json!({"token": "a"})]),
        CLOSE,
    ];
    let text = written(reply(), events);
    let last = r#"[{"index":0,"delta":{"content":""},"logprobs":{"content":[{"token":"a"}]},"finish_reason":null}]}"#;
    assert!(text.trim_end().ends_with(last), "{text}");
}

#[test]
fn an_answer_with_calls_stops_for_them() {
    let reason = |inner: Vec<ChatEvent>, stop| {
        let mut events = vec![start()];
        events.extend(inner);
        let usage = None;
        events.push(ChatEvent::Finish { stop, usage });
        let text = written(reply(), events);
        let chunk = text.rsplit("\n\n").nth(2).unwrap();
        let chunk: Value = serde_json::from_str(&chunk["data: ".len()..]).unwrap();
        chunk["choices"][0]["finish_reason"].clone()
    };
    let call = || vec![opened("c", "f", false), said("{}"), CLOSE];
    assert_eq!(reason(call(), Stop::End), "tool_calls");
    assert_eq!(reason(call(), Stop::MaxTokens), "length");
    assert_eq!(reason(vec![], Stop::ToolCalls), "stop");
    assert_eq!(reason(vec![], Stop::Refusal), "content_filter");
}

#[test]
fn a_failure_is_the_last_word() {
    let mut writer = EventWriter::new(reply());
    let mut out = Vec::new();
    let fault = StreamFault {
        code: ErrorCode::UpstreamCut,
        message: "cut",
        request_id: "r",
    };
    writer.fail(&fault, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("data: {\"error\":{\"message\":\"cut\""),
        "{text}"
    );
    assert!(text.ends_with("}}\n\n") && !text.contains("[DONE]"));
}
