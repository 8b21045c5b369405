//! `/media/…`: how stored pictures are served, from a folder and from a bucket; signed links; removal.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use troupe_simulator::{S3, Simulator};

use crate::{
    pictures::refusal,
    support::{Answer, App, Provider, eventually},
};

const ASK: &str = "/v1/images/generations";

/// A picture's link.
async fn link(app: &App, prompt: &str) -> String {
    let ask = json!({"model": "demo/demo-image", "prompt": prompt, "seed": 5, "size": "64x64", "response_format": "url"});
    let answer = app.post(ASK, &ask).await.json().await;
    let url = answer["data"][0]["url"].as_str();
    url.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// GETs a link without any key, with these headers.
async fn get(app: &App, url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.client().get(url);
    for header in headers {
        request = request.insert_header(*header);
    }
    Answer::of(request, None).await.unwrap()
}

async fn clean_up(app: &App, query: &str) -> Answer {
    let url = app.url(&format!("/api/v1/storage/cleanup{query}"));
    let bearer = format!("Bearer {}", App::ADMIN_TOKEN);
    let request = app
        .client()
        .delete(url)
        .insert_header(("authorization", bearer));
    Answer::of(request, None).await.unwrap()
}

const ALL: &str = "?startDate=2020-01-01T00:00:00Z&endDate=2999-01-01T00:00:00Z";

/// Ranges, tags and HEAD, however the file is stored.
async fn serves_as_it_should(app: &App) {
    let url = link(app, "a red fox").await;
    let whole = get(app, &url, &[]).await;
    assert_eq!(whole.status, 200);
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "inline"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(whole.header(name), value);
    }
    let tag = whole.header("etag").to_owned();
    let whole = whole.bytes().await;
    let length = whole.len();

    for (range, expected) in [
        ("bytes=0-9", 0..10),
        ("bytes=20-", 20..length),
        ("bytes=-5", length - 5..length),
        ("bytes=30-999999", 30..length),
    ] {
        let part = get(app, &url, &[("range", range)]).await;
        assert_eq!(part.status, 206, "{range}");
        let (first, last) = (expected.start, expected.end - 1);
        assert_eq!(
            part.header("content-range"),
            format!("bytes {first}-{last}/{length}")
        );
        assert_eq!(part.bytes().await, whole[expected], "{range}");
    }
    let beyond = get(app, &url, &[("range", "bytes=999999-")]).await;
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), format!("bytes */{length}"));
    for headers in [
        [("range", "bytes=0-1,4-5"), ("accept", "*/*")],
        [("range", "lines=1-2"), ("accept", "*/*")],
        [("range", "bytes=0-1"), ("if-range", "\"another\"")],
    ] {
        assert_eq!(get(app, &url, &headers).await.bytes().await, whole);
    }
    let same = get(app, &url, &[("range", "bytes=0-1"), ("if-range", &tag)]).await;
    assert_eq!(same.bytes().await, whole[..2]);

    let known = get(app, &url, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.bytes().await.len()), (304, 0));
    let request = app.client().head(&url);
    let head = Answer::of(request, None).await.unwrap();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, length.to_string().as_str())
    );
    assert_eq!(head.bytes().await, b"");
    // the connection is as good as before
    assert_eq!(get(app, &url, &[]).await.bytes().await, whole);
}

#[actix_rt::test]
async fn a_folder_serves_ranges_and_tags() {
    let app = App::builder().start().await;
    serves_as_it_should(&app).await;
}

#[actix_rt::test]
async fn a_bucket_serves_the_same_through_the_gateway() {
    let s3 = S3::start();
    let media_url = format!("{:?}", s3.media_url("pictures"));
    let app = App::builder()
        .set("storage.media_url", &media_url)
        .secret("sim-secret");
    let mut app = app.start().await;
    serves_as_it_should(&app).await;
    let url = link(&app, "a red fox").await;
    assert_eq!(s3.objects().len(), 1, "the same picture is one object");
    let path = url.strip_prefix(&app.url("")).unwrap().to_owned();
    app.kill9();
    app.restart().await;
    assert_eq!(get(&app, &app.url(&path), &[]).await.status, 200);
    assert_eq!(
        clean_up(&app, ALL).await.json().await,
        json!({"status": "success", "deletedCount": 2})
    );
    assert_eq!(s3.objects(), []);
    assert_eq!(get(&app, &app.url(&path), &[]).await.status, 404);
}

