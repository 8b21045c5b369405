//! Settings, tools, pictures: what can be said, what is lost, what is refused.

use serde_json::{Map, Value, json};

use super::*;
use crate::chat::{
    Cache, Document, Effort, Format, Image, Reasoning, Sampling, Source, Tool, ToolChoice,
};

fn function(name: &str) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: Some("does it".to_owned()),
        schema: Some(
            json!({"type": "object", "properties": {"q": {"$ref": "#/$defs/q"}}, "additionalProperties": false}),
        ),
        strict: None,
        cache: None,
    }
}

fn losses(request: &ChatRequest) -> String {
    encoded(request, "gemini-2.5-flash").1.losses.to_string()
}

fn image(source: Source) -> Part {
    PartBody::Image(Image {
        source,
        detail: None,
    })
    .into()
}

#[test]
fn a_bare_request_has_nothing_but_its_contents() {
    let (body, encoded) = encoded(&asking(Dialect::OpenaiChat), "gemini-2.5-flash");
    assert_eq!(
        body,
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    );
    assert!(encoded.losses.is_empty());
    assert!(!encoded.has_thinking);
}

#[test]
fn settings_go_by_their_names() {
    let mut request = asking(Dialect::OpenaiChat);
    request.sampling = Sampling {
        max_tokens: Some(100),
        temperature: Some(1.5),
        top_p: Some(0.5),
        top_k: Some(40),
        stop: vec!["a".to_owned(), "b".to_owned()],
        seed: Some(7),
        presence_penalty: Some(0.25),
        frequency_penalty: Some(-0.25),
        n: Some(1),
        ..Sampling::default()
    };
    request.format = Some(Format::Schema {
        name: Some("shape".to_owned()),
        description: None,
        schema: json!({"type": "object", "additionalProperties": false}),
        strict: Some(true),
    });
    request.reasoning = Some(Reasoning {
        effort: Some(Effort::Low),
        ..Reasoning::default()
    });
    let (body, encoded) = encoded(&request, "gemini-2.5-flash");
    let expected = json!({
        "maxOutputTokens": 100,
        "temperature": 1.5,
        "topP": 0.5,
        "topK": 40,
        "stopSequences": ["a", "b"],
        "seed": 7,
        "presencePenalty": 0.25,
        "frequencyPenalty": -0.25,
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "additionalProperties": false},
        "thinkingConfig": {"includeThoughts": true, "thinkingBudget": 1024},
    });
    assert_eq!(body["generationConfig"], expected);
    assert!(encoded.losses.is_empty(), "{}", encoded.losses);
    request.format = Some(Format::Json);
    let (body, _) = super::encoded(&request, "gemini-2.5-flash");
    assert_eq!(
        body["generationConfig"]["responseMimeType"],
        "application/json"
    );
    assert_eq!(body["generationConfig"].get("responseJsonSchema"), None);
}

#[test]
fn what_it_lacks_is_told_in_the_callers_words() {
    let everything = |dialect| {
        let mut request = asking(dialect);
        request.parallel_tools = Some(false);
        request.verbosity = Some("low".to_owned());
        request.service_tier = Some("flex".to_owned());
        request.user = Some("u".to_owned());
        request.metadata = Some(Map::new());
        request.prompt_cache_key = Some("k".to_owned());
        request.sampling.stop = vec![String::from("x"); 6];
        request.sampling.seed = Some(1 << 40);
        request.sampling.logprobs = Some(true);
        request.sampling.top_logprobs = Some(3);
        request.sampling.logit_bias = Some(Map::new());
        request.unread.note("store");
        request.system.push(Part {
            cache: Some(Cache::default()),
            ..Part::text("s")
        });
        losses(&request)
    };
    assert_eq!(
        everything(Dialect::OpenaiChat),
        "store, cache_control, parallel_tool_calls, logprobs, verbosity, user, logit_bias, \
         top_logprobs, service_tier, metadata, prompt_cache_key, seed, stop"
    );
    assert_eq!(
        everything(Dialect::OpenaiResponses),
        "store, cache_control, parallel_tool_calls, include, text.verbosity, user, logit_bias, \
         top_logprobs, service_tier, metadata, prompt_cache_key, seed, stop"
    );
    assert_eq!(
        everything(Dialect::Anthropic),
        "store, cache_control, tool_choice.disable_parallel_tool_use, logprobs, verbosity, \
         metadata.user_id, logit_bias, top_logprobs, service_tier, metadata, prompt_cache_key, \
         seed, stop_sequences"
    );
    let mut allowed = asking(Dialect::OpenaiChat);
    allowed.parallel_tools = Some(true);
    allowed.sampling.logprobs = Some(false);
    assert_eq!(losses(&allowed), "");
}

