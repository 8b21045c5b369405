use serde_json::{Value, json};

use super::super::read_request;
use crate::{
    chat::{
        ChatRequest, Document, Effort, Format, Image, Message, Part, PartBody, Role, Seal, Source,
        Thinking, Tool, ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect,
};

fn read(body: &Value) -> ChatRequest {
    read_request(body.to_string().as_bytes()).unwrap()
}

fn refusal(body: &Value) -> String {
    read_request(body.to_string().as_bytes())
        .unwrap_err()
        .to_string()
}

fn with_input(input: Value) -> ChatRequest {
    read(&json!({"model": "m", "input": input}))
}

fn unread(request: &ChatRequest) -> Vec<&str> {
    request.unread.iter().collect()
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn call(id: &str, name: &str, input: &str, custom: bool) -> Part {
    PartBody::Call(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        custom,
        seal: None,
    })
    .into()
}

fn result(id: &str, name: Option<&str>, parts: Vec<Part>) -> Part {
    PartBody::Result(ToolResult {
        call_id: id.to_owned(),
        name: name.map(str::to_owned),
        parts,
        is_error: false,
    })
    .into()
}

#[test]
fn the_shortest_request() {
    let request = with_input(json!("hi"));
    let mut expected = ChatRequest::new(Dialect::OpenaiResponses, "m");
    expected.messages = vec![message(Role::User, vec![Part::text("hi")])];
    assert_eq!(request, expected);
}

#[test]
fn instructions_and_leading_messages_are_the_system_and_later_ones_stay() {
    let request = read(&json!({"model": "m", "instructions": "a", "input": [
        {"role": "developer", "content": "b"},
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "c"}]},
        {"role": "user", "content": "hi"},
        {"role": "developer", "content": "d"},
    ]}));
    assert_eq!(request.system, ["a", "b", "c"].map(Part::text));
    let expected = [
        message(Role::User, vec![Part::text("hi")]),
        message(Role::System, vec![Part::text("d")]),
    ];
    assert_eq!(request.messages, expected);
    assert!(request.unread.is_empty());
}

#[test]
fn items_of_one_turn_become_one_message() {
    let request = with_input(json!([
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}], "encrypted_content": "ENC"},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "phase": "commentary", "content": [
            {"type": "output_text", "text": "let me", "annotations": [], "logprobs": []},
            {"type": "refusal", "refusal": "not that"},
        ]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"x\":1}", "status": "completed"},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "patch", "input": "*** text"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [
            {"type": "input_text", "text": "seen"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "high"},
        ]},
        {"role": "user", "content": "on"},
    ]));
    let seal = Seal {
        by: Dialect::OpenaiResponses,
        id: Some("rs_1".to_owned()),
        data: "ENC".to_owned(),
    };
    let thinking = PartBody::Thinking(Thinking {
        text: "one\n\ntwo".to_owned(),
        seal: Some(seal),
    });
    let image = PartBody::Image(Image {
        source: Source::from_url("data:image/png;base64,AA"),
        detail: Some("high".to_owned()),
    });
    let expected = [
        message(Role::User, vec![Part::text("go")]),
        message(
            Role::Assistant,
            vec![
                thinking.into(),
                Part::text("let me"),
                PartBody::Refusal("not that".to_owned()).into(),
                call("c1", "f", "{\"x\":1}", false),
                call("c2", "patch", "*** text", true),
            ],
        ),
        message(
            Role::User,
            vec![
                result("c1", Some("f"), vec![Part::text("1")]),
                result("c2", Some("patch"), vec![Part::text("seen"), image.into()]),
            ],
        ),
        message(Role::User, vec![Part::text("on")]),
    ];
    assert_eq!(request.messages, expected);
    assert!(request.unread.is_empty(), "{}", request.unread);
}

#[test]
fn thoughts_keep_whose_they_are() {
    let thinking = |item: Value| {
        let request = with_input(json!([item]));
        request
            .messages
            .into_iter()
            .flat_map(|message| message.parts)
            .map(|part| part.body)
            .next()
    };
    let is = |text: &str, seal: Option<Seal>| {
        let text = text.to_owned();
        Some(PartBody::Thinking(Thinking { text, seal }))
    };
    let foreign = json!({"type": "reasoning", "id": "rs_ours", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "troupe.anthropic..SIG"});
    assert_eq!(
        thinking(foreign),
        is("t", Some(Seal::new(Dialect::Anthropic, "SIG")))
    );
    let full = json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "all"}]});
    assert_eq!(thinking(full), is("all", None));
    let hidden =
        json!({"type": "reasoning", "summary": [], "content": null, "encrypted_content": "E"});
    assert_eq!(
        thinking(hidden),
        is("", Some(Seal::new(Dialect::OpenaiResponses, "E")))
    );
    assert_eq!(
        thinking(json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        None
    );
}

