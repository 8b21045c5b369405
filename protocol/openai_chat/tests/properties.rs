//! What holds for any request, any answer and any stream.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::{
    events_of,
    vocabulary::{answer, any_json, arguments, request},
};
use crate::{
    chat::{Block, ChatAnswer, ChatEvent, Encoding, Reply, WriteEvents},
    openai_chat::{EventWriter, read_answer, read_request, write_answer, write_request},
};

/// The stream of an answer, in this dialect.
fn stream_of(answer: ChatAnswer) -> Vec<u8> {
    let mut writer = EventWriter::new(Reply {
        id: "chatcmpl-1".to_owned(),
        include_usage: true,
        ..Reply::default()
    });
    let mut out = Vec::new();
    for event in answer.into_events() {
        writer.write(event, &mut out);
    }
    out
}

/// The rule of `ChatEvent`: blocks one after the other, nothing after the end.
fn assert_order(events: &[ChatEvent]) {
    let (mut started, mut open, mut over) = (false, false, false);
    for event in events {
        assert!(!over, "{events:?}");
        match event {
            ChatEvent::Start { .. } => assert!(!std::mem::replace(&mut started, true)),
            ChatEvent::Open(_) => assert!(started && !std::mem::replace(&mut open, true)),
            ChatEvent::Delta(text) => assert!(open && !text.is_empty()),
            ChatEvent::Seal(_) | ChatEvent::Logprobs(_) => assert!(open),
            ChatEvent::Close => assert!(std::mem::replace(&mut open, false)),
            ChatEvent::Finish { .. } => {
                assert!(started && !open);
                over = true;
            }
            ChatEvent::Error { .. } => over = true,
            ChatEvent::Ping => {}
        }
    }
}

proptest! {
    #[test]
    fn a_request_keeps_its_meaning(request in request()) {
        let encoding = Encoding {
            model: "m",
            default_max_tokens: 1,
            ask_usage: true,
            keep_thinking: true,
            openai_fields: true,
            call_signatures: true,
        };
        let written = write_request(&request, &encoding).unwrap();
        prop_assert_eq!(written.losses.iter().count(), 0);
        prop_assert_eq!(read_request(&written.body).unwrap(), request);
    }

    #[test]
    fn an_answer_keeps_its_meaning(answer in answer()) {
        let body = write_answer(&answer, &Reply::default());
        prop_assert_eq!(read_answer(&body).unwrap(), answer);
    }

    #[test]
    fn a_stream_keeps_its_meaning_however_it_is_cut(answer in answer(), cuts in vec(0usize..2_000, 0..12)) {
        let stream = stream_of(answer.clone());
        let whole = events_of([&stream[..]]);
        let mut expected = answer.into_events();
        if let Some(ChatEvent::Start { usage, .. }) = expected.first_mut() {
            *usage = None;
        }
        prop_assert_eq!(&whole, &expected);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(events_of(pieces), whole);
    }

    #[test]
    fn alternating_pieces_of_calls_are_put_together(inputs in vec(arguments(), 1..4), step in 1usize..6) {
        let mut chunks = Vec::new();
        let longest = inputs.iter().map(String::len).max().unwrap_or(0);
        for from in (0..longest).step_by(step) {
            for (at, input) in inputs.iter().enumerate() {
                let chars = input.chars().skip(from).take(step);
                let piece: String = chars.collect();
                let mut call = json!({"index": at, "function": {"arguments": piece}});
                if from == 0 {
                    call["id"] = json!(format!("c{at}"));
                    call["function"]["name"] = json!("f");
                }
                chunks.push(json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}));
            }
        }
        chunks.push(json!("[DONE]"));
        let events = events_of([super::stream_of(&chunks).as_bytes()]);
        assert_order(&events);
        let mut seen: Vec<String> = Vec::new();
        for event in events {
            match event {
                ChatEvent::Open(Block::Call { .. }) => seen.push(String::new()),
                ChatEvent::Delta(text) => seen.last_mut().unwrap().push_str(&text),
                _ => {}
            }
        }
        prop_assert_eq!(seen, inputs);
    }

    #[test]
    fn nothing_that_comes_in_makes_it_panic(values in vec(any_json(), 1..4), bytes in vec(any::<u8>(), 0..60)) {
        let _ = read_request(&bytes);
        let _ = read_answer(&bytes);
        assert_order(&events_of([&bytes[..]]));
        for value in &values {
            let body = value.to_string();
            let _ = read_answer(body.as_bytes());
            if let Ok(request) = read_request(body.as_bytes()) {
                let _ = write_request(&request, &Encoding::default());
            }
            let wrapped = json!({"model": "m", "messages": [{"role": "assistant", "content": value, "tool_calls": [value]}, value], "tools": [value]});
            let _ = read_request(wrapped.to_string().as_bytes());
            let answer = json!({"choices": [{"message": value}]});
            if let Ok(answer) = read_answer(answer.to_string().as_bytes()) {
                let _ = write_answer(&answer, &Reply::default());
            }
        }
        let mut chunks: Vec<Value> = values.iter().map(|value| json!({"choices": [{"delta": value}]})).collect();
        chunks.extend(values);
        assert_order(&events_of([super::stream_of(&chunks).as_bytes()]));
    }
}