#[actix_rt::test]
async fn signed_links_are_needed_where_they_are_made() {
    let app = App::builder()
        .set("media.signed_links", "true")
        .start()
        .await;
    let url = link(&app, "a red fox").await;
    let whole = get(&app, &url, &[]).await;
    assert_eq!(whole.status, 200);
    assert_eq!(
        whole.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    let (bare, query) = url.split_once('?').unwrap();
    let (end, signature) = query.split_once("&s=").unwrap();
    let later = end.strip_prefix("e=").unwrap().parse::<u64>().unwrap() + 1;
    let other = link(&app, "a blue whale").await;
    let (other, _) = other.split_once('?').unwrap();
    for wrong in [
        bare.to_owned(),
        format!("{bare}?e={later}&s={signature}"),
        format!("{bare}?{end}"),
        format!("{bare}?{end}&s={}", "0".repeat(64)),
        format!("{other}?{query}"),
    ] {
        get(&app, &wrong, &[])
            .await
            .error(403, "link_refused")
            .await;
    }
}

#[actix_rt::test]
async fn cleaning_up_takes_an_admin_and_two_dates() {
    let app = App::builder().start().await;
    let url = link(&app, "a red fox").await;
    let path = format!("/api/v1/storage/cleanup{ALL}");
    let request = app.client().delete(app.url(&path));
    let key = format!("Bearer {}", App::API_KEY);
    let request = request.insert_header(("authorization", key));
    let refused = Answer::of(request, None).await.unwrap();
    refusal(refused, 401, "invalid_api_key").await;
    for query in [
        "",
        "?startDate=2020-01-01T00:00:00Z",
        "?startDate=x&endDate=2020-01-01",
        "?startDate=2020-01-02&endDate=2020-01-01",
    ] {
        refusal(clean_up(&app, query).await, 400, "invalid_request").await;
    }
    let before = "?startDate=2020-01-01T00:00:00Z&endDate=2020-02-01T00:00:00.000Z";
    assert_eq!(clean_up(&app, before).await.json().await["deletedCount"], 0);
    assert_eq!(get(&app, &url, &[]).await.status, 200);
    assert_eq!(clean_up(&app, ALL).await.json().await["deletedCount"], 1);
    assert_eq!(get(&app, &url, &[]).await.status, 404);
    let left = std::fs::read_dir(app.path("data/media")).unwrap();
    assert_eq!(left.count(), 0);
}

#[actix_rt::test]
async fn a_full_store_says_so() {
    let app = App::builder()
        .set("storage.media_max_bytes", "40000")
        .start()
        .await;
    let ask = |seed: u32| {
        json!({"model": "demo/demo-image", "prompt": "a red fox", "size": "64x64", "seed": seed,
               "response_format": "url"})
    };
    let refused = eventually("the store is full", async || {
        static SEED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        let seed = SEED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let answer = app.post(ASK, &ask(seed)).await;
        (answer.status != 200).then_some(answer)
    });
    let error: Value = refused.await.error(507, "storage_full").await;
    assert!(
        error.to_string().contains("media_min_retention_seconds"),
        "{error}"
    );
}

#[actix_rt::test]
async fn what_an_upstream_hides_in_a_picture_is_not_passed_on() {
    let sim = Simulator::start();
    // the simulator pads pictures of a given size with a chunk of its own
    let provider = Provider::of(&sim).models(&["sim-image-1m"]);
    let app = App::builder().provider(provider).start().await;
    let ask = |format: &str| json!({"model": "acme/sim-image-1m", "prompt": "x", "size": "64x64", "response_format": format, "x-pass": true});
    let plain = app.post(ASK, &ask("b64_json")).await.json().await;
    let plain = BASE64_STANDARD
        .decode(plain["data"][0]["b64_json"].as_str().unwrap())
        .unwrap();
    assert_eq!(plain.len(), 1 << 20);
    let linked = app.post(ASK, &ask("url")).await.json().await;
    let url = linked["data"][0]["url"].as_str().unwrap().to_owned();
    let stored = get(&app, &url, &[]).await.bytes().await;
    assert!(stored.len() < 100_000, "{}", stored.len());
    assert_eq!(stored[..33], plain[..33]);
}
