//! What this dialect can say, at random.

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

use crate::{
    chat::{
        ChatAnswer, ChatRequest, Document, Effort, Format, Image, Message, Part, PartBody,
        Reasoning, Role, Sampling, Seal, Source, Stop, Thinking, Tool, ToolCall, ToolChoice,
        ToolResult,
    },
    dialect::Dialect,
    usage::Usage,
};

fn text() -> impl Strategy<Value = String> {
    "[a-z \"\\\\\né😀{}:]{1,12}"
}

fn word() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,8}"
}

pub(super) fn arguments() -> impl Strategy<Value = String> {
    text().prop_map(|text| json!({ "x": text }).to_string())
}

fn picture() -> impl Strategy<Value = Part> {
    let source = prop_oneof![
        Just(Source::from_url("data:image/png;base64,AA==")),
        Just(Source::Url("https://x/y.png".to_owned())),
    ];
    let detail = option::of(Just("low".to_owned()));
    (source, detail).prop_map(|(source, detail)| PartBody::Image(Image { source, detail }).into())
}

fn other_part() -> impl Strategy<Value = Part> {
    let document = Document {
        source: Source::from_url("data:application/pdf;base64,AA=="),
        title: Some("a.pdf".to_owned()),
        context: None,
    };
    let audio = PartBody::Audio {
        data: "AA==".to_owned(),
        format: "wav".to_owned(),
    };
    prop_oneof![
        picture(),
        Just(PartBody::Document(document).into()),
        Just(audio.into()),
        text().prop_map(Part::text),
    ]
}

/// A turn of the user: a text, or parts of which one is none.
fn user() -> impl Strategy<Value = Vec<Message>> {
    let parts = prop_oneof![
        text().prop_map(|text| vec![Part::text(text)]),
        (picture(), vec(other_part(), 0..3)).prop_map(|(first, rest)| {
            let mut parts = vec![first];
            parts.extend(rest);
            parts
        }),
    ];
    parts.prop_map(|parts| {
        let role = Role::User;
        vec![Message { role, parts }]
    })
}

fn own_thought() -> impl Strategy<Value = Part> {
    let seal = "[A-Za-z0-9+/]{1,20}".prop_map(|data| Seal::new(Dialect::OpenaiChat, data));
    (prop_oneof![Just(String::new()), text()], seal).prop_map(|(text, seal)| {
        let seal = Some(seal);
        PartBody::Thinking(Thinking { text, seal }).into()
    })
}

/// A turn of the assistant, with the results of its calls.
fn assistant() -> impl Strategy<Value = Vec<Message>> {
    let calls = vec((word(), arguments(), option::of(word()), text()), 0..3);
    (vec(own_thought(), 0..3), text(), calls, any::<u32>()).prop_map(
        |(thoughts, said, calls, salt)| {
            let mut parts = thoughts;
            parts.push(Part::text(said));
            let mut results = Vec::new();
            for (at, (name, input, seal, result)) in calls.into_iter().enumerate() {
                let id = format!("call_{salt}_{at}");
                results.push(Part::from(PartBody::Result(ToolResult {
                    call_id: id.clone(),
                    name: Some(name.clone()),
                    parts: vec![Part::text(result)],
                    is_error: false,
                })));
                parts.push(Part::from(PartBody::Call(ToolCall {
                    id,
                    name,
                    input,
                    custom: false,
                    seal: seal.map(|data| Seal::new(Dialect::Gemini, data)),
                })));
            }
            let role = Role::Assistant;
            let mut turns = vec![Message { role, parts }];
            if !results.is_empty() {
                let (role, parts) = (Role::User, results);
                turns.push(Message { role, parts });
            }
            turns
        },
    )
}

