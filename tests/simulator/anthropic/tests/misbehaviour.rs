//! Refusals and broken streams.

use serde_json::json;

use crate::{
    Behaviour,
    trial::{Trial, joined},
};

use super::{PATH, ask, assembled, stream, trial};

#[actix_rt::test]
async fn refuses_and_misbehaves_in_its_own_shape() {
    let trial = trial();
    for (model, status, kind) in [
        ("sim-status-401", 401, "authentication_error"),
        ("sim-bad-key", 401, "authentication_error"),
        ("sim-missing", 404, "not_found_error"),
        ("sim-status-429-after-7", 429, "rate_limit_error"),
        ("sim-status-500", 500, "api_error"),
        ("sim-status-529", 529, "overloaded_error"),
        ("sim-quota", 400, "invalid_request_error"),
        ("sim-unheard-of", 404, "not_found_error"),
    ] {
        let heard = trial.post(PATH, &ask(model, "x")).await;
        assert_eq!(
            (heard.status, &heard.json()["error"]["type"]),
            (status, &json!(kind)),
            "{model}"
        );
    }
    let heard = Trial::new(&[("anthropic-version", "x")])
        .post(PATH, &ask("m", "x"))
        .await;
    assert_eq!(
        (heard.status, &heard.json()["type"]),
        (401, &json!("error"))
    );
    let events = stream(&trial, &ask("sim-error-after-2", "seed:7"))
        .await
        .events();
    assert_eq!(joined(&events, "/delta/text"), "7-0 7-1 ");
    assert_eq!(events.last().unwrap()["error"]["type"], "overloaded_error");
    let heard = stream(&trial, &ask("sim-no-done", "x")).await;
    assert_eq!(heard.events().last().unwrap()["type"], "message_delta");
    let heard = stream(&trial, &ask("sim-malformed", "x")).await;
    assert!(heard.text.contains("\"ind\n\ndata\n"));
    let heard = stream(&trial, &ask("sim-line-1m", "x")).await;
    assert!(heard.text.lines().any(|line| line.len() == 1 << 20));
    for (model, end) in [("sim-crlf", "\r\n\r\n"), ("sim-cr", "\r\r")] {
        let heard = stream(&trial, &ask(model, "x")).await;
        assert!(heard.text.ends_with(end) && !heard.text.replace(end, "").contains("\n\n"));
    }
    for model in ["sim-utf8", "sim-bytes+stream-2", "sim-drip-1ms"] {
        assert_eq!(
            assembled(&stream(&trial, &ask(model, "x")).await)["stop_reason"],
            "end_turn"
        );
    }
    trial
        .sim
        .script()
        .token("sk-a")
        .answers([Behaviour::status(503)]);
    assert_eq!(trial.post(PATH, &ask("claude-x", "x")).await.status, 503);
}
