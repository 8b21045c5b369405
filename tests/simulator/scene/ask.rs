//! A request without its dialect.

use serde_json::{Map, Value};

/// What a scene looks at in a request.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    /// The user's last text.
    pub prompt: String,
    /// How many messages, items or contents the conversation has; makes the ids of calls distinct.
    pub turns: usize,
    pub tools: Vec<Tool>,
    pub choice: Choice,
    /// At most one call at a time.
    pub one_call: bool,
    /// What came back from calls since the model's last turn, in order.
    pub outcomes: Vec<Outcome>,
    /// Each image, document and sound of the conversation, described.
    pub media: Vec<String>,
    /// The schema that the answer has to fit.
    pub schema: Option<Value>,
    /// The first stop sequence.
    pub stop: Option<String>,
    /// See [`params`].
    pub params: Value,
    /// The body as it came.
    pub raw: String,
}

/// A function that the model may call.
#[derive(Debug)]
pub(crate) struct Tool {
    pub name: String,
    pub schema: Value,
}

/// Whether the model may call, must, and what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Free,
    Never,
    /// This one and no other.
    Only(String),
}

/// What came back from one call.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The call's id; the function's name in a dialect without ids.
    pub id: String,
    pub content: String,
    pub failed: bool,
}

/// A body's members but those that are named: what is left are the parameters.
pub(crate) fn params(body: &Value, conversation: &[&str]) -> Value {
    let members: Map<String, Value> = body
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !conversation.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    members.into()
}
