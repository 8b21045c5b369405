//! What a gateway that stores responses itself must know of a request.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    json as raw,
    openai::request_error::{RequestError, parse_typed},
};

/// An earlier request and its answer, as they were stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The request's own input: an array of items, as [`input_items`] gives them.
    pub input: Value,
    /// The response object.
    pub output: Value,
}

/// The few fields of a request that decide about storing and looking up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Head {
    /// Whether the response is to be stored; the API's default is yes.
    #[serde(default = "yes", deserialize_with = "yes_unless_told")]
    pub store: bool,
    #[serde(default)]
    pub previous_response_id: Option<String>,
    /// Whether the answer is to be fetched later.
    #[serde(default, deserialize_with = "no_unless_told")]
    pub background: bool,
    /// A conversation object of OpenAI's, by id or whole.
    #[serde(default)]
    pub conversation: Option<Value>,
}

fn yes() -> bool {
    true
}

fn yes_unless_told<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    Option::deserialize(value).map(|told| told.unwrap_or(true))
}

fn no_unless_told<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    Option::deserialize(value).map(Option::unwrap_or_default)
}

/// Reads the head of a request; all else is skipped.
///
/// # Errors
/// Where the body is no JSON object, or one of these fields has another type.
pub fn head(body: &[u8]) -> Result<Head, RequestError> {
    parse_typed(body)
}

/// The request with its whole history as input: what each earlier turn was given and what it answered,
/// first to last, then its own items. `previous_response_id` is taken out. Instructions of earlier turns
/// are not carried over, and thoughts only where they are encrypted: others could not be looked up.
///
/// # Errors
/// Where the body is no JSON object, or its input neither a string nor a list.
pub fn with_history(body: &[u8], turns: &[Turn]) -> Result<Bytes, RequestError> {
    let mut request: Map<String, Value> = parse_typed(body)?;
    let own = items_of(request.get_mut("input").map(Value::take))?;
    let mut input = Vec::new();
    for turn in turns {
        let output = turn.output.get("output");
        for items in [Some(&turn.input), output].into_iter().flatten() {
            input.extend(said(items.as_array().map_or(&[], Vec::as_slice)));
        }
    }
    input.extend(own);
    request.shift_remove("previous_response_id");
    request.insert("input".to_owned(), Value::Array(input));
    let mut out = Vec::with_capacity(body.len());
    raw::append(&mut out, &request);
    Ok(out.into())
}

/// Items as they go back. What follows a thought that is left out loses its id: under its id an item is known
/// to belong to that thought, and OpenAI refuses it without.
fn said(items: &[Value]) -> impl Iterator<Item = Value> {
    let mut without_thought = false;
    items.iter().filter_map(move |item| {
        if is_reasoning(item) {
            without_thought = !item.get("encrypted_content").is_some_and(Value::is_string);
            return (!without_thought).then(|| item.clone());
        }
        let mut item = item.clone();
        if let Some(fields) = item.as_object_mut().filter(|_| without_thought) {
            fields.shift_remove("id");
        }
        Some(item)
    })
}

fn is_reasoning(item: &Value) -> bool {
    item.get("type").is_some_and(|kind| kind == "reasoning")
}

/// A request's own input as items; a plain text is a message of the user.
///
/// # Errors
/// As [`with_history`].
pub fn input_items(body: &[u8]) -> Result<Vec<Value>, RequestError> {
    let mut request: Map<String, Value> = parse_typed(body)?;
    items_of(request.get_mut("input").map(Value::take))
}

fn items_of(input: Option<Value>) -> Result<Vec<Value>, RequestError> {
    match input {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(Value::String(text)) => Ok(vec![json!({
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        })]),
        Some(_) => Err(RequestError::invalid(
            "input",
            "a string or a list of items",
        )),
    }
}

/// Stored items as `GET /responses/{id}/input_items` lists them: each with a type and an id, which is
/// made from the response's where it has none, the same each time.
#[must_use]
pub fn listed_items(mut items: Vec<Value>, response_id: &str) -> Vec<Value> {
    let tail = response_id
        .split_once('_')
        .map_or(response_id, |(_, tail)| tail);
    for (n, item) in items.iter_mut().enumerate() {
        let Value::Object(item) = item else { continue };
        let kind = item.entry("type").or_insert_with(|| "message".into());
        let prefix = id_prefix(kind.as_str().unwrap_or_default());
        let id = item.entry("id").or_insert(Value::Null);
        if !id.is_string() {
            *id = format!("{prefix}_{tail}_in{n}").into();
        }
        list_content(item);
    }
    items
}

/// A message's plain text is listed as a part.
fn list_content(item: &mut Map<String, Value>) {
    let kind = match item.get("role").and_then(Value::as_str) {
        Some("assistant") => "output_text",
        _ => "input_text",
    };
    if let Some(content @ Value::String(_)) = item.get_mut("content") {
        *content = json!([{"type": kind, "text": content.take()}]);
    }
}

fn id_prefix(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "custom_tool_call" => "ctc",
        "custom_tool_call_output" => "ctco",
        _ => "item",
    }
}
