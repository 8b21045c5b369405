//! A request as a scene sees it.

use serde_json::Value;

use crate::scene::{Ask, Choice, Outcome, Tool, base64_medium, params};

use super::check::{list, member};

/// Reads a request that was found to be sound.
pub(super) fn read(body: &Value) -> Ask {
    let contents = list(member(body, "contents"));
    let config = member(body, "generationConfig");
    let schema = ["responseSchema", "responseJsonSchema"].map(|name| member(config, name));
    Ask {
        prompt: last_text(contents),
        turns: contents.len(),
        tools: list(member(body, "tools")).iter().flat_map(tools).collect(),
        choice: choice(member(member(body, "toolConfig"), "functionCallingConfig")),
        // this service has no way to ask for one call only
        one_call: false,
        outcomes: outcomes(contents),
        media: contents
            .iter()
            .flat_map(|content| list(&content["parts"]))
            .filter_map(medium)
            .collect(),
        schema: schema
            .into_iter()
            .find(|schema| schema.is_object())
            .cloned(),
        stop: member(config, "stopSequences")[0]
            .as_str()
            .map(str::to_owned),
        params: params(body, &["contents", "tools"]),
        raw: String::new(),
    }
}

fn tools(tool: &Value) -> Vec<Tool> {
    let declared = list(member(tool, "functionDeclarations")).iter();
    declared
        .map(|function| Tool {
            name: text(&function["name"]),
            schema: match function.get("parameters") {
                Some(schema) => schema.clone(),
                None => member(function, "parametersJsonSchema").clone(),
            },
        })
        .collect()
}

fn choice(config: &Value) -> Choice {
    if config["mode"] == "NONE" {
        return Choice::Never;
    }
    match list(member(config, "allowedFunctionNames")) {
        [only] => Choice::Only(text(only)),
        _ => Choice::Free,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn last_text(contents: &[Value]) -> String {
    let spoken = contents.iter().filter(|content| content["role"] != "model");
    let parts = spoken.flat_map(|content| list(&content["parts"]));
    let mut texts = parts.filter_map(|part| part["text"].as_str());
    texts.next_back().unwrap_or_default().to_owned()
}

fn outcomes(contents: &[Value]) -> Vec<Outcome> {
    let last_turn = contents
        .iter()
        .rposition(|content| content["role"] == "model");
    let since = contents
        .get(last_turn.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let parts = since.iter().flat_map(|content| list(&content["parts"]));
    let responses = parts.map(|part| member(part, "functionResponse"));
    responses
        .filter(|response| response.is_object())
        .map(|response| Outcome {
            id: text(response.get("id").unwrap_or(&response["name"])),
            content: response["response"].to_string(),
            failed: response["response"].get("error").is_some(),
        })
        .collect()
}

fn medium(part: &Value) -> Option<String> {
    let inline = member(part, "inlineData");
    if inline.is_object() {
        let media_type = text(member(inline, "mimeType"));
        return Some(base64_medium(&media_type, &text(&inline["data"])));
    }
    let file = member(part, "fileData");
    file.is_object()
        .then(|| format!("url {}", text(member(file, "fileUri"))))
}
