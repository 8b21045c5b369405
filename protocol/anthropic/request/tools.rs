//! Tools and the choice among them, read and written.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    blocks::read_cache,
    fields::{Fields, invalid},
    write::Writer,
};
use crate::{
    anthropic::block::CacheControl,
    chat::{
        ChatRequest, ConvertError, Losses, Message, PartBody, Tool, ToolCall, ToolChoice, free_text,
    },
    openai::request_error::RequestError,
};

/// The longest name that Anthropic takes.
pub(super) const MAX_NAME: usize = 128;

/// Reads an entry of `tools`. Those with a type of their own are run, or at least described, by
/// Anthropic.
pub(super) fn read_tool(
    tool: Value,
    path: String,
    unread: &mut Losses,
) -> Result<Tool, RequestError> {
    let mut tool = Fields::of(tool, path)?;
    let kind = tool.text("type")?.unwrap_or_else(|| "custom".to_owned());
    if kind != "custom" {
        let name = tool.text("name")?.unwrap_or(kind);
        return Ok(Tool::Hosted { name });
    }
    let schema: Option<Map<_, _>> = tool.get("input_schema", "an object")?;
    let read = Tool::Function {
        name: tool.required("name")?,
        description: tool.text("description")?,
        schema: schema.map(Value::Object),
        strict: tool.get("strict", "true or false")?,
        cache: read_cache(&mut tool, unread)?,
    };
    tool.finish(unread);
    Ok(read)
}

/// Reads `tool_choice`.
pub(super) fn read_choice(
    fields: &mut Fields,
    request: &mut ChatRequest,
    unread: &mut Losses,
) -> Result<(), RequestError> {
    let Some(mut choice) = fields.object("tool_choice")? else {
        return Ok(());
    };
    request.tool_choice = Some(match &*choice.required("type")? {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "tool" => ToolChoice::Named(choice.required("name")?),
        "none" => ToolChoice::None,
        _ => {
            let expected = "`auto`, `any`, `tool` or `none`";
            return Err(invalid(choice.path_of("type"), expected));
        }
    });
    let single: Option<bool> = choice.get("disable_parallel_tool_use", "true or false")?;
    request.parallel_tools = single.map(|single| !single);
    choice.finish(unread);
    Ok(())
}

#[derive(Debug, Serialize)]
pub(super) struct WireTool<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    input_schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl<'a>>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct WireChoice {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_parallel_tool_use: bool,
}

impl WireChoice {
    fn new(r#type: &'static str) -> Self {
        Self {
            r#type,
            name: None,
            disable_parallel_tool_use: false,
        }
    }

    pub(super) fn none() -> Self {
        Self::new("none")
    }

