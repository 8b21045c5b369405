//! Tools on offer and the choice among them.

use std::collections::HashMap;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    MAX_NAME,
    wire::{Choice, Named, Offered},
};
use crate::chat::{ChatRequest, ConvertError, Losses, Tool, ToolChoice, ToolNames};

/// What is offered, and under which names.
pub(super) struct Offer<'a> {
    pub(super) tools: Vec<Offered<'a>>,
    pub(super) choice: Option<Choice>,
    pub(super) names: ToolNames,
}

impl<'a> Offer<'a> {
    /// Another provider's hosted tools are left out, unless one of them is the tool that must be used.
    pub(super) fn of(request: &'a ChatRequest, losses: &mut Losses) -> Result<Self, ConvertError> {
        let mut names = ToolNames::default();
        let mut tools = Vec::new();
        for (n, tool) in request.tools.iter().enumerate() {
            match offered(tool, &mut names) {
                Some(tool) => tools.push(tool),
                None => losses.note(format!("tools[{n}]")),
            }
        }
        let choice = match &request.tool_choice {
            Some(choice) => write_choice(choice, request, &mut names, losses)?,
            None => None,
        };
        let choice = choice.filter(|_| !tools.is_empty());
        Ok(Self {
            tools,
            choice,
            names,
        })
    }
}

fn offered<'a>(tool: &'a Tool, names: &mut ToolNames) -> Option<Offered<'a>> {
    Some(match tool {
        Tool::Function {
            name,
            description,
            schema,
            strict,
            cache: _,
        } => Offered::Function {
            name: names.offer(name, MAX_NAME, false),
            description: description.as_deref(),
            parameters: match schema {
                Some(schema) => Cow::Borrowed(schema),
                None => Cow::Owned(json!({"type": "object", "properties": {}})),
            },
            // left out it would be on, unlike everywhere else
            strict: strict.unwrap_or(false),
        },
        Tool::Custom {
            name,
            description,
            format,
        } => Offered::Custom {
            name: names.offer(name, MAX_NAME, false),
            description: description.as_deref(),
            format: format.as_ref().map(flat_format),
        },
        Tool::Hosted { .. } => return None,
    })
}

/// A grammar stands in an object of its own in `openai_chat`, and flat here.
fn flat_format(format: &Value) -> Cow<'_, Value> {
    let Some(Value::Object(grammar)) = format.get("grammar") else {
        return Cow::Borrowed(format);
    };
    let mut flat = grammar.clone();
    flat.insert("type".to_owned(), "grammar".into());
    Cow::Owned(Value::Object(flat))
}

fn write_choice(
    choice: &ToolChoice,
    request: &ChatRequest,
    names: &mut ToolNames,
    losses: &mut Losses,
) -> Result<Option<Choice>, ConvertError> {
    let none_left = request.tools.iter().all(is_hosted);
    Ok(Some(match choice {
        ToolChoice::Auto => Choice::Word("auto"),
        ToolChoice::None => Choice::Word("none"),
        ToolChoice::Required if none_left => return Err(cannot_force()),
        ToolChoice::Required => Choice::Word("required"),
        ToolChoice::Named(name) => {
            let tool = request.tools.iter().find(|tool| name_of(tool) == name);
            let named = named(name, tool, names).ok_or_else(cannot_force)?;
            Choice::Tool(named)
        }
        ToolChoice::Allowed {
            names: allowed,
            required,
        } => {
            let known: HashMap<&str, &Tool> = request
                .tools
                .iter()
                .map(|tool| (name_of(tool), tool))
                .collect();
            let tools: Vec<Named> = allowed
                .iter()
                .filter_map(|name| named(name, known.get(&**name).copied(), names))
                .collect();
            if tools.len() < allowed.len() {
                losses.note("tool_choice");
            }
            match (tools.is_empty(), required) {
                (true, true) => return Err(cannot_force()),
                (true, false) => Choice::Word("none"),
                (false, required) => Choice::Allowed {
                    r#type: "allowed_tools",
                    mode: if *required { "required" } else { "auto" },
                    tools,
                },
            }
        }
    }))
}

/// A tool by its kind and the name it is offered under; nothing if it is a hosted one.
fn named(name: &str, tool: Option<&Tool>, names: &mut ToolNames) -> Option<Named> {
    let r#type = match tool {
        Some(Tool::Hosted { .. }) => return None,
        Some(Tool::Custom { .. }) => "custom",
        Some(Tool::Function { .. }) | None => "function",
    };
    Some(Named {
        r#type,
        name: names.offer(name, MAX_NAME, false),
    })
}

fn name_of(tool: &Tool) -> &str {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name } => name,
    }
}

fn is_hosted(tool: &Tool) -> bool {
    matches!(tool, Tool::Hosted { .. })
}

fn cannot_force() -> ConvertError {
    let reason = "the tool that must be used runs at another provider; choose one of your own tools, or a model of that provider";
    ConvertError::new("tool_choice", reason)
}
