use serde_json::json;

use super::*;

#[test]
fn what_would_change_the_answer_is_refused() {
    let saying = |mut request: ChatRequest, body: PartBody| {
        request.messages = vec![Message {
            role: Role::User,
            parts: vec![body.into()],
        }];
        refused(&request)
    };
    let audio = PartBody::Audio {
        data: "AA".to_owned(),
        format: "wav".to_owned(),
    };
    assert!(saying(chat(), audio.clone()).reason.contains("transcript"));
    let inside = result("c", false, vec![audio]);
    assert_eq!(saying(anthropic(), inside).param, "messages");
    let file = PartBody::Image(Image {
        source: Source::FileId("file_1".to_owned()),
        detail: None,
    });
    assert!(
        saying(anthropic(), file)
            .reason
            .contains("another provider")
    );
    let mut many = chat();
    many.sampling.n = Some(2);
    assert_eq!(refused(&many).param, "n");
    many.sampling.n = Some(1);
    assert!(encode(&many).1.losses.is_empty());
    let mut forced = anthropic();
    forced.tools = vec![Tool::Hosted {
        name: "web_search".to_owned(),
    }];
    for choice in [
        ToolChoice::Named("web_search".to_owned()),
        ToolChoice::Required,
        ToolChoice::Allowed {
            names: vec!["web_search".to_owned()],
            required: true,
        },
    ] {
        forced.tool_choice = Some(choice);
        assert_eq!(refused(&forced).param, "tool_choice");
    }
}

#[test]
fn losses_are_named_as_the_caller_names_them() {
    let full = |mut request: ChatRequest| {
        request.sampling.stop = vec!["x".to_owned()];
        request.sampling.top_k = Some(5);
        request.sampling.seed = Some(1);
        request.sampling.presence_penalty = Some(0.1);
        request.sampling.frequency_penalty = Some(0.1);
        request.sampling.logit_bias = Some(serde_json::Map::new());
        request.sampling.max_tokens = Some(1);
        request.tools = vec![
            function("f"),
            Tool::Hosted {
                name: "web_search".to_owned(),
            },
        ];
        request.system = vec![Part {
            body: text("s"),
            cache: Some(Cache::default()),
        }];
        request.unread.note("foo");
        let (body, encoded) = encode(&request);
        assert_eq!(body["max_output_tokens"], 16);
        encoded.losses.to_string()
    };
    let rest =
        "top_k, seed, presence_penalty, frequency_penalty, logit_bias, cache_control, tools[1]";
    assert_eq!(
        full(chat()),
        format!("foo, stop, {rest}, max_completion_tokens")
    );
    assert_eq!(
        full(anthropic()),
        format!("foo, stop_sequences, {rest}, max_tokens")
    );
}

#[test]
fn settings_of_all_kinds() {
    let mut request = chat();
    request.stream = true;
    request.sampling.max_tokens = Some(100);
    request.sampling.temperature = Some(0.5);
    request.sampling.top_p = Some(0.25);
    request.sampling.logprobs = Some(true);
    request.sampling.top_logprobs = Some(2);
    request.verbosity = Some("low".to_owned());
    request.format = Some(Format::Schema {
        name: None,
        description: None,
        schema: json!({"type": "object"}),
        strict: Some(true),
    });
    request.service_tier = Some("flex".to_owned());
    request.prompt_cache_key = Some("k".to_owned());
    request.metadata = json!({"a": "b"}).as_object().cloned();
    request.user = Some("u".repeat(200));
    request.reasoning = Some(Reasoning {
        effort: Some(Effort::Low),
        ..Reasoning::default()
    });
    let (mut body, encoded) = encode(&request);
    let user = body["user"].take();
    assert_eq!(user.as_str().unwrap().len(), 64);
    let expected = json!({
        "model": "up", "stream": true, "store": false, "input": [], "user": null,
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "max_output_tokens": 100, "temperature": 0.5, "top_p": 0.25, "top_logprobs": 2,
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": true}},
        "service_tier": "flex", "prompt_cache_key": "k", "metadata": {"a": "b"},
        "reasoning": {"effort": "low", "summary": "auto"},
    });
    assert_eq!(body, expected);
    assert!(encoded.losses.is_empty());
    for (format, expected) in [(Format::Text, "text"), (Format::Json, "json_object")] {
        request.format = Some(format);
        assert_eq!(
            encode(&request).0["text"]["format"],
            json!({"type": expected})
        );
    }
}

