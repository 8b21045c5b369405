//! The rest of clients' requests: tools, settings, and what is refused.

use serde_json::{Value, json};

use super::reading::{lost, read};
use crate::{
    chat::{Cache, ChatRequest, Effort, Format, Reasoning, Sampling, Tool, ToolChoice},
    openai_chat::read_request,
};

/// A request with these fields, and a message.
fn fields(more: Value) -> ChatRequest {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let Value::Object(more) = more else { panic!() };
    body.as_object_mut().unwrap().extend(more);
    read(&body)
}

#[test]
fn tools_and_choices() {
    let request = fields(json!({
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true},
             "cache_control": {"type": "ephemeral"}},
            {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
            {"type": "web_search", "filters": {}},
        ],
        "parallel_tool_calls": false,
    }));
    let expected = [
        Tool::Function {
            name: "f".to_owned(),
            description: None,
            schema: Some(json!({"type": "object"})),
            strict: Some(true),
            cache: Some(Cache::default()),
        },
        Tool::Custom {
            name: "c".to_owned(),
            description: None,
            format: Some(json!({"type": "text"})),
        },
        Tool::Hosted {
            name: "web_search".to_owned(),
        },
    ];
    assert_eq!(request.tools, expected);
    assert_eq!(request.parallel_tools, Some(false));
    let named = |name: &str| ToolChoice::Named(name.to_owned());
    let cases = [
        (json!("none"), ToolChoice::None),
        (json!("auto"), ToolChoice::Auto),
        (json!("required"), ToolChoice::Required),
        (
            json!({"type": "function", "function": {"name": "f"}}),
            named("f"),
        ),
        (
            json!({"type": "custom", "custom": {"name": "c"}}),
            named("c"),
        ),
        (json!({"type": "web_search"}), named("web_search")),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "f"}},
            ]}}),
            ToolChoice::Allowed {
                names: vec!["f".to_owned()],
                required: true,
            },
        ),
    ];
    for (choice, expected) in cases {
        let request = fields(json!({"tool_choice": choice}));
        assert_eq!(request.tool_choice, Some(expected), "{choice}");
    }
}

#[test]
fn settings() {
    let request = fields(json!({
        "stream": true, "stream_options": {"include_usage": true, "include_obfuscation": false},
        "max_tokens": 1, "max_completion_tokens": 2, "temperature": 0.5, "top_p": 1, "top_k": 3,
        "stop": "x", "seed": -4, "presence_penalty": 0.1, "frequency_penalty": 0.2,
        "logit_bias": {"5": 6}, "logprobs": true, "top_logprobs": 7, "n": 8,
        "reasoning_effort": "xhigh", "verbosity": "low", "service_tier": "flex",
        "user": "old", "safety_identifier": "new", "metadata": {"a": "b"}, "prompt_cache_key": "k",
        "store": true, "modalities": ["text"], "response_format": {"type": "json_object"},
    }));
    let sampling = Sampling {
        max_tokens: Some(2),
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: Some(3),
        stop: vec!["x".to_owned()],
        seed: Some(-4),
        presence_penalty: Some(0.1),
        frequency_penalty: Some(0.2),
        logit_bias: json!({"5": 6}).as_object().cloned(),
        logprobs: Some(true),
        top_logprobs: Some(7),
        n: Some(8),
    };
    assert_eq!(request.sampling, sampling);
    assert!(request.stream && request.include_usage);
    assert_eq!(request.reasoning.unwrap().effort, Some(Effort::XHigh));
    assert_eq!(request.format, Some(Format::Json));
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    assert_eq!(request.user.as_deref(), Some("new"));
    assert_eq!(request.metadata, json!({"a": "b"}).as_object().cloned());
    assert_eq!(request.prompt_cache_key.as_deref(), Some("k"));
    assert_eq!(lost(&request.unread), [""; 0]);
    let plain = fields(json!({"max_tokens": 9, "stop": ["a", "b"], "stream_options": null}));
    assert_eq!(plain.sampling.max_tokens, Some(9));
    assert_eq!(plain.sampling.stop, ["a", "b"]);
    assert!(!plain.include_usage && plain.reasoning.is_none());
}

