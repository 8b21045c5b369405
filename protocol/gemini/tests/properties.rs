//! What holds of any answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answers::{ending, events, piece, stream, streamed};
use crate::{
    chat::{Block, ChatEvent},
    gemini::read_answer,
};

fn json_value() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(
        &[
            "candidates",
            "content",
            "parts",
            "text",
            "thought",
            "thoughtSignature",
            "functionCall",
            "name",
            "id",
            "args",
            "finishReason",
            "usageMetadata",
            "promptTokenCount",
            "promptFeedback",
            "blockReason",
            "modelVersion",
            "error",
            "code",
            "details",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(STOP|SAFETY|é\"\\\\|[a-z]{0,4})".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..5).prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// Whether the events are in the order that every writer relies on.
fn is_orderly(events: &[ChatEvent]) -> bool {
    let mut open = false;
    events.iter().enumerate().all(|(at, event)| match event {
        ChatEvent::Start { .. } => at == 0,
        ChatEvent::Open(_) => !std::mem::replace(&mut open, true),
        ChatEvent::Delta(_) | ChatEvent::Seal(_) | ChatEvent::Logprobs(_) => open,
        ChatEvent::Close => std::mem::replace(&mut open, false),
        ChatEvent::Finish { .. } => !open && at + 1 == events.len(),
        ChatEvent::Error { .. } => at + 1 == events.len(),
        ChatEvent::Ping => true,
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_fail(value in json_value(), more in json_value()) {
        let _ = read_answer(value.to_string().as_bytes());
        let seen = streamed(&[value, more, ending(json!([{"text": "x"}]), "STOP")]);
        prop_assert!(is_orderly(&seen), "{:?}", seen);
    }

    #[test]
    fn any_parts_keep_the_order(kinds in proptest::collection::vec((0usize..4, any::<bool>()), 0..12), whole in any::<bool>()) {
        let parts: Vec<Value> = kinds.iter().map(|(kind, signed)| {
            let mut part = [
                json!({"text": "a"}),
                json!({"text": ""}),
                json!({"text": "b", "thought": true}),
                json!({"functionCall": {"name": "f", "args": {"x": 1}}}),
            ][*kind].clone();
            if *signed {
                part["thoughtSignature"] = json!("c2ln");
            }
            part
        }).collect();
        let mut pieces: Vec<Value> = match whole {
            true => vec![piece(json!(parts))],
            false => parts.into_iter().map(|part| piece(json!([part]))).collect(),
        };
        pieces.push(ending(json!([]), "STOP"));
        let seen = streamed(&pieces);
        prop_assert!(is_orderly(&seen), "{:?}", seen);
        let finished = matches!(seen.last(), Some(ChatEvent::Finish { .. }));
        prop_assert!(finished, "{:?}", seen);
        // no block is empty, unless it is a call or has a seal
        for pair in seen.windows(2) {
            let stray = matches!(pair, [ChatEvent::Open(Block::Text | Block::Thinking), ChatEvent::Close]);
            prop_assert!(!stray, "{:?}", seen);
        }
    }

    #[test]
    fn any_split_gives_the_same_events(cuts in proptest::collection::vec(0usize..700, 0..8)) {
        let text = stream(&[
            piece(json!([{"text": "héllo 😀", "thought": true}])),
            piece(json!([{"text": "a\n\"b\""}])),
            ending(json!([{"functionCall": {"name": "f", "args": {"x": "ü"}}}]), "STOP"),
        ]);
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(events(&chunks), events(&[bytes]));
    }
}
