//! Whole answers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    calls::{CallBody, DetailBody, ExtraBody, arguments, call_id, unwrap_custom},
    said::{CallSaid, Content, FunctionSaid, Said, Text, thoughts},
    stop::{read_stop, write_stop},
};
use crate::{
    chat::{ChatAnswer, Part, PartBody, Reply, Thinking, ToolCall},
    json,
    openai::{chat::UsageBody, upstream_error::MalformedAnswer},
    usage::OpenAiUsage,
};

#[derive(Deserialize)]
struct AnswerSaid<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow, default)]
    choices: Option<Vec<ChoiceSaid<'a>>>,
    #[serde(default)]
    usage: Option<OpenAiUsage>,
    #[serde(borrow, default)]
    service_tier: Text<'a>,
}

#[derive(Deserialize)]
struct ChoiceSaid<'a> {
    #[serde(borrow, default)]
    message: Option<Said<'a>>,
    #[serde(borrow, default)]
    finish_reason: Text<'a>,
    /// vLLM's.
    #[serde(borrow, default)]
    stop_reason: Text<'a>,
    #[serde(default)]
    logprobs: Option<Logprobs>,
}

/// The log probabilities of a text's tokens, as they are read and written.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Logprobs {
    #[serde(default)]
    pub(super) content: Option<Vec<Value>>,
}

/// Reads an upstream's answer: the first of its choices.
///
/// # Errors
/// Where it is no JSON, or has no choices.
pub fn read_answer(body: &[u8]) -> Result<ChatAnswer, MalformedAnswer> {
    let said: AnswerSaid<'_> = serde_json::from_slice(body).map_err(|error| MalformedAnswer {
        // the parser's own words may quote the answer
        reason: format!(
            "it is not a chat completion, line {}, column {}",
            error.line(),
            error.column()
        ),
    })?;
    let choice = said.choices.unwrap_or_default().into_iter().next();
    let choice = choice.ok_or_else(|| MalformedAnswer {
        reason: "it has no choices".to_owned(),
    })?;
    let parts = read_message(&choice.message.unwrap_or_default());
    let stop = read_stop(choice.finish_reason.as_str(), choice.stop_reason.as_str());
    let calls = parts.iter().any(is_call);
    Ok(ChatAnswer {
        model: said.model.into_option(),
        parts,
        stop: stop.with_calls(calls),
        usage: said.usage.and_then(OpenAiUsage::usage),
        service_tier: said.service_tier.into_option(),
        logprobs: choice.logprobs.and_then(|logprobs| logprobs.content),
    })
}

fn is_call(part: &Part) -> bool {
    matches!(part.body, PartBody::Call(_))
}

fn read_message(message: &Said<'_>) -> Vec<Part> {
    let thoughts = thoughts(message.plain_thoughts(), message.details());
    let mut parts: Vec<Part> = thoughts
        .into_iter()
        .map(|thought| PartBody::Thinking(thought).into())
        .collect();
    read_content(&message.content, &mut parts);
    let refusal = message.refusal.as_str();
    if !refusal.is_empty() {
        parts.push(PartBody::Refusal(refusal.to_owned()).into());
    }
    let calls = message.tool_calls.iter().flatten().filter_map(read_call);
    parts.extend(calls.map(|call| Part::from(PartBody::Call(call))));
    if let Some(function) = &message.function_call {
        parts.push(PartBody::Call(call_of(function, false)).into());
    }
    parts
}

/// Parts may be thoughts; texts in a row are one.
fn read_content(content: &Content<'_>, parts: &mut Vec<Part>) {
    let plain = |text: String, parts: &mut Vec<Part>| {
        if text.is_empty() {
            return;
        }
        match parts.last_mut().map(|last| &mut last.body) {
            Some(PartBody::Text(before)) => before.push_str(&text),
            _ => parts.push(Part::text(text)),
        }
    };
    match content {
        Content::Text(text) => plain(text.as_str().to_owned(), parts),
        Content::Parts(list) => {
            for part in list {
                let text = part.thinking.text();
                if !text.is_empty() {
                    let seal = None;
                    let thinking = Thinking { text, seal };
                    parts.push(PartBody::Thinking(thinking).into());
                }
                plain(part.text.as_str().to_owned(), parts);
            }
        }
    }
}

