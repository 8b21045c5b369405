//! What large pictures take of memory, and long lists of time. All is one test: it looks at the whole process.

mod sample;

use std::time::{Duration, Instant};

use troupe_actors::{
    media::{ThumbnailKind, config::MediaConfig, thumbnails::Thumbnails},
    storage::config::StorageConfig,
};

use self::sample::{HISTORIES, PAGES, Shelf, peak_memory};

/// What a thumbnail of a PNG of 4096² may take.
const MOST: u64 = 100 << 20;
/// What a page of a list of a hundred thousand jobs may take.
const PAGE: Duration = Duration::from_millis(100);

#[test]
fn large_pictures_take_little_memory_and_long_lists_little_time() {
    let picture = sample::png(4_096);
    let before = peak_memory();
    let hand = Thumbnails::new(&StorageConfig::default(), &MediaConfig::default());
    let thumbnail = hand.draw(&picture, ThumbnailKind::WebP);
    let thumbnail = thumbnail.expect("a thumbnail");
    assert_eq!((thumbnail.width, thumbnail.height), (400, 400));
    let taken = peak_memory() - before;
    println!("a thumbnail took {} KiB", taken >> 10);
    assert!(taken < MOST, "{} MiB", taken >> 20);

    actix_rt::System::new().block_on(async {
        let shelf = Shelf::open().await;
        sample::fill(&shelf.database).await;
        for (name, state, model, count) in PAGES {
            let begun = Instant::now();
            let found = sample::page(&shelf.database, state, model).await;
            println!("{name}: {:?}", begun.elapsed());
            assert_eq!(found, count, "{name}");
            assert!(begun.elapsed() < PAGE, "{name}: {:?}", begun.elapsed());
        }
        for (name, filter, begin, count) in HISTORIES {
            let (page, took) =
                quickest(async || sample::history(&shelf.database, filter, begin).await).await;
            println!("history, {name}: {took:?}, {} jobs", page.jobs.len());
            assert_eq!((page.jobs.len(), page.next.is_some()), count, "{name}");
            assert!(took < PAGE, "history, {name}: {took:?}");
        }
        shelf.close().await;
    });
}

/// The quickest of a few times, as others use the machine too.
async fn quickest<T>(ask: impl AsyncFn() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let mut best = (ask().await, begun.elapsed());
    for _ in 0..2 {
        let begun = Instant::now();
        let answer = ask().await;
        if begun.elapsed() < best.1 {
            best = (answer, begun.elapsed());
        }
    }
    best
}
