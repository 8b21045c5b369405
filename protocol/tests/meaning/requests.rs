//! Requests that two dialects can both say.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;
use troupe_protocol::{
    chat::{
        ChatRequest, Document, Effort, Format, Image, Message, Part, PartBody, Reasoning, Role,
        Sampling, Source, Tool, ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect::{self, Anthropic, Gemini, OpenaiChat, OpenaiResponses},
};

use super::Pair;

/// How thoughts are to be shown, which the writers add and chat has no word for. It says nothing of
/// what is asked.
pub const MAY_BE_LOST: &[&str] = &["reasoning.summary"];

/// A model of the dialect that can be asked for all that is asked. No Claude takes both a word for how
/// much it thinks and numbers for how it samples.
pub fn model(dialect: Dialect, request: &ChatRequest) -> &'static str {
    match dialect {
        OpenaiChat | OpenaiResponses => "gpt-5",
        Anthropic if request.reasoning.is_some() => "claude-opus-4-7",
        Anthropic => "claude-3-5-sonnet-latest",
        Gemini => "gemini-2.5-flash",
    }
}

/// Not blank, and without space at its ends: Anthropic refuses both where they matter.
pub fn text() -> impl Strategy<Value = String> {
    "[a-z<{é😀\"\\\\]([a-zé\"\\\\\n\t /]{0,12}[a-z>}é😀\"\\\\])?"
}

fn source() -> impl Strategy<Value = Source> {
    let inline = ("[A-Za-z0-9+/]{4}", select(&["png", "jpeg", "webp"][..]));
    prop_oneof![
        inline.prop_map(|(data, kind)| Source::Base64 {
            media_type: format!("image/{kind}"),
            data,
        }),
        "[a-z]{1,5}".prop_map(|name| Source::Url(format!("https://pictures.example/{name}.png"))),
    ]
}

fn picture(pair: Pair) -> impl Strategy<Value = Part> {
    let detail = option::of(select(&["low", "high"][..]));
    let has_detail = pair.is_within(&[OpenaiChat, OpenaiResponses]);
    (source(), detail).prop_map(move |(source, detail)| {
        let detail = detail.filter(|_| has_detail).map(str::to_owned);
        PartBody::Image(Image { source, detail }).into()
    })
}

fn paper() -> impl Strategy<Value = Part> {
    ("[A-Za-z0-9]{4}", "[a-z]{1,6}").prop_map(|(data, name)| {
        let (title, context) = (Some(format!("{name}.pdf")), None);
        let media_type = "application/pdf".to_owned();
        let source = Source::Base64 { media_type, data };
        PartBody::Document(Document {
            source,
            title,
            context,
        })
        .into()
    })
}

/// A text, and perhaps something to look at and another text.
fn asked(pair: Pair) -> impl Strategy<Value = Vec<Part>> {
    let papers = pair.is_within(&[OpenaiChat, OpenaiResponses, Anthropic]);
    let seen = prop_oneof![
        picture(pair).boxed(),
        if papers {
            paper().boxed()
        } else {
            picture(pair).boxed()
        }
    ];
    (text(), option::of((seen, option::of(text())))).prop_map(|(text, more)| {
        let mut parts = vec![Part::text(text)];
        if let Some((seen, text)) = more {
            parts.push(seen);
            parts.extend(text.map(Part::text));
        }
        parts
    })
}

/// What the assistant does with a tool, and what that gives.
#[derive(Debug, Clone)]
struct Step {
    tool: usize,
    argument: Option<String>,
    found: String,
    failed: bool,
    picture: Option<Part>,
}

fn step(pair: Pair) -> impl Strategy<Value = Step> {
    let failures = pair.is_within(&[Anthropic, Gemini]);
    let pictures = pair.is_within(&[Anthropic, OpenaiResponses]);
    let found = (text(), any::<bool>(), option::of(picture(pair)));
    (0usize..3, option::of(text()), found).prop_map(
        move |(tool, argument, (found, failed, picture))| Step {
            tool,
            argument,
            found,
            failed: failures && failed,
            picture: picture.filter(|_| pictures),
        },
    )
}

