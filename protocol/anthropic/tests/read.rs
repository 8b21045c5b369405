//! Requests of clients.

use serde_json::{Value, json};

use super::{message, part, read, with_messages};
use crate::{
    anthropic::read_request,
    chat::{
        Cache, Document, Effort, Format, Image, Part, PartBody, Reasoning, Role, Seal, Source,
        Thinking, Tool, ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect,
};

/// The parts of the one block, and what was not read.
fn block(block: Value) -> (Vec<Part>, String) {
    let request = with_messages(json!([{"role": "user", "content": [block]}]));
    (
        request.messages[0].parts.clone(),
        request.unread.to_string(),
    )
}

fn text_result(parts: Vec<Part>) -> ToolResult {
    ToolResult {
        call_id: "t1".to_owned(),
        name: None,
        parts,
        is_error: false,
    }
}

#[test]
fn strings_and_blocks_say_the_same() {
    let short = read(json!({"model": "m", "max_tokens": 1, "system": "be kind",
        "messages": [{"role": "user", "content": "hi"}]}));
    let long = read(json!({"model": "m", "max_tokens": 1,
        "system": [{"type": "text", "text": "be kind"}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "citations": null}]}]}));
    assert_eq!(short, long);
    assert_eq!(short.system, [Part::text("be kind")]);
    assert_eq!(
        short.messages,
        [message(Role::User, vec![Part::text("hi")])]
    );
}

#[test]
fn settings_find_their_places() {
    let request = read(json!({
        "model": "claude-x", "max_tokens": 7, "stream": true, "temperature": 0.5, "top_p": 0.9,
        "top_k": 3, "stop_sequences": ["a", "b"], "service_tier": "standard_only",
        "metadata": {"user_id": "u", "team": "x"}, "messages": [],
        "container": "c", "mcp_servers": [], "inference_geo": "us", "context_management": {"edits": []},
    }));
    assert_eq!(request.model, "claude-x");
    assert!(request.stream);
    assert_eq!(request.sampling.max_tokens, Some(7));
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(request.sampling.top_p, Some(0.9));
    assert_eq!(request.sampling.top_k, Some(3));
    assert_eq!(request.sampling.stop, ["a", "b"]);
    assert_eq!(request.service_tier.as_deref(), Some("standard_only"));
    assert_eq!(request.user.as_deref(), Some("u"));
    let unread = "metadata.team, container, inference_geo, context_management";
    assert_eq!(request.unread.to_string(), unread);
}

#[test]
fn pictures_and_documents() {
    let base64 = json!({"type": "base64", "media_type": "image/png", "data": "AAAA"});
    let image = |source| {
        part(PartBody::Image(Image {
            source,
            detail: None,
        }))
    };
    let inline = Source::Base64 {
        media_type: "image/png".to_owned(),
        data: "AAAA".to_owned(),
    };
    let document = |source, title: Option<&str>| {
        part(PartBody::Document(Document {
            source,
            title: title.map(str::to_owned),
            context: None,
        }))
    };
    #[rustfmt::skip]
    let cases = [
        (json!({"type": "image", "source": base64}), vec![image(inline.clone())], ""),
        (json!({"type": "image", "source": {"type": "url", "url": "https://x/y"}}),
            vec![image(Source::Url("https://x/y".to_owned()))], ""),
        (json!({"type": "image", "source": {"type": "file", "file_id": "f1"}}),
            vec![image(Source::FileId("f1".to_owned()))], ""),
        (json!({"type": "image", "source": {"type": "new"}}), vec![], "messages[0].content[0].source"),
        (json!({"type": "document", "title": "T", "citations": {"enabled": true},
            "source": {"type": "text", "media_type": "text/plain", "data": "long"}}),
            vec![document(Source::Text("long".to_owned()), Some("T"))], "messages[0].content[0].citations"),
        (json!({"type": "document", "source": {"type": "content", "content": "plain"}}),
            vec![document(Source::Text("plain".to_owned()), None)], ""),
        (json!({"type": "document", "source": {"type": "content", "content": [
            {"type": "text", "text": "a"}, {"type": "image", "source": base64}, {"type": "text", "text": "b"}]}}),
            vec![document(Source::Text("a\n\nb".to_owned()), None), image(inline)], ""),
    ];
    for (given, expected, unread) in cases {
        assert_eq!(
            block(given.clone()),
            (expected, unread.to_owned()),
            "{given}"
        );
    }
}

