//! Golden transcripts: what each dialect becomes in each other one, in files that people read.
//!
//! A file in `transcripts/` says in its first lines what it shows. Then come sections:
//!
//! | head | what stands below it |
//! |---|---|
//! | `=== anthropic request` | a client's request; so too `answer` and `stream` of an upstream |
//! | `=== as gemini` | what the section with a source above becomes in that dialect |
//!
//! A third word of `as` names the upstream's model. Below `as` for a request, a line `dropped: …` tells
//! what is lost on the way; `refused: …` stands alone. An answer or a stream after a request in the same
//! file is the one that the request got, so its tools go by the names that were made for it.
//!
//! Streams are fed whole, byte by byte, and with every line ended by CRLF: all must come to the same.
//!
//! `UPDATE_TRANSCRIPTS=1 cargo test -p troupe-protocol --test transcripts` writes the expectations
//! anew. Read what it wrote before you keep it.

#![expect(
    clippy::unwrap_used,
    reason = "all of this binary is a test, also what is outside its function"
)]

mod file;
mod print;
mod scene;

use std::{env, fs, path::PathBuf};

use file::Transcript;
use scene::Scene;

#[test]
fn every_transcript_is_as_it_says() {
    let update = env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let mut faults = Vec::new();
    let files = files();
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        let mut transcript = Transcript::parse(&text);
        let mut scene = Scene::default();
        for section in &mut transcript.sections {
            let Some(made) = scene.play(section) else {
                section.body = scene::tidy(section);
                continue;
            };
            if !update && made != section.body {
                let path = path.display();
                let (head, body) = (&section.head, &section.body);
                faults.push(format!("{path}: === {head}\n{made}\n--- expected\n{body}"));
            }
            section.body = made;
        }
        if update {
            fs::write(path, transcript.to_string()).unwrap();
        }
    }
    assert!(files.len() > 20, "the transcripts are not found");
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// All files below `transcripts/`, in order.
fn files() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut folders = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    files
}
