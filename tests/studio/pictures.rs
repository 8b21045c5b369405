//! Pictures: their files, thumbnails, tags and pins.

use awc::http::Method;
use serde_json::json;
use troupe_simulator::Simulator;

use super::{done, endless, filming, fox, id, patch, reaches, refused, with};
use crate::{
    pictures::{png_size, square},
    support::{Answer, App},
};

#[actix_rt::test]
async fn a_picture_is_given_to_its_app_with_a_tag_and_in_parts() {
    let app = App::builder().start().await;
    let task = done(&app, &fox()).await;
    let image = &task["images"][0];
    assert_eq!(
        (&image["seed"], &image["pinned"], &image["tags"]),
        (&json!(7), &json!(false), &json!([]))
    );
    let url = image["url"].as_str().unwrap();
    let answer = app.get(url).await;
    assert_eq!(answer.header("content-type"), image["mime"]);
    assert_eq!(
        answer.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    let tag = answer.header("etag").to_owned();
    let file = answer.bytes().await;
    assert_eq!(
        (png_size(&file), file.len() as u64),
        ((64, 64), image["file_size"].as_u64().unwrap())
    );
    let again = with(&app, Method::GET, url, ("if-none-match", &tag)).await;
    assert_eq!(again.status, 304);
    let part = with(&app, Method::GET, url, ("range", "bytes=1-3")).await;
    assert_eq!((part.status, part.text().await.as_str()), (206, "PNG"));
    let head = with(&app, Method::HEAD, url, ("accept", "*/*")).await;
    assert_eq!((head.status, head.header("etag")), (200, tag.as_str()));
    let keyless = app.client().get(app.url(url));
    refused(
        Answer::of(keyless, None).await.unwrap(),
        401,
        "unauthorized",
    )
    .await;
}

#[actix_rt::test]
async fn a_thumbnail_is_webp_or_jpeg_as_one_likes_and_made_once() {
    let app = App::builder().start().await;
    let mut body = fox();
    (body["width"], body["height"]) = (json!(1024), json!(512));
    let task = done(&app, &body).await;
    let url = task["images"][0]["thumbnail_url"].as_str().unwrap();
    let mut tags = Vec::new();
    for (accept, mime, start) in [
        ("image/avif,image/webp,*/*", "image/webp", &b"RIFF"[..]),
        ("*/*", "image/jpeg", &b"\xff\xd8\xff"[..]),
        ("image/webp", "image/webp", &b"RIFF"[..]),
    ] {
        let answer = with(&app, Method::GET, url, ("accept", accept)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, mime));
        assert_eq!(
            answer.header("cache-control"),
            "private, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("vary"), "accept");
        tags.push(answer.header("etag").to_owned());
        assert!(answer.bytes().await.starts_with(start), "{accept}");
    }
    assert_eq!(tags[0], tags[2], "the same file");
    assert_ne!(tags[0], tags[1]);
    let request = app.client().get(app.url(url)).bearer_auth(App::API_KEY);
    let request = request.insert_header(("if-none-match", tags[0].as_str()));
    let request = request.insert_header(("accept", "image/webp"));
    let answer = Answer::of(request, None).await.unwrap();
    assert_eq!((answer.status, answer.header("vary")), (304, "accept"));
}

#[actix_rt::test]
async fn tags_and_pins_are_changed_one_by_one() {
    let app = App::builder().start().await;
    let mut body = fox();
    body["tags"] = json!(["fox", "snow"]);
    let task = done(&app, &body).await;
    let image = &task["images"][0];
    assert_eq!(image["tags"], json!(["fox", "snow"]));
    let url = image["url"].as_str().unwrap();
    let pinned = patch(&app, url, &json!({"pinned": true}))
        .await
        .json()
        .await;
    assert_eq!(
        (&pinned["pinned"], &pinned["tags"]),
        (&json!(true), &json!(["fox", "snow"]))
    );
    let tagged = patch(&app, url, &json!({"tags": ["红", "fox"]}))
        .await
        .json()
        .await;
    assert_eq!(
        (&tagged["pinned"], &tagged["tags"]),
        (&json!(true), &json!(["fox", "红"]))
    );
    assert_eq!(
        (&tagged["image_id"], &tagged["seed"]),
        (&image["image_id"], &json!(7))
    );
    let refusal = patch(&app, url, &json!({"pinned": "yes", "tags": 7})).await;
    let told = refused(refusal, 400, "validation_error").await;
    assert!(
        told["details"]["pinned"].is_array() && told["details"]["tags"].is_array(),
        "{told}"
    );
    let missing = "/api/v1/images/img_00000000000000000000000000000000";
    refused(patch(&app, missing, &json!({})).await, 404, "not_found").await;
    assert_eq!(app.delete(url).await.status, 204);
    refused(app.delete(url).await, 404, "not_found").await;
    refused(app.get(&format!("{url}/thumbnail")).await, 404, "not_found").await;
    let left = super::look(&app, id(&task)).await;
    assert_eq!(
        (&left["status"], &left["images"]),
        (&json!("completed"), &json!([]))
    );
    assert_eq!(app.get("/api/v1/history").await.json().await["total"], 0);
    assert_eq!(
        app.get("/api/v1/tags").await.json().await["items"],
        json!([])
    );
}

#[actix_rt::test]
async fn pictures_come_along_as_files_and_films_have_no_thumbnail() {
    let sim = Simulator::start();
    let app = filming(&sim).await;
    let mut body = endless(&app, &sim).await;
    body["prompt"] = "it runs".into();
    let film = done(&app, &body).await;
    assert_eq!(
        (&film["action"], &film["params"]["num_images"]),
        (&json!("video"), &json!(1))
    );
    let image = &film["images"][0];
    assert_eq!(
        (&image["mime"], &image["thumbnail_url"]),
        (&json!("video/mp4"), &json!(null))
    );
    let url = image["url"].as_str().unwrap();
    refused(app.get(&format!("{url}/thumbnail")).await, 404, "not_found").await;
    let form = [
        ("model", "gitee/wan2.2-i2v"),
        ("action", "video"),
        ("prompt", "it runs"),
    ];
    let file = square(&app, &sim).await;
    let (boundary, sent) = multipart(&form, &file);
    let request = app
        .client()
        .post(app.url("/api/v1/tasks"))
        .bearer_auth(App::API_KEY);
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let response = request
        .content_type(content_type)
        .send_body(sent)
        .await
        .unwrap();
    let answer = Answer::new(response);
    assert_eq!(answer.status, 201);
    reaches(&app, id(&answer.json().await), "completed").await;
}

fn multipart(fields: &[(&str, &str)], file: &[u8]) -> (&'static str, Vec<u8>) {
    const BOUNDARY: &str = "troupe-tests-boundary";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\
         content-type: image/png\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    (BOUNDARY, body)
}
