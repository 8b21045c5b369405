//! What the real service objects to in a request's parameters and tools.

use serde_json::Value;

use crate::{
    objections::{Checked, a_string, function_name, missing, one_of, unknown_member},
    refusal::objection,
};

const KNOWN: [&str; 29] = [
    "background",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// The fewest tokens that can be asked for.
const FEWEST: u64 = 16;

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Objects to the first thing that is wrong.
pub(super) fn check(body: &Value) -> Checked {
    if let Some(name) = unknown_member(body, &KNOWN) {
        let text = format!("Unknown parameter: '{name}'.");
        return Err(objection(&text, name, Some("unknown_parameter")));
    }
    if body["input"].is_null() && body["prompt"].is_null() {
        return Err(missing("input"));
    }
    if let Some(most) = body["max_output_tokens"]
        .as_u64()
        .filter(|most| *most < FEWEST)
    {
        let text = format!(
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= \
             {FEWEST}, but got {most} instead."
        );
        let code = Some("integer_below_min_value");
        return Err(objection(&text, "max_output_tokens", code));
    }
    if let Some(effort) = body["reasoning"]["effort"].as_str() {
        one_of(effort, &EFFORTS, "reasoning.effort")?;
    }
    if body["text"]["format"]["type"] == "json_schema" {
        function_name(&body["text"]["format"]["name"], "text.format.name")?;
    }
    tools(body)
}

fn tools(body: &Value) -> Checked {
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        if a_string(&tool["type"], &format!("tools[{at}].type"))? == "function" {
            function_name(&tool["name"], &format!("tools[{at}].name"))?;
        }
    }
    if body["tool_choice"].get("function").is_some() {
        let text = "Unknown parameter: 'tool_choice.function'.";
        return Err(objection(
            text,
            "tool_choice.function",
            Some("unknown_parameter"),
        ));
    }
    Ok(())
}
