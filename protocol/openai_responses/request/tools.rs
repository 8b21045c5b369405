//! Tools and the choice among them.

use serde_json::Value;

use super::fields::{Fields, with_paths};
use crate::{
    chat::{ChatRequest, Losses, Tool, ToolChoice},
    openai::request_error::RequestError,
};

type Read<T> = Result<T, RequestError>;

pub(super) fn read(fields: &mut Fields, request: &mut ChatRequest) -> Read<()> {
    for (tool, path) in fields.list("tools")? {
        let tool = read_tool(Fields::of(tool, path)?, &mut request.unread)?;
        request.tools.push(tool);
    }
    request.tool_choice = match fields.take("tool_choice") {
        None => None,
        Some(Value::String(word)) => Some(choice_of_word(&word).ok_or_else(|| {
            fields.invalid("tool_choice", "`auto`, `none`, `required` or an object")
        })?),
        Some(choice) => {
            let choice = Fields::of(choice, "tool_choice".to_owned())?;
            Some(read_choice(choice, &mut request.unread)?)
        }
    };
    Ok(())
}

/// A tool. Of those that the provider runs only the kind is read: they go to no other dialect.
fn read_tool(mut fields: Fields, unread: &mut Losses) -> Read<Tool> {
    let kind = fields.required_text("type")?;
    let tool = match kind.as_str() {
        "function" => Tool::Function {
            name: fields.required_text("name")?,
            description: fields.text("description")?,
            schema: fields.map("parameters")?.map(Value::Object),
            strict: fields.flag("strict")?,
            cache: None,
        },
        "custom" => Tool::Custom {
            name: fields.required_text("name")?,
            description: fields.text("description")?,
            format: fields.map("format")?.map(Value::Object),
        },
        _ => return Ok(Tool::Hosted { name: kind }),
    };
    fields.note_rest(unread);
    Ok(tool)
}

fn choice_of_word(word: &str) -> Option<ToolChoice> {
    Some(match word {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "required" => ToolChoice::Required,
        _ => return None,
    })
}

/// A hosted tool is named by its kind, as [`read_tool`] has it.
fn read_choice(mut fields: Fields, unread: &mut Losses) -> Read<ToolChoice> {
    let kind = fields.required_text("type")?;
    let choice = match kind.as_str() {
        "function" | "custom" => ToolChoice::Named(fields.required_text("name")?),
        "allowed_tools" => read_allowed(&mut fields)?,
        _ => return Ok(ToolChoice::Named(kind)),
    };
    fields.note_rest(unread);
    Ok(choice)
}

fn read_allowed(fields: &mut Fields) -> Read<ToolChoice> {
    let mode = fields.required_text("mode")?;
    let Some(Value::Array(tools)) = fields.take("tools") else {
        return Err(fields.invalid("tools", "a list of tools"));
    };
    let mut names = Vec::new();
    for (tool, path) in with_paths(tools, &fields.path("tools")) {
        let mut tool = Fields::of(tool, path)?;
        let kind = tool.required_text("type")?;
        names.push(match kind.as_str() {
            "function" | "custom" => tool.required_text("name")?,
            _ => kind,
        });
    }
    let required = match mode.as_str() {
        "auto" => false,
        "required" => true,
        _ => return Err(fields.invalid("mode", "`auto` or `required`")),
    };
    Ok(ToolChoice::Allowed { names, required })
}
