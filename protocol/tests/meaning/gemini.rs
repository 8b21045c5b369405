//! What a request says that was written for Gemini. No client speaks this dialect, so nobody else reads it.

use serde_json::Value;
use troupe_protocol::chat::{Effort, Format, ToolChoice};

use super::outline::{
    call_line, choice_line, format_line, inline_line, link_line, offer_line, result_line,
    said_line, setting, stop_line, system_line,
};

/// The lines of a body of `:generateContent`.
pub fn outline(body: &Value) -> Vec<String> {
    let system = list(&body["systemInstruction"]["parts"]);
    let system = system.iter().map(|part| text(&part["text"]).to_owned());
    let mut lines = vec![system_line(system.collect())];
    for turn in list(&body["contents"]) {
        let parts = list(&turn["parts"]);
        lines.extend(
            parts
                .iter()
                .map(|part| part_line(text(&turn["role"]), part)),
        );
    }
    for tools in list(&body["tools"]) {
        lines.extend(list(&tools["functionDeclarations"]).iter().map(tool_line));
    }
    let calling = &body["toolConfig"]["functionCallingConfig"];
    lines.extend(choice(calling).as_ref().map(choice_line));
    lines.extend(setting_lines(&body["generationConfig"]));
    lines
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn part_line(who: &str, part: &Value) -> String {
    let (inline, file) = (&part["inlineData"], &part["fileData"]);
    let (call, result) = (&part["functionCall"], &part["functionResponse"]);
    if call.is_object() {
        return call_line(
            text(&call["id"]),
            text(&call["name"]),
            &call["args"].to_string(),
        );
    }
    if result.is_object() {
        let failed = result["response"].get("error");
        let gave = failed.unwrap_or(&result["response"]["output"]);
        let said = [said_line("it", text(gave))];
        let (id, name) = (text(&result["id"]), text(&result["name"]));
        return result_line(id, name, failed.is_some(), &said);
    }
    if inline.is_object() {
        return inline_line(who, text(&inline["mimeType"]), text(&inline["data"]));
    }
    if file.is_object() {
        return link_line(who, text(&file["fileUri"]));
    }
    said_line(who, text(&part["text"]))
}

fn tool_line(tool: &Value) -> String {
    let schema = tool["parametersJsonSchema"].to_string();
    let (name, description) = (text(&tool["name"]), text(&tool["description"]));
    offer_line(name, description, false, &schema)
}

fn choice(calling: &Value) -> Option<ToolChoice> {
    let mut names = list(&calling["allowedFunctionNames"]).iter().map(text);
    match (text(&calling["mode"]), names.next()) {
        ("ANY", Some(name)) => Some(ToolChoice::Named(name.to_owned())),
        ("ANY", None) => Some(ToolChoice::Required),
        ("NONE", _) => Some(ToolChoice::None),
        _ => None,
    }
}

fn setting_lines(config: &Value) -> Vec<String> {
    let number = |name: &str| config[name].as_f64();
    let count = |name: &str| config[name].as_u64();
    let stop: Vec<String> = list(&config["stopSequences"])
        .iter()
        .map(|stop| text(stop).to_owned())
        .collect();
    let budget = config["thinkingConfig"]["thinkingBudget"].as_u64();
    let said = [
        setting("max_tokens", count("maxOutputTokens")),
        setting("temperature", number("temperature")),
        setting("top_p", number("topP")),
        setting("top_k", count("topK")),
        (!stop.is_empty()).then(|| stop_line(&stop)),
        setting("seed", count("seed")),
        setting("presence_penalty", number("presencePenalty")),
        setting("frequency_penalty", number("frequencyPenalty")),
        setting(
            "effort",
            budget.map(|budget| Effort::of_budget(budget).as_str()),
        ),
        format(config).as_ref().and_then(format_line),
    ];
    said.into_iter().flatten().collect()
}

fn format(config: &Value) -> Option<Format> {
    if config["responseMimeType"] != "application/json" {
        return None;
    }
    let schema = config.get("responseJsonSchema").cloned();
    Some(schema.map_or(Format::Json, |schema| Format::Schema {
        name: None,
        description: None,
        schema,
        strict: None,
    }))
}
