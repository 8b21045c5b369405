//! Content blocks of a client's request, read.

use std::collections::HashMap;

use serde_json::Value;

use super::fields::{Fields, entries, invalid};
use crate::{
    anthropic::block::{redacted, signed},
    chat::{
        Cache, Document, Image, Losses, Part, PartBody, Source, Thinking, ToolCall, ToolResult,
    },
    openai::request_error::RequestError,
};

/// Reads blocks in the order of the conversation, so that a tool's result finds its call.
pub(super) struct BlockReader<'a> {
    pub(super) unread: &'a mut Losses,
    /// The names of the called tools, by the calls' ids.
    called: HashMap<String, String>,
}

type Read<T> = Result<T, RequestError>;

impl<'a> BlockReader<'a> {
    pub(super) fn new(unread: &'a mut Losses) -> Self {
        let called = HashMap::new();
        Self { unread, called }
    }

    /// Reads a list of blocks. A block that stands for nothing in our form is noted and left out.
    pub(super) fn read_list(&mut self, list: Value, path: &str) -> Read<Vec<Part>> {
        let mut parts = Vec::new();
        for (path, block) in entries(list, path)? {
            self.read_block(Fields::of(block, path.clone())?, path, &mut parts)?;
        }
        Ok(parts)
    }

    fn read_block(&mut self, mut block: Fields, path: String, parts: &mut Vec<Part>) -> Read<()> {
        let kind = block.required("type")?;
        let cache = self.read_cache(&mut block)?;
        let from = parts.len();
        match &*kind {
            "text" => parts.push(PartBody::Text(block.required("text")?).into()),
            "image" => parts.extend(self.read_image(&mut block)?),
            "document" => self.read_document(&mut block, parts)?,
            "search_result" => parts.push(self.read_search_result(&mut block)?),
            "thinking" => parts.push(read_thoughts(&mut block)?),
            "redacted_thinking" => {
                let thinking = redacted(&block.required("data")?);
                parts.push(PartBody::Thinking(thinking).into());
            }
            "tool_use" => parts.push(self.read_call(&mut block)?),
            "tool_result" => parts.push(self.read_result(&mut block)?),
            // what a tool of the provider's own did, files in its containers, and what is new
            _ => {
                self.unread.note(path);
                return Ok(());
            }
        }
        // a breakpoint stands behind all that the block became
        if let Some(last) = parts[from..].last_mut() {
            last.cache = cache;
        }
        block.finish(self.unread);
        Ok(())
    }

    fn read_cache(&mut self, block: &mut Fields) -> Read<Option<Cache>> {
        read_cache(block, self.unread)
    }

    fn read_image(&mut self, block: &mut Fields) -> Read<Option<Part>> {
        let path = block.path_of("source.type");
        let source = self.read_source(block)?;
        if matches!(source, Some(Source::Text(_))) {
            return Err(invalid(path, "`base64`, `url` or `file`"));
        }
        let image = source.map(|source| Image {
            source,
            detail: None,
        });
        Ok(image.map(|image| PartBody::Image(image).into()))
    }

    /// A document may hold blocks: their texts are its text, pictures stand behind it.
    fn read_document(&mut self, block: &mut Fields, parts: &mut Vec<Part>) -> Read<()> {
        let title = block.text("title")?;
        let context = block.text("context")?;
        let mut pictures = Vec::new();
        let source = match self.take_content_source(block)? {
            Some(content) => {
                let (text, others) = split_texts(content);
                pictures = others;
                Some(Source::Text(text))
            }
            None => self.read_source(block)?,
        };
        let document = source.map(|source| Document {
            source,
            title,
            context,
        });
        parts.extend(document.map(|document| Part::from(PartBody::Document(document))));
        parts.extend(pictures);
        Ok(())
    }

    /// The parts of `source: {"type":"content","content":…}`.
    fn take_content_source(&mut self, block: &mut Fields) -> Read<Option<Vec<Part>>> {
        let path = block.path_of("source.content");
        let Some(source) = block.take("source") else {
            return Ok(None);
        };
        if source["type"] != "content" {
            block.put("source", source);
            return Ok(None);
        }
        let mut source = Fields::of(source, block.path_of("source"))?;
        source.take("type");
        let parts = match source.take("content") {
            Some(Value::String(text)) => vec![Part::text(text)],
            Some(list) => self.read_list(list, &path)?,
            None => Vec::new(),
        };
        source.finish(self.unread);
        Ok(Some(parts))
    }

