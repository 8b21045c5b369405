//! OpenAI-compatible upstreams without `/responses`: that is learnt from the first answer.

use troupe_simulator::{Behaviour, Simulator};

use super::{RESPONSES, input, respond, text};
use crate::{
    pairs::{Speaker, streaming},
    support::{App, Provider},
};

const CHAT: &str = "/v1/chat/completions";
const MODELS: [&str; 2] = ["sim-stream-3", "sim-missing"];

async fn app(simulator: &Simulator, responses: &str) -> App {
    let provider = Provider::of(simulator)
        .models(&MODELS)
        .with("responses", &format!("{responses:?}"));
    App::builder().provider(provider).start().await
}

#[actix_rt::test]
async fn the_first_request_finds_it_out_and_is_served() {
    for (status, body) in [
        (404, "404 page not found"),
        (404, r#"{"detail":"Not Found"}"#),
        (405, r#"{"error":{"message":"Method Not Allowed"}}"#),
        (501, ""),
    ] {
        let simulator = Simulator::start();
        let app = app(&simulator, "auto").await;
        let script = simulator.script();
        script
            .path(RESPONSES)
            .answers([Behaviour::status_with(status, body)]);
        let ask = async |stream| {
            let body = streaming(input("acme/sim-stream-3", "seed:4"), stream);
            let answer = app.post(RESPONSES, &body).await;
            let attempts = answer.header("x-troupe-attempts").to_owned();
            let told = super::response(answer).await;
            assert_eq!(text(Speaker::Responses, &told).trim(), "4-0 4-1 4-2");
            let stats = script.stats();
            (attempts, stats.path(RESPONSES), stats.path(CHAT))
        };
        assert_eq!(ask(false).await, ("2".to_owned(), 1, 1), "{status} {body}");
        assert_eq!(ask(true).await, ("1".to_owned(), 1, 2), "{status} {body}");
    }
}

#[actix_rt::test]
async fn an_unknown_model_teaches_nothing() {
    let simulator = Simulator::start();
    let app = app(&simulator, "auto").await;
    let answer = app
        .post(RESPONSES, &input("acme/sim-missing", "hello"))
        .await;
    let error = answer.error(404, "upstream_invalid_request").await;
    assert!(
        error["message"].as_str().unwrap().contains("sim-missing"),
        "{error}"
    );
    respond(&app, &input("acme/sim-stream-3", "hello")).await;
    let stats = simulator.script().stats();
    assert_eq!((stats.path(RESPONSES), stats.path(CHAT)), (2, 0));
}

#[actix_rt::test]
async fn an_upstream_known_to_have_it_is_not_doubted() {
    let simulator = Simulator::start();
    let app = app(&simulator, "native").await;
    let script = simulator.script();
    script.path(RESPONSES).answers([
        Behaviour::status_with(404, "404 page not found"),
        Behaviour::Ok,
    ]);
    let answer = app
        .post(RESPONSES, &input("acme/sim-stream-3", "hello"))
        .await;
    answer.error(404, "upstream_invalid_request").await;
    respond(&app, &input("acme/sim-stream-3", "hello")).await;
    assert_eq!(script.stats().path(CHAT), 0);
}
