//! What large pictures and long lists cost: a thumbnail's time and memory, and the time of a page of jobs.

#[path = "../actors/tests/sample.rs"]
mod sample;

use std::{
    fs::File,
    hint::black_box,
    io::{Seek as _, Write as _},
};

use actix_rt::System;
use criterion::{Criterion, criterion_group, criterion_main};
use troupe_actors::{
    media::{ThumbnailKind, config::MediaConfig, thumbnails::Thumbnails},
    storage::config::StorageConfig,
};

use self::sample::{Shelf, peak_memory};

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
    let shelf = system.block_on(Shelf::open());
    system.block_on(sample::fill(&shelf.database));
    let mut group = c.benchmark_group("page of 100 of 100,000 jobs");
    for (name, state, model, _) in sample::PAGES {
        group.bench_function(name, |b| {
            b.iter(|| system.block_on(sample::page(&shelf.database, state, model)));
        });
    }
    for (name, filter, begin, _) in sample::HISTORIES {
        group.bench_function(format!("history, {name}"), |b| {
            b.iter(|| system.block_on(sample::history(&shelf.database, filter, begin)));
        });
    }
    group.finish();
    system.block_on(shelf.close());
}

criterion_group!(benches, thumbnails, pages);
criterion_main!(benches);
