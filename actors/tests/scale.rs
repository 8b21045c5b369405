//! What large pictures and many jobs take of memory and time. All is one test: it looks at the whole process.

mod sample;

use std::{
    alloc::System,
    time::{Duration, Instant},
};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use troupe_actors::{
    media::{ThumbnailKind, config::MediaConfig, thumbnails::Thumbnails},
    storage::config::StorageConfig,
};

use self::sample::{PAGES, Shop, peak_memory};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a thumbnail of a PNG of 4096² may take.
const MOST: u64 = 100 << 20;
/// What may be held more after two thousand jobs than after one thousand: tables grow by doubling.
const SLACK: usize = 256 << 10;

/// What a page of a list of a hundred thousand jobs may take.
const PAGE: Duration = Duration::from_millis(100);

/// Bytes that are allocated now.
fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[test]
fn large_pictures_and_many_jobs_take_little_memory_and_time() {
    let picture = sample::png(4_096);
    let before = peak_memory();
    let hand = Thumbnails::new(&StorageConfig::default(), &MediaConfig::default());
    let thumbnail = hand
        .draw(&picture, ThumbnailKind::WebP)
        .expect("a thumbnail");
    assert_eq!((thumbnail.width, thumbnail.height), (400, 400));
    let taken = peak_memory() - before;
    println!("a thumbnail took {} KiB", taken >> 10);
    assert!(taken < MOST, "{} MiB", taken >> 20);

    actix_rt::System::new().block_on(async {
        let shop = Shop::open().await;
        shop.run(1_000).await;
        let first = live();
        shop.run(1_000).await;
        let second = live();
        println!("{first} bytes are held after a thousand jobs, {second} after two");
        assert!(second < first + SLACK, "{first} bytes became {second}");
        shop.database.write(sample::fill).await.expect("a table");
        for (name, state, model, count) in PAGES {
            let begun = Instant::now();
            assert_eq!(sample::page(&shop.database, state, model).await, count);
            assert!(begun.elapsed() < PAGE, "{name}: {:?}", begun.elapsed());
        }
        shop.close().await;
    });
}
