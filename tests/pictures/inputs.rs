//! Pictures that come with a request: files, data URIs, links; and what is no picture.

use serde_json::json;

use super::refusal;
use crate::support::App;

#[actix_rt::test]
async fn what_is_no_picture_is_refused() {
    let app = App::builder().start().await;
    for image in [
        json!("no base64"),
        json!(7),
        json!("ftp://example.org/a.png"),
        json!({"x": 1}),
    ] {
        let body = json!({"model": "demo/demo-image", "prompt": "p", "image": image});
        let error = refusal(
            app.post("/api/v1/edit", &body).await,
            400,
            "invalid_request",
        )
        .await;
        assert!(
            error["message"].as_str().unwrap().contains("image"),
            "{error}"
        );
    }
    let body = json!({"model": "demo/demo-image", "prompt": "p", "image": super::data_uri(&[b'x'; 9_000])});
    let error = refusal(
        app.post("/api/v1/edit", &body).await,
        400,
        "invalid_request",
    )
    .await;
    assert!(
        error["message"].as_str().unwrap().contains("PNG"),
        "{error}"
    );
}

#[actix_rt::test]
async fn links_into_the_gateway_s_own_network_are_refused() {
    let app = App::builder().start().await;
    let port = app
        .url("")
        .rsplit(':')
        .next()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    for url in [
        app.url("/health"),
        format!("http://localhost:{port}/health"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://2130706433/".to_owned(),
        "http://0177.0.0.1/".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "http://0.0.0.0/".to_owned(),
        "http://10.0.0.1/a.png".to_owned(),
    ] {
        let body = json!({"model": "demo/demo-image", "prompt": "p", "image": url});
        let error = refusal(
            app.post("/api/v1/edit", &body).await,
            400,
            "url_not_allowed",
        )
        .await;
        assert!(
            error["message"].as_str().unwrap().contains("public"),
            "{url}: {error}"
        );
    }
}