fn read_call(call: &CallSaid<'_>) -> Option<ToolCall> {
    let custom = call.function.is_none() && call.custom.is_some();
    let function = call.function.as_ref().or(call.custom.as_ref())?;
    Some(ToolCall {
        id: call.id.as_str().to_owned(),
        seal: call.seal(),
        ..call_of(function, custom)
    })
}

fn call_of(function: &FunctionSaid<'_>, custom: bool) -> ToolCall {
    ToolCall {
        id: String::new(),
        name: function.name.as_str().to_owned(),
        input: function.arguments.as_str().to_owned(),
        custom,
        seal: None,
    }
}

#[derive(Serialize)]
struct AnswerBody<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [ChoiceBody<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

#[derive(Serialize)]
struct ChoiceBody<'a> {
    index: u32,
    message: MessageBody<'a>,
    logprobs: Option<&'a Logprobs>,
    finish_reason: &'static str,
}

#[derive(Serialize, Default)]
struct MessageBody<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<DetailBody<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallBody<'a>>,
}

/// Writes an answer for a client.
#[must_use]
pub fn write_answer(answer: &ChatAnswer, reply: &Reply) -> Bytes {
    let calls = calls_for(answer, reply);
    let content = answer.logprobs.clone();
    let logprobs = content.map(|content| Logprobs {
        content: Some(content),
    });
    let choice = ChoiceBody {
        index: 0,
        message: message_body(answer, &calls),
        logprobs: logprobs.as_ref(),
        finish_reason: write_stop(answer.stop.clone(), !calls.is_empty()),
    };
    let body = AnswerBody {
        id: &reply.id,
        object: "chat.completion",
        created: reply.created,
        model: answer.model.as_deref().unwrap_or(&reply.model),
        choices: [choice],
        usage: answer.usage.as_ref().map(UsageBody::from),
        service_tier: answer.service_tier.as_deref(),
    };
    let mut out = Vec::with_capacity(1024);
    json::append(&mut out, &body);
    out.into()
}

/// The calls with their ids, and with the names and forms that the client knows.
fn calls_for(answer: &ChatAnswer, reply: &Reply) -> Vec<ToolCall> {
    let mut calls = Vec::new();
    for part in &answer.parts {
        let PartBody::Call(call) = &part.body else {
            continue;
        };
        let (name, wrapped) = reply.tools.original(&call.name);
        let input = match (wrapped, call.custom) {
            (true, false) => unwrap_custom(&call.input),
            (_, true) => call.input.clone(),
            (false, false) => arguments(&call.input).to_owned(),
        };
        calls.push(ToolCall {
            id: call_id(&call.id, reply, calls.len()).into_owned(),
            name: name.to_owned(),
            input,
            custom: wrapped || call.custom,
            seal: call.seal.clone(),
        });
    }
    calls
}

fn message_body<'a>(answer: &'a ChatAnswer, calls: &'a [ToolCall]) -> MessageBody<'a> {
    let mut message = MessageBody {
        role: "assistant",
        ..MessageBody::default()
    };
    let add = |text: &mut Option<String>, more: &str| {
        if !more.is_empty() {
            text.get_or_insert_default().push_str(more);
        }
    };
    let mut thoughts = 0;
    for part in &answer.parts {
        match &part.body {
            PartBody::Text(text) => add(&mut message.content, text),
            PartBody::Refusal(text) => add(&mut message.refusal, text),
            PartBody::Thinking(thinking) => {
                let text = Some(thinking.text.as_str()).filter(|text| !text.is_empty());
                add(&mut message.reasoning_content, &thinking.text);
                let seal = thinking.seal.iter();
                let details = seal.map(|seal| DetailBody::of(seal, text, text.is_some(), thoughts));
                message.reasoning_details.extend(details);
                thoughts += 1;
            }
            // calls come below, and no assistant says the rest
            _ => {}
        }
    }
    message.tool_calls = calls.iter().map(call_body).collect();
    if message.content.is_none() && message.refusal.is_none() && calls.is_empty() {
        message.content = Some(String::new());
    }
    message
}

fn call_body(call: &ToolCall) -> CallBody<'_> {
    CallBody {
        extra_content: call.seal.as_ref().map(ExtraBody::of),
        ..CallBody::named(&call.id, &call.name, call.custom, &call.input)
    }
}
