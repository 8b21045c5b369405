//! What the real service objects to in a conversation: roles, calls with their responses, thought signatures.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{plan::Plan, scene::signed_by};

use super::{
    check::{Checked, list, member},
    voice::{invalid, violation},
};

/// What the service's documents tell a client to send that has no signature.
const SKIP: &str = "skip_thought_signature_validator";

/// A signature as it goes out: the member is bytes, which JSON has in base64.
pub(super) fn sealed(signature: &str) -> String {
    BASE64_STANDARD.encode(signature)
}

/// Objects to the first thing that is wrong; `token` is whose signatures are good.
pub(super) fn check(body: &Value, token: &str, plan: &Plan) -> Checked {
    let contents = list(member(body, "contents"));
    if contents.is_empty() {
        return Err(invalid(
            "* GenerateContentRequest.contents: contents is not specified\n",
        ));
    }
    for (at, content) in contents.iter().enumerate() {
        if !matches!(content["role"].as_str(), None | Some("user" | "model")) {
            return Err(invalid("Please use a valid role: user, model."));
        }
        if list(&content["parts"]).is_empty() {
            return Err(invalid(&format!(
                "* GenerateContentRequest.contents[{at}].parts: contents.parts must not be empty.\n"
            )));
        }
        for (index, part) in list(&content["parts"]).iter().enumerate() {
            one_part(part, &format!("contents[{at}].parts[{index}]"), token)?;
        }
    }
    names(body)?;
    responses_match(contents)?;
    match plan.scene.thinking {
        Some(_) => calls_are_signed(contents),
        None => Ok(()),
    }
}

fn names(body: &Value) -> Checked {
    let tools = list(member(body, "tools")).iter();
    let declared = tools.flat_map(|tool| list(member(tool, "functionDeclarations")));
    for (at, function) in declared.enumerate() {
        let name = function["name"].as_str().unwrap_or_default();
        let starts = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
        if name.len() > 64
            || !name.as_bytes().first().is_some_and(starts)
            || !name.bytes().all(fits)
        {
            return Err(invalid(&format!(
                "* GenerateContentRequest.tools[0].function_declarations[{at}].name: Invalid \
                 function name. Must start with a letter or an underscore. Must be alphanumeric \
                 (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a \
                 maximum length of 64.\n"
            )));
        }
    }
    Ok(())
}

fn one_part(part: &Value, place: &str, token: &str) -> Checked {
    let structs = [
        ("functionResponse", "response", "function_response.response"),
        ("functionCall", "args", "function_call.args"),
    ];
    for (kind, name, shown) in structs {
        let value = &member(part, kind)[name];
        if !value.is_object() && !value.is_null() {
            let field = format!("{place}.{shown}");
            let text = format!(
                "Invalid value at '{field}' (type.googleapis.com/google.protobuf.Struct), {value}"
            );
            return Err(violation(&field, &text));
        }
    }
    let Some(signature) = member(part, "thoughtSignature")
        .as_str()
        .filter(|text| *text != SKIP)
    else {
        return Ok(());
    };
    let Ok(bytes) = BASE64_STANDARD.decode(signature) else {
        let field = format!("{place}.thought_signature");
        let text = format!("Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed");
        return Err(violation(&field, &text));
    };
    match signed_by(&String::from_utf8_lossy(&bytes), token) {
        true => Ok(()),
        false => Err(invalid("Corrupted thought signature.")),
    }
}

/// The parts of a kind in a content.
fn count(content: &Value, kind: &str) -> usize {
    let parts = list(&content["parts"]).iter();
    parts.filter(|part| member(part, kind).is_object()).count()
}

/// A turn with calls is followed by one with as many responses, and responses stand nowhere else.
fn responses_match(contents: &[Value]) -> Checked {
    for (at, content) in contents.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| contents.get(before));
        let calls = before.map_or(0, |before| count(before, "functionCall"));
        let responses = count(content, "functionResponse");
        if calls == 0 && responses > 0 {
            return Err(invalid(
                "Please ensure that function response turn comes immediately after a function \
                 call turn.",
            ));
        }
        if calls != responses {
            return Err(invalid(
                "Please ensure that the number of function response parts is equal to the number \
                 of function call parts of the function call turn.",
            ));
        }
        let by_model = before.is_some_and(|before| before["role"] == "model");
        if count(content, "functionCall") > 0 && (at == 0 || by_model) {
            return Err(invalid(
                "Please ensure that function call turn comes immediately after a user turn or \
                 after a function response turn.",
            ));
        }
    }
    let open = contents
        .last()
        .is_some_and(|last| count(last, "functionCall") > 0);
    match open {
        true => Err(invalid(
            "Please ensure that the number of function response parts is equal to the number of \
             function call parts of the function call turn.",
        )),
        false => Ok(()),
    }
}

/// A model that thinks wants its signature back on the first call of each step since the user spoke.
fn calls_are_signed(contents: &[Value]) -> Checked {
    let spoke =
        |content: &Value| content["role"] != "model" && count(content, "functionResponse") == 0;
    let since = contents.iter().rposition(spoke).unwrap_or(0);
    for (at, content) in contents.iter().enumerate().skip(since) {
        let mut calls = list(&content["parts"])
            .iter()
            .filter(|part| member(part, "functionCall").is_object());
        let Some(first) = calls.next() else {
            continue;
        };
        if member(first, "thoughtSignature").is_null() {
            let name = member(first, "functionCall")["name"]
                .as_str()
                .unwrap_or_default();
            return Err(invalid(&format!(
                "Function call is missing a thought_signature in functionCall parts. This is \
                 required for tools to work correctly, and missing thought_signature may lead to \
                 degraded model performance. Additional data, function call \
                 `default_api:{name}` , position {}.",
                at + 1
            )));
        }
    }
    Ok(())
}
