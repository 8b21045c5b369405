//! What large pictures and many jobs cost: a thumbnail's time and memory, a page of a long list, a long queue.

#[path = "../actors/tests/sample.rs"]
mod sample;

use std::{
    fs::File,
    hint::black_box,
    io::{Seek as _, Write as _},
    time::Instant,
};

use actix_rt::System;
use criterion::{Criterion, criterion_group, criterion_main};
use troupe_actors::{
    media::{ThumbnailKind, config::MediaConfig, thumbnails::Thumbnails},
    storage::config::StorageConfig,
};

use self::sample::{AT_ONCE, Shop, peak_memory};

const SIDE: u32 = 4_096;

fn jpeg() -> File {
    let pixels: Vec<u8> = (0..SIDE).flat_map(|y| sample::row(y, SIDE)).collect();
    let mut bytes = Vec::new();
    let side = SIDE as u16;
    jpeg_encoder::Encoder::new(&mut bytes, 90)
        .encode(&pixels, side, side, jpeg_encoder::ColorType::Rgb)
        .expect("a picture");
    let mut file = tempfile::tempfile().expect("room on the disk");
    file.write_all(&bytes).expect("room on the disk");
    file.rewind().expect("a file");
    file
}

fn thumbnails(c: &mut Criterion) {
    let hand = Thumbnails::new(&StorageConfig::default(), &MediaConfig::default());
    let draw = |file: &File, kind| hand.draw(black_box(file), kind).expect("a thumbnail");
    let png = sample::png(SIDE);
    let before = peak_memory();
    draw(&png, ThumbnailKind::WebP);
    println!(
        "a thumbnail of a PNG of {SIDE}² takes {} MiB at most",
        (peak_memory() - before) >> 20
    );
    let jpeg = jpeg();
    let mut group = c.benchmark_group("thumbnail of 4096²");
    group.sample_size(20);
    for (name, file, kind) in [
        ("png to webp", &png, ThumbnailKind::WebP),
        ("png to jpeg", &png, ThumbnailKind::Jpeg),
        ("jpeg to webp", &jpeg, ThumbnailKind::WebP),
    ] {
        group.bench_function(name, |b| b.iter(|| draw(file, kind)));
    }
    group.finish();
}

fn pages(c: &mut Criterion) {
    let system = System::new();
    let shop = system.block_on(Shop::open());
    system
        .block_on(shop.database.write(sample::fill))
        .expect("a table");
    let mut group = c.benchmark_group("page of 100 of 100,000 jobs");
    for (name, state, model, _) in sample::PAGES {
        group.bench_function(name, |b| {
            b.iter(|| system.block_on(sample::page(&shop.database, state, model)));
        });
    }
    group.finish();
    system.block_on(shop.close());
}

fn queue(_: &mut Criterion) {
    System::new().block_on(async {
        let shop = Shop::open().await;
        shop.run(1_000).await;
        let (begun, before) = (Instant::now(), peak_memory());
        shop.run(1_000).await;
        let (took, more) = (begun.elapsed(), peak_memory() - before);
        println!(
            "1,000 jobs, {AT_ONCE} at a time: {} ms, {} KiB more",
            took.as_millis(),
            more >> 10
        );
        shop.close().await;
    });
}

criterion_group!(benches, thumbnails, pages, queue);
criterion_main!(benches);