    /// Where bytes are; none, and noted, where it is in a way that only Anthropic knows.
    fn read_source(&mut self, block: &mut Fields) -> Read<Option<Source>> {
        let path = block.path_of("source");
        let Some(mut source) = block.object("source")? else {
            return Err(RequestError::Missing { param: path.into() });
        };
        let read = match &*source.required("type")? {
            "base64" => Source::Base64 {
                media_type: source.required("media_type")?,
                data: source.required("data")?,
            },
            "text" => {
                source.take("media_type");
                Source::Text(source.required("data")?)
            }
            "url" => Source::Url(source.required("url")?),
            "file" => Source::FileId(source.required("file_id")?),
            _ => {
                self.unread.note(path);
                return Ok(None);
            }
        };
        source.finish(self.unread);
        Ok(Some(read))
    }

    /// What a search of the caller's own found, as one text.
    fn read_search_result(&mut self, block: &mut Fields) -> Read<Part> {
        let title = block.text("title")?.unwrap_or_default();
        let source = block.text("source")?.unwrap_or_default();
        let path = block.path_of("content");
        let content = block.take("content").unwrap_or(Value::Array(Vec::new()));
        let (text, _) = split_texts(self.read_list(content, &path)?);
        let said = [title, source, text];
        let lines: Vec<String> = said.into_iter().filter(|line| !line.is_empty()).collect();
        Ok(Part::text(lines.join("\n")))
    }

    fn read_call(&mut self, block: &mut Fields) -> Read<Part> {
        let id = block.required("id")?;
        let name = block.required("name")?;
        let input = match block.take("input") {
            None => "{}".to_owned(),
            Some(input @ Value::Object(_)) => input.to_string(),
            Some(_) => return Err(invalid(block.path_of("input"), "an object")),
        };
        // who called: the model itself, or its code, which no one else can tell
        let caller = block.take("caller");
        if caller.is_some_and(|caller| caller["type"] != "direct") {
            self.unread.note(block.path_of("caller"));
        }
        self.called.insert(id.clone(), name.clone());
        let call = ToolCall {
            id,
            name,
            input,
            custom: false,
            seal: None,
        };
        Ok(PartBody::Call(call).into())
    }

    fn read_result(&mut self, block: &mut Fields) -> Read<Part> {
        let call_id = block.required("tool_use_id")?;
        let path = block.path_of("content");
        let parts = match block.take("content") {
            None => Vec::new(),
            Some(Value::String(text)) => vec![Part::text(text)],
            Some(list @ Value::Array(_)) => self.read_list(list, &path)?,
            Some(_) => return Err(invalid(path, "a string or an array of blocks")),
        };
        let result = ToolResult {
            name: self.called.get(&call_id).cloned(),
            call_id,
            parts,
            is_error: block.get("is_error", "true or false")?.unwrap_or(false),
        };
        Ok(PartBody::Result(result).into())
    }
}

/// `cache_control` of a block or a tool.
pub(super) fn read_cache(fields: &mut Fields, unread: &mut Losses) -> Read<Option<Cache>> {
    let Some(mut cache) = fields.object("cache_control")? else {
        return Ok(None);
    };
    cache.take("type");
    let ttl = cache.text("ttl")?;
    cache.finish(unread);
    Ok(Some(Cache { ttl }))
}

fn read_thoughts(block: &mut Fields) -> Read<Part> {
    let text = block.text("thinking")?.unwrap_or_default();
    let signature = block.text("signature")?.unwrap_or_default();
    let seal = signed(&signature);
    Ok(PartBody::Thinking(Thinking { text, seal }).into())
}

/// The texts, joined by blank lines, and all that is none.
fn split_texts(parts: Vec<Part>) -> (String, Vec<Part>) {
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    for part in parts {
        match part.body {
            PartBody::Text(text) => texts.push(text),
            _ => others.push(part),
        }
    }
    (texts.join("\n\n"), others)
}
