//! What the mutations begin from: all that stands in the transcripts, whichever way it was converted.

use std::{fs, path::PathBuf, sync::LazyLock};

use serde_json::Value;
use troupe_protocol::dialect::Dialect;

use super::{
    file::{Section, Transcript},
    sse_mutation::{self, Event},
};

/// What a transcript's section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Request,
    Answer,
    Stream,
}

struct Text {
    kind: Kind,
    dialect: Dialect,
    text: String,
}

static TEXTS: LazyLock<Vec<Text>> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut texts = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        let mut files: Vec<PathBuf> = fs::read_dir(folder.unwrap().path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for path in files {
            let transcript = Transcript::parse(&fs::read_to_string(path).unwrap());
            add(transcript.sections, &mut texts);
        }
    }
    texts
});

/// A section with a source has its kind in its head; those made of it are of the same kind.
fn add(sections: Vec<Section>, texts: &mut Vec<Text>) {
    let mut last = Kind::Request;
    for Section { head, body } in sections {
        let words: Vec<&str> = head.split(' ').collect();
        let (name, kind) = match *words {
            ["as", name] | ["as", name, _] => (name, last),
            [name, "answer"] => (name, Kind::Answer),
            [name, "stream"] => (name, Kind::Stream),
            [name, _] => (name, Kind::Request),
            _ => continue,
        };
        last = kind;
        let known = |dialect: &Dialect| dialect.to_string() == name;
        let dialect = Dialect::ALL.into_iter().find(known).unwrap();
        let text = match body.split_once('\n') {
            Some((first, rest)) if first.starts_with("dropped: ") => rest.to_owned(),
            _ => body,
        };
        let text = text + "\n\n";
        texts.push(Text {
            kind,
            dialect,
            text,
        });
    }
}

fn texts(kind: Kind, dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let fits = move |text: &&Text| text.kind == kind && text.dialect == dialect;
    TEXTS.iter().filter(fits).map(|text| text.text.as_str())
}

/// Bodies of a dialect.
pub fn bodies(kind: Kind, dialect: Dialect) -> Vec<Value> {
    let bodies: Vec<Value> = texts(kind, dialect)
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    assert!(
        bodies.len() > 5,
        "few bodies of {dialect}: {}",
        bodies.len()
    );
    bodies
}

/// Streams of a dialect.
pub fn streams(dialect: Dialect) -> Vec<Vec<Event>> {
    let streams: Vec<Vec<Event>> = texts(Kind::Stream, dialect)
        .map(|text| sse_mutation::events(text.as_bytes()))
        .collect();
    assert!(streams.len() > 2, "few streams of {dialect}");
    streams
}
