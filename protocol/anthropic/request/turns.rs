//! The conversation, written under Anthropic's rules: turns alternate, the user's comes first, results
//! stand before all else in theirs, no block is empty.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{tools::MAX_NAME, write::Writer};
use crate::{
    anthropic::block::{Block, CacheControl, Content, Source as WireSource, Turn},
    chat::{
        Cache, ConvertError, Document, Part, PartBody, Role, Source, Thinking, ToolCall,
        ToolResult,
        tools::{is_plain, short},
    },
    dialect::Dialect,
};

const USER: &str = "user";
const ASSISTANT: &str = "assistant";

/// What the user says where the conversation begins with the assistant, or has nothing but
/// instructions: Anthropic refuses both.
const OPENING: &str = "Start.";

/// Longer ids are not known to be taken.
const MAX_ID: usize = 64;

type Blocks<'a> = Vec<Block<'a>>;

impl<'a> Writer<'a> {
    /// The turns, and the instructions that stood between them, which belong at the end of `system`:
    /// not all models take them in mid-conversation.
    ///
    /// # Errors
    /// When a part cannot be said in this dialect.
    pub(super) fn write_turns(&mut self) -> Result<(Vec<Turn<'a>>, Blocks<'a>), ConvertError> {
        let (mut turns, mut late_system) = (Vec::new(), Vec::new());
        for message in &self.request.messages {
            let blocks = self.write_parts(&message.parts)?;
            match message.role {
                Role::User => turns.push((USER, blocks)),
                Role::Assistant => turns.push((ASSISTANT, blocks)),
                Role::System => late_system.extend(blocks.into_iter().filter(Block::is_text)),
            }
        }
        let mut turns = merged(turns);
        for turn in &mut turns {
            settle(turn);
        }
        let turns = turns.into_iter().map(|turn| (turn.role, turn.content.0));
        let mut turns = merged(turns.collect());
        settle_ends(&mut turns);
        let mut blocks = turns.iter().flat_map(|turn| &turn.content.0);
        self.has_thinking = blocks.any(Block::is_thinking);
        Ok((turns, late_system))
    }