#[test]
fn tools_keep_their_whole_schema() {
    let mut request = asking(Dialect::OpenaiChat);
    let long = "x".repeat(80);
    request.tools = vec![
        function("find"),
        Tool::Hosted {
            name: "web_search".to_owned(),
        },
        Tool::Custom {
            name: "patch".to_owned(),
            description: None,
            format: Some(json!({"type": "grammar"})),
        },
        Tool::Function {
            name: long.clone(),
            description: None,
            schema: None,
            strict: Some(true),
            cache: Some(Cache::default()),
        },
    ];
    let (body, encoded) = encoded(&request, "gemini-2.5-flash");
    let declared = &body["tools"][0]["functionDeclarations"];
    let find = json!({
        "name": "find",
        "description": "does it",
        "parametersJsonSchema": {"type": "object", "properties": {"q": {"$ref": "#/$defs/q"}}, "additionalProperties": false},
    });
    assert_eq!(declared[0], find);
    let patch = json!({
        "name": "patch",
        "description": "The argument `input` is the tool's whole input, as free text.",
        "parametersJsonSchema": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
    });
    assert_eq!(declared[1], patch);
    let short = declared[2]["name"].as_str().unwrap();
    assert_eq!(declared[2], json!({"name": short}));
    assert_eq!(encoded.tools.original(short), (&*long, false));
    assert_eq!(encoded.tools.original("patch"), ("patch", true));
    let lost = "tools[1], tools[2].format, cache_control, tools[3].function.strict";
    assert_eq!(encoded.losses.to_string(), lost);
    assert_eq!(body.get("toolConfig"), None);
}

#[test]
fn every_choice_of_tools() {
    let some = |names: &[&str], required| ToolChoice::Allowed {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        required,
    };
    let named = |name: &str| ToolChoice::Named(name.to_owned());
    let config = |choice: ToolChoice, tools: Vec<Tool>| {
        let mut request = asking(Dialect::OpenaiChat);
        request.tools = tools;
        request.tool_choice = Some(choice);
        let encoded = write_request(&request, &encoding("gemini-2.5-flash"));
        let body: Result<Value, _> =
            encoded.map(|encoded| serde_json::from_slice(&encoded.body).unwrap());
        body.map(|body| body["toolConfig"]["functionCallingConfig"].clone())
    };
    let two = || {
        let name = "web_search".to_owned();
        vec![function("f"), function("g"), Tool::Hosted { name }]
    };
    let cases = [
        (ToolChoice::Auto, json!({"mode": "AUTO"})),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (
            named("g"),
            json!({"mode": "ANY", "allowedFunctionNames": ["g"]}),
        ),
        (
            some(&["f", "web_search"], true),
            json!({"mode": "ANY", "allowedFunctionNames": ["f"]}),
        ),
        (
            some(&["f"], false),
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
        ),
        (some(&["web_search"], false), json!({"mode": "NONE"})),
    ];
    for (choice, expected) in cases {
        assert_eq!(
            config(choice.clone(), two()).unwrap(),
            expected,
            "{choice:?}"
        );
    }
    for choice in [named("web_search"), some(&["web_search"], true)] {
        assert_eq!(config(choice, two()).unwrap_err().param, "tool_choice");
    }
    let hosted = two().split_off(2);
    assert!(config(ToolChoice::Required, hosted.clone()).is_err());
    assert_eq!(config(ToolChoice::Auto, hosted).unwrap(), Value::Null);
}

