//! What a request says, in lines: how it is cut into messages and parts is not among it.

use troupe_protocol::chat::{
    ChatRequest, Document, Format, Image, Part, PartBody, Role, Source, Tool, ToolCall, ToolChoice,
    ToolResult,
};

/// The lines of a request.
pub fn of(request: &ChatRequest) -> Vec<String> {
    let system = request.system.iter().map(text_of);
    let mut lines = vec![system_line(system.collect())];
    for message in &request.messages {
        let who = match message.role {
            Role::User => "user",
            Role::Assistant => "model",
            Role::System => "system",
        };
        lines.extend(message.parts.iter().map(|part| part_line(who, part)));
    }
    lines.extend(request.tools.iter().map(tool_line));
    lines.extend(setting_lines(request));
    lines
}

/// The instructions; several are one after the other.
pub fn system_line(texts: Vec<String>) -> String {
    format!("system: {:?}", texts.join("\n\n"))
}

pub fn said_line(who: &str, text: &str) -> String {
    format!("{who}: {text:?}")
}

pub fn inline_line(who: &str, media_type: &str, data: &str) -> String {
    format!("{who}: {media_type} {data}")
}

pub fn link_line(who: &str, url: &str) -> String {
    format!("{who}: link {url}")
}

/// `arguments` are JSON.
pub fn call_line(id: &str, name: &str, arguments: &str) -> String {
    format!("model: calls {name} as {id} with {arguments}")
}

pub fn result_line(id: &str, name: &str, failed: bool, said: &[String]) -> String {
    format!("user: {name} as {id} failed={failed} gave {said:?}")
}

/// `schema` is JSON.
pub fn offer_line(name: &str, description: &str, strict: bool, schema: &str) -> String {
    format!("tool {name} {description:?} strict={strict} {schema}")
}

fn text_of(part: &Part) -> String {
    match &part.body {
        PartBody::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn part_line(who: &str, part: &Part) -> String {
    match &part.body {
        PartBody::Text(text) => said_line(who, text),
        PartBody::Image(Image { source, detail }) => {
            let detail = detail.iter().map(|detail| format!(" {detail}"));
            source_line(who, source) + &detail.collect::<String>()
        }
        PartBody::Document(Document { source, title, .. }) => {
            format!("{} {title:?}", source_line(who, source))
        }
        PartBody::Call(call) => {
            let ToolCall { id, name, .. } = call;
            call_line(
                id,
                name,
                &serde_json::Value::Object(call.arguments()).to_string(),
            )
        }
        PartBody::Result(ToolResult {
            call_id,
            name,
            parts,
            is_error,
        }) => {
            let said: Vec<String> = parts.iter().map(|part| part_line("it", part)).collect();
            result_line(call_id, name.as_deref().unwrap_or("?"), *is_error, &said)
        }
        other => format!("{who}: {other:?}"),
    }
}

fn source_line(who: &str, source: &Source) -> String {
    match source {
        Source::Base64 { media_type, data } => inline_line(who, media_type, data),
        Source::Url(url) => link_line(who, url),
        other => format!("{who}: {other:?}"),
    }
}

fn tool_line(tool: &Tool) -> String {
    match tool {
        Tool::Function {
            name,
            description,
            schema,
            strict,
            ..
        } => {
            let schema = schema.as_ref().map(ToString::to_string).unwrap_or_default();
            let description = description.as_deref().unwrap_or_default();
            offer_line(name, description, *strict == Some(true), &schema)
        }
        other => format!("{other:?}"),
    }
}

/// How the answer is to be made. A line for each thing that is said; what is a default is not said.
fn setting_lines(request: &ChatRequest) -> Vec<String> {
    let sampling = &request.sampling;
    let choice = request.tool_choice.as_ref();
    let may_call = choice != Some(&ToolChoice::None);
    let single = may_call && request.parallel_tools == Some(false);
    let effort = request.reasoning.as_ref().and_then(|asked| asked.effort());
    let tier = request.service_tier.as_deref().map(|tier| match tier {
        "standard_only" => "default",
        tier => tier,
    });
    let said = [
        choice
            .filter(|choice| **choice != ToolChoice::Auto)
            .map(choice_line),
        single.then(|| "one call at a time".to_owned()),
        request.stream.then(|| "stream".to_owned()),
        setting("max_tokens", sampling.max_tokens),
        setting("temperature", sampling.temperature),
        setting("top_p", sampling.top_p),
        setting("top_k", sampling.top_k),
        (!sampling.stop.is_empty()).then(|| stop_line(&sampling.stop)),
        setting("seed", sampling.seed),
        setting("presence_penalty", sampling.presence_penalty),
        setting("frequency_penalty", sampling.frequency_penalty),
        setting("logprobs", sampling.logprobs),
        setting("top_logprobs", sampling.top_logprobs),
        setting("effort", effort.map(|effort| effort.as_str())),
        request.format.as_ref().and_then(format_line),
        setting("verbosity", request.verbosity.as_deref()),
        setting("tier", tier),
        setting("user", request.user.as_deref()),
        setting("prompt_cache_key", request.prompt_cache_key.as_deref()),
        setting(
            "metadata",
            request
                .metadata
                .as_ref()
                .map(|labels| format!("{labels:?}")),
        ),
    ];
    said.into_iter().flatten().collect()
}

/// `name: value`, where there is one.
pub fn setting(name: &str, value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| format!("{name}: {value}"))
}

pub fn stop_line(stop: &[String]) -> String {
    format!("stop: {stop:?}")
}

pub fn choice_line(choice: &ToolChoice) -> String {
    format!("choice: {choice:?}")
}

/// The form of the answer; text is the default.
pub fn format_line(format: &Format) -> Option<String> {
    Some(match format {
        Format::Text => return None,
        Format::Json => "format: json".to_owned(),
        Format::Schema {
            name,
            description,
            schema,
            strict,
        } => {
            let name = name.as_deref().unwrap_or("answer");
            let strict = *strict == Some(true);
            format!("format: {name} {description:?} strict={strict} {schema}")
        }
    })
}
