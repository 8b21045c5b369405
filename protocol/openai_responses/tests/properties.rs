use super::{
    super::{
        EventReader, EventWriter, history, read_answer, read_failure, read_request, watch,
        write_answer, write_request,
    },
    read_in, reply,
    strategies::{NAMES, blocks, json_value, request},
};
use crate::{
    chat::{
        Block, ChatAnswer, ChatEvent, Encoding, Part, PartBody, ReadEvents, Seal, Stop, Thinking,
        ToolCall, WriteEvents,
    },
    openai::stream::StreamSeen,
    sse::SseEvent,
};
use proptest::prelude::*;

const ENCODING: Encoding<'_> = Encoding {
    model: "m",
    default_max_tokens: 1,
    ask_usage: false,
    keep_thinking: true,
    openai_fields: true,
    call_signatures: false,
};

fn without_ids(body: PartBody) -> PartBody {
    match body {
        PartBody::Thinking(Thinking { text, seal }) => PartBody::Thinking(Thinking {
            text,
            seal: seal.map(|seal| Seal { id: None, ..seal }),
        }),
        body => body,
    }
}

/// The blocks of a stream's events, put together; nothing where the order is not kept.
fn collected(events: &[ChatEvent]) -> Option<Vec<PartBody>> {
    let (mut blocks, mut open) = (Vec::new(), None::<(Block, String, Option<Seal>)>);
    for event in events {
        match event {
            ChatEvent::Open(block) => {
                let before = open.replace((block.clone(), String::new(), None));
                before.is_none().then_some(())?;
            }
            ChatEvent::Delta(text) => open.as_mut()?.1.push_str(text),
            ChatEvent::Seal(seal) => open.as_mut()?.2 = Some(seal.clone()),
            ChatEvent::Close => {
                let (block, text, seal) = open.take()?;
                blocks.push(match block {
                    Block::Text => PartBody::Text(text),
                    Block::Refusal => PartBody::Refusal(text),
                    Block::Thinking => PartBody::Thinking(Thinking { text, seal }),
                    Block::Call { id, name, custom } => PartBody::Call(ToolCall {
                        id,
                        name,
                        input: text,
                        custom,
                        seal,
                    }),
                });
            }
            _ => {}
        }
    }
    open.is_none().then_some(blocks)
}

fn answer(blocks: &[PartBody]) -> ChatAnswer {
    let has_calls = blocks.iter().any(|body| matches!(body, PartBody::Call(_)));
    ChatAnswer {
        model: Some("m".to_owned()),
        parts: blocks.iter().cloned().map(Part::from).collect(),
        stop: Stop::End.with_calls(has_calls),
        usage: None,
        service_tier: None,
        logprobs: None,
    }
}

proptest! {
    #[test]
    fn a_request_keeps_its_meaning(request in request()) {
        let encoded = write_request(&request, &ENCODING).unwrap();
        prop_assert!(encoded.losses.is_empty(), "{}", encoded.losses);
        prop_assert_eq!(read_request(&encoded.body).unwrap(), request);
    }

    #[test]
    fn an_answer_keeps_its_meaning(blocks in blocks()) {
        let answer = answer(&blocks);
        let mut read = read_answer(&write_answer(&answer, &reply())).unwrap();
        read.parts = read.parts.into_iter().map(|part| without_ids(part.body).into()).collect();
        // the request's own tier is repeated where the upstream names none
        read.service_tier = None;
        prop_assert_eq!(read, answer);
    }

    #[test]
    fn a_stream_keeps_its_meaning_however_it_is_cut(blocks in blocks(), size in 1usize..60) {
        let mut writer = EventWriter::new(reply());
        let mut out = Vec::new();
        for event in answer(&blocks).into_events() {
            writer.write(event, &mut out);
        }
        let stream = String::from_utf8(out).unwrap();
        let events = read_in(&stream, size);
        let told = collected(&events).unwrap().into_iter().map(without_ids);
        prop_assert_eq!(told.collect::<Vec<_>>(), blocks);
        let starts = events.iter().filter(|event| matches!(event, ChatEvent::Start { .. })).count();
        prop_assert_eq!(starts, 1);
        let ended = matches!(events.last(), Some(ChatEvent::Finish { .. }));
        prop_assert!(ended);
    }

    #[test]
    fn nothing_makes_it_panic(values in prop::collection::vec((prop::sample::select(NAMES), json_value()), 0..8)) {
        let (mut reader, mut seen, mut out) = (EventReader::new(), StreamSeen::default(), Vec::new());
        for (name, value) in values {
            let body = value.to_string();
            let event = SseEvent { name: name.as_bytes(), data: body.as_bytes(), at: 0..0 };
            reader.read(&event, &mut out);
            watch(&event, &mut seen);
            if let Ok(request) = read_request(body.as_bytes()) {
                let _ = write_request(&request, &ENCODING);
            }
            let _ = read_answer(body.as_bytes());
            let _ = read_failure(body.as_bytes());
            let _ = history::head(body.as_bytes());
            let turn = history::Turn { input: value.clone(), output: value };
            let _ = history::with_history(body.as_bytes(), &[turn]);
            if let Ok(items) = history::input_items(body.as_bytes()) {
                let _ = history::listed_items(items, "resp_1");
            }
        }
        // a writer takes whatever a reader gives
        let mut writer = EventWriter::new(reply());
        out.retain(|event| !matches!(event, ChatEvent::Error { .. }));
        super::write(&mut writer, out);
    }

    #[test]
    fn no_bytes_make_it_panic(name in prop::sample::select(NAMES), data in prop::collection::vec(any::<u8>(), 0..60)) {
        let event = SseEvent { name: name.as_bytes(), data: &data, at: 0..0 };
        EventReader::new().read(&event, &mut Vec::new());
        watch(&event, &mut StreamSeen::default());
        let _ = read_request(&data);
        let _ = read_answer(&data);
    }
}