#[test]
fn thinking_is_asked_for_in_efforts() {
    let reasoning = |dialect, asked: Reasoning| {
        let mut request = ChatRequest::new(dialect, "m");
        request.reasoning = Some(asked);
        encode(&request).0.get("reasoning").cloned()
    };
    let budget = |budget| Reasoning {
        budget: Some(budget),
        ..Reasoning::default()
    };
    let effort = |effort| Reasoning {
        effort: Some(effort),
        ..Reasoning::default()
    };
    let (ant, chat, own) = (
        Dialect::Anthropic,
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
    );
    let adaptive = Reasoning {
        adaptive: true,
        ..Reasoning::default()
    };
    let cases = [
        (
            ant,
            budget(10_000),
            Some(json!({"effort": "medium", "summary": "auto"})),
        ),
        (ant, adaptive, Some(json!({"summary": "auto"}))),
        (ant, budget(0), None),
        (ant, effort(Effort::None), None),
        (chat, effort(Effort::None), Some(json!({"effort": "none"}))),
        (
            chat,
            effort(Effort::XHigh),
            Some(json!({"effort": "xhigh", "summary": "auto"})),
        ),
        (own, effort(Effort::High), Some(json!({"effort": "high"}))),
        (
            own,
            Reasoning {
                summary: Some("concise".to_owned()),
                ..Reasoning::default()
            },
            Some(json!({"summary": "concise"})),
        ),
        (own, Reasoning::default(), None),
    ];
    for (dialect, asked, expected) in cases {
        assert_eq!(
            reasoning(dialect, asked.clone()),
            expected,
            "{dialect} {asked:?}"
        );
    }
}

#[test]
fn tools_and_choices() {
    let long = "x".repeat(90);
    let mut request = chat();
    request.parallel_tools = Some(false);
    assert_eq!(
        encode(&request).0.get("parallel_tool_calls"),
        None,
        "there is no tool"
    );
    request.tools = vec![
        Tool::Function {
            name: "f".to_owned(),
            description: Some("d".to_owned()),
            schema: Some(json!({"type": "object"})),
            strict: Some(true),
            cache: None,
        },
        function(&long),
        Tool::Custom {
            name: "patch".to_owned(),
            description: None,
            format: Some(
                json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}),
            ),
        },
        Tool::Hosted {
            name: "web_search".to_owned(),
        },
    ];
    request.messages = vec![Message {
        role: Role::Assistant,
        parts: vec![call("c", &long, "{}", false).into()],
    }];
    let (body, encoded) = encode(&request);
    let offered = body["tools"][1]["name"].as_str().unwrap().to_owned();
    assert_eq!(offered.len(), 64);
    assert_eq!(encoded.tools.original(&offered), (long.as_str(), false));
    assert_eq!(body["input"][0]["name"], offered.as_str());
    assert_eq!(body["parallel_tool_calls"], false);
    let expected = json!([
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true},
        {"type": "function", "name": offered, "parameters": {"type": "object", "properties": {}}, "strict": false},
        {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
    ]);
    assert_eq!(body["tools"], expected);
    let mut choice = |choice| {
        request.tool_choice = Some(choice);
        let (body, encoded) = encode(&request);
        (body["tool_choice"].clone(), encoded.losses.to_string())
    };
    let hosted = || "tools[3]".to_owned();
    assert_eq!(choice(ToolChoice::Auto), (json!("auto"), hosted()));
    assert_eq!(choice(ToolChoice::None), (json!("none"), hosted()));
    assert_eq!(choice(ToolChoice::Required), (json!("required"), hosted()));
    let named = json!({"type": "function", "name": offered});
    assert_eq!(choice(ToolChoice::Named(long.clone())), (named, hosted()));
    let custom = json!({"type": "custom", "name": "patch"});
    assert_eq!(
        choice(ToolChoice::Named("patch".to_owned())),
        (custom, hosted())
    );
    let allowed = |names: &[&str], required| ToolChoice::Allowed {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        required,
    };
    let some = json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "patch"}]});
    assert_eq!(choice(allowed(&["f", "patch"], true)), (some, hosted()));
    let none = (json!("none"), "tools[3], tool_choice".to_owned());
    assert_eq!(choice(allowed(&["web_search"], false)), none);
}