/// A question, calls of tools, and what is said of it.
fn exchange(pair: Pair, number: usize) -> impl Strategy<Value = Vec<Message>> {
    let steps = vec(step(pair), 0..3);
    let answer = (option::of(text()), steps, text(), option::of(text()));
    (asked(pair), answer).prop_map(move |(asked, (said, steps, conclusion, remark))| {
        let mut messages = vec![message(Role::User, asked)];
        if !steps.is_empty() {
            let mut calls: Vec<Part> = said.into_iter().map(Part::text).collect();
            let mut results = Vec::new();
            for (at, step) in steps.into_iter().enumerate() {
                let (call, result) = called(format!("call_{number}_{at}"), step);
                calls.push(call);
                results.push(result);
            }
            messages.push(message(Role::Assistant, calls));
            messages.push(message(Role::User, results));
        }
        messages.push(message(Role::Assistant, vec![Part::text(conclusion)]));
        // instructions between turns move to the others in the dialects that have no place for them
        let openai = pair.is_within(&[OpenaiChat, OpenaiResponses]);
        let remark = remark.filter(|_| openai);
        messages.extend(remark.map(|text| message(Role::System, vec![Part::text(text)])));
        messages
    })
}

fn called(id: String, step: Step) -> (Part, Part) {
    let name = tool_name(step.tool);
    let input = step
        .argument
        .map_or_else(|| json!({}), |text| json!({"b": text, "a": [1, null]}));
    let call = PartBody::Call(ToolCall {
        id: id.clone(),
        name: name.clone(),
        input: input.to_string(),
        custom: false,
        seal: None,
    });
    let mut parts = vec![Part::text(step.found)];
    parts.extend(step.picture);
    let result = PartBody::Result(ToolResult {
        call_id: id,
        name: Some(name),
        parts,
        is_error: step.failed,
    });
    (call.into(), result.into())
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn tool_name(number: usize) -> String {
    format!("tool-{number}")
}

fn tools(pair: Pair) -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>)> {
    let strict = pair.is_within(&[OpenaiChat, OpenaiResponses, Anthropic]);
    let tool = (text(), any::<bool>());
    let choice = select(vec![
        None,
        Some(ToolChoice::Auto),
        Some(ToolChoice::None),
        Some(ToolChoice::Required),
        Some(ToolChoice::Named(tool_name(1))),
    ]);
    (vec(tool, 3), choice).prop_map(move |(tools, choice)| {
        let offered = |(number, (description, is_strict))| Tool::Function {
            name: tool_name(number),
            description: Some(description),
            schema: Some(json!({
                "type": "object",
                "properties": {"b": {"type": "string"}, "a": {"type": "array"}},
                "additionalProperties": false,
            })),
            strict: Some(strict && is_strict),
            cache: None,
        };
        (tools.into_iter().enumerate().map(offered).collect(), choice)
    })
}

fn sampling(pair: Pair) -> impl Strategy<Value = Sampling> {
    let max_tokens = 16u64..60_000;
    // a temperature of 1 is Anthropic's default, which is not said
    let numbers = (option::of(0u8..8), option::of(0u8..8), option::of(1u64..50));
    let stop = vec("[a-z]{1,4}", 0..3);
    let others = (
        option::of(0i64..9_000),
        option::of(-3i8..3),
        option::of(0u64..5),
    );
    (max_tokens, numbers, stop, others).prop_map(
        move |(max_tokens, (temperature, top_p, top_k), stop, (seed, penalty, top_logprobs))| {
            let eighths = |n| f64::from(n) / 8.0;
            let penalty = penalty
                .map(f64::from)
                .filter(|_| pair.is_within(&[OpenaiChat, Gemini]));
            let openai = pair.is_within(&[OpenaiChat, OpenaiResponses]);
            let top_logprobs = top_logprobs.filter(|_| openai);
            Sampling {
                max_tokens: Some(max_tokens),
                temperature: temperature.map(eighths),
                top_p: top_p.map(eighths),
                top_k: top_k.filter(|_| pair.is_within(&[Anthropic, Gemini])),
                stop: match pair.is_within(&[OpenaiChat, Anthropic, Gemini]) {
                    true => stop,
                    false => Vec::new(),
                },
                seed: seed.filter(|_| pair.is_within(&[OpenaiChat, Gemini])),
                presence_penalty: penalty,
                frequency_penalty: penalty.map(|penalty| -penalty),
                logprobs: top_logprobs.map(|_| true),
                top_logprobs,
                ..Sampling::default()
            }
        },
    )
}

