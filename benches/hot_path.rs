//! What each request pays in the gateway's own code, step by step. The whole is measured from outside
//! by `scripts/bench`; this tells where a change of it comes from.

use std::hint::black_box;

use actix_web::http::header::HeaderMap;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use troupe::http::conversation;
use troupe_actors::{affinity::Affinity, secrets::KeyedHash};
use troupe_protocol::{
    json::check_depth,
    openai::{
        error::{ErrorCode, render_json},
        request::RequestHead,
        stream::StreamTap,
    },
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

criterion_group!(hot_path, requests, answers, streams);
criterion_main!(hot_path);