#[test]
fn a_signed_call_gets_its_seal_back() {
    let request = with_input(json!([
        {"type": "reasoning", "summary": [], "encrypted_content": "troupe.gemini..SIG"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]));
    let [turn] = request.messages.as_slice() else {
        panic!("{request:?}")
    };
    let [
        Part {
            body: PartBody::Call(call),
            ..
        },
    ] = turn.parts.as_slice()
    else {
        panic!("{turn:?}")
    };
    assert_eq!(call.seal, Some(Seal::new(Dialect::Gemini, "SIG")));
}

#[test]
fn parts_of_all_kinds() {
    let request = with_input(json!([{"role": "user", "content": [
        {"type": "input_text", "text": "look"},
        {"type": "input_text", "text": ""},
        {"type": "input_image", "image_url": "https://x/y.png"},
        {"type": "input_image", "file_id": "file_1", "detail": "low"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "AA"},
        {"type": "input_file", "file_url": "https://x/y.pdf"},
        {"type": "input_file", "file_id": "file_2"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "input_smell", "x": 1},
    ]}]));
    let image = |source, detail: Option<&str>| {
        let detail = detail.map(str::to_owned);
        PartBody::Image(Image { source, detail })
    };
    let file = |source, title: Option<&str>| {
        PartBody::Document(Document {
            source,
            title: title.map(str::to_owned),
            context: None,
        })
    };
    let pdf = || Source::Base64 {
        media_type: "application/pdf".to_owned(),
        data: "AA".to_owned(),
    };
    let bodies: Vec<PartBody> = request.messages[0]
        .parts
        .iter()
        .map(|part| part.body.clone())
        .collect();
    let expected = [
        PartBody::Text("look".to_owned()),
        image(Source::Url("https://x/y.png".to_owned()), None),
        image(Source::FileId("file_1".to_owned()), Some("low")),
        file(pdf(), Some("a.pdf")),
        file(pdf(), None),
        file(Source::Url("https://x/y.pdf".to_owned()), None),
        file(Source::FileId("file_2".to_owned()), None),
        PartBody::Audio {
            data: "AA".to_owned(),
            format: "wav".to_owned(),
        },
    ];
    assert_eq!(bodies, expected);
    assert_eq!(unread(&request), ["input[0].content[9]"]);
}

#[test]
fn settings_of_all_kinds() {
    let request = read(&json!({
        "model": "m", "input": "hi", "stream": true, "max_output_tokens": 99, "temperature": 0, "top_p": 0.5,
        "top_logprobs": 3, "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "user": "u", "safety_identifier": "s", "metadata": {"a": "b"}, "prompt_cache_key": "k", "service_tier": "flex",
        "parallel_tool_calls": false, "reasoning": {"effort": "high", "summary": "detailed"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true, "description": "d"}},
        "store": true, "truncation": "disabled", "background": false, "stream_options": {"include_obfuscation": false},
    }));
    assert!(request.stream);
    let sampling = &request.sampling;
    assert_eq!(
        (
            sampling.max_tokens,
            sampling.temperature,
            sampling.top_p,
            sampling.logprobs,
            sampling.top_logprobs
        ),
        (Some(99), Some(0.0), Some(0.5), Some(true), Some(3))
    );
    assert_eq!(request.user.as_deref(), Some("s"));
    assert_eq!(request.prompt_cache_key.as_deref(), Some("k"));
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    assert_eq!(request.parallel_tools, Some(false));
    let reasoning = request.reasoning.as_ref().unwrap();
    assert_eq!(
        (reasoning.effort, reasoning.summary.as_deref()),
        (Some(Effort::High), Some("detailed"))
    );
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    let Some(Format::Schema {
        name,
        description,
        schema,
        strict,
    }) = &request.format
    else {
        panic!("{:?}", request.format)
    };
    assert_eq!(
        (name.as_deref(), description.as_deref(), strict),
        (Some("n"), Some("d"), &Some(true))
    );
    assert_eq!(schema, &json!({"type": "object"}));
    assert!(request.unread.is_empty(), "{}", request.unread);
}

