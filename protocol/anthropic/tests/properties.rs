//! What holds for every request and every stream.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{
    ENCODING, message, part,
    stream_read::{events_of, full, sse},
    stream_write::write_all,
};
use crate::{
    anthropic::{EventReader, read_answer, read_request, usage_of_body, write_request},
    chat::{
        Cache, ChatEvent, ChatRequest, Document, Encoding, Image, Message, Part, PartBody,
        ReadEvents, Reply, Role, Seal, Source, Thinking, Tool, ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect,
    sse::SseEvent,
};

fn text() -> impl Strategy<Value = String> {
    "[a-zä😀\"\\\\ ]{0,6}[a-z.]"
}

fn cache() -> impl Strategy<Value = Option<Cache>> {
    option::weighted(0.2, option::of(select(&["5m", "1h"][..]))).prop_map(|cache| {
        cache.map(|ttl| Cache {
            ttl: ttl.map(str::to_owned),
        })
    })
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        Just(Source::from_url("data:image/png;base64,AAAA")),
        Just(Source::Url("https://x/y".to_owned())),
        "file_[a-z]{3}".prop_map(Source::FileId),
    ]
}

/// Parts that a user, and a tool, may give.
fn given() -> impl Strategy<Value = Part> {
    let image = source().prop_map(|source| {
        PartBody::Image(Image {
            source,
            detail: None,
        })
    });
    let document =
        (text(), option::of(text()), option::of(text())).prop_map(|(data, title, context)| {
            let source = Source::Text(data);
            PartBody::Document(Document {
                source,
                title,
                context,
            })
        });
    let body = prop_oneof![text().prop_map(PartBody::Text), image, document];
    (body, cache()).prop_map(|(body, cache)| Part { body, cache })
}

fn thinking() -> impl Strategy<Value = Part> {
    let redacted = Seal {
        id: Some("redacted".to_owned()),
        ..Seal::new(Dialect::Anthropic, "blob")
    };
    let redacted = Thinking {
        text: String::new(),
        seal: Some(redacted),
    };
    let signed = (text(), "[a-z]{4}").prop_map(|(text, data)| Thinking {
        text,
        seal: Some(Seal::new(Dialect::Anthropic, data)),
    });
    prop_oneof![signed, Just(redacted)].prop_map(|thinking| part(PartBody::Thinking(thinking)))
}

/// A question, and perhaps the steps to its answer: thoughts, a text, a call with its result.
fn exchange(number: usize) -> impl Strategy<Value = Vec<Message>> {
    let step = (
        option::of(thinking()),
        text(),
        "[a-z_]{1,8}",
        vec(given(), 0..3),
        any::<bool>(),
    );
    (vec(given(), 1..3), option::of(step)).prop_map(move |(asked, step)| {
        let mut messages = vec![message(Role::User, asked)];
        let Some((thinking, said, name, found, is_error)) = step else {
            return messages;
        };
        let id = format!("toolu_{number}");
        let call = PartBody::Call(ToolCall {
            id: id.clone(),
            name: name.clone(),
            input: json!({"said": said}).to_string(),
            custom: false,
            seal: None,
        });
        let result = PartBody::Result(ToolResult {
            call_id: id,
            name: Some(name),
            parts: found,
            is_error,
        });
        let mut answered: Vec<Part> = thinking.into_iter().collect();
        answered.extend([Part::text(said.clone()), part(call)]);
        messages.extend([
            message(Role::Assistant, answered),
            message(Role::User, vec![part(result)]),
            message(Role::Assistant, vec![Part::text(said)]),
        ]);
        messages
    })
}

/// A question without an answer merges with the next one: that is the same conversation.
fn merged(messages: Vec<Message>) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::new();
    for next in messages {
        match out.last_mut() {
            Some(last) if last.role == next.role => last.parts.extend(next.parts),
            _ => out.push(next),
        }
    }
    out
}

fn request() -> impl Strategy<Value = ChatRequest> {
    let messages = (exchange(1), exchange(2), exchange(3))
        .prop_map(|(first, second, third)| merged([first, second, third].concat()));
    let system = vec((text(), cache()), 0..3);
    let sampling = (
        option::of(1u64..9_000),
        option::of(select(&[0.0, 0.25, 0.75][..])),
        option::of(1u64..50),
        vec("[a-z]{1,4}", 0..3),
    );
    let tool = ("[a-z]{1,8}", option::of(text()), cache());
    let choice = option::of(select(vec![
        ToolChoice::Auto,
        ToolChoice::None,
        ToolChoice::Required,
    ]));
    let rest = (
        any::<bool>(),
        option::of("[a-z]{4}"),
        option::of(any::<bool>()),
        choice,
    );
    (messages, system, sampling, vec(tool, 1..3), rest).prop_map(
        |(messages, system, sampling, tools, (stream, user, parallel, choice))| {
            let mut request = ChatRequest::new(Dialect::Anthropic, ENCODING.model);
            request.messages = messages;
            let system = system.into_iter();
            request.system = system
                .map(|(text, cache)| Part {
                    body: PartBody::Text(text),
                    cache,
                })
                .collect();
            let (max_tokens, temperature, top_k, stop) = sampling;
            request.sampling.max_tokens = max_tokens.or(Some(ENCODING.default_max_tokens));
            request.sampling.temperature = temperature;
            request.sampling.top_k = top_k;
            request.sampling.stop = stop;
            let tools = tools.into_iter();
            request.tools = tools
                .map(|(name, description, cache)| Tool::Function {
                    name,
                    description,
                    schema: Some(json!({"type": "object", "properties": {}})),
                    strict: None,
                    cache,
                })
                .collect();
            request.stream = stream;
            request.user = user;
            request.parallel_tools = parallel.filter(|_| choice == Some(ToolChoice::Required));
            request.tool_choice = choice;
            request
        },
    )
}