#[test]
fn pictures_documents_and_sound() {
    let base64 = |media_type: &str| Source::Base64 {
        media_type: media_type.to_owned(),
        data: "AAAA".to_owned(),
    };
    let url = |url: &str| Source::Url(url.to_owned());
    let document = |source| {
        PartBody::Document(Document {
            source,
            title: None,
            context: None,
        })
        .into()
    };
    let audio = PartBody::Audio {
        data: "BBBB".to_owned(),
        format: "wav".to_owned(),
    };
    let mut request = asking(Dialect::OpenaiChat);
    request.messages = vec![user(vec![
        image(base64("image/jpg")),
        image(url("https://x.org/cat.png?w=2")),
        document(base64("application/pdf")),
        document(Source::Text("plain".to_owned())),
        document(url(
            "https://generativelanguage.googleapis.com/v1beta/files/abc",
        )),
        audio.into(),
    ])];
    let (body, encoded) = encoded(&request, "gemini-2.5-flash");
    let expected = json!([
        {"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.org/cat.png?w=2"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
        {"text": "plain"},
        {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "BBBB"}},
    ]);
    assert_eq!(body["contents"][0]["parts"], expected);
    assert!(encoded.losses.is_empty());
}

#[test]
fn what_cannot_be_fetched_is_refused() {
    let refusal = |source, model: &str| {
        let mut request = asking(Dialect::Anthropic);
        request.messages = vec![user(vec![image(source)])];
        write_request(&request, &encoding(model)).unwrap_err()
    };
    let url = |url: &str| Source::Url(url.to_owned());
    let error = refusal(url("https://x.org/cat"), "gemini-2.5-flash");
    assert_eq!(error.param, "image");
    assert!(error.reason.contains("base64"), "{error}");
    refusal(url("http://x.org/cat.png"), "gemini-2.5-flash");
    refusal(url("https://x.org/cat.png"), "gemini-2.0-flash");
    refusal(Source::FileId("file-1".to_owned()), "gemini-3-pro-preview");
    let mut several = asking(Dialect::OpenaiChat);
    several.sampling.n = Some(2);
    let error = write_request(&several, &encoding("gemini-2.5-flash")).unwrap_err();
    assert_eq!(error.param, "n");
}

#[test]
fn details_and_titles_are_lost() {
    let mut request = asking(Dialect::Anthropic);
    let text = || Source::Text("t".to_owned());
    let picture = Image {
        source: Source::Base64 {
            media_type: "image/png".to_owned(),
            data: "AA".to_owned(),
        },
        detail: Some("low".to_owned()),
    };
    let document = Document {
        source: text(),
        title: Some("a".to_owned()),
        context: Some("b".to_owned()),
    };
    let parts = vec![
        PartBody::Image(picture).into(),
        PartBody::Document(document).into(),
    ];
    request.messages = vec![user(parts)];
    let lost = "image_url.detail, document.title, document.context";
    assert_eq!(losses(&request), lost);
}

#[test]
fn thinking_that_cannot_be_switched_off_is_told() {
    let mut request = asking(Dialect::Anthropic);
    request.reasoning = Some(Reasoning {
        budget: Some(0),
        ..Reasoning::default()
    });
    assert_eq!(losses(&request), "");
    let (body, encoded) = encoded(&request, "gemini-2.5-pro");
    assert_eq!(
        body["generationConfig"],
        json!({"thinkingConfig": {"thinkingBudget": 128}})
    );
    assert_eq!(encoded.losses.to_string(), "thinking");
}
