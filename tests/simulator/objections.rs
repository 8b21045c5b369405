//! What OpenAI objects to in the fields of a chat or Responses request, in its words.

use serde_json::Value;

use crate::{refusal::objection, voice::Problem};

/// The outcome of a check.
pub(crate) type Checked = Result<(), Problem>;

pub(crate) fn missing(param: &str) -> Problem {
    let text = format!("Missing required parameter: '{param}'.");
    objection(&text, param, Some("missing_required_parameter"))
}

/// A text of at most so many characters.
pub(crate) fn short_text(text: &str, most: usize, param: &str) -> Checked {
    let length = text.chars().count();
    if length <= most {
        return Ok(());
    }
    let text = format!(
        "Invalid '{param}': string too long. Expected a string with maximum length {most}, but got \
         a string with length {length} instead."
    );
    Err(objection(&text, param, Some("string_above_max_length")))
}

/// A list, where there is one, has at least one entry.
pub(crate) fn not_empty(value: &Value, param: &str) -> Checked {
    if value.as_array().is_none_or(|list| !list.is_empty()) {
        return Ok(());
    }
    let text = format!(
        "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty \
         array instead."
    );
    Err(objection(&text, param, Some("empty_array")))
}

/// A value that has to be a string.
pub(crate) fn a_string<'a>(value: &'a Value, param: &str) -> Result<&'a str, Problem> {
    let kind = match value {
        Value::String(text) => return Ok(text),
        Value::Null => return Err(missing(param)),
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let text = format!("Invalid type for '{param}': expected a string, but got {kind} instead.");
    Err(objection(&text, param, Some("invalid_type")))
}

/// One of the values that the service knows.
pub(crate) fn one_of(value: &str, known: &[&str], param: &str) -> Checked {
    if known.contains(&value) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|value| format!("'{value}'")).collect();
    let known = known.join(", ");
    let text = format!("Invalid value: '{value}'. Supported values are: {known}.");
    Err(objection(&text, param, Some("invalid_value")))
}

/// A function's name.
pub(crate) fn function_name(value: &Value, param: &str) -> Checked {
    let name = a_string(value, param)?;
    short_text(name, 64, param)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(fits) {
        return Ok(());
    }
    let text = format!(
        "Invalid '{param}': string does not match pattern. Expected a string that matches the \
         pattern '^[a-zA-Z0-9_-]+$'."
    );
    Err(objection(&text, param, Some("invalid_value")))
}

/// Parameters that only make sense beside tools.
pub(crate) fn only_with_tools(body: &Value) -> Checked {
    not_empty(&body["tools"], "tools")?;
    let beside = ["tool_choice", "parallel_tool_calls"];
    match beside.iter().find(|name| body.get(**name).is_some()) {
        Some(name) if body.get("tools").is_none() => {
            let text = format!("'{name}' is only allowed when 'tools' are specified.");
            Err(objection(&text, name, None))
        }
        _ => Ok(()),
    }
}

/// The first member of a body that is not among those the service knows.
pub(crate) fn unknown_member<'a>(body: &'a Value, known: &[&str]) -> Option<&'a str> {
    let mut names = body.as_object()?.keys().map(String::as_str);
    names.find(|name| !known.contains(name))
}
