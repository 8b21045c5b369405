//! A client's request.

use serde_json::{Map, Value};

use super::{
    fields::{Fields, invalid},
    read_messages::read_messages,
    read_tools::{read_tool_choice, read_tools},
};
use crate::{
    chat::{ChatRequest, Effort, Format, Losses, Reasoning, Sampling},
    dialect::Dialect,
    openai::request_error::{RequestError, missing},
};

/// Reads a client's request.
///
/// # Errors
/// Where the body is not a JSON object, a field is missing, or one is not of its type; the error names
/// the field.
pub fn read_request(body: &[u8]) -> Result<ChatRequest, RequestError> {
    let mut fields = Fields::of_body(body)?;
    let model = fields.text("model")?;
    let model = model.filter(|name| !name.trim().is_empty());
    let mut request = ChatRequest::new(Dialect::OpenaiChat, model.ok_or_else(|| missing("model"))?);
    request.stream = fields.flag("stream")?.unwrap_or(false);
    request.include_usage = read_include_usage(&mut fields, &mut request.unread)?;
    read_messages(&mut fields, &mut request)?;
    request.tools = read_tools(&mut fields, &mut request.unread)?;
    request.tool_choice = read_tool_choice(&mut fields)?;
    request.parallel_tools = fields.flag("parallel_tool_calls")?;
    request.sampling = read_sampling(&mut fields)?;
    request.reasoning = read_reasoning(&mut fields, &mut request.unread)?;
    request.format = read_format(&mut fields, &mut request.unread)?;
    request.verbosity = fields.text("verbosity")?;
    request.service_tier = fields.text("service_tier")?;
    let user = fields.text("user")?;
    request.user = fields.text("safety_identifier")?.or(user);
    request.metadata = fields.map("metadata")?;
    request.prompt_cache_key = fields.text("prompt_cache_key")?;
    ignore_harmless(&mut fields)?;
    fields.leave(&mut request.unread);
    Ok(request)
}

/// What changes nothing about the answer: whether OpenAI keeps it, and that it is to be a text.
fn ignore_harmless(fields: &mut Fields) -> Result<(), RequestError> {
    fields.flag("store")?;
    if fields.is("modalities", &serde_json::json!(["text"])) {
        fields.ignore(&["modalities"]);
    }
    Ok(())
}

fn read_include_usage(fields: &mut Fields, unread: &mut Losses) -> Result<bool, RequestError> {
    let Some(mut options) = fields.object("stream_options")? else {
        return Ok(false);
    };
    let include = options.flag("include_usage")?.unwrap_or(false);
    // padding against eavesdroppers of the stream's packets; no matter of content
    options.ignore(&["include_obfuscation"]);
    options.leave(unread);
    Ok(include)
}

fn read_sampling(fields: &mut Fields) -> Result<Sampling, RequestError> {
    let old_max_tokens = fields.count("max_tokens")?;
    Ok(Sampling {
        max_tokens: fields.count("max_completion_tokens")?.or(old_max_tokens),
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.count("top_k")?,
        stop: read_stop(fields)?,
        seed: fields.typed("seed", "it must be a whole number")?,
        presence_penalty: fields.number("presence_penalty")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        logit_bias: fields.map("logit_bias")?,
        logprobs: fields.flag("logprobs")?,
        top_logprobs: fields.count("top_logprobs")?,
        n: fields.count("n")?,
    })
}

fn read_stop(fields: &mut Fields) -> Result<Vec<String>, RequestError> {
    match fields.take("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(stop)) => Ok(vec![stop]),
        Some(list) => serde_json::from_value(list).map_err(|_| {
            let expected = "it must be a string or a list of strings";
            invalid(fields.path_of("stop"), expected)
        }),
    }
}

/// OpenAI's `reasoning_effort`, and OpenRouter's `reasoning` with `effort`, `max_tokens`, `enabled`.
fn read_reasoning(
    fields: &mut Fields,
    unread: &mut Losses,
) -> Result<Option<Reasoning>, RequestError> {
    let mut reasoning = Reasoning {
        effort: read_effort(fields, "reasoning_effort", unread)?,
        ..Reasoning::default()
    };
    if let Some(mut object) = fields.object("reasoning")? {
        let effort = read_effort(&mut object, "effort", unread)?;
        reasoning.effort = reasoning.effort.or(effort);
        reasoning.budget = object.count("max_tokens")?;
        reasoning.summary = object.text("summary")?;
        match object.flag("enabled")? {
            Some(false) => reasoning.effort = Some(Effort::None),
            // what OpenRouter makes of it
            Some(true) if reasoning.budget.is_none() => {
                reasoning.effort.get_or_insert(Effort::Medium);
            }
            _ => {}
        }
        object.leave(unread);
    }
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}

/// A word that is none of the known ones is noted.
fn read_effort(
    fields: &mut Fields,
    name: &str,
    unread: &mut Losses,
) -> Result<Option<Effort>, RequestError> {
    let Some(word) = fields.text(name)? else {
        return Ok(None);
    };
    let effort = Effort::parse(&word);
    if effort.is_none() {
        unread.note(fields.path_of(name));
    }
    Ok(effort)
}

fn read_format(fields: &mut Fields, unread: &mut Losses) -> Result<Option<Format>, RequestError> {
    let Some(mut format) = fields.object("response_format")? else {
        return Ok(None);
    };
    let read = match format.needed("type")?.as_str() {
        "text" => Some(Format::Text),
        "json_object" => Some(Format::Json),
        "json_schema" => Some(read_schema(format.needed_object("json_schema")?, unread)?),
        _ => {
            unread.note("response_format");
            return Ok(None);
        }
    };
    format.leave(unread);
    Ok(read)
}

fn read_schema(mut fields: Fields, unread: &mut Losses) -> Result<Format, RequestError> {
    let schema = fields.map("schema")?;
    let format = Format::Schema {
        name: fields.text("name")?,
        description: fields.text("description")?,
        // OpenAI takes none for any object
        schema: schema.map_or_else(|| Value::Object(Map::new()), Value::Object),
        strict: fields.flag("strict")?,
    };
    fields.leave(unread);
    Ok(format)
}