fn json_value() -> impl Strategy<Value = Value> {
    let word = select(
        &[
            "text",
            "thinking",
            "tool_use",
            "tool_result",
            "image",
            "document",
            "user",
            "assistant",
            "enabled",
            "json_schema",
            "base64",
            "content",
            "message_start",
            "content_block_start",
            "content_block_delta",
            "message_delta",
            "message_stop",
            "error",
            "text_delta",
        ][..],
    );
    let key = select(
        &[
            "type",
            "role",
            "content",
            "text",
            "thinking",
            "signature",
            "data",
            "id",
            "name",
            "input",
            "source",
            "media_type",
            "messages",
            "system",
            "tools",
            "tool_choice",
            "output_config",
            "format",
            "metadata",
            "usage",
            "message",
            "delta",
            "content_block",
            "index",
            "stop_reason",
            "model",
            "cache_control",
            "tool_use_id",
            "output_tokens",
            "error",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let entries = vec((key.clone(), inner.clone()), 0..6);
        let object = entries.prop_map(|entries| {
            let entries = entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value));
            Value::Object(entries.collect::<Map<_, _>>())
        });
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object]
    })
}

proptest! {
    #[test]
    fn a_request_keeps_its_meaning(request in request()) {
        let encoded = write_request(&request, &ENCODING).unwrap();
        prop_assert!(encoded.losses.is_empty(), "{}", encoded.losses);
        let mut again = read_request(&encoded.body).unwrap();
        // a break between exchanges falls where the results stood: they come first again
        again.messages = merged(again.messages);
        let mut expected = request;
        expected.parallel_tools = expected.parallel_tools.filter(|parallel| !parallel);
        prop_assert_eq!(again, expected);
    }

    #[test]
    fn any_split_of_a_stream_gives_the_same(cuts in vec(0usize..4_000, 0..12), end: bool) {
        let stream = sse(&full());
        let whole = events_of(stream.as_bytes(), &[], end);
        prop_assert_eq!(events_of(stream.as_bytes(), &cuts, end), whole);
    }

    #[test]
    fn nothing_makes_a_reader_fail(value in json_value(), model in option::of(text())) {
        let mut request = json!({"messages": value.clone()});
        request["model"] = json!(model);
        for body in [value.to_string(), request.to_string(), json!({"content": value}).to_string()] {
            if let Ok(request) = read_request(body.as_bytes()) {
                for keep_thinking in [true, false] {
                    let _ = write_request(&request, &Encoding { keep_thinking, ..ENCODING });
                }
            }
            let _ = read_answer(body.as_bytes());
            let _ = usage_of_body(body.as_bytes());
        }
    }

    #[test]
    fn what_is_read_is_in_order_and_can_be_written(values in vec(json_value(), 0..10), named: bool) {
        let kinds = ["message_start", "content_block_start", "content_block_delta", "message_delta"];
        let mut reader = EventReader::new();
        let mut events = Vec::new();
        for (at, mut value) in values.into_iter().enumerate() {
            if named && value.is_object() {
                value["type"] = json!(kinds[at % kinds.len()]);
            }
            let data = value.to_string();
            let event = SseEvent { name: b"", data: data.as_bytes(), at: 0..0 };
            reader.read(&event, &mut events);
        }
        reader.end(&mut events);
        let mut open = false;
        for event in &events {
            match event {
                ChatEvent::Open(_) => prop_assert!(!std::mem::replace(&mut open, true)),
                ChatEvent::Close => prop_assert!(std::mem::take(&mut open)),
                ChatEvent::Delta(_) | ChatEvent::Seal(_) => prop_assert!(open),
                ChatEvent::Finish { .. } => prop_assert!(!open),
                _ => {}
            }
        }
        write_all(events, Reply::default());
    }

    #[test]
    fn no_bytes_make_it_fail(body in vec(any::<u8>(), 0..80)) {
        let _ = read_request(&body);
        let _ = read_answer(&body);
        let _ = events_of(&body, &[], true);
    }
}
