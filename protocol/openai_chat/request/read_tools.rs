//! The tools of a client's request, and which of them must be used.

use serde_json::Value;

use super::fields::{Fields, invalid};
use crate::{
    chat::{Cache, Losses, Tool, ToolChoice},
    openai::request_error::RequestError,
};

const CHOICE: &str = "it must be none, auto, required, or an object that names a tool";

/// `tools`, and `functions` as they were called before.
pub(super) fn read_tools(
    fields: &mut Fields,
    unread: &mut Losses,
) -> Result<Vec<Tool>, RequestError> {
    let mut tools = Vec::new();
    for (path, tool) in fields.items("tools")? {
        tools.push(read_tool(Fields::of(tool, path)?, unread)?);
    }
    for (path, function) in fields.items("functions")? {
        tools.push(read_function(Fields::of(function, path)?, None, unread)?);
    }
    Ok(tools)
}

fn read_tool(mut tool: Fields, unread: &mut Losses) -> Result<Tool, RequestError> {
    let kind = tool.text("type")?.unwrap_or_else(|| "function".to_owned());
    let cache = read_cache(&mut tool)?;
    let read = match kind.as_str() {
        "function" => read_function(tool.needed_object("function")?, cache, unread)?,
        "custom" => read_custom(tool.needed_object("custom")?, unread)?,
        // its settings mean nothing but to its provider: it is kept or lost as a whole
        _ => return Ok(Tool::Hosted { name: kind }),
    };
    tool.leave(unread);
    Ok(read)
}

fn read_function(
    mut function: Fields,
    cache: Option<Cache>,
    unread: &mut Losses,
) -> Result<Tool, RequestError> {
    let inner = read_cache(&mut function)?;
    let tool = Tool::Function {
        name: function.needed("name")?,
        description: function.text("description")?,
        schema: function.map("parameters")?.map(Value::Object),
        strict: function.flag("strict")?,
        cache: cache.or(inner),
    };
    function.leave(unread);
    Ok(tool)
}

fn read_custom(mut custom: Fields, unread: &mut Losses) -> Result<Tool, RequestError> {
    let tool = Tool::Custom {
        name: custom.needed("name")?,
        description: custom.text("description")?,
        format: custom.map("format")?.map(Value::Object),
    };
    custom.leave(unread);
    Ok(tool)
}

/// `cache_control: {"type": "ephemeral", "ttl": "1h"}`
pub(super) fn read_cache(fields: &mut Fields) -> Result<Option<Cache>, RequestError> {
    let Some(mut control) = fields.object("cache_control")? else {
        return Ok(None);
    };
    let ttl = control.text("ttl")?;
    Ok(Some(Cache { ttl }))
}

/// `tool_choice`, and `function_call` as it was called before.
pub(super) fn read_tool_choice(fields: &mut Fields) -> Result<Option<ToolChoice>, RequestError> {
    let named = |mut object: Fields| object.needed("name").map(ToolChoice::Named);
    let old = read_choice(fields, "function_call", named)?;
    let choice = read_choice(fields, "tool_choice", read_choice_object)?;
    Ok(choice.or(old))
}

fn read_choice(
    fields: &mut Fields,
    name: &str,
    read_object: impl FnOnce(Fields) -> Result<ToolChoice, RequestError>,
) -> Result<Option<ToolChoice>, RequestError> {
    let path = fields.path_of(name);
    match fields.take(name) {
        None => Ok(None),
        Some(Value::String(word)) => match choice_of(&word) {
            Some(choice) => Ok(Some(choice)),
            None => Err(invalid(path, CHOICE)),
        },
        Some(Value::Object(object)) => read_object(Fields::of(object.into(), path)?).map(Some),
        Some(_) => Err(invalid(path, CHOICE)),
    }
}

fn choice_of(word: &str) -> Option<ToolChoice> {
    Some(match word {
        "none" => ToolChoice::None,
        "auto" => ToolChoice::Auto,
        // Mistral's word for it is `any`
        "required" | "any" => ToolChoice::Required,
        _ => return None,
    })
}

fn read_choice_object(mut choice: Fields) -> Result<ToolChoice, RequestError> {
    let kind = choice.needed("type")?;
    match kind.as_str() {
        "function" | "custom" => {
            let mut tool = choice.needed_object(&kind)?;
            Ok(ToolChoice::Named(tool.needed("name")?))
        }
        "allowed_tools" => read_allowed(choice.needed_object("allowed_tools")?),
        // a tool that the provider runs goes by its type
        _ => Ok(choice_of(&kind).unwrap_or(ToolChoice::Named(kind))),
    }
}

fn read_allowed(mut allowed: Fields) -> Result<ToolChoice, RequestError> {
    let required = allowed.text("mode")?.as_deref() == Some("required");
    let mut names = Vec::new();
    for (path, tool) in allowed.items("tools")? {
        let choice = read_choice_object(Fields::of(tool, path)?)?;
        if let ToolChoice::Named(name) = choice {
            names.push(name);
        }
    }
    Ok(ToolChoice::Allowed { names, required })
}
