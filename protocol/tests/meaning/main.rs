//! What is said in one dialect is said in the others.
//!
//! A request goes from its own dialect into another one and back, an answer from an upstream's dialect
//! into a client's, whole and as a stream in chunks of any size. What both dialects can say must be said,
//! nothing may be reported as lost, and each end must read the same. What only one of them can say
//! stands in the transcripts.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this binary is a test, also what is outside its functions"
)]

mod answers;
mod gemini;
mod outline;
mod requests;
mod streams;

use proptest::{prelude::*, test_runner::TestRunner};
use troupe_protocol::{
    chat::{ChatRequest, Encoding},
    convert,
    dialect::{Client, Dialect},
};

/// The dialects that both ends of a conversion speak.
#[derive(Debug, Clone, Copy)]
struct Pair(Dialect, Dialect);

impl Pair {
    /// Whether both of them are among these.
    fn is_within(self, dialects: &[Dialect]) -> bool {
        dialects.contains(&self.0) && dialects.contains(&self.1)
    }
}

/// The client's dialect and another one.
fn pairs() -> impl Iterator<Item = (Client, Dialect)> {
    let others = |client: Client| {
        let others = Dialect::ALL.into_iter();
        let others = others.filter(move |other| *other != client.dialect());
        others.map(move |other| (client, other))
    };
    Client::ALL.into_iter().flat_map(others)
}

/// The client that speaks a dialect; none speaks Gemini's.
fn client_of(dialect: Dialect) -> Option<Client> {
    let speaks = |client: &Client| client.dialect() == dialect;
    Client::ALL.into_iter().find(speaks)
}

/// Checks a property with as many values as `PROPTEST_CASES` says.
fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    if let Err(failure) = runner.run(&strategy, property) {
        panic!("{failure}");
    }
}

/// The request as an upstream of the dialect gets it. Nothing may be lost on the way.
fn written(dialect: Dialect, request: &ChatRequest) -> Result<Vec<u8>, TestCaseError> {
    let encoding = Encoding {
        model: requests::model(dialect, request),
        default_max_tokens: 1,
        ask_usage: true,
        keep_thinking: true,
        openai_fields: true,
        call_signatures: false,
    };
    let encoded = convert::write_request(dialect, request, &encoding);
    let encoded = encoded.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let lost: Vec<&str> = encoded
        .losses
        .iter()
        .filter(|path| !requests::MAY_BE_LOST.contains(path))
        .collect();
    prop_assert!(lost.is_empty(), "{dialect} loses {lost:?}");
    Ok(encoded.body.to_vec())
}

fn read(client: Client, body: &[u8]) -> Result<ChatRequest, TestCaseError> {
    let text = || String::from_utf8_lossy(body).into_owned();
    convert::read_request(client, body)
        .map_err(|error| TestCaseError::fail(format!("{error}: {}", text())))
}

#[test]
fn a_request_keeps_its_meaning_through_another_dialect() {
    for (client, other) in pairs() {
        let Some(between) = client_of(other) else {
            continue;
        };
        let pair = Pair(client.dialect(), other);
        check(requests::request(pair), |asked| {
            let asked_for = outline::of(&asked);
            let body = written(client.dialect(), &asked)?;
            let first = read(client, &body)?;
            prop_assert_eq!(
                &outline::of(&first),
                &asked_for,
                "{} reads its own",
                client.dialect()
            );
            let body = written(other, &first)?;
            let there = read(between, &body)?;
            prop_assert_eq!(&outline::of(&there), &asked_for, "{:?}: there", pair);
            let body = written(client.dialect(), &there)?;
            let back = read(client, &body)?;
            prop_assert_eq!(&outline::of(&back), &asked_for, "{:?}: and back", pair);
            Ok(())
        });
    }
}

#[test]
fn a_request_keeps_its_meaning_for_gemini() {
    for client in Client::ALL {
        let pair = Pair(client.dialect(), Dialect::Gemini);
        check(requests::request(pair), |asked| {
            let asked_for = outline::of(&asked);
            let own = written(client.dialect(), &asked)?;
            let body = written(Dialect::Gemini, &read(client, &own)?)?;
            let there = gemini::outline(&serde_json::from_slice(&body).unwrap());
            prop_assert_eq!(there, asked_for, "{:?}", pair);
            Ok(())
        });
    }
}

#[test]
fn an_answer_keeps_its_meaning() {
    for (client, upstream) in pairs() {
        let pair = Pair(upstream, client.dialect());
        check(answers::answer(pair), |said| {
            let body = answers::written(upstream, &said);
            let got = convert::read_answer(upstream, &body).unwrap();
            prop_assert_eq!(
                &answers::outline(&got),
                &answers::outline(&said),
                "{:?}: read",
                pair
            );
            let body = convert::write_answer(client, &got, &answers::reply());
            let told = convert::read_answer(client.dialect(), &body).unwrap();
            prop_assert_eq!(
                answers::outline(&told),
                answers::outline(&said),
                "{:?}",
                pair
            );
            Ok(())
        });
    }
}

#[test]
fn a_stream_keeps_its_meaning_however_it_is_cut() {
    for (client, upstream) in pairs() {
        let pair = Pair(upstream, client.dialect());
        let size = 1usize..200;
        check((answers::answer(pair), size), |(said, size)| {
            let stream = streams::written(upstream, said.clone());
            let whole = streams::converted(upstream, client, &stream, stream.len());
            let pieces = streams::converted(upstream, client, &stream, size);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            prop_assert_eq!(text(&pieces), text(&whole), "{:?}: the chunks", pair);
            let told = streams::read(client.dialect(), &whole);
            prop_assert_eq!(
                answers::outline(&told),
                answers::outline(&said),
                "{:?}",
                pair
            );
            Ok(())
        });
    }
}