fn format(pair: Pair) -> impl Strategy<Value = Option<Format>> {
    let openai = pair.is_within(&[OpenaiChat, OpenaiResponses]);
    let any_json = pair.is_within(&[OpenaiChat, OpenaiResponses, Gemini]);
    let schema = ("[a-z]{1,8}", text(), any::<bool>()).prop_map(move |(name, text, strict)| {
        Format::Schema {
            name: Some(if openai { name } else { "answer".to_owned() }),
            description: openai.then_some(text),
            schema: json!({"type": "object", "additionalProperties": false}),
            strict: Some(openai && strict),
        }
    });
    option::of(prop_oneof![Just(Format::Json), schema])
        .prop_map(move |format| format.filter(|format| any_json || *format != Format::Json))
}

fn reasoning(pair: Pair) -> impl Strategy<Value = Option<Reasoning>> {
    let mut efforts = vec![Effort::Low, Effort::Medium, Effort::High];
    if pair.is_within(&[OpenaiChat, OpenaiResponses]) {
        efforts.extend([Effort::None, Effort::Minimal, Effort::XHigh]);
    }
    option::of(select(efforts).prop_map(|effort| Reasoning {
        effort: Some(effort),
        ..Reasoning::default()
    }))
}

/// A client's request in the words that both dialects have.
pub fn request(pair: Pair) -> impl Strategy<Value = ChatRequest> {
    let talk = (
        exchange(pair, 1),
        exchange(pair, 2),
        asked(pair),
        vec(text(), 0..3),
    );
    let hints = (
        option::of("[a-z]{1,20}"),
        option::of(any::<bool>()),
        option::of(select(&["auto", "default"][..])),
        option::of(select(&["low", "high"][..])),
    );
    let how = (
        sampling(pair),
        format(pair),
        reasoning(pair),
        any::<bool>(),
        hints,
    );
    (talk, tools(pair), how).prop_map(
        move |(
            (first, second, last, system),
            (tools, choice),
            (sampling, format, reasoning, stream, hints),
        )| {
            let mut request = ChatRequest::new(pair.0, "m");
            request.messages = [first, second, vec![message(Role::User, last)]].concat();
            request.system = system.into_iter().map(Part::text).collect();
            request.tools = tools;
            request.tool_choice = choice;
            request.format = format;
            // which Gemini is told by the address alone
            request.stream = stream && pair.1 != Gemini;
            request.sampling = sampling;
            if reasoning.is_some() {
                let sampling = &mut request.sampling;
                (sampling.temperature, sampling.top_p, sampling.top_k) = (None, None, None);
            }
            request.reasoning = reasoning;
            let (user, parallel, tier, verbosity) = hints;
            if pair.is_within(&[OpenaiChat, OpenaiResponses, Anthropic]) {
                request.user = user.clone();
                request.parallel_tools = parallel;
                request.service_tier = tier.map(str::to_owned);
            }
            if pair.is_within(&[OpenaiChat, OpenaiResponses]) {
                request.verbosity = verbosity.map(str::to_owned);
                request.prompt_cache_key = user;
            }
            request
        },
    )
}