#[test]
fn ways_to_ask_for_thoughts() {
    let effort = |effort| Reasoning {
        effort: Some(effort),
        ..Reasoning::default()
    };
    let budget = Reasoning {
        budget: Some(2_000),
        ..Reasoning::default()
    };
    let cases = [
        (json!({"effort": "high"}), Some(effort(Effort::High))),
        (json!({"max_tokens": 2_000}), Some(budget.clone())),
        (json!({"max_tokens": 2_000, "enabled": true}), Some(budget)),
        (json!({"enabled": true}), Some(effort(Effort::Medium))),
        (json!({"enabled": false}), Some(effort(Effort::None))),
        (json!({}), None),
    ];
    for (reasoning, expected) in cases {
        let request = fields(json!({"reasoning": reasoning}));
        assert_eq!(request.reasoning, expected, "{reasoning}");
    }
}

#[test]
fn a_schema_for_the_answer() {
    let request = fields(
        json!({"response_format": {"type": "json_schema", "json_schema": {
            "name": "x", "description": "d", "schema": {"type": "object"}, "strict": false,
        }}}),
    );
    let expected = Format::Schema {
        name: Some("x".to_owned()),
        description: Some("d".to_owned()),
        schema: json!({"type": "object"}),
        strict: Some(false),
    };
    assert_eq!(request.format, Some(expected));
}

#[test]
fn what_stands_for_nothing_is_noted_by_its_path() {
    let request = read(&json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]},
            {"role": "user", "name": "bob", "content": [{"type": "text", "text": "hi", "x": 1}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}],
             "annotations": [], "audio": {"id": "a"}, "refusal": null},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "y": 1}}],
        "reasoning_effort": "extreme", "reasoning": {"exclude": true},
        "modalities": ["text", "audio"], "audio": {"voice": "x"}, "web_search_options": {}, "prediction": null,
    }));
    let expected = [
        "messages[0].content[0]",
        "messages[1].content[0].x",
        "messages[1].name",
        "messages[2].content[0]",
        "messages[2].audio",
        "tools[0].function.y",
        "reasoning_effort",
        "reasoning.exclude",
        "modalities",
        "audio",
        "web_search_options",
    ];
    assert_eq!(lost(&request.unread), expected);
}

#[test]
fn a_field_of_a_wrong_type_is_named() {
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let cases = [
        (json!({"messages": []}), Some("model")),
        (json!({"model": "", "messages": []}), Some("model")),
        (json!({"model": "m"}), Some("messages")),
        (json!({"model": "m", "messages": {}}), Some("messages")),
        (json!({"model": "m", "messages": [7]}), Some("messages[0]")),
        (
            json!({"model": "m", "messages": [{"content": "x"}]}),
            Some("messages[0].role"),
        ),
        (
            json!({"model": "m", "messages": [{"role": "robot"}]}),
            Some("messages[0].role"),
        ),
        (
            json!({"model": "m", "messages": user(json!(7))}),
            Some("messages[0].content"),
        ),
        (
            json!({"model": "m", "messages": user(json!([{"type": "video_url"}]))}),
            Some("messages[0].content[0].type"),
        ),
        (
            json!({"model": "m", "messages": user(json!([{"type": "image_url", "image_url": {}}]))}),
            Some("messages[0].content[0].image_url.url"),
        ),
        (
            json!({"model": "m", "messages": [{"role": "tool", "content": "x"}]}),
            Some("messages[0].tool_call_id"),
        ),
        (
            json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": 1}}]}]}),
            Some("messages[0].tool_calls[0].function.arguments"),
        ),
        (
            json!({"model": "m", "messages": [], "tools": [{"type": "function"}]}),
            Some("tools[0].function"),
        ),
        (
            json!({"model": "m", "messages": [], "tool_choice": "sometimes"}),
            Some("tool_choice"),
        ),
        (
            json!({"model": "m", "messages": [], "temperature": "hot"}),
            Some("temperature"),
        ),
        (json!({"model": "m", "messages": [], "n": -1}), Some("n")),
        (
            json!({"model": "m", "messages": [], "stop": [1]}),
            Some("stop"),
        ),
        (
            json!({"model": "m", "messages": [], "response_format": {"type": "json_schema"}}),
            Some("response_format.json_schema"),
        ),
        (json!([]), None),
    ];
    for (body, param) in cases {
        let error = read_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.param(), param, "{body}: {error}");
    }
    assert!(read_request(b"{").is_err());
}
