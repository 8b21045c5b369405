//! A client's request, read.

use serde_json::{Map, Value};

use super::{
    blocks::BlockReader,
    fields::{Fields, entries, invalid},
    tools::{read_choice, read_tool},
};
use crate::{
    chat::{ChatRequest, Effort, Format, Losses, Message, Part, PartBody, Reasoning, Role},
    dialect::Dialect,
    openai::request_error::{RequestError, check_object, missing},
};

/// Reads the body of `/v1/messages`, or of `count_tokens`, which has no `max_tokens`.
///
/// # Errors
/// When the body is no JSON object, `model` or `messages` is not there, or a field that is read here is
/// of the wrong type; the error names its path.
pub fn read_request(body: &[u8]) -> Result<ChatRequest, RequestError> {
    check_object(body)?;
    let root = serde_json::from_slice(body).map_err(|error| RequestError::from_json(&error))?;
    let mut fields = Fields::of(root, String::new())?;
    let model = fields.required("model")?;
    let mut request = ChatRequest::new(Dialect::Anthropic, model);
    let mut unread = Losses::default();
    let mut blocks = BlockReader::new(&mut unread);
    read_system(&mut fields, &mut blocks, &mut request)?;
    read_messages(&mut fields, &mut blocks, &mut request)?;
    for (path, tool) in fields.list("tools")? {
        request.tools.push(read_tool(tool, path, &mut unread)?);
    }
    read_choice(&mut fields, &mut request, &mut unread)?;
    read_settings(&mut fields, &mut request)?;
    read_output(&mut fields, &mut request, &mut unread)?;
    if let Some(mut metadata) = fields.object("metadata")? {
        request.user = metadata.text("user_id")?;
        metadata.finish(&mut unread);
    }
    fields.finish(&mut unread);
    request.unread = unread;
    Ok(request)
}

fn read_system(
    fields: &mut Fields,
    blocks: &mut BlockReader<'_>,
    request: &mut ChatRequest,
) -> Result<(), RequestError> {
    let Some(system) = fields.take("system") else {
        return Ok(());
    };
    let parts = read_content(system, "system", blocks)?;
    let is_text = |part: &Part| matches!(part.body, PartBody::Text(_));
    request.system = parts.into_iter().filter(is_text).collect();
    Ok(())
}

fn read_messages(
    fields: &mut Fields,
    blocks: &mut BlockReader<'_>,
    request: &mut ChatRequest,
) -> Result<(), RequestError> {
    let messages = fields.take("messages").ok_or_else(|| missing("messages"))?;
    for (path, message) in entries(messages, "messages")? {
        let mut message = Fields::of(message, path)?;
        let role = match &*message.required("role")? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => {
                let expected = "`user`, `assistant` or `system`";
                return Err(invalid(message.path_of("role"), expected));
            }
        };
        let path = message.path_of("content");
        let content = message.take("content");
        let parts = content.map_or(Ok(Vec::new()), |content| {
            read_content(content, &path, blocks)
        })?;
        message.finish(blocks.unread);
        request.messages.push(Message { role, parts });
    }
    Ok(())
}

/// A string, or a list of blocks.
fn read_content(
    content: Value,
    path: &str,
    blocks: &mut BlockReader<'_>,
) -> Result<Vec<Part>, RequestError> {
    match content {
        Value::String(text) => Ok(vec![Part::text(text)]),
        Value::Array(_) => blocks.read_list(content, path),
        _ => Err(invalid(path.to_owned(), "a string or an array of blocks")),
    }
}

fn read_settings(fields: &mut Fields, request: &mut ChatRequest) -> Result<(), RequestError> {
    request.stream = fields.get("stream", "true or false")?.unwrap_or(false);
    let sampling = &mut request.sampling;
    sampling.max_tokens = fields.get("max_tokens", "a whole number")?;
    sampling.temperature = fields.get("temperature", "a number")?;
    sampling.top_p = fields.get("top_p", "a number")?;
    sampling.top_k = fields.get("top_k", "a whole number")?;
    sampling.stop = fields
        .get("stop_sequences", "an array of strings")?
        .unwrap_or_default();
    request.service_tier = fields.text("service_tier")?;
    Ok(())
}

/// `thinking`, `output_config`, and `output_format`, which a part of the latter was called once.
fn read_output(
    fields: &mut Fields,
    request: &mut ChatRequest,
    unread: &mut Losses,
) -> Result<(), RequestError> {
    let old_format = fields.object("output_format")?;
    if let Some(format) = old_format {
        request.format = read_format(format, unread)?;
    }
    let mut effort = None;
    if let Some(mut config) = fields.object("output_config")? {
        let path = config.path_of("effort");
        let word = config.text("effort")?;
        effort = word.as_deref().and_then(Effort::parse);
        if word.is_some() && effort.is_none() {
            unread.note(path);
        }
        if let Some(format) = config.object("format")? {
            request.format = read_format(format, unread)?;
        }
        config.finish(unread);
    }
    request.reasoning = read_thinking(fields, effort, unread)?;
    Ok(())
}

fn read_format(mut format: Fields, unread: &mut Losses) -> Result<Option<Format>, RequestError> {
    let path = format.path_of("type");
    let kind = format.required("type")?;
    let schema: Option<Map<_, _>> = format.get("schema", "an object")?;
    let read = match (&*kind, schema) {
        ("json_schema", Some(schema)) => Some(Format::Schema {
            name: format.text("name")?,
            description: None,
            schema: Value::Object(schema),
            strict: None,
        }),
        _ => {
            unread.note(path);
            None
        }
    };
    format.finish(unread);
    Ok(read)
}

fn read_thinking(
    fields: &mut Fields,
    effort: Option<Effort>,
    unread: &mut Losses,
) -> Result<Option<Reasoning>, RequestError> {
    let mut reasoning = Reasoning {
        effort,
        ..Reasoning::default()
    };
    let Some(mut thinking) = fields.object("thinking")? else {
        return Ok(effort.map(|_| reasoning));
    };
    let path = thinking.path_of("type");
    match &*thinking.required("type")? {
        "enabled" => reasoning.budget = thinking.get("budget_tokens", "a whole number")?,
        "adaptive" => reasoning.adaptive = true,
        // an effort beside it is for the answer; ours is for the thoughts
        "disabled" => reasoning.effort = Some(Effort::None),
        // the least that some models can do
        "between_tools" => reasoning.effort = Some(Effort::Minimal),
        _ => unread.note(path),
    }
    let display = thinking.path_of("display");
    match thinking.text("display")?.as_deref() {
        Some("summarized") => reasoning.summary = Some("auto".to_owned()),
        // thoughts that come all the same do no harm, but they were not wanted
        Some(_) => unread.note(display),
        None => {}
    }
    thinking.finish(unread);
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}
