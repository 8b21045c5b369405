//! Forms with an `Idempotency-Key`.

use troupe_simulator::{Simulator, Stats};

use super::REPLAYED;
use crate::support::{App, Form, Provider, SOON};

#[actix_rt::test]
async fn a_form_with_a_key_may_be_large_and_has_a_boundary_of_its_own_each_time() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).name("openai").models(&["gpt-image-1"]);
    let app = App::builder()
        .set("server.max_body_bytes", "2048")
        .provider(provider)
        .start()
        .await;
    let link = sim.at("/files/512x512-0.png");
    let mut sent = app.client().get(link).send().await.unwrap();
    let image = sent.body().await.unwrap();
    let form = |prompt: &str| {
        let form = Form::of(&[("model", "openai/gpt-image-1"), ("prompt", prompt)]);
        (0..8).fold(form, |form, _| form.file("image", &image))
    };
    assert!(image.len() * 8 > 2_048, "{}", image.len());
    for path in ["/v1/images/edits", "/api/v1/edit", "/api/v1/tasks"] {
        let headers = [("idempotency-key", "k")];
        let post =
            async |prompt, boundary| form(prompt).post_with(&app, path, boundary, &headers).await;
        let first = post("bluer", "one").await;
        assert!(first.status < 300, "{path}: {}", first.status);
        assert_eq!(first.header(REPLAYED), "", "{path}");
        let first = (first.status, first.bytes().await);
        let again = post("bluer", "another-one").await;
        assert_eq!(again.header(REPLAYED), "true", "{path}");
        assert_eq!((again.status, again.bytes().await), first, "{path}");
        assert_eq!(post("redder", "one").await.status, 422, "{path}");
    }
    let all = |stats: &Stats| stats.path("/v1/images/edits") == 3;
    sim.script().wait_for(SOON, all).await;
}
