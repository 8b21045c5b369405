//! What may be called.

use std::{borrow::Cow, collections::HashSet};

use super::{
    Writer,
    wire::{CallingConfig, Declaration, Mode, ToolConfig, Tools},
};
use crate::{
    chat::{ConvertError, Tool, ToolChoice, free_text},
    dialect::Dialect,
};

impl<'a> Writer<'a> {
    pub(super) fn tools(&mut self) -> Result<(Vec<Tools<'a>>, Option<ToolConfig>), ConvertError> {
        let mut declarations = Vec::new();
        for (at, tool) in self.request.tools.iter().enumerate() {
            declarations.extend(self.declaration(at, tool));
        }
        let config = match &self.request.tool_choice {
            Some(choice) => self.choice(choice, &declarations)?,
            None => None,
        };
        let tools = match declarations.is_empty() {
            true => Vec::new(),
            false => vec![Tools {
                function_declarations: declarations,
            }],
        };
        Ok((tools, config))
    }

    fn declaration(&mut self, at: usize, tool: &'a Tool) -> Option<Declaration<'a>> {
        match tool {
            Tool::Function {
                name,
                description,
                schema,
                strict,
                cache,
            } => {
                self.losses.note_if(cache.as_ref(), "cache_control");
                if *strict == Some(true) {
                    let inside = match self.request.dialect {
                        Dialect::OpenaiChat => "function.",
                        _ => "",
                    };
                    self.losses.note(format!("tools[{at}].{inside}strict"));
                }
                Some(Declaration {
                    name: self.offer(name, false),
                    description: description.as_deref().map(Cow::Borrowed),
                    parameters_json_schema: schema.as_ref().map(Cow::Borrowed),
                })
            }
            Tool::Custom {
                name,
                description,
                format,
            } => {
                let grammar = format.as_ref().filter(|format| format["type"] != "text");
                self.losses.note_if(grammar, &format!("tools[{at}].format"));
                Some(Declaration {
                    name: self.offer(name, true),
                    description: Some(
                        free_text::description(description.as_deref(), format.as_ref()).into(),
                    ),
                    parameters_json_schema: Some(Cow::Owned(free_text::schema())),
                })
            }
            Tool::Hosted { .. } => {
                self.losses.note(format!("tools[{at}]"));
                None
            }
        }
    }

    /// None where there is nothing to choose from and nothing is asked for.
    fn choice(
        &mut self,
        choice: &ToolChoice,
        offered: &[Declaration<'_>],
    ) -> Result<Option<ToolConfig>, ConvertError> {
        let mut names = match choice {
            ToolChoice::Named(name) => vec![self.offered(name)],
            ToolChoice::Allowed { names, .. } => {
                names.iter().map(|name| self.offered(name)).collect()
            }
            ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => Vec::new(),
        };
        let declared: HashSet<&str> = offered.iter().map(|tool| &*tool.name).collect();
        names.retain(|name| declared.contains(&**name));
        let mode = match choice {
            ToolChoice::Required if offered.is_empty() => return Err(not_offered()),
            ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. }
                if names.is_empty() =>
            {
                return Err(not_offered());
            }
            _ if offered.is_empty() => return Ok(None),
            ToolChoice::Auto => Mode::Auto,
            ToolChoice::None => Mode::None,
            ToolChoice::Required | ToolChoice::Named(_) => Mode::Any,
            ToolChoice::Allowed { required: true, .. } => Mode::Any,
            ToolChoice::Allowed { .. } if names.is_empty() => Mode::None,
            ToolChoice::Allowed { .. } => Mode::Validated,
        };
        Ok(Some(ToolConfig {
            function_calling_config: CallingConfig {
                mode,
                allowed_function_names: names,
            },
        }))
    }

    /// The name that a tool of the request goes by.
    pub(super) fn offered(&mut self, name: &str) -> String {
        let custom = self.custom.contains(name);
        self.offer(name, custom)
    }
}

fn not_offered() -> ConvertError {
    let reason = "it forces a tool that this provider cannot offer; name a function of your own, or use `auto`";
    ConvertError::new("tool_choice", reason)
}
