//! Answers that two dialects can both say.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use troupe_protocol::{
    chat::{ChatAnswer, Part, PartBody, Reply, Seal, Stop, Thinking, ToolCall},
    convert,
    dialect::Dialect::{self, Gemini, OpenaiChat, OpenaiResponses},
    usage::Usage,
};

use super::{Pair, client_of, requests::text};

/// Thoughts, a text, calls: the order in which all dialects have them.
pub fn answer(pair: Pair) -> impl Strategy<Value = ChatAnswer> {
    let thought = option::of(thought(pair));
    let said = (thought, option::of(text()), vec(call(), 0..3));
    (said, usage(pair), any::<bool>()).prop_map(|((thought, said, calls), usage, cut)| {
        let stop = match (calls.is_empty(), cut) {
            (false, _) => Stop::ToolCalls,
            (true, true) => Stop::MaxTokens,
            (true, false) => Stop::End,
        };
        let mut parts: Vec<Part> = thought.into_iter().collect();
        parts.extend(said.map(Part::text));
        for (at, (name, input)) in calls.into_iter().enumerate() {
            parts.push(Part::from(PartBody::Call(ToolCall {
                id: format!("call_{at}"),
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

/// A thought with the upstream's seal, which comes back to it through the client.
fn thought(Pair(upstream, _): Pair) -> impl Strategy<Value = Part> {
    (text(), "[A-Za-z0-9+/]{8}").prop_map(move |(text, data)| {
        let seal = Some(Seal::new(upstream, data));
        PartBody::Thinking(Thinking { text, seal }).into()
    })
}

fn call() -> impl Strategy<Value = (String, String)> {
    let input = option::of(text());
    let name = select(&["get_weather", "search", "Bash"][..]);
    (name, input).prop_map(|(name, argument)| {
        let input = argument.map_or_else(|| json!({}), |text| json!({"b": text, "a": [1, null]}));
        (name.to_owned(), input.to_string())
    })
}

fn usage(pair: Pair) -> impl Strategy<Value = Usage> {
    let tells_thoughts = pair.is_within(&[OpenaiChat, OpenaiResponses, Gemini]);
    (1u64..9_000, 0u64..900, 1u64..9_000, 0u64..900).prop_map(
        move |(prompt, cached, said, thought)| {
            let reasoning = if tells_thoughts { thought } else { 0 };
            Usage {
                prompt: prompt + cached,
                completion: said + reasoning,
                cached,
                reasoning,
                cache_write: 0,
            }
        },
    )
}

pub fn reply() -> Reply {
    Reply {
        id: "msg_1".to_owned(),
        created: 1_700_000_000,
        model: "m".to_owned(),
        include_usage: true,
        ..Reply::default()
    }
}

/// The answer as an upstream of the dialect gives it.
pub fn written(upstream: Dialect, answer: &ChatAnswer) -> Vec<u8> {
    match client_of(upstream) {
        Some(client) => convert::write_answer(client, answer, &reply()).to_vec(),
        None => gemini(answer.parts.iter().map(gemini_part).collect(), answer)
            .to_string()
            .into_bytes(),
    }
}

/// An answer of Gemini's, or the last piece of its stream.
pub fn gemini(parts: Vec<Value>, answer: &ChatAnswer) -> Value {
    let usage = answer.usage.unwrap_or_default();
    json!({
        "candidates": [{
            "content": {"role": "model", "parts": parts},
            "finishReason": if answer.stop == Stop::MaxTokens { "MAX_TOKENS" } else { "STOP" },
        }],
        "usageMetadata": {
            "promptTokenCount": usage.prompt,
            "cachedContentTokenCount": usage.cached,
            "candidatesTokenCount": usage.completion - usage.reasoning,
            "thoughtsTokenCount": usage.reasoning,
        },
        "modelVersion": answer.model,
    })
}

/// A part as Gemini has it.
pub fn gemini_part(part: &Part) -> Value {
    match &part.body {
        PartBody::Text(text) => json!({"text": text}),
        PartBody::Thinking(Thinking { text, seal }) => json!({
            "text": text,
            "thought": true,
            "thoughtSignature": seal.as_ref().map(|seal| &seal.data),
        }),
        PartBody::Call(call) => {
            json!({"functionCall": {"id": call.id, "name": call.name, "args": call.arguments()}})
        }
        other => panic!("no answer holds {other:?}"),
    }
}

/// What an answer says, in lines.
pub fn outline(answer: &ChatAnswer) -> Vec<String> {
    let mut lines: Vec<String> = answer.parts.iter().map(part_line).collect();
    lines.push(format!(
        "{:?} {:?} by {:?}",
        answer.stop, answer.usage, answer.model
    ));
    lines
}

fn part_line(part: &Part) -> String {
    match &part.body {
        PartBody::Call(call) => {
            let arguments = Value::Object(call.arguments());
            format!("{} {} {arguments}", call.id, call.name)
        }
        PartBody::Thinking(Thinking { text, seal }) => {
            // as it is read when it comes back; ids are made by the writers
            let seal = seal.as_ref().map(|seal| Seal::read(&seal.data, seal.by));
            let seal = seal.map(|seal| (seal.by, seal.data));
            format!("thought {text:?} {seal:?}")
        }
        other => format!("{other:?}"),
    }
}
