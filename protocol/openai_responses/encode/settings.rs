//! How the answer is to be made, and what cannot be said of it.

use super::wire;
use crate::{
    chat::{ChatRequest, ConvertError, Format, Losses},
    dialect::Dialect,
};

/// The least that the upstream takes as `max_output_tokens`.
const MIN_TOKENS: u64 = 16;

/// Notes the settings that this dialect does not have.
///
/// Stop sequences are among them: an answer may go on past one. They are not a reason to refuse, since
/// most clients that send them do so always and cut the text themselves.
pub(super) fn note_lost(request: &ChatRequest, losses: &mut Losses) -> Result<(), ConvertError> {
    let sampling = &request.sampling;
    if sampling.n.is_some_and(|n| n > 1) {
        let reason = "it gives one answer at a time; send the request several times";
        return Err(ConvertError::new("n", reason));
    }
    losses.note_if(sampling.stop.first(), stop_name(request.dialect));
    losses.note_if(sampling.top_k.as_ref(), "top_k");
    losses.note_if(sampling.seed.as_ref(), "seed");
    losses.note_if(sampling.presence_penalty.as_ref(), "presence_penalty");
    losses.note_if(sampling.frequency_penalty.as_ref(), "frequency_penalty");
    losses.note_if(sampling.logit_bias.as_ref(), "logit_bias");
    Ok(())
}

fn stop_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => "stop",
        Dialect::Anthropic => "stop_sequences",
        Dialect::Gemini => "stopSequences",
    }
}

/// The limit of the answer; a smaller one than the upstream takes is raised, which is noted.
pub(super) fn max_tokens(request: &ChatRequest, losses: &mut Losses) -> Option<u64> {
    let given = request.sampling.max_tokens?;
    if given < MIN_TOKENS {
        losses.note(match request.dialect {
            Dialect::OpenaiChat => "max_completion_tokens",
            Dialect::OpenaiResponses => "max_output_tokens",
            Dialect::Anthropic => "max_tokens",
            Dialect::Gemini => "maxOutputTokens",
        });
    }
    Some(given.max(MIN_TOKENS))
}

/// What the answer is to hold besides: always the encrypted thoughts, since nothing is stored upstream.
pub(super) fn include(request: &ChatRequest) -> Vec<&'static str> {
    let logprobs = request.sampling.logprobs == Some(true);
    let mut include = vec!["reasoning.encrypted_content"];
    include.extend(logprobs.then_some("message.output_text.logprobs"));
    include
}

/// How much to think. Clients of the other dialects see thoughts unasked, so a summary is asked for.
///
/// That Anthropic's clients switch thinking off is their dialect's normal state, which many models of this
/// one could only refuse: then nothing is said.
pub(super) fn reasoning(request: &ChatRequest) -> Option<wire::Reasoning<'_>> {
    let asked = request.reasoning.as_ref()?;
    if asked.is_off() && request.dialect == Dialect::Anthropic {
        return None;
    }
    let shows_thoughts = request.dialect != Dialect::OpenaiResponses && !asked.is_off();
    let reasoning = wire::Reasoning {
        effort: asked.effort().map(|effort| effort.as_str()),
        summary: asked
            .summary
            .as_deref()
            .or(shows_thoughts.then_some("auto")),
    };
    (reasoning.effort.is_some() || reasoning.summary.is_some()).then_some(reasoning)
}

pub(super) fn text(request: &ChatRequest) -> Option<wire::Text<'_>> {
    let format = request.format.as_ref().map(|format| match format {
        Format::Text => wire::Format::Text,
        Format::Json => wire::Format::JsonObject,
        Format::Schema {
            name,
            description,
            schema,
            strict,
        } => wire::Format::JsonSchema {
            name: name.as_deref().unwrap_or("answer"),
            description: description.as_deref(),
            schema,
            strict: strict.unwrap_or(false),
        },
    });
    let verbosity = request.verbosity.as_deref();
    (format.is_some() || verbosity.is_some()).then_some(wire::Text { format, verbosity })
}

/// Anthropic's word for what is not the priority tier is another.
pub(super) fn service_tier(request: &ChatRequest) -> Option<&str> {
    match request.service_tier.as_deref() {
        Some("standard_only") if request.dialect == Dialect::Anthropic => Some("default"),
        tier => tier,
    }
}
