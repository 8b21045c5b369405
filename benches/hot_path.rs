//! What each request pays in the gateway's own code, step by step. The whole is measured from outside
//! by `scripts/bench`; this tells where a change of it comes from.

use std::hint::black_box;

use actix_web::http::header::HeaderMap;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use troupe::http::conversation;
use troupe_actors::{affinity::Affinity, secrets::KeyedHash};
use troupe_protocol::{
    chat::Reply,
    convert,
    dialect::{Client, Dialect},
    json::check_depth,
    openai::{
        error::{ErrorCode, render_json},
        request::RequestHead,
        stream::StreamTap,
    },
    stream_converter::StreamConverter,
    usage::Usage,
};

fn body() -> bytes::Bytes {
    let text = "say \\\"hello\\\" in as many words as you like. ".repeat(24);
    format!(
        r#"{{"model":"acme/gpt-4o","stream":true,"temperature":0.7,"messages":[{{"role":"user","content":"{text}"}}]}}"#
    )
    .into()
}

fn requests(c: &mut Criterion) {
    let body = body();
    let mut group = c.benchmark_group("request of 1 KB");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("depth", |b| b.iter(|| check_depth(black_box(&body), 128)));
    group.bench_function("head", |b| b.iter(|| RequestHead::parse(black_box(&body))));
    let head = RequestHead::parse(&body).expect("the body is well formed");
    group.bench_function("rewrite", |b| {
        b.iter(|| head.rewrite(black_box(&body), "gpt-4o-2026", true));
    });
    let headers = HeaderMap::new();
    let named = body.strip_suffix(b"}").expect("an object");
    let named = [named, br#","metadata":{"session_id":"0123456789abcdef"}}"#].concat();
    for (name, body) in [("no conversation", &body[..]), ("conversation", &named)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let key = conversation::key(black_box(&headers), black_box(body));
                key.map(|key| Affinity::of("app", &key))
            });
        });
    }
    let hash = KeyedHash::new(&[7; 32], "api-key");
    group.bench_function("key hash", |b| {
        b.iter(|| hash.of(black_box("tp-0123456789abcdefghijklmnopqrstuvwxyzABCDEF")));
    });
    group.finish();
}

fn answers(c: &mut Criterion) {
    let answer = br#"{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello there, how are you?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":16,"total_tokens":27}}"#;
    let mut group = c.benchmark_group("answer");
    group.bench_function("usage", |b| {
        b.iter(|| Usage::from_openai_body(black_box(answer)));
    });
    group.bench_function("error", |b| {
        b.iter(|| {
            render_json(
                ErrorCode::RateLimitExceeded,
                black_box("slow down"),
                None,
                "id",
            )
        });
    });
    group.finish();
}

fn streams(c: &mut Criterion) {
    let event = bytes::Bytes::from_static(
        b"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n",
    );
    let mut group = c.benchmark_group("streamed event");
    group.throughput(Throughput::Elements(1));
    for (name, strip) in [("watched", false), ("usage cut out", true)] {
        let mut tap = StreamTap::new(strip, 1 << 20);
        group.bench_function(name, |b| {
            b.iter(|| tap.push(black_box(event.clone())).map(|out| out.len()));
        });
    }
    group.finish();
}

/// An upstream's stream: how it begins, one of its tokens as the provider itself sends it, how it ends.
struct Upstream {
    dialect: Dialect,
    begin: &'static str,
    token: &'static str,
    end: &'static str,
}

const OPENAI_CHAT: Upstream = Upstream {
    dialect: Dialect::OpenaiChat,
    begin: "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
    token: "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"k3Jq0d\"}\n\n",
    end: "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":256}}\n\ndata: [DONE]\n\n",
};

/// Pieces of a call's arguments in place of text.
const OPENAI_CALL: Upstream = Upstream {
    begin: "data: {\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"write\",\"arguments\":\"{\\\"text\\\":\\\"\"}}]}}]}\n\n",
    token: "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\" tok\\\\n\"}}]},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
    end: "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n",
    ..OPENAI_CHAT
};

const OPENAI_RESPONSES: Upstream = Upstream {
    dialect: Dialect::OpenaiResponses,
    begin: "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"gpt-5\"}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"msg_1\",\"role\":\"assistant\",\"content\":[]}}\n\n",
    token: "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":12,\"item_id\":\"msg_0123456789abcdef0123456789abcdef\",\"output_index\":0,\"content_index\":0,\"delta\":\" token\",\"logprobs\":[],\"obfuscation\":\"k3Jq0d\"}\n\n",
    end: "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"usage\":{\"input_tokens\":9,\"output_tokens\":256}}}\n\n",
};

const ANTHROPIC: Upstream = Upstream {
    dialect: Dialect::Anthropic,
    begin: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-sonnet-4-5\",\"usage\":{\"input_tokens\":9}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    token: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" token\"}}\n\n",
    end: "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":256}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
};

const GEMINI: Upstream = Upstream {
    dialect: Dialect::Gemini,
    begin: "",
    token: "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \" token\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 9,\"candidatesTokenCount\": 12,\"totalTokenCount\": 21,\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 9}]},\"modelVersion\": \"gemini-2.5-flash\",\"responseId\": \"0123456789abcdef\"}\r\n\r\n",
    end: "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \".\"}]},\"finishReason\": \"STOP\"}]}\r\n\r\n",
};

const TOKENS: u64 = 256;

/// A whole stream, each event in a chunk of its own as it comes from the network. Counted are the
/// tokens: each must cost no more than 3 µs, begin and end of the stream included.
fn converted(c: &mut Criterion) {
    let mut group = c.benchmark_group("converted event");
    group.throughput(Throughput::Elements(TOKENS));
    let upstreams = [
        ("text", OPENAI_CHAT),
        ("call", OPENAI_CALL),
        ("text", OPENAI_RESPONSES),
        ("text", ANTHROPIC),
        ("text", GEMINI),
    ];
    for (what, upstream) in upstreams {
        let others = Client::ALL.into_iter();
        for client in others.filter(|client| client.dialect() != upstream.dialect) {
            let name = format!("{what}, {} to {}", upstream.dialect, client.dialect());
            group.bench_function(name, |b| b.iter(|| convert_all(&upstream, client)));
        }
    }
    group.finish();
}

fn convert_all(upstream: &Upstream, client: Client) -> usize {
    let reader = convert::event_reader(upstream.dialect);
    let writer = convert::event_writer(client, Reply::default());
    let mut converter = StreamConverter::new(reader, writer, 1 << 20);
    let mut length = 0;
    let tokens = std::iter::repeat_n(upstream.token, TOKENS as usize);
    for chunk in [upstream.begin]
        .into_iter()
        .chain(tokens)
        .chain([upstream.end])
    {
        let out = converter.push(black_box(chunk.as_bytes()));
        length += out.expect("no event is too long").len();
    }
    length += converter.finish().len();
    assert!(converter.seen().done, "the stream is whole");
    length
}

criterion_group!(hot_path, requests, answers, streams, converted);
criterion_main!(hot_path);
