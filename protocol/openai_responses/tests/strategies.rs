//! Requests, answers and junk of this dialect.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    chat::{
        ChatRequest, Document, Effort, Format, Image, Message, Part, PartBody, Reasoning, Role,
        Sampling, Seal, Source, Thinking, Tool, ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect,
};

pub(super) fn words() -> impl Strategy<Value = String> {
    "[a-zé\"\\\\\n ]{1,12}"
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        "[A-Za-z0-9]{4}".prop_map(|data| Source::Base64 {
            media_type: "image/png".to_owned(),
            data
        }),
        "[a-z]{1,5}".prop_map(|path| Source::Url(format!("https://x/{path}"))),
        "file_[a-z]{1,5}".prop_map(Source::FileId),
    ]
}

fn shown() -> impl Strategy<Value = Part> {
    let image = (source(), prop::option::of(Just("low".to_owned())));
    let paper = source().prop_map(|source| {
        let title = matches!(source, Source::Base64 { .. }).then(|| "a.pdf".to_owned());
        Document {
            source,
            title,
            context: None,
        }
    });
    prop_oneof![
        words().prop_map(PartBody::Text),
        image.prop_map(|(source, detail)| PartBody::Image(Image { source, detail })),
        paper.prop_map(PartBody::Document),
    ]
    .prop_map(Part::from)
}

fn thinking() -> impl Strategy<Value = Thinking> {
    let text = prop_oneof![Just(String::new()), words()];
    let seal = (prop::option::of("rs_[a-z]{3}"), "[A-Za-z0-9+/=]{1,20}");
    (text, seal).prop_map(|(text, (id, data))| Thinking {
        text,
        seal: Some(Seal {
            by: Dialect::OpenaiResponses,
            id,
            data,
        }),
    })
}

/// What the assistant says, and the results of what it calls.
fn turn() -> impl Strategy<Value = Vec<Message>> {
    let call = (
        any::<bool>(),
        prop::collection::vec(words(), 0..2),
        prop::option::of(source()),
    );
    let said = prop_oneof![
        words().prop_map(PartBody::Text),
        words().prop_map(PartBody::Refusal),
        thinking().prop_map(PartBody::Thinking),
    ];
    let user = prop::collection::vec(shown(), 1..3);
    let parts = (
        prop::collection::vec(said, 1..4),
        prop::collection::vec(call, 0..3),
        user,
    );
    parts.prop_map(|(said, calls, user)| {
        let mut said: Vec<Part> = said.into_iter().map(Part::from).collect();
        let mut results = Vec::new();
        for (n, (custom, texts, picture)) in calls.into_iter().enumerate() {
            let (id, name) = (format!("c{n}"), format!("f{n}"));
            // texts alone come back as one
            let mut parts = vec![Part::text(texts.join("\n"))];
            parts.retain(|part| *part != Part::text(""));
            parts.extend(picture.map(|source| {
                Part::from(PartBody::Image(Image {
                    source,
                    detail: None,
                }))
            }));
            results.push(Part::from(PartBody::Result(ToolResult {
                call_id: id.clone(),
                name: Some(name.clone()),
                parts,
                is_error: false,
            })));
            let input = if custom { "*** x" } else { "{\"x\": 1}" }.to_owned();
            said.push(Part::from(PartBody::Call(ToolCall {
                id,
                name,
                input,
                custom,
                seal: None,
            })));
        }
        let mut messages = vec![Message {
            role: Role::Assistant,
            parts: said,
        }];
        for (role, parts) in [(Role::User, results), (Role::User, user)] {
            if !parts.is_empty() {
                messages.push(Message { role, parts });
            }
        }
        messages
    })
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>)> {
    let function = ("[a-z]{1,8}", prop::option::of(words()), any::<bool>()).prop_map(
        |(name, description, strict)| Tool::Function {
            name,
            description,
            schema: Some(json!({"type": "object", "properties": {}})),
            strict: Some(strict),
            cache: None,
        },
    );
    let custom =
        ("[a-z]{9,12}", prop::option::of(words())).prop_map(|(name, description)| Tool::Custom {
            name,
            description,
            format: Some(json!({"type": "text"})),
        });
    let choice = prop::option::of(prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("someone".to_owned())),
    ]);
    (
        prop::collection::vec(prop_oneof![function, custom], 1..4),
        choice,
    )
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let numbers = (
        prop::option::of(16u64..9_999),
        prop::option::of(0u8..8),
        prop::option::of(0u8..8),
    );
    (numbers, any::<bool>()).prop_map(|((max_tokens, temperature, top_p), logprobs)| Sampling {
        max_tokens,
        temperature: temperature.map(|n| f64::from(n) / 4.0),
        top_p: top_p.map(|n| f64::from(n) / 8.0),
        logprobs: logprobs.then_some(true),
        top_logprobs: logprobs.then_some(3),
        ..Sampling::default()
    })
}

