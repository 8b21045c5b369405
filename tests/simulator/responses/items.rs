//! What the real service objects to in a request's items.

use serde_json::Value;

use crate::{
    objections::{Checked, a_string, function_name, not_empty, one_of, short_text},
    refusal::objection,
    scene::signed_by,
};

/// The longest call id.
const CALL_ID: usize = 64;

const ROLES: [&str; 4] = ["assistant", "system", "developer", "user"];
const BY_MODEL: [&str; 2] = ["output_text", "refusal"];
const BY_OTHERS: [&str; 4] = ["input_text", "input_image", "input_file", "input_audio"];

/// Objects to the first thing that is wrong; `token` is whose sealed reasoning is good.
pub(super) fn check(body: &Value, token: &str) -> Checked {
    not_empty(&body["input"], "input")?;
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, item) in items.iter().enumerate() {
        let place = format!("input[{at}]");
        match kind(item) {
            "message" => message(item, &place)?,
            "function_call" => call(item, &place)?,
            "function_call_output" => call_id(item, &place)?,
            "reasoning" => reasoning(item, items.get(at + 1), &place, token)?,
            _ => {}
        }
    }
    // the items before these ones are not known here
    let continues = ["previous_response_id", "conversation"];
    match continues.iter().any(|name| body[*name].is_string()) {
        true => Ok(()),
        false => outputs_match(items),
    }
}

/// An item's type; a message may leave it out.
pub(super) fn kind(item: &Value) -> &str {
    match item["type"].as_str() {
        Some(kind) => kind,
        None => "message",
    }
}

fn message(item: &Value, place: &str) -> Checked {
    let role = a_string(&item["role"], &format!("{place}.role"))?;
    one_of(role, &ROLES, &format!("{place}.role"))?;
    prefixed(item, "msg", place)?;
    let known = if role == "assistant" {
        &BY_MODEL[..]
    } else {
        &BY_OTHERS[..]
    };
    for (index, part) in item["content"].as_array().into_iter().flatten().enumerate() {
        let param = format!("{place}.content[{index}].type");
        one_of(a_string(&part["type"], &param)?, known, &param)?;
    }
    Ok(())
}

fn call(item: &Value, place: &str) -> Checked {
    call_id(item, place)?;
    function_name(&item["name"], &format!("{place}.name"))?;
    a_string(&item["arguments"], &format!("{place}.arguments"))?;
    prefixed(item, "fc", place)
}

fn call_id(item: &Value, place: &str) -> Checked {
    let param = format!("{place}.call_id");
    short_text(a_string(&item["call_id"], &param)?, CALL_ID, &param)
}

/// An id says what it is of.
fn prefixed(item: &Value, prefix: &str, place: &str) -> Checked {
    match item["id"].as_str().filter(|id| !id.starts_with(prefix)) {
        None => Ok(()),
        Some(id) => {
            let param = format!("{place}.id");
            let text =
                format!("Invalid '{param}': '{id}'. Expected an ID that begins with '{prefix}'.");
            Err(objection(&text, &param, Some("invalid_value")))
        }
    }
}

fn reasoning(item: &Value, next: Option<&Value>, place: &str, token: &str) -> Checked {
    prefixed(item, "rs", place)?;
    if let Some(sealed) = item["encrypted_content"]
        .as_str()
        .filter(|text| !signed_by(text, token))
    {
        let shown = sealed.get(..4).unwrap_or_default();
        let text = format!(
            "The encrypted content {shown}... could not be verified. Reason: Encrypted content \
             could not be decrypted or parsed."
        );
        return Err(objection(&text, "", Some("invalid_encrypted_content")));
    }
    let follows = |item: &Value| match kind(item) {
        "message" => item["role"] == "assistant",
        kind => kind != "function_call_output",
    };
    if next.is_some_and(follows) {
        return Ok(());
    }
    let id = item["id"].as_str().unwrap_or_default();
    let text = format!(
        "Item '{id}' of type 'reasoning' was provided without its required following item."
    );
    Err(objection(&text, "input", None))
}

/// Each output has a call before it, and each call an output.
fn outputs_match(items: &[Value]) -> Checked {
    let ids = |items: &[Value], wanted: &str| -> Vec<String> {
        let found = items.iter().filter(|item| kind(item) == wanted);
        let ids = found.filter_map(|item| item["call_id"].as_str());
        ids.map(str::to_owned).collect()
    };
    for (at, item) in items.iter().enumerate() {
        let id = item["call_id"].as_str().unwrap_or_default();
        let (before, after) = items.split_at(at);
        let text = match kind(item) {
            "function_call_output" if !ids(before, "function_call").iter().any(|one| one == id) => {
                format!("No tool call found for function call output with call_id {id}.")
            }
            "function_call"
                if !ids(after, "function_call_output")
                    .iter()
                    .any(|one| one == id) =>
            {
                format!("No tool output found for function call {id}.")
            }
            _ => continue,
        };
        return Err(objection(&text, "input", None));
    }
    Ok(())
}
