//! The built-in provider: offline, free, and the same answer to the same question every time.
//!
//! | model | answers | made by |
//! |---|---|---|
//! | `demo-chat` | a helpful canned text, whole or as a stream | [`chat`] |
//! | `demo-embed` | a vector of hashed syllables | [`embed`] |
//! | `demo-image` | a landscape from the prompt and seed | [`draw`] |
//!
//! [`respond`] is a pure function from a request's body to what an OpenAI-compatible upstream would
//! send, so a demo call takes the same way through the gateway as any other.

pub mod chat;
pub mod draw;
pub mod embed;
mod upstream;

pub use upstream::Demo;

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use derive_more::{Display, Error, From};
use serde::Deserialize;
use serde_json::{Map, json};
use troupe_protocol::{
    openai::{
        chat::{ChatReply, DONE, last_user_text},
        embeddings::{EmbeddingInput, EmbeddingsRequest, render_embeddings},
        images::{ImageAnswer, ImageItem, ImageRequest},
        request_error::RequestError,
    },
    usage::Usage,
};

use self::draw::DrawError;

pub const CHAT_MODEL: &str = "demo-chat";
pub const EMBED_MODEL: &str = "demo-embed";
pub const IMAGE_MODEL: &str = "demo-image";
/// The models of the provider.
pub const MODELS: [&str; 3] = [CHAT_MODEL, IMAGE_MODEL, EMBED_MODEL];

/// The most pictures of one request.
pub const MAX_PICTURES: u32 = 4;
/// How much of a prompt is read.
const PROMPT_CHARS: usize = 100_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoSurface {
    /// `include_usage` adds the event that tells the usage at the end of a stream.
    Chat {
        stream: bool,
        include_usage: bool,
    },
    Embeddings,
    Images,
}

/// A request to the provider.
#[derive(Debug, Clone, Copy)]
pub struct DemoRequest<'a> {
    pub surface: DemoSurface,
    /// One of [`MODELS`].
    pub model: &'a str,
    /// The model as the client named it, which is what the answer names.
    pub named: &'a str,
    pub body: &'a [u8],
    /// Unique, for the `id` of chat answers.
    pub id: &'a str,
    /// Unix seconds.
    pub now: u64,
}

/// What the upstream would send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemoResponse {
    /// `application/json`.
    Whole(Bytes),
    /// `text/event-stream`, an event each.
    Events(Vec<Bytes>),
}

/// Why there is no answer.
#[derive(Debug, Display, Error, From)]
pub enum DemoError {
    /// The client's fault.
    Request(RequestError),
    /// A picture could not be encoded: ours.
    #[from(skip)]
    Encode(DrawError),
}

/// Answers. Blocks while it draws (0.1 s per megapixel): call it off the async threads for
/// [`DemoSurface::Images`].
///
/// # Errors
/// See [`DemoError`].
pub fn respond(request: &DemoRequest<'_>) -> Result<DemoResponse, DemoError> {
    let (fitting, serves) = match request.surface {
        DemoSurface::Chat { .. } => (CHAT_MODEL, "chat"),
        DemoSurface::Embeddings => (EMBED_MODEL, "embeddings"),
        DemoSurface::Images => (IMAGE_MODEL, "images"),
    };
    if request.model != fitting {
        let expected = format!(
            "the demo provider serves {serves} with `{fitting}`, not with `{}`",
            request.model
        );
        return Err(invalid("model", expected).into());
    }
    match request.surface {
        DemoSurface::Chat {
            stream,
            include_usage,
        } => chat_answer(request, stream, include_usage).map_err(DemoError::from),
        DemoSurface::Embeddings => embeddings_answer(request).map_err(DemoError::from),
        DemoSurface::Images => images_answer(request),
    }
}

fn chat_answer(
    request: &DemoRequest<'_>,
    stream: bool,
    include_usage: bool,
) -> Result<DemoResponse, RequestError> {
    let prompt = last_user_text(request.body, PROMPT_CHARS)?.unwrap_or_default();
    let answer = chat::answer(&prompt).limited_to(token_limit(request.body)?);
    let usage = Usage {
        prompt: answer.prompt_tokens,
        completion: answer.completion_tokens,
        ..Usage::default()
    };
    let finish = if answer.truncated { "length" } else { "stop" };
    let reply = ChatReply {
        id: request.id,
        model: request.named,
        created: request.now,
    };
    if !stream {
        let whole = reply.answer(&answer.text(), finish, &usage);
        return Ok(DemoResponse::Whole(whole));
    }
    let mut events = Vec::with_capacity(answer.pieces.len() + 4);
    events.push(reply.role_event());
    events.extend(answer.pieces.iter().map(|piece| reply.text_event(piece)));
    events.push(reply.finish_event(finish));
    if include_usage {
        events.push(reply.usage_event(&usage));
    }
    events.push(DONE);
    Ok(DemoResponse::Events(events))
}

