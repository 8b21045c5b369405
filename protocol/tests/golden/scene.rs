//! Sections, played one after the other.

use std::sync::Arc;

use serde_json::Value;
use troupe_protocol::{
    chat::{Encoding, Reply, StreamFault, ToolNames},
    convert,
    dialect::{Client, Dialect},
    openai::error::ErrorCode,
    sse::{SseEvent, SseScanner},
    stream_converter::StreamConverter,
};

use super::{file::Section, print::print};

/// What has been read so far.
#[derive(Default)]
pub struct Scene {
    request: Option<(Client, String)>,
    source: Option<(Kind, Dialect, String)>,
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Answer,
    Stream,
}

impl Scene {
    /// What a section with `as` should hold; none for one with a source, which is kept.
    pub fn play(&mut self, section: &Section) -> Option<String> {
        let words: Vec<&str> = section.head.split(' ').collect();
        let (dialect, kind) = match *words {
            ["as", target] => return Some(self.become_of(dialect(target), None)),
            ["as", target, model] => return Some(self.become_of(dialect(target), Some(model))),
            [name, "request"] => (dialect(name), Kind::Request),
            [name, "answer"] => (dialect(name), Kind::Answer),
            [name, "stream"] => (dialect(name), Kind::Stream),
            _ => panic!("a section begins with `=== {}`", section.head),
        };
        let text = section.body.clone();
        if let Kind::Request = kind {
            self.request = Some((client(dialect), text.clone()));
        }
        self.source = Some((kind, dialect, text));
        None
    }

    fn become_of(&self, target: Dialect, model: Option<&str>) -> String {
        let (kind, dialect, text) = self.source.as_ref().expect("a source comes first");
        match kind {
            Kind::Request => request(client(*dialect), text, target, model),
            Kind::Answer => {
                let reply = self.reply(*dialect, client(target));
                answer(*dialect, text, client(target), &reply)
            }
            Kind::Stream => {
                let reply = self.reply(*dialect, client(target));
                stream(*dialect, text, client(target), &reply)
            }
        }
    }

    /// What the writer of an answer knows; the tools' names are those of the request before it.
    fn reply(&self, upstream: Dialect, client: Client) -> Reply {
        let tools = match &self.request {
            Some((asked, text)) if *asked == client => names(client, text, upstream),
            _ => ToolNames::default(),
        };
        let id = match client {
            Client::OpenaiChat => "chatcmpl-1",
            Client::OpenaiResponses => "resp_1",
            Client::Anthropic => "msg_1",
        };
        Reply {
            id: id.to_owned(),
            created: 1_700_000_000,
            model: "client-model".to_owned(),
            include_usage: true,
            tools: Arc::new(tools),
            ..Reply::default()
        }
    }
}

fn dialect(name: &str) -> Dialect {
    let known = |dialect: &Dialect| dialect.to_string() == name;
    let found = Dialect::ALL.into_iter().find(known);
    found.unwrap_or_else(|| panic!("there is no dialect `{name}`"))
}

fn client(dialect: Dialect) -> Client {
    let speaks = |client: &Client| client.dialect() == dialect;
    let found = Client::ALL.into_iter().find(speaks);
    found.unwrap_or_else(|| panic!("no client speaks `{dialect}`"))
}

fn encoding<'a>(target: Dialect, model: Option<&'a str>) -> Encoding<'a> {
    let usual = match target {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => "gpt-5",
        Dialect::Anthropic => "claude-sonnet-4-5",
        Dialect::Gemini => "gemini-2.5-flash",
    };
    Encoding {
        model: model.unwrap_or(usual),
        default_max_tokens: 4_096,
        ask_usage: true,
        keep_thinking: true,
        openai_fields: true,
        call_signatures: false,
    }
}

fn names(client: Client, text: &str, upstream: Dialect) -> ToolNames {
    let request = convert::read_request(client, text.as_bytes()).unwrap();
    let encoding = encoding(upstream, None);
    let encoded = convert::write_request(upstream, &request, &encoding);
    encoded.unwrap().tools
}

fn request(client: Client, text: &str, target: Dialect, model: Option<&str>) -> String {
    let request = match convert::read_request(client, text.as_bytes()) {
        Ok(request) => request,
        Err(error) => return format!("refused: {error}"),
    };
    let encoded = match convert::write_request(target, &request, &encoding(target, model)) {
        Ok(encoded) => encoded,
        Err(error) => return format!("refused: {error}"),
    };
    let body = pretty(&encoded.body);
    match encoded.losses.is_empty() {
        true => body,
        false => format!("dropped: {}\n{body}", encoded.losses),
    }
}

fn answer(upstream: Dialect, text: &str, client: Client, reply: &Reply) -> String {
    // in the form that upstreams send, without the file's line breaks
    let answer: Value = serde_json::from_str(text).unwrap();
    match convert::read_answer(upstream, answer.to_string().as_bytes()) {
        Ok(answer) => pretty(&convert::write_answer(client, &answer, reply)),
        Err(error) => format!("refused: {error}"),
    }
}

/// The stream, fed in three ways.
fn stream(upstream: Dialect, text: &str, client: Client, reply: &Reply) -> String {
    // the file's last blank line is not the section's
    let text = format!("{text}\n\n");
    let play = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let reader = convert::event_reader(upstream);
        let writer = convert::event_writer(client, reply.clone());
        let mut converter = StreamConverter::new(reader, writer, 1 << 20);
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&converter.push(chunk).unwrap());
        }
        out.extend_from_slice(&converter.finish());
        out.extend_from_slice(&last_words(&mut converter));
        String::from_utf8(out).unwrap()
    };
    let whole = play(&mut std::iter::once(text.as_bytes()));
    assert_eq!(play(&mut text.as_bytes().chunks(1)), whole, "byte by byte");
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(play(&mut crlf.as_bytes().chunks(7)), whole, "with CRLF");
    check_events(&whole);
    whole.trim_matches('\n').to_owned()
}

/// What a client is told when the stream broke off.
fn last_words(converter: &mut StreamConverter) -> Vec<u8> {
    let seen = converter.seen().clone();
    let (code, message) = match &seen.error {
        Some(error) => (ErrorCode::from(error.kind), error.message.clone()),
        None if seen.done => return Vec::new(),
        None => (ErrorCode::UpstreamCut, None),
    };
    let fault = StreamFault {
        code,
        message: message.as_deref().unwrap_or("the upstream failed"),
        request_id: "req_1",
    };
    converter.fail(&fault).to_vec()
}

/// Every event is JSON, but for `[DONE]`.
fn check_events(stream: &str) {
    let mut scanner = SseScanner::new(1 << 20);
    let check = |event: SseEvent<'_>| {
        let is_json = serde_json::from_slice::<Value>(event.data).is_ok();
        assert!(is_json || event.data == b"[DONE]", "{event:?}");
    };
    scanner.feed(stream.as_bytes(), check).unwrap();
    assert!(!scanner.in_event(), "the last event is complete");
}

/// A section with a source, as it is written into the file: its JSON in the form of the others.
pub fn tidy(section: &Section) -> String {
    match section.head.ends_with("stream") {
        true => section.body.clone(),
        false => pretty(section.body.as_bytes()),
    }
}

fn pretty(json: &[u8]) -> String {
    print(&serde_json::from_slice(json).unwrap())
}
