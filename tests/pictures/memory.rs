//! What many large pictures at a time cost in memory.

use futures_util::future::join_all;
use serde_json::json;
use troupe_simulator::Simulator;

use super::{file, png_size, reply, rotation::provider};
use crate::support::App;

/// For the whole process, with a hundred pictures of a mebibyte under way.
const MOST: u64 = 200 << 20;

#[actix_rt::test]
async fn a_hundred_large_pictures_at_a_time_stay_on_disk() {
    let sim = Simulator::start();
    let provider = provider(&sim, "openai", "/v1").models(&["sim-image-1m"]);
    let app = App::builder().provider(provider).start().await;
    let body = json!({"model": "openai/sim-image-1m", "prompt": "a fox"});
    let (links, inline) = futures_util::future::join(
        join_all((0..50).map(|_| app.post("/api/v1/generate", &body))),
        join_all((0..50).map(|_| app.post("/api/v1/imagine", &body))),
    )
    .await;
    let peak = app.peak_memory();
    println!("{} MiB at most", peak >> 20);
    assert!(peak < MOST, "{} MiB at most", peak >> 20);
    for answer in links.into_iter().chain(inline) {
        let drawn = reply(answer).await;
        // what made it large says nothing about the picture, and is gone
        png_size(&file(&app, &drawn["url"]).await.1);
    }
}
