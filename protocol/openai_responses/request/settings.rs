//! How the answer is to be made.

use serde_json::Value;

use super::fields::Fields;
use crate::{
    chat::{ChatRequest, Effort, Format, Losses, Reasoning},
    openai::request_error::RequestError,
};

/// The `include` that asks for log probabilities. The others are about hosted tools, and about encrypted
/// reasoning, which is always sent where there is any.
const LOGPROBS: &str = "message.output_text.logprobs";

type Read<T> = Result<T, RequestError>;

pub(super) fn read(fields: &mut Fields, request: &mut ChatRequest) -> Read<()> {
    request.stream = fields.flag("stream")?.unwrap_or(false);
    request.parallel_tools = fields.flag("parallel_tool_calls")?;
    request.service_tier = fields.text("service_tier")?;
    request.prompt_cache_key = fields.text("prompt_cache_key")?;
    request.metadata = fields.map("metadata")?.filter(|labels| !labels.is_empty());
    let user = fields.text("user")?;
    request.user = fields.text("safety_identifier")?.or(user);
    read_sampling(fields, request)?;
    if let Some(reasoning) = fields.object("reasoning")? {
        request.reasoning = Some(read_reasoning(reasoning, &mut request.unread)?);
    }
    if let Some(mut text) = fields.object("text")? {
        request.verbosity = text.text("verbosity")?;
        if let Some(format) = text.object("format")? {
            request.format = Some(read_format(format, &mut request.unread)?);
        }
        text.note_rest(&mut request.unread);
    }
    read_storage(fields, &mut request.unread)
}

fn read_sampling(fields: &mut Fields, request: &mut ChatRequest) -> Read<()> {
    let sampling = &mut request.sampling;
    sampling.max_tokens = fields.count("max_output_tokens")?;
    sampling.temperature = fields.number("temperature")?;
    sampling.top_p = fields.number("top_p")?;
    let top_logprobs = fields.count("top_logprobs")?;
    let include = fields.list("include")?;
    if include.iter().any(|(what, _)| what == LOGPROBS) {
        sampling.logprobs = Some(true);
        sampling.top_logprobs = top_logprobs;
    }
    Ok(())
}

/// What is stored and where. A gateway does this itself, before the request is read.
fn read_storage(fields: &mut Fields, unread: &mut Losses) -> Read<()> {
    fields.ignore(&["store", "stream_options"]);
    if fields.flag("background")? == Some(true) {
        unread.note("background");
    }
    if fields
        .text("truncation")?
        .is_some_and(|how| how != "disabled")
    {
        unread.note("truncation");
    }
    Ok(())
}

fn read_reasoning(mut fields: Fields, unread: &mut Losses) -> Read<Reasoning> {
    let effort = fields.text("effort")?;
    let older = fields.text("generate_summary")?;
    let reasoning = Reasoning {
        effort: effort.as_deref().and_then(Effort::parse),
        summary: fields.text("summary")?.or(older),
        ..Reasoning::default()
    };
    if effort.is_some() && reasoning.effort.is_none() {
        unread.note(fields.path("effort"));
    }
    fields.note_rest(unread);
    Ok(reasoning)
}

fn read_format(mut fields: Fields, unread: &mut Losses) -> Read<Format> {
    let kind = fields.required_text("type")?;
    let format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::Json,
        "json_schema" => Format::Schema {
            name: fields.text("name")?,
            description: fields.text("description")?,
            schema: Value::Object(
                fields
                    .map("schema")?
                    .ok_or_else(|| fields.missing("schema"))?,
            ),
            strict: fields.flag("strict")?,
        },
        _ => return Err(fields.invalid("type", "`text`, `json_object` or `json_schema`")),
    };
    fields.note_rest(unread);
    Ok(format)
}