#[test]
fn what_others_do_not_know_is_noted() {
    #[rustfmt::skip]
    let cases = [
        json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
        json!({"type": "mcp_tool_use", "id": "s", "name": "x", "input": {}, "server_name": "y"}),
        json!({"type": "container_upload", "file_id": "f"}),
        json!({"type": "of_tomorrow", "text": 7}),
    ];
    for given in cases {
        assert_eq!(
            block(given.clone()),
            (vec![], "messages[0].content[0]".to_owned()),
            "{given}"
        );
    }
    let search = json!({"type": "search_result", "title": "T", "source": "https://s",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]});
    assert_eq!(block(search).0, [Part::text("T\nhttps://s\na\n\nb")]);
}

#[test]
fn thoughts_and_whose_they_are() {
    let thoughts = |text: &str, seal| {
        let text = text.to_owned();
        vec![part(PartBody::Thinking(Thinking { text, seal }))]
    };
    let foreign = Seal {
        by: Dialect::OpenaiResponses,
        id: Some("rs_1".to_owned()),
        data: "enc".to_owned(),
    };
    let redacted = Seal {
        id: Some("redacted".to_owned()),
        ..Seal::new(Dialect::Anthropic, "blob")
    };
    #[rustfmt::skip]
    let cases = [
        (json!({"type": "thinking", "thinking": "hm", "signature": "sig"}),
            thoughts("hm", Some(Seal::new(Dialect::Anthropic, "sig")))),
        (json!({"type": "thinking", "thinking": "hm", "signature": ""}), thoughts("hm", None)),
        (json!({"type": "thinking", "thinking": "hm"}), thoughts("hm", None)),
        (json!({"type": "thinking", "thinking": "", "signature": foreign.write(Dialect::Anthropic)}),
            thoughts("", Some(foreign.clone()))),
        (json!({"type": "redacted_thinking", "data": "blob"}), thoughts("", Some(redacted))),
    ];
    for (given, expected) in cases {
        assert_eq!(block(given.clone()), (expected, String::new()), "{given}");
    }
}

#[test]
fn calls_and_results() {
    let request = with_messages(json!([
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"b": 1, "a": [2.5]}, "caller": {"type": "direct"}},
            {"type": "tool_use", "id": "t2", "name": "g", "input": {}, "caller": {"type": "code"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "ok", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "tool_result", "tool_use_id": "t9", "is_error": true, "content": [
                {"type": "text", "text": "x"}, {"type": "tool_reference", "tool_name": "f"}]},
            {"type": "tool_result", "tool_use_id": "t1"}]},
    ]));
    let call = |id: &str, name: &str, input: &str| {
        part(PartBody::Call(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            input: input.to_owned(),
            custom: false,
            seal: None,
        }))
    };
    let expected = [
        call("t1", "f", r#"{"b":1,"a":[2.5]}"#),
        call("t2", "g", "{}"),
    ];
    assert_eq!(request.messages[0].parts, expected);
    let named = ToolResult {
        name: Some("f".to_owned()),
        ..text_result(vec![Part::text("ok")])
    };
    let failed = ToolResult {
        call_id: "t9".to_owned(),
        is_error: true,
        ..text_result(vec![Part::text("x")])
    };
    let silent = ToolResult {
        parts: vec![],
        ..named.clone()
    };
    let results = &request.messages[1].parts;
    assert_eq!(results[0].body, PartBody::Result(named));
    let ttl = Some("1h".to_owned());
    assert_eq!(results[0].cache, Some(Cache { ttl }));
    assert_eq!(results[1].body, PartBody::Result(failed));
    assert_eq!(results[2].body, PartBody::Result(silent));
    let unread = "messages[0].content[1].caller, messages[1].content[1].content[1]";
    assert_eq!(request.unread.to_string(), unread);
}

#[test]
fn tools_and_choices() {
    let request = read(json!({
        "model": "m", "messages": [],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true,
             "cache_control": {"type": "ephemeral"}, "defer_loading": true},
            {"type": "custom", "name": "g", "input_schema": {}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
            {"type": "mcp_toolset", "mcp_server_name": "x"},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
    }));
    let function = Tool::Function {
        name: "f".to_owned(),
        description: Some("d".to_owned()),
        schema: Some(json!({"type": "object"})),
        strict: Some(true),
        cache: Some(Cache::default()),
    };
    assert_eq!(request.tools[0], function);
    let hosted = |name: &str| Tool::Hosted {
        name: name.to_owned(),
    };
    assert_eq!(
        request.tools[2..],
        [hosted("web_search"), hosted("mcp_toolset")]
    );
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".to_owned())));
    assert_eq!(request.parallel_tools, Some(false));
    assert_eq!(request.unread.to_string(), "tools[0].defer_loading");
    for (kind, expected) in [
        ("auto", ToolChoice::Auto),
        ("any", ToolChoice::Required),
        ("none", ToolChoice::None),
    ] {
        let request = read(json!({"model": "m", "messages": [], "tool_choice": {"type": kind}}));
        assert_eq!(request.tool_choice, Some(expected));
        assert_eq!(request.parallel_tools, None);
    }
}