    /// Whether the model must call a tool, which a fixed thinking budget excludes.
    pub(super) fn is_forced(&self) -> bool {
        matches!(self.r#type, "any" | "tool")
    }
}

impl<'a> Writer<'a> {
    /// The tools to offer. Where only some are allowed, the others are not offered.
    pub(super) fn write_tools(&mut self) -> Vec<WireTool<'a>> {
        let request = self.request;
        let allowed = request.tool_choice.as_ref().and_then(ToolChoice::allowed);
        let mut tools = Vec::new();
        for (at, tool) in request.tools.iter().enumerate() {
            let (Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name }) =
                tool;
            if allowed
                .as_ref()
                .is_some_and(|names| !names.contains(&**name))
            {
                continue;
            }
            match self.write_tool(tool) {
                Some(tool) => tools.push(tool),
                None => self.losses.note(format!("tools[{at}]")),
            }
        }
        tools
    }

    /// One tool; none where only its own provider has it.
    fn write_tool(&mut self, tool: &'a Tool) -> Option<WireTool<'a>> {
        match tool {
            Tool::Function {
                name,
                description,
                schema,
                strict,
                cache,
            } => Some(WireTool {
                name: self.tools.offer(name, MAX_NAME, false),
                description: description.clone().filter(|text| !text.is_empty()),
                input_schema: object_schema(schema.as_ref()),
                strict: strict.filter(|strict| *strict),
                cache_control: CacheControl::of(cache.as_ref()),
            }),
            Tool::Custom {
                name,
                description,
                format,
            } => Some(WireTool {
                name: self.tools.offer(name, MAX_NAME, true),
                description: Some(free_text::description(
                    description.as_deref(),
                    format.as_ref(),
                )),
                input_schema: free_text::schema(),
                strict: None,
                cache_control: None,
            }),
            Tool::Hosted { .. } => None,
        }
    }

    /// Definitions for the tools that were called in earlier turns, where the request offers none any
    /// more: without a definition Anthropic refuses calls and results.
    pub(super) fn write_called_tools(&mut self) -> Vec<WireTool<'a>> {
        let mut tools: Vec<WireTool<'a>> = Vec::new();
        for call in calls(&self.request.messages) {
            let name = self.tools.offer(&call.name, MAX_NAME, call.custom);
            if tools.iter().all(|tool| tool.name != name) {
                tools.push(WireTool {
                    name,
                    description: None,
                    input_schema: object_schema(None),
                    strict: None,
                    cache_control: None,
                });
            }
        }
        tools
    }

    /// The choice among the tools that are offered.
    ///
    /// # Errors
    /// When a tool must be called that cannot be offered.
    pub(super) fn write_choice(
        &mut self,
        offered: &[WireTool<'_>],
    ) -> Result<Option<WireChoice>, ConvertError> {
        let request = self.request;
        let mut choice = match &request.tool_choice {
            None | Some(ToolChoice::Auto) => WireChoice::new("auto"),
            Some(ToolChoice::None) => WireChoice::none(),
            Some(ToolChoice::Required) => WireChoice::new("any"),
            Some(ToolChoice::Named(name)) => self.write_named(name)?,
            Some(ToolChoice::Allowed { required, .. }) => {
                WireChoice::new(if *required { "any" } else { "auto" })
            }
        };
        if offered.is_empty() {
            let refused = choice.is_forced() && !request.tools.is_empty();
            // a choice among no tools is refused upstream, and says nothing
            return if refused {
                Err(not_offered())
            } else {
                Ok(None)
            };
        }
        choice.disable_parallel_tool_use =
            request.parallel_tools == Some(false) && choice.r#type != "none";
        let default = WireChoice::new("auto");
        let said = request.tool_choice.is_some() || choice != default;
        Ok(said.then_some(choice))
    }

    fn write_named(&mut self, name: &str) -> Result<WireChoice, ConvertError> {
        let tool = self.request.tools.iter().find(|tool| match tool {
            Tool::Function { name: own, .. }
            | Tool::Custom { name: own, .. }
            | Tool::Hosted { name: own } => own == name,
        });
        if matches!(tool, Some(Tool::Hosted { .. })) {
            return Err(not_offered());
        }
        let custom = matches!(tool, Some(Tool::Custom { .. }));
        let name = Some(self.tools.offer(name, MAX_NAME, custom));
        Ok(WireChoice {
            name,
            ..WireChoice::new("tool")
        })
    }
}

fn not_offered() -> ConvertError {
    let reason = "it forces a tool that another provider runs; offer a function in its place, or choose a model of that provider";
    ConvertError::new("tool_choice", reason)
}

/// All calls of a conversation.
pub(super) fn calls(messages: &[Message]) -> impl Iterator<Item = &ToolCall> {
    let parts = messages.iter().flat_map(|message| &message.parts);
    parts.filter_map(|part| match &part.body {
        PartBody::Call(call) => Some(call),
        _ => None,
    })
}

/// The schema of the arguments. Anthropic wants an object's.
fn object_schema(schema: Option<&Value>) -> Value {
    let mut schema = match schema {
        Some(Value::Object(schema)) => schema.clone(),
        _ => Map::new(),
    };
    if schema.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        schema.insert("type".to_owned(), Value::from("object"));
    }
    Value::Object(schema)
}