/// The limit that the client sets on the length of the answer, under its new or its old name.
fn token_limit(body: &[u8]) -> Result<u64, RequestError> {
    #[derive(Deserialize)]
    struct Limits {
        #[serde(default)]
        max_completion_tokens: Option<u64>,
        #[serde(default)]
        max_tokens: Option<u64>,
    }
    let refused = |_| {
        let expected =
            "write a whole number, 1 at least, in `max_tokens` or `max_completion_tokens`";
        invalid("max_tokens", expected)
    };
    let limits: Limits = serde_json::from_slice(body).map_err(refused)?;
    let limit = limits.max_completion_tokens.or(limits.max_tokens);
    Ok(limit.unwrap_or(u64::MAX).max(1))
}

fn embeddings_answer(request: &DemoRequest<'_>) -> Result<DemoResponse, RequestError> {
    let asked = EmbeddingsRequest::parse(request.body)?;
    let dimensions = match asked.dimensions {
        Some(dimensions) => embed::dimensions(u64::from(dimensions))
            .map_err(|error| invalid("dimensions", error.to_string()))?,
        None => embed::DEFAULT_DIMENSIONS,
    };
    let texts: Vec<(Cow<'_, str>, u64)> = asked.inputs.iter().map(text_and_tokens).collect();
    let vectors: Vec<Vec<f32>> = texts
        .iter()
        .map(|(text, _)| embed::embed(text, dimensions))
        .collect();
    let tokens = texts.iter().map(|(_, tokens)| tokens).sum();
    let body = render_embeddings(request.named, &vectors, asked.encoding, tokens);
    Ok(DemoResponse::Whole(body))
}

/// Tokens are not turned back into text: their numbers are the words.
fn text_and_tokens(input: &EmbeddingInput) -> (Cow<'_, str>, u64) {
    match input {
        EmbeddingInput::Text(text) => (text.into(), chat::estimate_tokens(text)),
        EmbeddingInput::Tokens(tokens) => {
            let words: Vec<String> = tokens.iter().map(u32::to_string).collect();
            (words.join(" ").into(), tokens.len() as u64)
        }
    }
}

fn images_answer(request: &DemoRequest<'_>) -> Result<DemoResponse, DemoError> {
    let asked = ImageRequest::parse(request.body)?;
    let count = asked.n.unwrap_or(1);
    if count > MAX_PICTURES {
        let expected = format!("`{IMAGE_MODEL}` draws 1 to {MAX_PICTURES} pictures at a time");
        return Err(invalid("n", expected).into());
    }
    let (width, height) = asked
        .pixels()?
        .unwrap_or((draw::DEFAULT_SIDE, draw::DEFAULT_SIDE));
    let seed = asked.seed.unwrap_or(0);
    let mut data = Vec::with_capacity(count as usize);
    for picture in 0..count {
        let seed = seed.wrapping_add(u64::from(picture));
        let png = draw::draw(&asked.prompt, seed, width, height).map_err(refused_size)?;
        data.push(ImageItem {
            url: None,
            b64_json: Some(BASE64_STANDARD.encode(png).into()),
            rest: Map::from_iter([("seed".to_owned(), seed.into())]),
        });
    }
    let tokens = chat::estimate_tokens(&asked.prompt);
    let usage = json!({"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens});
    let answer = ImageAnswer {
        created: request.now,
        data,
        rest: Map::from_iter([("usage".to_owned(), usage)]),
    };
    Ok(DemoResponse::Whole(answer.render()))
}

fn refused_size(error: DrawError) -> DemoError {
    match error {
        DrawError::Size { .. } => invalid("size", error.to_string()).into(),
        DrawError::Encode(_) => DemoError::Encode(error),
    }
}

fn invalid(param: &'static str, expected: impl Into<Cow<'static, str>>) -> RequestError {
    RequestError::Invalid {
        param: param.into(),
        expected: expected.into(),
    }
}

#[cfg(test)]
mod tests;
