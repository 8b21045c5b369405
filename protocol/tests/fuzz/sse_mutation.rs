//! Streams that are almost right.

use serde_json::Value;
use troupe_protocol::sse::SseScanner;

use super::{json_mutation::Mutator, random::Random};

/// An event of a stream, in pieces.
#[derive(Debug, Clone)]
pub struct Event {
    name: Vec<u8>,
    data: Result<Value, Vec<u8>>,
}

/// The events of a stream that is all right.
pub fn events(stream: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut scanner = SseScanner::new(usize::MAX);
    let mut add = |event: troupe_protocol::sse::SseEvent<'_>| {
        events.push(Event {
            name: event.name.to_vec(),
            data: serde_json::from_slice(event.data).map_err(|_| event.data.to_vec()),
        });
    };
    scanner.feed(stream, &mut add).unwrap();
    scanner.finish(add);
    events
}

/// Changes some events, or what they hold.
pub fn mutate(events: &mut Vec<Event>, donors: &[Event], random: &mut Random) {
    let donor = random.of_these(donors).clone();
    let at = random.below(events.len());
    match random.below(8) {
        0 if !events.is_empty() => drop(events.remove(at)),
        1 if !events.is_empty() => {
            let event = events[at].clone();
            let to = random.below(events.len() + 1);
            events.insert(to, event);
        }
        2 if !events.is_empty() => {
            let other = random.below(events.len());
            events.swap(at, other);
        }
        3 => events.insert(at, donor),
        4 if !events.is_empty() => events[at].name = donor.name,
        _ => {
            let Some(Ok(value)) = events.get_mut(at).map(|event| event.data.as_mut()) else {
                return;
            };
            let donor = donor.data.unwrap_or(Value::Null);
            let donor = &donor;
            Mutator { random, donor }.mutate(value);
        }
    }
}

/// The stream, its lines ended in one of the ways that the standard knows.
pub fn print(events: &[Event], random: &mut Random) -> Vec<u8> {
    let ends: [&[u8]; 4] = [b"\n", b"\n", b"\r\n", b"\r"];
    let end = *random.of_these(&ends);
    let mut out = Vec::new();
    for Event { name, data } in events {
        if !name.is_empty() {
            out.extend_from_slice(&[b"event: ", &name[..], end].concat());
        }
        let data = match data {
            Ok(value) => value.to_string().into_bytes(),
            Err(text) => text.clone(),
        };
        out.extend_from_slice(&[b"data: ", &data[..], end, end].concat());
        if random.one_in(40) {
            out.extend_from_slice(&[b": note", end, end].concat());
        }
    }
    out
}
