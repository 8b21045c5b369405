//! What is objected to, and in which words.

use serde_json::{Value, json};

use crate::trial::{Trial, with};

use super::{PATH, ask, say, tools, trial};

#[actix_rt::test]
async fn objects_in_the_words_of_the_real_service() {
    let trial = trial();
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"});
    let user = json!({"role": "user", "content": "hi"});
    let turns = |rest: &[Value]| {
        let all: Vec<Value> = [&user].into_iter().chain(rest).cloned().collect();
        json!({"messages": all})
    };
    let by = |role: &str, content: Value| json!({"role": role, "content": content});
    for (members, words) in [
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (json!({"n": 1}), "n: Extra inputs are not permitted"),
        (json!({"temperature": 1.5}), "temperature: range: 0..1"),
        (json!({"messages": []}), "at least one message"),
        (
            json!({"messages": [by("assistant", json!("x"))]}),
            "first message must use the \"user\" role",
        ),
        (
            turns(&[by("system", json!("x"))]),
            "Unexpected role \"system\"",
        ),
        (
            turns(&[by("tool", json!("x"))]),
            "messages.1.role: Input should be 'user' or 'assistant'",
        ),
        (
            turns(&[by("user", json!(""))]),
            "messages.1: all messages must have non-empty content",
        ),
        (
            turns(&[by("user", json!([{"type": "text", "text": ""}]))]),
            "text content blocks must be non-empty",
        ),
        (
            turns(&[by("user", json!([{"type": "image_url"}]))]),
            "Input tag 'image_url' found",
        ),
        (
            turns(&[by(
                "user",
                json!([{"type": "text", "text": "x", "annotations": []}]),
            )]),
            "messages.1.content.0.text.annotations: Extra inputs",
        ),
        (
            turns(&[by("assistant", json!("so: "))]),
            "cannot end with trailing whitespace",
        ),
        (
            turns(&[by("assistant", json!([call])), by("user", json!("x"))]),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
        ),
        (
            turns(&[
                by("assistant", json!([call])),
                by("user", json!([{"type": "text", "text": "x"}, result])),
            ]),
            "`tool_use` ids were found without",
        ),
        (
            turns(&[by("user", json!([result]))]),
            "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1",
        ),
        (
            json!({"system": [{"type": "text", "text": ""}]}),
            "system: text content blocks must be non-empty",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 100}}),
            "greater than or equal to 1024",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 4096}}),
            "`max_tokens` must be greater than",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": tools(),
                "tool_choice": {"type": "any"}}),
            "Thinking may not be enabled when tool_choice forces",
        ),
        (
            json!({"tool_choice": {"type": "any"}}),
            "may only be specified while providing tools",
        ),
        (
            json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}),
            "tools.0.custom.name: String should match",
        ),
        (
            json!({"tools": [{"name": "a"}]}),
            "tools.0.custom.input_schema: Field required",
        ),
        (
            turns(&[
                by(
                    "assistant",
                    json!([{"type": "thinking", "thinking": "x", "signature": "sig-0"}]),
                ),
                user.clone(),
            ]),
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
    ] {
        let heard = trial
            .post(PATH, &with(ask("claude-x", "x"), &members.clone()))
            .await;
        assert_eq!(heard.status, 400, "{members}");
        assert!(
            heard.complaint().contains(words),
            "{members}: {}",
            heard.complaint()
        );
        assert_eq!(heard.json()["error"]["type"], "invalid_request_error");
    }
    // what is allowed: two turns of one role, a text behind the result
    let sound = turns(&[
        user.clone(),
        by("assistant", json!([call])),
        by("user", json!([result, {"type": "text", "text": "so?"}])),
        user.clone(),
    ]);
    say(&trial, &with(ask("claude-x", "x"), &sound)).await;
    let bare = Trial::new(&[("x-api-key", "sk-a")]);
    let heard = bare.post(PATH, &ask("claude-x", "x")).await;
    assert_eq!(heard.complaint(), "anthropic-version: header is required");
    // a count takes no length and no stream, and a model is named at the top
    for (members, words) in [
        (json!({}), "max_tokens: Extra inputs"),
        (json!({"max_tokens": null, "stream": true}), "Extra inputs"),
        (
            json!({"model": null, "tools": [{"model": "sim-ok"}]}),
            "model: Field required",
        ),
    ] {
        let body = with(ask("claude-x", "x"), &members);
        let heard = trial.post("/v1/messages/count_tokens", &body).await;
        assert!(
            heard.complaint().contains(words),
            "{members}: {}",
            heard.text
        );
    }
}
