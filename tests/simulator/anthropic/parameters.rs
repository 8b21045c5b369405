//! Checks of a request's parameters and tools.

use serde_json::Value;

use super::{
    check::{Checked, is_plain},
    voice::invalid,
};

/// `max_tokens`, which a request for a message must have.
pub(super) fn length(body: &Value) -> Checked {
    match &body["max_tokens"] {
        Value::Null => Err(invalid("max_tokens: Field required")),
        most if most.as_u64().is_none() => {
            Err(invalid("max_tokens: Input should be a valid integer"))
        }
        _ => Ok(()),
    }
}

/// The rest of them.
pub(super) fn check(body: &Value) -> Checked {
    for name in ["temperature", "top_p"] {
        match body[name].as_f64() {
            Some(value) if !(0.0..=1.0).contains(&value) => {
                return Err(invalid(&format!("{name}: range: 0..1")));
            }
            _ => {}
        }
    }
    system(&body["system"])?;
    thinking(body)?;
    tools(body)?;
    choice(body)
}

fn system(system: &Value) -> Checked {
    for (at, block) in system.as_array().into_iter().flatten().enumerate() {
        if block["type"] != "text" {
            return Err(invalid(&format!(
                "system.{at}.type: Input should be 'text'"
            )));
        }
        if block["text"] == "" {
            return Err(invalid("system: text content blocks must be non-empty"));
        }
    }
    match system {
        Value::Null | Value::String(_) | Value::Array(_) => Ok(()),
        _ => Err(invalid("system: Input should be a valid string or list")),
    }
}

fn thinking(body: &Value) -> Checked {
    let thinking = &body["thinking"];
    if thinking["type"] != "enabled" {
        return match thinking["type"].as_str() {
            Some("adaptive" | "disabled") => Ok(()),
            None if thinking.is_null() => Ok(()),
            _ => Err(invalid(
                "thinking: Input tag does not match any of the expected tags: 'adaptive', \
                 'disabled', 'enabled'",
            )),
        };
    }
    let Some(budget) = thinking["budget_tokens"].as_u64() else {
        return Err(invalid("thinking.enabled.budget_tokens: Field required"));
    };
    if budget < 1024 {
        return Err(invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ));
    }
    if body["max_tokens"]
        .as_u64()
        .is_some_and(|most| most <= budget)
    {
        return Err(invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`",
        ));
    }
    if body["temperature"]
        .as_f64()
        .is_some_and(|value| value < 1.0)
    {
        return Err(invalid(
            "`temperature` may only be set to 1 when thinking is enabled",
        ));
    }
    match body["tool_choice"]["type"].as_str() {
        Some("any" | "tool") => Err(invalid(
            "Thinking may not be enabled when tool_choice forces tool use.",
        )),
        _ => Ok(()),
    }
}

fn tools(body: &Value) -> Checked {
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, tool) in tools.iter().enumerate() {
        let place = format!("tools.{at}.custom");
        // the service's own tools have types such as `web_search_20250305`, and no schema
        if !tool["type"].is_null() && tool["type"] != "custom" {
            continue;
        }
        let Some(name) = tool["name"].as_str() else {
            return Err(invalid(&format!("{place}.name: Field required")));
        };
        if !is_plain(name) || name.len() > 128 {
            let pattern = "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'";
            return Err(invalid(&format!("{place}.name: {pattern}")));
        }
        match tool.get("input_schema") {
            None => return Err(invalid(&format!("{place}.input_schema: Field required"))),
            Some(schema) if schema["type"] != "object" => {
                let text = format!("{place}.input_schema.type: Input should be 'object'");
                return Err(invalid(&text));
            }
            Some(_) => {}
        }
        if tools.iter().take(at).any(|other| other["name"] == name) {
            return Err(invalid("tools: Tool names must be unique."));
        }
    }
    Ok(())
}

fn choice(body: &Value) -> Checked {
    let choice = &body["tool_choice"];
    if choice.is_null() {
        return Ok(());
    }
    let tools = body["tools"].as_array().filter(|tools| !tools.is_empty());
    let Some(tools) = tools else {
        return Err(invalid(
            "tool_choice may only be specified while providing tools.",
        ));
    };
    match choice["type"].as_str() {
        Some("auto" | "any" | "none") => Ok(()),
        Some("tool") if tools.iter().any(|tool| tool["name"] == choice["name"]) => Ok(()),
        Some("tool") => {
            let name = choice["name"].as_str().unwrap_or_default();
            Err(invalid(&format!(
                "Tool '{name}' not found in provided tools"
            )))
        }
        _ => Err(invalid(
            "tool_choice: Input tag does not match any of the expected tags: 'any', 'auto', \
             'none', 'tool'",
        )),
    }
}
