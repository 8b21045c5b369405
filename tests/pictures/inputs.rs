//! Pictures that come with a request: files, data URIs, links; what is no picture, and what is too much.

use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use super::{data_uri, refusal, reply, rotation::provider};
use crate::support::{App, Form};

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
    let body =
        json!({"model": "demo/demo-image", "prompt": "p", "image": data_uri(&[b'x'; 9_000])});
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

const MODEL: &str = "openai/gpt-image-1";
const FIELDS: [(&str, &str); 2] = [("model", MODEL), ("prompt", "p")];

/// A gateway with such a limit, which may open the simulator's links.
async fn limited(sim: &Simulator, name: &str, value: &str) -> App {
    let allowed = format!("[\"{}\"]", sim.address());
    App::builder()
        .provider(provider(sim, "openai", "/v1").models(&["gpt-image-1"]))
        .set("egress.allow_hosts", &allowed)
        .set(name, value)
        .start()
        .await
}

/// A picture of so many bytes.
async fn picture(app: &App, sim: &Simulator, bytes: usize) -> Vec<u8> {
    let link = sim.at(&format!("/files/32x32-{bytes}.png"));
    let mut file = app.client().get(link).send().await.unwrap();
    file.body().await.unwrap().to_vec()
}

#[actix_rt::test]
async fn no_file_that_comes_is_larger_than_max_file_bytes() {
    let sim = Simulator::start();
    let app = limited(&sim, "pictures.max_file_bytes", "8192").await;
    let (fits, large) = (
        picture(&app, &sim, 8_192).await,
        picture(&app, &sim, 8_193).await,
    );
    for path in ["/api/v1/edit", "/v1/images/edits"] {
        Form::of(&FIELDS)
            .file("image", &fits)
            .post(&app, path)
            .await
            .ok()
            .await;
        let form = Form::of(&FIELDS).file("image", &large);
        let json = json!({"model": MODEL, "prompt": "p", "image": data_uri(&large)});
        for answer in [form.post(&app, path).await, app.post(path, &json).await] {
            assert_eq!(answer.status, 413);
            let error = answer.text().await;
            assert!(
                error.contains("body_too_large") && error.contains("8192"),
                "{error}"
            );
        }
    }
    let edits = sim.script().stats().path("/v1/images/edits");
    assert_eq!(edits, 2, "only those that fit");
    let link = sim.at("/files/32x32-8193.png");
    let json = json!({"model": MODEL, "prompt": "p", "image": link});
    let answer = app.post("/api/v1/edit", &json).await;
    let error = refusal(answer, 400, "url_not_fetched").await;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("larger than the limit"), "{error}");
}

#[actix_rt::test]
async fn no_file_that_an_upstream_made_is_larger_than_max_file_bytes() {
    let sim = Simulator::start();
    let app = limited(&sim, "pictures.max_file_bytes", "8192").await;
    let order = json!({"model": MODEL, "prompt": "p"});
    sim.script()
        .any()
        .answers([Behaviour::Image(8_192), Behaviour::Image(8_193)]);
    reply(app.post("/api/v1/generate", &order).await).await;
    let answer = app.post("/api/v1/generate", &order).await;
    let error = refusal(answer, 502, "upstream_error").await;
    assert!(
        error["message"].as_str().unwrap().contains("8192"),
        "{error}"
    );
}

#[actix_rt::test]
async fn no_more_pictures_come_than_max_inputs() {
    let sim = Simulator::start();
    let app = limited(&sim, "pictures.max_inputs", "2").await;
    let image = picture(&app, &sim, 0).await;
    let files = |count| (0..count).fold(Form::of(&FIELDS), |form, _| form.file("image", &image));
    files(2).post(&app, "/api/v1/edit").await.ok().await;
    let inline = vec![data_uri(&image); 3];
    let links = vec![sim.at("/files/32x32-0.png"); 3];
    for answer in [
        files(3).post(&app, "/api/v1/edit").await,
        app.post(
            "/api/v1/edit",
            &json!({"model": MODEL, "prompt": "p", "image": inline}),
        )
        .await,
        app.post(
            "/api/v1/edit",
            &json!({"model": MODEL, "prompt": "p", "image": links}),
        )
        .await,
    ] {
        let error = refusal(answer, 400, "invalid_request").await;
        assert_eq!(error["param"], "image");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("2 pictures at most"), "{error}");
    }
}

#[actix_rt::test]
async fn a_form_has_so_many_fields_and_texts_of_such_a_size() {
    let sim = Simulator::start();
    let app = limited(&sim, "pictures.max_prompt_chars", "1000000").await;
    let image = picture(&app, &sim, 0).await;
    let edit = |prompt: &str| {
        let form = Form::of(&[("model", MODEL), ("prompt", prompt)]);
        form.file("image", &image)
    };
    let most = "p".repeat(256 << 10);
    edit(&most).post(&app, "/api/v1/edit").await.ok().await;
    let answer = edit(&(most + "p")).post(&app, "/api/v1/edit").await;
    refusal(answer, 413, "body_too_large").await;
    let many = (0..98).fold(edit("p"), |form, at| form.text(&format!("field-{at}"), ""));
    let answer = many.post(&app, "/api/v1/edit").await;
    let error = refusal(answer, 400, "invalid_request").await;
    assert!(
        error["message"].as_str().unwrap().contains("100 fields"),
        "{error}"
    );
}