fn format() -> impl Strategy<Value = Option<Format>> {
    let schema = (words(), prop::option::of(words()), any::<bool>()).prop_map(
        |(name, description, strict)| Format::Schema {
            name: Some(name),
            description,
            schema: json!({"type": "object"}),
            strict: Some(strict),
        },
    );
    prop::option::of(prop_oneof![Just(Format::Text), Just(Format::Json), schema])
}

prop_compose! {
    pub(super) fn request()(
        system in prop::option::of(words()),
        turns in prop::collection::vec(turn(), 0..3),
        (tools, tool_choice) in tools(),
        sampling in sampling(),
        format in format(),
        effort in prop::option::of(prop::sample::select(&[Effort::None, Effort::Low, Effort::XHigh][..])),
        (stream, parallel) in any::<(bool, Option<bool>)>(),
        (user, key) in (prop::option::of("[a-z]{1,64}"), prop::option::of(words())),
    ) -> ChatRequest {
        let mut request = ChatRequest::new(Dialect::OpenaiResponses, "m");
        request.system = system.into_iter().map(Part::text).collect();
        request.messages = vec![Message { role: Role::User, parts: vec![Part::text("go")] }];
        request.messages.extend(turns.into_iter().flatten());
        request.tools = tools;
        request.tool_choice = tool_choice;
        request.sampling = sampling;
        request.format = format;
        request.verbosity = key.clone();
        request.stream = stream;
        request.parallel_tools = parallel;
        request.user = user;
        request.prompt_cache_key = key;
        request.reasoning = effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
        request
    }
}

pub(super) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words().prop_map(Value::from),
        prop::sample::select(
            &[
                "message",
                "reasoning",
                "function_call",
                "input_text",
                "input_file",
                "user",
                "function",
                "allowed_tools"
            ][..]
        )
        .prop_map(Value::from),
    ];
    let key = prop::sample::select(
        &[
            "model",
            "input",
            "type",
            "role",
            "content",
            "summary",
            "output",
            "tools",
            "tool_choice",
            "text",
            "format",
            "id",
            "call_id",
            "name",
            "arguments",
            "item",
            "response",
            "delta",
            "output_index",
            "usage",
            "error",
            "reasoning",
            "x",
        ][..],
    );
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(fields.collect::<Map<_, _>>())
            }),
        ]
    })
}

pub(super) const NAMES: &[&str] = &[
    "",
    "response.created",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.refusal.delta",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
    "response.completed",
    "response.failed",
    "error",
];

pub(super) fn blocks() -> impl Strategy<Value = Vec<PartBody>> {
    let call = (any::<bool>(), words()).prop_map(|(custom, text)| {
        let input = if custom {
            text
        } else {
            json!({ "x": text }).to_string()
        };
        PartBody::Call(ToolCall {
            id: "c1".to_owned(),
            name: "f".to_owned(),
            input,
            custom,
            seal: None,
        })
    });
    let block = prop_oneof![
        words().prop_map(PartBody::Text),
        words().prop_map(PartBody::Refusal),
        thinking().prop_map(|mut thinking| {
            // the id is the writer's
            thinking.seal = thinking.seal.map(|seal| Seal { id: None, ..seal });
            PartBody::Thinking(thinking)
        }),
        call,
    ];
    prop::collection::vec(block, 0..6)
}