    fn write_parts(&mut self, parts: &'a [Part]) -> Result<Blocks<'a>, ConvertError> {
        let mut blocks = Vec::with_capacity(parts.len());
        for part in parts {
            blocks.extend(self.write_part(part)?);
        }
        Ok(blocks)
    }

    /// A part; none where there is nothing to write of it.
    fn write_part(&mut self, part: &'a Part) -> Result<Option<Block<'a>>, ConvertError> {
        let cache = part.cache.as_ref();
        let cache_control = CacheControl::of(cache);
        Ok(match &part.body {
            PartBody::Text(text) | PartBody::Refusal(text) => Block::text(text, cache),
            PartBody::Image(image) => {
                let source = self.write_image(&image.source)?;
                Some(Block::Image {
                    source,
                    cache_control,
                })
            }
            PartBody::Document(document) => self.write_document(document, cache)?,
            PartBody::Audio { .. } => {
                let reason = "the model's provider takes no sound; send its text";
                return Err(self.refuse(reason));
            }
            PartBody::Call(call) => Some(self.write_call(call, cache_control)),
            PartBody::Result(result) => Some(self.write_result(result, cache_control)?),
            PartBody::Thinking(thinking) => self.write_thinking(thinking),
        })
    }

    fn write_image(&self, source: &'a Source) -> Result<WireSource<'a>, ConvertError> {
        Ok(match source {
            Source::Base64 { media_type, data } => {
                // what many write, and Anthropic does not know
                let media_type = match media_type.as_str() {
                    "image/jpg" => "image/jpeg",
                    other => other,
                };
                WireSource::Base64 { media_type, data }
            }
            Source::Url(url) => WireSource::Url { url },
            Source::FileId(file_id) => self.write_file(file_id)?,
            Source::Text(_) => return Err(self.refuse("a picture cannot be given as text")),
        })
    }

    fn write_document(
        &self,
        document: &'a Document,
        cache: Option<&'a Cache>,
    ) -> Result<Option<Block<'a>>, ConvertError> {
        let source = match &document.source {
            Source::Base64 { media_type, data } if media_type.starts_with("text/") => {
                let text = BASE64_STANDARD.decode(data).ok();
                let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
                let reason = "a file of text has to be UTF-8 in base64";
                plain(text.ok_or_else(|| self.refuse(reason))?)
            }
            Source::Base64 { media_type, data } if media_type == "application/pdf" => {
                WireSource::Base64 { media_type, data }
            }
            Source::Base64 { .. } => {
                let reason = "the model's provider reads PDF and plain text files only; convert the file, or send its text";
                return Err(self.refuse(reason));
            }
            Source::Text(text) => plain(text.clone()),
            Source::Url(url) => WireSource::Url { url },
            Source::FileId(file_id) => self.write_file(file_id)?,
        };
        if matches!(&source, WireSource::Text { data, .. } if data.trim().is_empty()) {
            return Ok(None);
        }
        Ok(Some(Block::Document {
            source,
            title: document.title.as_deref(),
            context: document.context.as_deref(),
            cache_control: CacheControl::of(cache),
        }))
    }

    fn write_file(&self, file_id: &'a str) -> Result<WireSource<'a>, ConvertError> {
        if self.request.dialect == Dialect::Anthropic {
            return Ok(WireSource::File { file_id });
        }
        let reason = "a file that was uploaded to another provider is not known there; send its content in place of its id";
        Err(self.refuse(reason))
    }

    fn write_call(
        &mut self,
        call: &ToolCall,
        cache_control: Option<CacheControl<'a>>,
    ) -> Block<'a> {
        self.calls += 1;
        Block::ToolUse {
            id: call_id(&call.id, self.calls),
            name: self.tools.offer(&call.name, MAX_NAME, call.custom),
            input: call.arguments(),
            cache_control,
        }
    }

    fn write_result(
        &mut self,
        result: &'a ToolResult,
        cache_control: Option<CacheControl<'a>>,
    ) -> Result<Block<'a>, ConvertError> {
        self.results += 1;
        Ok(Block::ToolResult {
            tool_use_id: call_id(&result.call_id, self.results),
            content: Content(self.write_parts(&result.parts)?),
            is_error: result.is_error,
            cache_control,
        })
    }

    /// Thoughts that Anthropic signed itself. Unsigned ones and those of others it refuses.
    fn write_thinking(&self, thinking: &'a Thinking) -> Option<Block<'a>> {
        let seal = thinking.seal.as_ref()?;
        let own = seal.by == Dialect::Anthropic && !seal.data.is_empty();
        (own && self.encoding.keep_thinking).then(|| Block::thoughts(thinking))
    }

    /// The refusal of something in the conversation.
    fn refuse(&self, reason: &str) -> ConvertError {
        ConvertError::new(self.named("messages", "input", "messages"), reason)
    }
}

fn plain<'a>(data: String) -> WireSource<'a> {
    let media_type = "text/plain";
    WireSource::Text { media_type, data }
}

/// An id of the form that Anthropic takes, the same for a call and its result. Where the caller's
/// dialect has none, calls and results are matched by their order.
fn call_id(id: &str, number: usize) -> String {
    if id.is_empty() {
        return format!("toolu_{number}");
    }
    if id.bytes().all(is_plain) {
        return id.to_owned();
    }
    short(id, MAX_ID)
}

/// Joins neighbours of the same role; turns without blocks are left out.
fn merged<'a>(turns: Vec<(&'static str, Blocks<'a>)>) -> Vec<Turn<'a>> {
    let mut out: Vec<Turn<'a>> = Vec::with_capacity(turns.len());
    for (role, blocks) in turns {
        match out.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == role => last.content.0.extend(blocks),
            _ => out.push(Turn {
                role,
                content: Content(blocks),
            }),
        }
    }
    out
}

/// Puts results first, and takes off thoughts that nothing follows: Anthropic refuses a turn that ends
/// in them.
fn settle(turn: &mut Turn<'_>) {
    let blocks = &mut turn.content.0;
    if turn.role == USER {
        blocks.sort_by_key(|block| !block.is_result());
        return;
    }
    while blocks.last().is_some_and(Block::is_thinking) {
        blocks.pop();
    }
}

/// Makes the conversation begin with the user, and lets no space stand at the end of an answer that is
/// to be gone on with, which Anthropic refuses.
fn settle_ends(turns: &mut Vec<Turn<'_>>) {
    if let Some(Turn {
        role: ASSISTANT,
        content: Content(blocks),
    }) = turns.last_mut()
        && let Some(Block::Text { text, .. }) = blocks.last_mut()
    {
        *text = text.trim_end();
    }
    if turns.first().is_none_or(|first| first.role != USER) {
        let blocks = Block::text(OPENING, None).into_iter().collect();
        let opening = Turn {
            role: USER,
            content: Content(blocks),
        };
        turns.insert(0, opening);
    }
}

/// Whether the turn that is under way has begun without thoughts. With a thinking budget Anthropic then
/// refuses to go on: in its eyes all since the user's last own words, calls and results and calls
/// again, is one turn of the assistant.
pub(super) fn lacks_thoughts(turns: &[Turn<'_>]) -> bool {
    let own_words =
        |turn: &Turn<'_>| turn.role == USER && !turn.content.0.iter().any(Block::is_result);
    let begin = turns.iter().rposition(own_words).map_or(0, |at| at + 1);
    let first = turns[begin..].iter().find(|turn| turn.role == ASSISTANT);
    first.is_some_and(|turn| !turn.content.0.first().is_some_and(Block::is_thinking))
}
