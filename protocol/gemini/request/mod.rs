//! Writing a request for Gemini.
//!
//! | file | what |
//! |---|---|
//! | `wire` | the shapes |
//! | `turns` | messages made turns of user and model, and the signatures that must be among them |
//! | `media` | pictures, documents, sound |
//! | `tools` | what may be called |
//! | `settings` | `generationConfig`, and the settings that Gemini lacks |
//! | `names` | what the caller's dialect calls what is lost |

mod media;
mod names;
mod settings;
mod tools;
mod turns;
mod wire;

use std::collections::{HashMap, HashSet};

use self::names::Named;
pub(super) use self::wire::Body;
use super::thinking::Model;
use crate::{
    chat::{ChatRequest, ConvertError, Encoded, Encoding, Losses, Tool, ToolNames},
    json,
};

/// The longest name of a function that every model takes.
const MAX_TOOL_NAME: usize = 64;

/// Writes a request for `:generateContent` or `:streamGenerateContent`; the model stands in the path.
///
/// # Errors
/// When Gemini cannot be asked for what the request asks for: several answers, a tool that only
/// another provider runs, a file that it cannot fetch.
pub fn write_request(
    request: &ChatRequest,
    encoding: &Encoding<'_>,
) -> Result<Encoded, ConvertError> {
    let mut writer = Writer::new(request, encoding);
    let body = writer.body()?;
    Ok(writer.finish(&body))
}

/// A request on its way, and what is learnt meanwhile.
pub(super) struct Writer<'a> {
    request: &'a ChatRequest,
    model: Model,
    keep_thinking: bool,
    losses: Losses,
    tools: ToolNames,
    has_thinking: bool,
    /// The calls so far, by id: how many came before, and the tool's name as it is offered.
    calls: HashMap<&'a str, (usize, String)>,
    /// The custom tools' names.
    custom: HashSet<&'a str>,
    /// How many calls there were.
    placed: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(request: &'a ChatRequest, encoding: &Encoding<'_>) -> Self {
        let custom = request.tools.iter().filter_map(|tool| match tool {
            Tool::Custom { name, .. } => Some(&**name),
            Tool::Function { .. } | Tool::Hosted { .. } => None,
        });
        Self {
            custom: custom.collect(),
            request,
            model: Model::named(encoding.model),
            keep_thinking: encoding.keep_thinking,
            losses: request.unread.clone(),
            tools: ToolNames::default(),
            has_thinking: false,
            calls: HashMap::new(),
            placed: 0,
        }
    }

    pub(super) fn body(&mut self) -> Result<Body<'a>, ConvertError> {
        let (tools, tool_config) = self.tools()?;
        let (system_instruction, contents) = self.turns()?;
        Ok(Body {
            model: None,
            system_instruction,
            contents,
            tools,
            tool_config,
            generation_config: self.generation_config()?,
        })
    }

    pub(super) fn finish<T: serde::Serialize>(self, body: &T) -> Encoded {
        let mut out = Vec::with_capacity(1024);
        json::append(&mut out, body);
        Encoded {
            body: out.into(),
            losses: self.losses,
            tools: self.tools,
            has_thinking: self.has_thinking,
        }
    }

    /// What the caller calls it.
    fn name(&self, what: Named) -> &'static str {
        what.of(self.request.dialect)
    }

    fn lose(&mut self, what: Named) {
        let name = self.name(what);
        self.losses.note(name);
    }

    fn lose_if(&mut self, given: bool, what: Named) {
        if given {
            self.lose(what);
        }
    }

    fn refuse(&self, what: Named, reason: &str) -> ConvertError {
        ConvertError::new(self.name(what), reason)
    }

    fn offer(&mut self, name: &str, custom: bool) -> String {
        self.tools.offer(name, MAX_TOOL_NAME, custom)
    }
}
