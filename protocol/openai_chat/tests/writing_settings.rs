//! The rest of upstreams' requests: tools and settings.

use serde_json::{Value, json};

use super::{
    call, json as parsed,
    writing::{ENCODING, asks, body, lost, refused, write},
};
use crate::{
    chat::{
        Cache, ChatRequest, Effort, Encoding, Format, Part, PartBody, Reasoning, Role, Tool,
        ToolChoice,
    },
    dialect::Dialect,
    openai_chat::write_request,
};

fn function(name: &str) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: None,
        schema: None,
        strict: None,
        cache: None,
    }
}

#[test]
fn tools_are_functions_all_of_them() {
    let grammar =
        json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}});
    let request = ChatRequest {
        tools: vec![
            Tool::Function {
                name: "f".to_owned(),
                description: Some("d".to_owned()),
                schema: Some(json!({"type": "object", "x": 1})),
                strict: Some(true),
                cache: Some(Cache::default()),
            },
            function("g"),
            Tool::Custom {
                name: "patch".to_owned(),
                description: Some("Edits".to_owned()),
                format: Some(grammar),
            },
            Tool::Hosted {
                name: "web_search".to_owned(),
            },
        ],
        parallel_tools: Some(false),
        tool_choice: Some(ToolChoice::Named("patch".to_owned())),
        ..asks(Role::User, vec![Part::text("hi")])
    };
    let written = write(&request);
    let sent = parsed(&written.body);
    let expected = json!([
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "x": 1}, "strict": true}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
        {"type": "function", "function": {"name": "patch",
            "description": "Edits\n\nThe argument `input` is the tool's whole input, as free text.\n\nIt must follow this grammar:\nstart: X",
            "parameters": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}}},
    ]);
    assert_eq!(sent["tools"], expected);
    let expected = json!({"type": "function", "function": {"name": "patch"}});
    assert_eq!(sent["tool_choice"], expected);
    assert_eq!(sent["parallel_tool_calls"], false);
    assert_eq!(
        lost(&written),
        ["cache_control", "tools[2].format", "tools[3]"]
    );
}

#[test]
fn names_that_are_too_long_are_the_same_everywhere() {
    let long = "mcp__".to_owned() + &"x".repeat(80);
    let request = ChatRequest {
        tools: vec![function(&long)],
        tool_choice: Some(ToolChoice::Named(long.clone())),
        ..asks(
            Role::Assistant,
            vec![PartBody::Call(call("c", &long, "{}")).into()],
        )
    };
    let written = write(&request);
    let sent = parsed(&written.body);
    let offered = sent["tools"][0]["function"]["name"].as_str().unwrap();
    assert_eq!(offered.len(), 64);
    assert_eq!(sent["tool_choice"]["function"]["name"], offered);
    let said = &sent["messages"][0]["tool_calls"][0]["function"]["name"];
    assert_eq!(said, offered);
    assert_eq!(written.tools.original(offered), (long.as_str(), false));
}

#[test]
fn choices() {
    let hosted = || Tool::Hosted {
        name: "web".to_owned(),
    };
    let allowed = |names: &[&str], required| ToolChoice::Allowed {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        required,
    };
    let cases = [
        (
            vec![function("f")],
            ToolChoice::Auto,
            Some(json!("auto")),
            1,
        ),
        (
            vec![function("f")],
            ToolChoice::None,
            Some(json!("none")),
            1,
        ),
        (
            vec![function("f")],
            ToolChoice::Required,
            Some(json!("required")),
            1,
        ),
        (
            vec![function("f"), function("g")],
            allowed(&["g"], true),
            Some(json!("required")),
            1,
        ),
        (
            vec![function("f"), function("g")],
            allowed(&["g"], false),
            Some(json!("auto")),
            1,
        ),
        (vec![hosted()], ToolChoice::Auto, None, 0),
        (
            vec![hosted(), function("f")],
            allowed(&["web"], false),
            None,
            0,
        ),
    ];
    for (tools, choice, expected, count) in cases {
        let mut asked = asks(Role::User, vec![Part::text("hi")]);
        asked.tools = tools;
        asked.tool_choice = Some(choice.clone());
        asked.parallel_tools = Some(true);
        let sent = body(&asked);
        assert_eq!(sent.get("tool_choice"), expected.as_ref(), "{choice:?}");
        assert_eq!(sent["tools"].as_array().map_or(0, Vec::len), count);
        assert_eq!(sent.get("parallel_tool_calls").is_some(), count > 0);
    }
    let cases = [
        (vec![hosted()], ToolChoice::Required),
        (
            vec![hosted(), function("f")],
            ToolChoice::Named("web".to_owned()),
        ),
        (vec![hosted(), function("f")], allowed(&["web"], true)),
        (vec![function("f")], ToolChoice::Named("g".to_owned())),
    ];
    for (tools, choice) in cases {
        let mut asked = asks(Role::User, vec![Part::text("hi")]);
        asked.tools = tools;
        asked.tool_choice = Some(choice);
        assert_eq!(refused(&asked).param, "tool_choice");
    }
}

