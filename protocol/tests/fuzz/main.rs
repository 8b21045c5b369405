//! Converters under inputs that nobody meant: what comes from a client or an upstream may be anything.
//!
//! Each target takes mutations of what stands in the transcripts, documents made of their words, and
//! noise. It fails at a panic, at an event out of order, at written JSON or a written stream that its
//! dialect does not allow, and where the way a stream is cut into chunks makes a difference. `growth`
//! fails where an input that doubles costs four times as much.
//!
//! `scripts/fuzz [target] [seconds]` runs them for longer and in release mode. A failure leaves its input
//! in a file and says how to play it again.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "all of this binary is a test, also what is outside its functions"
)]

mod byte_mutation;
mod corpus;
mod drive;
#[path = "../golden/file.rs"]
mod file;
mod growth;
mod json_mutation;
mod order;
mod random;
mod sse_mutation;
mod strict;
mod targets;

use corpus::Kind;
use drive::drive;
use random::Random;
use serde_json::Value;
use sse_mutation::Event;
use troupe_protocol::dialect::{Client, Dialect};

/// A body: a mutated one of the corpus for the most part.
fn body(corpus: &[Value], random: &mut Random) -> Vec<u8> {
    let donor = random.of_these(corpus).clone();
    let mut value = match random.below(16) {
        0 => return byte_mutation::noise(random),
        1 => json_mutation::invented(random, &donor, 5),
        _ => random.of_these(corpus).clone(),
    };
    for _ in 0..random.below(6) {
        let (random, donor) = (&mut *random, &donor);
        json_mutation::Mutator { random, donor }.mutate(&mut value);
    }
    some_bytes_changed(value.to_string().into_bytes(), random)
}

fn stream(corpus: &[Vec<Event>], random: &mut Random) -> Vec<u8> {
    if random.one_in(20) {
        return byte_mutation::noise(random);
    }
    let mut events = random.of_these(corpus).clone();
    for _ in 0..random.below(8) {
        let donors = random.of_these(corpus);
        if !donors.is_empty() {
            sse_mutation::mutate(&mut events, donors, random);
        }
    }
    let stream = sse_mutation::print(&events, random);
    some_bytes_changed(stream, random)
}

/// One in five is changed further.
fn some_bytes_changed(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    if random.one_in(5) {
        for _ in 0..=random.below(3) {
            byte_mutation::mutate(&mut bytes, random);
        }
    }
    bytes
}

fn requests(target: &str, client: Client) {
    let corpus = corpus::bodies(Kind::Request, client.dialect());
    drive(
        target,
        |random| body(&corpus, random),
        |body| targets::request(client, body),
    );
}

fn answers(target: &str, dialect: Dialect) {
    let corpus = corpus::bodies(Kind::Answer, dialect);
    drive(
        target,
        |random| body(&corpus, random),
        |body| targets::answer(dialect, body),
    );
}

fn streams(target: &str, dialect: Dialect) {
    let corpus = corpus::streams(dialect);
    drive(
        target,
        |random| stream(&corpus, random),
        |bytes| targets::stream(dialect, bytes),
    );
}

#[test]
fn scanner() {
    let corpus: Vec<Vec<Event>> = Dialect::ALL.into_iter().flat_map(corpus::streams).collect();
    drive(
        "scanner",
        |random| stream(&corpus, random),
        targets::scanner,
    );
}

#[test]
fn request_openai_chat() {
    requests("request_openai_chat", Client::OpenaiChat);
}

#[test]
fn request_openai_responses() {
    requests("request_openai_responses", Client::OpenaiResponses);
}

#[test]
fn request_anthropic() {
    requests("request_anthropic", Client::Anthropic);
}

#[test]
fn answer_openai_chat() {
    answers("answer_openai_chat", Dialect::OpenaiChat);
}

#[test]
fn answer_openai_responses() {
    answers("answer_openai_responses", Dialect::OpenaiResponses);
}

#[test]
fn answer_anthropic() {
    answers("answer_anthropic", Dialect::Anthropic);
}

#[test]
fn answer_gemini() {
    answers("answer_gemini", Dialect::Gemini);
}

#[test]
fn stream_openai_chat() {
    streams("stream_openai_chat", Dialect::OpenaiChat);
}

#[test]
fn stream_openai_responses() {
    streams("stream_openai_responses", Dialect::OpenaiResponses);
}

#[test]
fn stream_anthropic() {
    streams("stream_anthropic", Dialect::Anthropic);
}

#[test]
fn stream_gemini() {
    streams("stream_gemini", Dialect::Gemini);
}