#[test]
fn what_stands_for_nothing_is_noted() {
    let request = read(&json!({
        "model": "m", "background": true, "truncation": "auto", "conversation": "conv_1", "stop": ["x"], "foo": null,
        "previous_response_id": "resp_0", "reasoning": {"effort": "galactic", "mode": 1}, "max_tool_calls": 3,
        "input": [
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}},
            {"type": "local_shell_call", "call_id": "c", "action": {}},
            {"type": "local_shell_call_output", "id": "c", "output": "{}"},
            {"role": "user", "content": [{"type": "input_text", "text": "hi", "cache_control": {}}]},
        ],
    }));
    let expected = [
        "reasoning.effort",
        "reasoning.mode",
        "background",
        "truncation",
        "conversation",
        "stop",
        "previous_response_id",
        "max_tool_calls",
        "input[0]",
        "input[1]",
        "input[2]",
        "input[3].content[0].cache_control",
    ];
    assert_eq!(unread(&request), expected);
    assert_eq!(request.messages.len(), 1);
}

#[test]
fn tools_and_choices() {
    let read = |choice: Value| {
        let tools = json!([
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true},
            {"type": "function", "name": "g", "parameters": null},
            {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
            {"type": "web_search", "external_web_access": true},
            {"type": "mcp", "server_label": "s", "server_url": "https://x"},
        ]);
        read(&json!({"model": "m", "input": "hi", "tools": tools, "tool_choice": choice}))
    };
    let request = read(json!("auto"));
    let expected = [
        Tool::Function {
            name: "f".to_owned(),
            description: Some("d".to_owned()),
            schema: Some(json!({"type": "object"})),
            strict: Some(true),
            cache: None,
        },
        Tool::Function {
            name: "g".to_owned(),
            description: None,
            schema: None,
            strict: None,
            cache: None,
        },
        Tool::Custom {
            name: "patch".to_owned(),
            description: None,
            format: Some(json!({"type": "grammar", "syntax": "lark", "definition": "x"})),
        },
        Tool::Hosted {
            name: "web_search".to_owned(),
        },
        Tool::Hosted {
            name: "mcp".to_owned(),
        },
    ];
    assert_eq!(request.tools, expected);
    let named = |name: &str| ToolChoice::Named(name.to_owned());
    let allowed = ToolChoice::Allowed {
        names: vec!["f".to_owned(), "web_search".to_owned()],
        required: true,
    };
    let cases = [
        (json!("auto"), Some(ToolChoice::Auto)),
        (json!("none"), Some(ToolChoice::None)),
        (json!("required"), Some(ToolChoice::Required)),
        (json!(null), None),
        (json!({"type": "function", "name": "f"}), Some(named("f"))),
        (
            json!({"type": "custom", "name": "patch"}),
            Some(named("patch")),
        ),
        (json!({"type": "web_search"}), Some(named("web_search"))),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]}),
            Some(allowed),
        ),
    ];
    for (choice, expected) in cases {
        assert_eq!(read(choice.clone()).tool_choice, expected, "{choice}");
    }
}

#[test]
fn refusals_name_the_place() {
    let cases = [
        (json!({"input": "hi"}), "`model` is required"),
        (json!({"model": "m"}), "`input` is required"),
        (
            json!({"model": "m", "input": 1}),
            "`input` is not as expected: a string or a list of items",
        ),
        (
            json!({"model": "m", "input": [1]}),
            "`input[0]` is not as expected: an object",
        ),
        (
            json!({"model": "m", "input": [{"content": "x"}]}),
            "`input[0].role` is required",
        ),
        (
            json!({"model": "m", "input": [{"role": "tool", "content": "x"}]}),
            "`input[0].role` is not as expected",
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "`input[0].content[0].image_url` is required",
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call", "call_id": "c", "name": 3}]}),
            "`input[0].name` is not as expected: a string",
        ),
        (
            json!({"model": "m", "input": [{"type": "item_reference", "id": "msg_1"}]}),
            "`input[0]` is not as expected: an item of an earlier response cannot be looked up",
        ),
        (
            json!({"model": "m", "input": "x", "prompt": {"id": "pmpt_1"}}),
            "`prompt` is not as expected: only OpenAI",
        ),
        (
            json!({"model": "m", "input": "x", "temperature": "hot"}),
            "`temperature` is not as expected: a number",
        ),
        (
            json!({"model": "m", "input": "x", "max_output_tokens": -1}),
            "`max_output_tokens` is not as expected",
        ),
        (
            json!({"model": "m", "input": "x", "tools": [{"type": "function"}]}),
            "`tools[0].name` is required",
        ),
        (
            json!({"model": "m", "input": "x", "tool_choice": "any"}),
            "`tool_choice` is not as expected",
        ),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "json_schema", "name": "n"}}}),
            "`text.format.schema` is required",
        ),
        (json!([]), "the body must be a JSON object"),
    ];
    for (body, expected) in cases {
        let said = refusal(&body);
        assert!(said.starts_with(expected), "{body}: {said}");
    }
}