fn function() -> impl Strategy<Value = Tool> {
    (word(), option::of(text()), option::of(any::<bool>())).prop_map(
        |(name, description, strict)| Tool::Function {
            name,
            description,
            schema: Some(json!({"type": "object", "properties": {"x": {"type": "string"}}})),
            strict,
            cache: None,
        },
    )
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>, Option<bool>)> {
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named(String::new())),
    ];
    let settings = (option::of(choice), option::of(any::<bool>()));
    (vec(function(), 0..3), settings).prop_map(|(tools, (choice, parallel))| {
        let Some(Tool::Function { name, .. }) = tools.first() else {
            return (Vec::new(), None, None);
        };
        let choice = choice.map(|choice| match choice {
            ToolChoice::Named(_) => ToolChoice::Named(name.clone()),
            other => other,
        });
        (tools, choice, parallel)
    })
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let number = || option::of((0u32..200).prop_map(|n| f64::from(n) / 100.0));
    let count = || option::of(0u64..100_000);
    let words = (vec(text(), 0..3), option::of(any::<i64>()));
    (number(), number(), number(), count(), words, count()).prop_map(
        |(temperature, top_p, presence_penalty, max_tokens, (stop, seed), top_logprobs)| Sampling {
            max_tokens,
            temperature,
            top_p,
            stop,
            seed,
            presence_penalty,
            logprobs: top_logprobs.map(|_| true),
            top_logprobs,
            ..Sampling::default()
        },
    )
}

fn format() -> impl Strategy<Value = Format> {
    let schema = (word(), option::of(text()), option::of(any::<bool>()));
    prop_oneof![
        Just(Format::Json),
        schema.prop_map(|(name, description, strict)| Format::Schema {
            name: Some(name),
            description,
            schema: json!({"type": "object"}),
            strict,
        }),
    ]
}

/// Whatever this dialect can say, in the form that a reader gives it.
pub(super) fn request() -> impl Strategy<Value = ChatRequest> {
    let turns = vec(prop_oneof![user(), assistant()], 0..5);
    let effort = prop::sample::select(vec![Effort::None, Effort::Low, Effort::Max]);
    let hints = (option::of(word()), option::of(word()), option::of(word()));
    let settings = (sampling(), option::of(effort), option::of(format()), hints);
    (option::of(text()), turns, tools(), settings, any::<bool>()).prop_map(
        |(system, turns, (tools, tool_choice, parallel_tools), settings, stream)| {
            let (sampling, effort, format, (user, verbosity, prompt_cache_key)) = settings;
            ChatRequest {
                stream,
                include_usage: stream,
                system: system.into_iter().map(Part::text).collect(),
                messages: turns.into_iter().flatten().collect(),
                tools,
                tool_choice,
                parallel_tools,
                sampling,
                reasoning: effort.map(|effort| Reasoning {
                    effort: Some(effort),
                    ..Reasoning::default()
                }),
                format,
                user,
                verbosity,
                prompt_cache_key,
                ..ChatRequest::new(Dialect::OpenaiChat, "m")
            }
        },
    )
}

fn usage() -> impl Strategy<Value = Usage> {
    (0u64..1_000, 0u64..1_000, 0u64..1_000).prop_map(|(part, more, rest)| Usage {
        prompt: part + more + rest,
        cached: part,
        cache_write: more,
        completion: part + more,
        reasoning: more,
    })
}

/// A thought, a text and calls, as an upstream of this dialect may give them.
pub(super) fn answer() -> impl Strategy<Value = ChatAnswer> {
    let calls = vec((word(), arguments()), 0..3);
    (
        option::of(own_thought()),
        option::of(text()),
        calls,
        usage(),
    )
        .prop_map(|(thought, said, calls, usage)| {
            let stop = match calls.is_empty() {
                true => Stop::End,
                false => Stop::ToolCalls,
            };
            let mut parts: Vec<Part> = thought.into_iter().collect();
            parts.extend(said.map(Part::text));
            for (at, (name, input)) in calls.into_iter().enumerate() {
                parts.push(Part::from(PartBody::Call(ToolCall {
                    id: format!("c{at}"),
                    name,
                    input,
                    custom: false,
                    seal: None,
                })));
            }
            ChatAnswer {
                model: Some("m".to_owned()),
                parts,
                stop,
                usage: Some(usage),
                service_tier: None,
                logprobs: None,
            }
        })
}

pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "model",
        "messages",
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "tools",
        "tool_choice",
        "choices",
        "message",
        "delta",
        "usage",
        "error",
        "index",
        "finish_reason",
        "reasoning_details",
        "image_url",
        "file",
        "custom",
        "x_groq",
        "logprobs",
        "extra_content",
        "google",
        "stop",
        "reasoning",
        "function_call",
        "refusal",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "user",
            "tool",
            "text",
            "function",
            "data:a;base64,b"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let fields = vec((keys.clone(), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(fields.collect::<Map<_, _>>())
            }),
        ]
    })
}
