//! Tools for an upstream: functions all of them, since hardly anybody but OpenAI knows another kind.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::write::Writing;
use crate::chat::{ChatRequest, ConvertError, Tool, ToolChoice, ToolNames, free_text};

/// The longest name that OpenAI takes.
const MAX_NAME: usize = 64;

#[derive(Serialize)]
pub(super) struct WireTool<'a> {
    r#type: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    parameters: Cow<'a, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// A word, or a function by its name.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WireChoice {
    Word(&'static str),
    Named {
        r#type: &'static str,
        function: WireName,
    },
}

#[derive(Serialize)]
pub(super) struct WireName {
    name: String,
}

/// The tools that can be offered. Of those that the choice leaves out none is: upstreams know the
/// words `auto` and `required`, but not the list of allowed tools.
pub(super) fn write_tools<'a>(writing: &mut Writing<'a>) -> Vec<WireTool<'a>> {
    let request: &'a ChatRequest = writing.request;
    let allowed = request.tool_choice.as_ref().and_then(ToolChoice::allowed);
    let mut offered = Vec::with_capacity(request.tools.len());
    for (at, tool) in request.tools.iter().enumerate() {
        if allowed
            .as_ref()
            .is_some_and(|names| !names.contains(name_of(tool)))
        {
            continue;
        }
        let function = match tool {
            Tool::Function { .. } | Tool::Custom { .. } => write_function(tool, at, writing),
            Tool::Hosted { .. } => {
                writing.losses.note(format!("tools[{at}]"));
                continue;
            }
        };
        let r#type = "function";
        offered.extend(function.map(|function| WireTool { r#type, function }));
    }
    offered
}

fn name_of(tool: &Tool) -> &str {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name } => name,
    }
}

fn write_function<'a>(
    tool: &'a Tool,
    at: usize,
    writing: &mut Writing<'_>,
) -> Option<WireFunction<'a>> {
    match tool {
        Tool::Function {
            name,
            description,
            schema,
            strict,
            cache,
        } => {
            writing.losses.note_if(cache.as_ref(), "cache_control");
            Some(WireFunction {
                name: offer(&mut writing.tools, name, false),
                description: description.as_deref().map(Cow::Borrowed),
                parameters: match schema {
                    Some(schema) => Cow::Borrowed(schema),
                    None => Cow::Owned(json!({"type": "object", "properties": {}})),
                },
                strict: *strict,
            })
        }
        Tool::Custom {
            name,
            description,
            format,
        } => {
            if format.is_some() {
                writing.losses.note(format!("tools[{at}].format"));
            }
            Some(WireFunction {
                name: offer(&mut writing.tools, name, true),
                description: Some(
                    free_text::description(description.as_deref(), format.as_ref()).into(),
                ),
                parameters: Cow::Owned(free_text::schema()),
                strict: None,
            })
        }
        Tool::Hosted { .. } => None,
    }
}

/// What a tool is called upstream.
pub(super) fn offer(names: &mut ToolNames, name: &str, custom: bool) -> String {
    names.offer(name, MAX_NAME, custom)
}

/// Which tool must be used. `has_tools` = any is offered; without one, upstreams refuse a choice.
pub(super) fn write_tool_choice(
    writing: &mut Writing<'_>,
    has_tools: bool,
) -> Result<Option<WireChoice>, ConvertError> {
    let request = writing.request;
    let Some(choice) = &request.tool_choice else {
        return Ok(None);
    };
    let word = match choice {
        ToolChoice::Auto
        | ToolChoice::Allowed {
            required: false, ..
        } => "auto",
        ToolChoice::None => "none",
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => "required",
        ToolChoice::Named(name) => return write_named(writing, name).map(Some),
    };
    if !has_tools && word == "required" {
        return Err(unavailable());
    }
    Ok(has_tools.then_some(WireChoice::Word(word)))
}

fn write_named(writing: &mut Writing<'_>, name: &str) -> Result<WireChoice, ConvertError> {
    let tools = &writing.request.tools;
    let tool = tools.iter().find(|tool| name_of(tool) == name);
    let custom = match tool {
        Some(Tool::Function { .. }) => false,
        Some(Tool::Custom { .. }) => true,
        Some(Tool::Hosted { .. }) | None => return Err(unavailable()),
    };
    let name = offer(&mut writing.tools, name, custom);
    Ok(WireChoice::Named {
        r#type: "function",
        function: WireName { name },
    })
}

fn unavailable() -> ConvertError {
    let reason = "it asks for a tool that only another provider can run; name a function of `tools`, or choose a model of that provider";
    ConvertError::new("tool_choice", reason)
}
