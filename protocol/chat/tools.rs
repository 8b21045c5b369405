//! Tools: what may be called, what was called, what came of it.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{
    content::{Cache, Part},
    seal::Seal,
};

/// A tool that the model may use.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// The caller runs it.
    Function {
        name: String,
        description: Option<String>,
        /// JSON schema of the arguments; none = no arguments.
        schema: Option<Value>,
        strict: Option<bool>,
        cache: Option<Cache>,
    },
    /// The caller runs it, and the input is free text (OpenAI's `custom`).
    Custom {
        name: String,
        description: Option<String>,
        /// OpenAI's `format`: a grammar, which no other dialect knows.
        format: Option<Value>,
    },
    /// The provider runs it (web search, code execution, …): only its own dialect can say it.
    Hosted { name: String },
}

/// Which tool the model must use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// Any of them, but one.
    Required,
    /// This one.
    Named(String),
    /// One of these (OpenAI's `allowed_tools`); `required` = it must be one.
    Allowed {
        names: Vec<String>,
        required: bool,
    },
}

impl ToolChoice {
    /// The names of the tools that it leaves, where it leaves out any.
    #[must_use]
    pub fn allowed(&self) -> Option<HashSet<&str>> {
        match self {
            Self::Allowed { names, .. } => Some(names.iter().map(String::as_str).collect()),
            Self::Auto | Self::None | Self::Required | Self::Named(_) => None,
        }
    }
}

/// A call that the assistant made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id; empty where it gave none (Gemini), the writer then makes one.
    pub id: String,
    pub name: String,
    /// A JSON object as text, just as it came; for a custom tool its free text.
    pub input: String,
    pub custom: bool,
    /// Gemini's thought signature.
    pub seal: Option<Seal>,
}

impl ToolCall {
    /// The input as an object. Text that is none, which models do write, is kept under `_raw`; none at
    /// all means no arguments; a custom tool's text stands under [`CUSTOM_INPUT`].
    #[must_use]
    pub fn arguments(&self) -> Map<String, Value> {
        let under = |key: &str| {
            let text = Value::String(self.input.clone());
            Map::from_iter([(key.to_owned(), text)])
        };
        if self.custom {
            return under(CUSTOM_INPUT);
        }
        if self.input.trim().is_empty() {
            return Map::new();
        }
        serde_json::from_str(&self.input).unwrap_or_else(|_| under("_raw"))
    }
}

/// The one argument of a custom tool where it is offered as a function.
pub const CUSTOM_INPUT: &str = "input";

/// What a tool gave.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub call_id: String,
    /// The tool's name, found from the call where the dialect does not repeat it. Gemini wants it.
    pub name: Option<String>,
    /// Texts, images and documents.
    pub parts: Vec<Part>,
    pub is_error: bool,
}

/// How a request's tools were renamed for the upstream, to be undone in its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolNames {
    /// By the name that the upstream knows; only those that differ.
    originals: HashMap<String, Original>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Original {
    name: String,
    custom: bool,
}

impl ToolNames {
    /// The name to offer upstream: at most `max` characters of `[A-Za-z0-9_-]`, different for different
    /// tools of a request, the same in every turn. `custom` says that a custom tool goes as a function.
    pub fn offer(&mut self, name: &str, max: usize, custom: bool) -> String {
        let fits = name.len() <= max && name.bytes().all(is_plain) && !name.is_empty();
        let offered = if fits {
            name.to_owned()
        } else {
            short(name, max)
        };
        if custom || !fits {
            let original = Original {
                name: name.to_owned(),
                custom,
            };
            self.originals.insert(offered.clone(), original);
        }
        offered
    }

    /// What the caller knows a called tool by, and whether it is a custom one that went as a function.
    #[must_use]
    pub fn original<'a>(&'a self, offered: &'a str) -> (&'a str, bool) {
        match self.originals.get(offered) {
            Some(original) => (&original.name, original.custom),
            None => (offered, false),
        }
    }
}

/// Whether a name or an id may hold it: all dialects take these.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The beginning of a name that does not fit, and a hash of all of it.
pub(crate) fn short(name: &str, max: usize) -> String {
    let hash = format!("_{:016x}", fnv1a(name.as_bytes()));
    let keep = max.saturating_sub(hash.len());
    let plain = |c: char| {
        if c.is_ascii() && is_plain(c as u8) {
            c
        } else {
            '_'
        }
    };
    let begin: String = name.chars().take(keep).map(plain).collect();
    begin + &hash
}

/// FNV-1a, 64 bits: names are not secret and few, and it must be the same on every node for ever.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_names_are_shortened_and_found_again() {
        let mut names = ToolNames::default();
        assert_eq!(names.offer("get_weather", 64, false), "get_weather");
        assert_eq!(names.original("get_weather"), ("get_weather", false));
        let long = format!("mcp__{}", "x".repeat(90));
        let offered = names.offer(&long, 64, false);
        assert_eq!(offered.len(), 64);
        assert_eq!(names.original(&offered), (long.as_str(), false));
        let other = names.offer(&format!("{long}y"), 64, false);
        assert_ne!(other, offered);
        let dotted = names.offer("a.b 天气", 64, false);
        assert!(dotted.bytes().all(is_plain), "{dotted}");
        assert_eq!(names.original(&dotted), ("a.b 天气", false));
        let custom = names.offer("apply_patch", 64, true);
        assert_eq!(names.original(&custom), ("apply_patch", true));
    }

    #[test]
    fn what_is_no_object_is_kept_all_the_same() {
        let call = |input: &str, custom| ToolCall {
            id: "c1".to_owned(),
            name: "f".to_owned(),
            input: input.to_owned(),
            custom,
            seal: None,
        };
        let text = |call: ToolCall| Value::Object(call.arguments()).to_string();
        assert_eq!(text(call(r#"{"b":1,"a":2}"#, false)), r#"{"b":1,"a":2}"#);
        assert_eq!(text(call("", false)), "{}");
        assert_eq!(text(call("{\"a\":", false)), r#"{"_raw":"{\"a\":"}"#);
        assert_eq!(text(call("[1]", false)), r#"{"_raw":"[1]"}"#);
        assert_eq!(text(call("*** patch", true)), r#"{"input":"*** patch"}"#);
    }
}
