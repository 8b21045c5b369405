use serde_json::{Value, json};

use super::super::{read_answer, read_failure};
use crate::{
    chat::{ChatAnswer, Part, PartBody, Seal, Stop, Thinking, ToolCall},
    dialect::Dialect,
    failure::FailureKind,
    usage::Usage,
};

fn read(body: &Value) -> ChatAnswer {
    read_answer(body.to_string().as_bytes()).unwrap()
}

#[test]
fn a_full_answer() {
    let token = json!({"token": "Hi", "logprob": -0.1});
    let answer = read(&json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt", "service_tier": "default",
        "error": null, "incomplete_details": null,
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}], "encrypted_content": "E"},
            {"type": "web_search_call", "id": "ws_1", "content": 5, "arguments": {}},
            {"type": "message", "id": "msg_1", "role": "assistant", "content": [
                {"type": "output_text", "text": "Hi", "annotations": [{"type": "url_citation"}], "logprobs": [token]},
                {"type": "output_text", "text": ""},
                {"type": "refusal", "refusal": "no"},
            ]},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"x\":1}"},
            {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "p", "input": "raw"},
        ],
        "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15},
    }));
    let call = |id: &str, name: &str, input: &str, custom| {
        PartBody::Call(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            input: input.to_owned(),
            custom,
            seal: None,
        })
    };
    let seal = Seal {
        by: Dialect::OpenaiResponses,
        id: Some("rs_1".to_owned()),
        data: "E".to_owned(),
    };
    let thinking = PartBody::Thinking(Thinking {
        text: "a\n\nb".to_owned(),
        seal: Some(seal),
    });
    let expected = ChatAnswer {
        model: Some("gpt".to_owned()),
        parts: vec![
            thinking.into(),
            Part::text("Hi"),
            PartBody::Refusal("no".to_owned()).into(),
            call("c1", "f", "{\"x\":1}", false).into(),
            call("c2", "p", "raw", true).into(),
        ],
        stop: Stop::ToolCalls,
        usage: Some(Usage {
            prompt: 10,
            completion: 5,
            cached: 4,
            reasoning: 3,
            cache_write: 0,
        }),
        service_tier: Some("default".to_owned()),
        logprobs: Some(vec![token]),
    };
    assert_eq!(answer, expected);
}

#[test]
fn how_answers_end() {
    let stop = |status: Value, reason: Value| {
        read(&json!({"status": status, "incomplete_details": {"reason": reason}, "output": null}))
            .stop
    };
    assert_eq!(stop(json!("completed"), Value::Null), Stop::End);
    assert_eq!(stop(Value::Null, Value::Null), Stop::End);
    assert_eq!(
        stop(json!("incomplete"), json!("max_output_tokens")),
        Stop::MaxTokens
    );
    assert_eq!(
        stop(json!("incomplete"), json!("content_filter")),
        Stop::Refusal
    );
    assert_eq!(read(&json!({})).usage, None);
}

#[test]
fn what_is_no_answer_is_an_error() {
    let reason = |body: &str| read_answer(body.as_bytes()).unwrap_err().reason;
    let failed = r#"{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}"#;
    assert_eq!(reason(failed), "its status is `failed`");
    assert_eq!(reason(r#"{"status":"queued"}"#), "its status is `queued`");
    assert_eq!(
        reason(r#"{"status":"my secret"}"#),
        "its status is `unknown`"
    );
    assert!(!reason("<html>").is_empty());
    assert!(!reason(r#"{"output":[5]}"#).is_empty());
    let failure = read_failure(failed.as_bytes()).unwrap();
    assert_eq!(failure.kind, FailureKind::RateLimited { retry_after: None });
    assert_eq!(failure.message.as_deref(), Some("slow"));
    assert_eq!(read_failure(br#"{"status":"completed"}"#), None);
    assert_eq!(read_failure(b"nonsense"), None);
}
