//! A request, written for an upstream.
//!
//! | file | what |
//! |---|---|
//! | `wire` | the body's shapes |
//! | `settings` | how the answer is to be made, and what cannot be said of it |
//! | `tools` | tools and the choice among them |
//! | `items` | the conversation as items |
//! | `pieces` | the parts of messages and results |

mod items;
mod pieces;
mod settings;
mod tools;
mod wire;

use std::borrow::Cow;

use self::{items::Items, tools::Offer, wire::Body};
use crate::{
    chat::{ChatRequest, ConvertError, Encoded, Encoding, PartBody, Tool, tools::short},
    dialect::Dialect,
    json,
};

/// The longest name of a tool and id of a call.
const MAX_NAME: usize = 64;

/// Writes a request. The upstream is told to store nothing; what it needs of its own thoughts comes back
/// encrypted instead.
///
/// # Errors
/// Where the dialect cannot say something without which the answer would be another.
pub fn write_request(
    request: &ChatRequest,
    encoding: &Encoding<'_>,
) -> Result<Encoded, ConvertError> {
    let mut losses = request.unread.clone();
    settings::note_lost(request, &mut losses)?;
    if has_cache_hints(request) {
        losses.note("cache_control");
    }
    let mut offer = Offer::of(request, &mut losses)?;
    let items = Items::of(request, encoding.keep_thinking, &mut offer.names)?;
    let has_thinking = items.has_thinking;
    let body = Body {
        model: encoding.model,
        stream: request.stream,
        store: false,
        include: settings::include(request),
        instructions: items::instructions(request),
        input: items.into_list(),
        parallel_tool_calls: request.parallel_tools.filter(|_| !offer.tools.is_empty()),
        tools: offer.tools,
        tool_choice: offer.choice,
        reasoning: settings::reasoning(request),
        text: settings::text(request),
        max_output_tokens: settings::max_tokens(request, &mut losses),
        temperature: request.sampling.temperature,
        top_p: request.sampling.top_p,
        top_logprobs: request.sampling.top_logprobs,
        service_tier: settings::service_tier(request),
        user: request.user.as_deref().map(fit_user),
        metadata: request.metadata.as_ref(),
        prompt_cache_key: request.prompt_cache_key.as_deref(),
    };
    let mut out = Vec::new();
    json::append(&mut out, &body);
    Ok(Encoded {
        body: out.into(),
        losses,
        tools: offer.names,
        has_thinking,
    })
}

/// The field that holds the conversation, in the caller's words.
fn messages_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenaiChat | Dialect::Anthropic => "messages",
        Dialect::OpenaiResponses => "input",
        Dialect::Gemini => "contents",
    }
}

/// An id of a call as the upstream takes it; a call and its result come out alike.
fn fit_id(id: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !id.is_empty() && id.len() <= MAX_NAME && id.bytes().all(plain) {
        true => id.into(),
        false => short(id, MAX_NAME).into(),
    }
}

/// An end user's id is opaque, and refused when it is longer than 64 characters.
fn fit_user(user: &str) -> Cow<'_, str> {
    match user.chars().count() <= MAX_NAME {
        true => user.into(),
        false => short(user, MAX_NAME).into(),
    }
}

fn has_cache_hints(request: &ChatRequest) -> bool {
    let messages = request.messages.iter().flat_map(|message| &message.parts);
    let mut parts = request.system.iter().chain(messages);
    let inside = |body: &PartBody| match body {
        PartBody::Result(result) => result.parts.iter().any(|part| part.cache.is_some()),
        _ => false,
    };
    let mut tools = request.tools.iter();
    parts.any(|part| part.cache.is_some() || inside(&part.body))
        || tools.any(|tool| matches!(tool, Tool::Function { cache: Some(_), .. }))
}
