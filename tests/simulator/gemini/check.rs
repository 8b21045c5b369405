//! What the real service objects to in a request's members: it knows each one, at every depth.

use serde_json::Value;

use crate::voice::Problem;

use super::voice::violation;

/// The outcome of a check.
pub(super) type Checked = Result<(), Problem>;

const REQUEST: [&str; 10] = [
    "cachedContent",
    "contents",
    "generationConfig",
    "labels",
    "model",
    "safetySettings",
    "serviceTier",
    "systemInstruction",
    "toolConfig",
    "tools",
];

const GENERATION: [&str; 22] = [
    "audioTimestamp",
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseFormat",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];

const PART: [&str; 12] = [
    "codeExecutionResult",
    "executableCode",
    "fileData",
    "functionCall",
    "functionResponse",
    "inlineData",
    "mediaResolution",
    "partMetadata",
    "text",
    "thought",
    "thoughtSignature",
    "videoMetadata",
];

const TOOL: [&str; 8] = [
    "codeExecution",
    "computerUse",
    "fileSearch",
    "functionDeclarations",
    "googleMaps",
    "googleSearch",
    "googleSearchRetrieval",
    "urlContext",
];

const DECLARATION: [&str; 7] = [
    "behavior",
    "description",
    "name",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
];

/// The subset of OpenAPI's schemas that `parameters` and `responseSchema` take.
const SCHEMA: [&str; 22] = [
    "anyOf",
    "default",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "propertyOrdering",
    "required",
    "title",
    "type",
];

/// Objects to the first member that is not known.
pub(super) fn check(body: &Value) -> Checked {
    only(body, &REQUEST, "")?;
    let config = member(body, "generationConfig");
    only(config, &GENERATION, "generation_config")?;
    schema(
        member(config, "responseSchema"),
        "generation_config.response_schema",
    )?;
    for (at, content) in list(member(body, "contents")).iter().enumerate() {
        only(content, &["parts", "role"], &format!("contents[{at}]"))?;
        parts(content, &format!("contents[{at}]"))?;
    }
    let system = member(body, "systemInstruction");
    only(system, &["parts", "role"], "system_instruction")?;
    parts(system, "system_instruction")?;
    for (at, tool) in list(member(body, "tools")).iter().enumerate() {
        let place = format!("tools[{at}]");
        only(tool, &TOOL, &place)?;
        for (at, declared) in list(member(tool, "functionDeclarations"))
            .iter()
            .enumerate()
        {
            let place = format!("{place}.function_declarations[{at}]");
            only(declared, &DECLARATION, &place)?;
            schema(
                member(declared, "parameters"),
                &format!("{place}.parameters"),
            )?;
        }
    }
    Ok(())
}

fn parts(content: &Value, place: &str) -> Checked {
    for (at, part) in list(member(content, "parts")).iter().enumerate() {
        only(part, &PART, &format!("{place}.parts[{at}]"))?;
    }
    Ok(())
}

fn schema(value: &Value, place: &str) -> Checked {
    only(value, &SCHEMA, place)?;
    for (name, property) in value["properties"].as_object().into_iter().flatten() {
        schema(property, &format!("{place}.properties[{name}].value"))?;
    }
    for (at, either) in list(member(value, "anyOf")).iter().enumerate() {
        schema(either, &format!("{place}.any_of[{at}]"))?;
    }
    match value.get("items") {
        Some(items) => schema(items, &format!("{place}.items")),
        None => Ok(()),
    }
}

fn only(value: &Value, known: &[&str], place: &str) -> Checked {
    let names = value.as_object().into_iter().flatten();
    let unknown = names.map(|(name, _)| name).find(|name| {
        let is = |known: &&str| **known == **name || snake(known) == **name;
        !known.iter().any(is)
    });
    let Some(name) = unknown else {
        return Ok(());
    };
    let at = if place.is_empty() {
        String::new()
    } else {
        format!(" at '{place}'")
    };
    let text =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.");
    Err(violation(place, &text))
}

/// A member by its name in either spelling: the service takes `toolConfig` and `tool_config`.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    match value.get(name) {
        Some(member) => member,
        None => &value[snake(name)],
    }
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `toolConfig` → `tool_config`.
fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, character| {
        if character.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
        text
    })
}
