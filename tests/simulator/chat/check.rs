//! What the real service objects to in a chat request, for models with `strict` in their name.

use serde_json::Value;

use crate::{
    objections::{
        Checked, a_string, function_name, missing, not_empty, one_of, only_with_tools, short_text,
        unknown_member,
    },
    refusal::objection,
};

const KNOWN: [&str; 38] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
    "prompt_cache_options",
    "context_management",
];

const ROLES: [&str; 6] = [
    "system",
    "assistant",
    "user",
    "function",
    "tool",
    "developer",
];

/// Objects to the first thing that is wrong.
pub(super) fn check(body: &Value) -> Checked {
    if let Some(name) = unknown_member(body, &KNOWN) {
        let text = format!("Unrecognized request argument supplied: {name}");
        return Err(objection(&text, "", None));
    }
    let messages = body["messages"]
        .as_array()
        .ok_or_else(|| missing("messages"))?;
    not_empty(&body["messages"], "messages")?;
    parameters(body)?;
    tools(body)?;
    for (at, message) in messages.iter().enumerate() {
        one_message(message, at)?;
    }
    calls_are_answered(messages)
}

fn parameters(body: &Value) -> Checked {
    if let Some(stops) = body["stop"].as_array().filter(|stops| stops.len() > 4) {
        let text = format!(
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an \
             array with length {} instead.",
            stops.len()
        );
        return Err(objection(&text, "stop", Some("array_above_max_length")));
    }
    if body.get("max_tokens").is_some() && body.get("max_completion_tokens").is_some() {
        let text =
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(objection(
            text,
            "max_tokens",
            Some("invalid_parameter_combination"),
        ));
    }
    if body.get("stream_options").is_some() && body["stream"] != true {
        let text = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(objection(text, "stream_options", None));
    }
    if let Some(form) = body["response_format"].get("json_schema") {
        function_name(&form["name"], "response_format.json_schema.name")?;
    }
    Ok(())
}

fn tools(body: &Value) -> Checked {
    only_with_tools(body)?;
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        if a_string(&tool["type"], &format!("tools[{at}].type"))? == "function" {
            let param = format!("tools[{at}].function");
            tool.get("function").ok_or_else(|| missing(&param))?;
            function_name(&tool["function"]["name"], &format!("{param}.name"))?;
        }
    }
    Ok(())
}

fn one_message(message: &Value, at: usize) -> Checked {
    let place = format!("messages[{at}]");
    let role = a_string(&message["role"], &format!("{place}.role"))?;
    one_of(role, &ROLES, &format!("{place}.role"))?;
    if message["content"].is_null() && role != "assistant" {
        let text = "Invalid value for 'content': expected a string, got null.";
        return Err(objection(text, &format!("messages.[{at}].content"), None));
    }
    not_empty(&message["tool_calls"], &format!("{place}.tool_calls"))?;
    for (index, call) in message["tool_calls"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let place = format!("{place}.tool_calls[{index}]");
        short_text(
            a_string(&call["id"], &format!("{place}.id"))?,
            40,
            &format!("{place}.id"),
        )?;
        let function = &call["function"];
        function_name(&function["name"], &format!("{place}.function.name"))?;
        a_string(
            &function["arguments"],
            &format!("{place}.function.arguments"),
        )?;
    }
    Ok(())
}

/// Each call is answered by a tool message right behind it, and no tool message stands elsewhere.
fn calls_are_answered(messages: &[Value]) -> Checked {
    let mut open: Vec<&str> = Vec::new();
    let mut answering = false;
    for (at, message) in messages.iter().enumerate() {
        if message["role"] == "tool" {
            if !answering {
                let text = "Invalid parameter: messages with role 'tool' must be a response to a \
                            preceeding message with 'tool_calls'.";
                return Err(objection(text, &format!("messages.[{at}].role"), None));
            }
            let param = format!("messages[{at}].tool_call_id");
            let id = a_string(&message["tool_call_id"], &param)?;
            open.retain(|one| *one != id);
            continue;
        }
        all_answered(&open, at)?;
        let calls = message["tool_calls"].as_array();
        answering = calls.is_some();
        let ids = calls
            .into_iter()
            .flatten()
            .filter_map(|call| call["id"].as_str());
        open = ids.collect();
    }
    all_answered(&open, messages.len())
}

fn all_answered(open: &[&str], at: usize) -> Checked {
    if open.is_empty() {
        return Ok(());
    }
    let text = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to \
         each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    );
    Err(objection(&text, &format!("messages.[{at}].role"), None))
}