/// A request with every setting.
fn full() -> ChatRequest {
    let mut request = asks(Role::User, vec![Part::text("hi")]);
    request.stream = true;
    let sampling = &mut request.sampling;
    sampling.max_tokens = Some(5);
    sampling.temperature = Some(0.7);
    sampling.top_p = Some(0.9);
    sampling.top_k = Some(3);
    sampling.stop = vec!["x".to_owned()];
    sampling.seed = Some(-1);
    sampling.presence_penalty = Some(0.1);
    sampling.frequency_penalty = Some(0.2);
    sampling.logit_bias = json!({"5": 6}).as_object().cloned();
    sampling.top_logprobs = Some(2);
    sampling.n = Some(1);
    request.reasoning = Some(Reasoning {
        budget: Some(10_000),
        summary: Some("auto".to_owned()),
        ..Reasoning::default()
    });
    request.format = Some(Format::Schema {
        name: None,
        description: None,
        schema: json!({"type": "object"}),
        strict: Some(true),
    });
    request.verbosity = Some("low".to_owned());
    request.service_tier = Some("standard_only".to_owned());
    request.user = Some("u".to_owned());
    request.metadata = json!({"a": "b"}).as_object().cloned();
    request.prompt_cache_key = Some("k".to_owned());
    request.unread.note("mcp_servers");
    request
}

#[test]
fn settings_for_openai() {
    let written = write(&full());
    let expected = json!({
        "model": "up", "messages": [{"role": "user", "content": "hi"}],
        "stream": true, "stream_options": {"include_usage": true},
        "max_completion_tokens": 5, "temperature": 0.7, "top_p": 0.9, "stop": ["x"], "seed": -1,
        "presence_penalty": 0.1, "frequency_penalty": 0.2, "logit_bias": {"5": 6},
        "logprobs": true, "top_logprobs": 2, "reasoning_effort": "medium",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}},
        "verbosity": "low", "service_tier": "default", "user": "u", "prompt_cache_key": "k",
    });
    assert_eq!(parsed(&written.body), expected);
    let losses = ["mcp_servers", "reasoning.summary", "top_k", "metadata"];
    assert_eq!(lost(&written), losses);
    assert!(!written.has_thinking);
}

#[test]
fn settings_for_those_who_speak_like_openai() {
    let encoding = Encoding {
        openai_fields: false,
        ask_usage: false,
        ..ENCODING
    };
    let written = write_request(&full(), &encoding).unwrap();
    let sent = parsed(&written.body);
    assert_eq!(sent["max_tokens"], 5);
    assert_eq!(sent["stream"], true);
    for absent in [
        "max_completion_tokens",
        "verbosity",
        "service_tier",
        "user",
        "prompt_cache_key",
        "stream_options",
    ] {
        assert_eq!(sent.get(absent), None, "{absent}");
    }
    let losses = [
        "mcp_servers",
        "reasoning.summary",
        "top_k",
        "metadata",
        "verbosity",
        "service_tier",
        "metadata.user_id",
        "prompt_cache_key",
    ];
    assert_eq!(lost(&written), losses);
}

#[test]
fn a_setting_that_was_not_given_is_not_written() {
    let request = asks(Role::User, vec![Part::text("hi")]);
    let written = write(&request);
    let expected = json!({"model": "up", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(parsed(&written.body), expected);
    assert!(written.losses.is_empty());
}

#[test]
fn how_much_to_think() {
    let budget = |budget| Reasoning {
        budget: Some(budget),
        ..Reasoning::default()
    };
    let effort = |effort| Reasoning {
        effort: Some(effort),
        ..Reasoning::default()
    };
    let adaptive = Reasoning {
        adaptive: true,
        ..Reasoning::default()
    };
    let cases = [
        (Dialect::Anthropic, budget(31_999), json!("high"), ""),
        (Dialect::Anthropic, budget(0), Value::Null, "thinking"),
        (Dialect::Anthropic, adaptive, Value::Null, ""),
        (
            Dialect::OpenaiResponses,
            effort(Effort::None),
            json!("none"),
            "",
        ),
        (
            Dialect::OpenaiResponses,
            effort(Effort::XHigh),
            json!("xhigh"),
            "",
        ),
    ];
    for (dialect, reasoning, expected, loss) in cases {
        let mut request = asks(Role::User, vec![Part::text("hi")]);
        request.dialect = dialect;
        request.reasoning = Some(reasoning);
        let written = write(&request);
        assert_eq!(parsed(&written.body)["reasoning_effort"], expected);
        assert_eq!(written.losses.to_string(), loss);
    }
}

#[test]
fn formats_hints_and_numbers_that_do_not_fit() {
    let mut request = asks(Role::User, vec![Part::text("hi")]);
    request.format = Some(Format::Json);
    request.user = Some("u".repeat(65));
    let written = write(&request);
    let sent = parsed(&written.body);
    assert_eq!(sent["response_format"], json!({"type": "json_object"}));
    assert_eq!(sent.get("user"), None);
    assert_eq!(lost(&written), ["metadata.user_id"]);
    request.format = Some(Format::Text);
    assert_eq!(body(&request).get("response_format"), None);
    request.sampling.n = Some(2);
    assert_eq!(refused(&request).param, "n");
}