#[test]
fn thinking_and_the_forms_of_output() {
    let reasoning = |budget, effort, adaptive, summary: Option<&str>| {
        Some(Reasoning {
            effort,
            budget,
            adaptive,
            summary: summary.map(str::to_owned),
        })
    };
    #[rustfmt::skip]
    let cases = [
        (json!({}), None, ""),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}), reasoning(Some(2000), None, false, None), ""),
        (json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}),
            reasoning(None, Some(Effort::None), false, None), ""),
        (json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max", "task_budget": 3}}),
            reasoning(None, Some(Effort::Max), true, Some("auto")), "output_config.task_budget"),
        (json!({"thinking": {"type": "adaptive", "display": "omitted"}}), reasoning(None, None, true, None), "thinking.display"),
        (json!({"output_config": {"effort": "low"}}), reasoning(None, Some(Effort::Low), false, None), ""),
        (json!({"thinking": {"type": "of_tomorrow"}, "output_config": {"effort": "wild"}}), None,
            "output_config.effort, thinking.type"),
    ];
    for (settings, expected, unread) in cases {
        let mut body = json!({"model": "m", "messages": []});
        body.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        let request = read(body);
        assert_eq!(request.reasoning, expected, "{settings}");
        assert_eq!(request.unread.to_string(), unread, "{settings}");
    }
    let schema = json!({"type": "object", "properties": {}});
    let format = json!({"type": "json_schema", "schema": schema});
    for holder in [
        json!({"output_config": {"format": format}}),
        json!({"output_format": format}),
    ] {
        let mut body = json!({"model": "m", "messages": []});
        body.as_object_mut()
            .unwrap()
            .extend(holder.as_object().unwrap().clone());
        let expected = Format::Schema {
            name: None,
            description: None,
            schema: schema.clone(),
            strict: None,
        };
        assert_eq!(read(body).format, Some(expected));
    }
}

#[test]
fn instructions_in_mid_conversation() {
    let request = with_messages(json!([
        {"role": "user", "content": "a"}, {"role": "system", "content": "b"}]));
    assert_eq!(
        request.messages[1],
        message(Role::System, vec![Part::text("b")])
    );
}

#[test]
fn errors_name_the_field() {
    let cases = [
        ("", None),
        ("[]", None),
        ("{\"model\":", None),
        (r#"{"messages":[]}"#, Some("model")),
        (r#"{"model":7}"#, Some("model")),
        (r#"{"model":"m"}"#, Some("messages")),
        (r#"{"model":"m","messages":"hi"}"#, Some("messages")),
        (r#"{"model":"m","messages":[7]}"#, Some("messages[0]")),
        (
            r#"{"model":"m","messages":[{"content":"x"}]}"#,
            Some("messages[0].role"),
        ),
        (
            r#"{"model":"m","messages":[{"role":"tool"}]}"#,
            Some("messages[0].role"),
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
            Some("messages[0].content"),
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":7}]}]}"#,
            Some("messages[0].content[0].text"),
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image"}]}]}"#,
            Some("messages[0].content[0].source"),
        ),
        (
            r#"{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"x"}]}]}"#,
            Some("messages[0].content[0].input"),
        ),
        (
            r#"{"model":"m","messages":[],"max_tokens":"many"}"#,
            Some("max_tokens"),
        ),
        (
            r#"{"model":"m","messages":[],"tools":[{"description":"d"}]}"#,
            Some("tools[0].name"),
        ),
        (
            r#"{"model":"m","messages":[],"tool_choice":{"type":"all"}}"#,
            Some("tool_choice.type"),
        ),
        (
            r#"{"model":"m","messages":[],"thinking":{"budget_tokens":1}}"#,
            Some("thinking.type"),
        ),
    ];
    for (body, param) in cases {
        let error = read_request(body.as_bytes()).unwrap_err();
        assert_eq!(error.param(), param, "{body}: {error}");
    }
}
