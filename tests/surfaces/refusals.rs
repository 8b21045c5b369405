//! What Troupe itself refuses, in the dialect of the path.

use serde_json::Value;
use troupe_simulator::Simulator;

use super::MESSAGES;
use crate::{
    pairs::{KINDS, Speaker, app, configured, streaming},
    support::{Answer, App},
};

const COUNT: &str = "/v1/messages/count_tokens";

/// Checks the shape of an error to one of Anthropic's clients.
async fn told(answer: Answer) -> (u16, String, String) {
    let status = answer.status;
    assert_eq!(answer.header("content-type"), "application/json");
    let id = answer.header("request-id").to_owned();
    assert!(!id.is_empty() && id == answer.header("x-request-id"));
    let body = answer.json().await;
    assert_eq!(body["type"], "error", "{body}");
    assert_eq!(body["request_id"], id, "{body}");
    let text = |key: &str| body["error"][key].as_str().unwrap_or_default().to_owned();
    assert!(!text("message").is_empty(), "{body}");
    (status, text("type"), text("code"))
}

fn expected(status: u16, kind: &str, code: &str) -> (u16, String, String) {
    (status, kind.to_owned(), code.to_owned())
}

async fn post(app: &App, path: &str, body: &str) -> Answer {
    let request = app.client().post(app.url(path));
    let request = request
        .insert_header(("x-api-key", App::API_KEY))
        .content_type("application/json");
    Answer::new(request.send_body(body.to_owned()).await.unwrap())
}

#[actix_rt::test]
async fn anthropics_clients_are_told_in_their_shape() {
    let simulator = Simulator::start();
    let builder = App::builder()
        .set("server.max_body_bytes", "10000")
        .set("server.max_json_depth", "16");
    let app = configured(&simulator, builder).await;
    let deep = format!(
        r#"{{"model":"x","messages":{}{}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    let large = format!(r#"{{"model":"x","messages":"{}"}}"#, "x".repeat(20_000));
    let invalid = "invalid_request_error";
    for path in [MESSAGES, COUNT] {
        for (body, status, kind, code) in [
            ("not json", 400, invalid, "invalid_json"),
            (r#"{"messages":[]}"#, 400, invalid, "missing_model"),
            (
                r#"{"model":"nobody/x","messages":[]}"#,
                404,
                "not_found_error",
                "model_not_found",
            ),
            (
                r#"{"model":"openai/sim-mirror","messages":5}"#,
                400,
                invalid,
                "invalid_request",
            ),
            (&deep, 400, invalid, "json_too_deep"),
            (&large, 413, "request_too_large", "body_too_large"),
        ] {
            let answer = told(post(&app, path, body).await).await;
            let start = body.get(..40).unwrap_or(body);
            assert_eq!(answer, expected(status, kind, code), "{path} {start}");
        }
        let get = told(app.get(path).await).await;
        assert_eq!(get, expected(405, invalid, "method_not_allowed"));
    }
    let batches = told(post(&app, "/v1/messages/batches", "{}").await).await;
    assert_eq!(batches, expected(404, "not_found_error", "not_found"));
    assert_eq!(simulator.script().stats().requests, 0);
}

#[actix_rt::test]
async fn keys_come_in_either_header_on_every_surface() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for speaker in Speaker::ALL {
        let body = speaker.asks("gemini/sim-stream-5", "hello");
        let post = || app.client().post(app.url(speaker.path()));
        let with_key = post().insert_header(("x-api-key", App::API_KEY));
        Answer::of(with_key, Some(&body)).await.unwrap().ok().await;
        for (request, code) in [
            (post(), "missing_api_key"),
            (
                post().insert_header(("x-api-key", "tp-nobody-knows-this")),
                "invalid_api_key",
            ),
        ] {
            let answer = Answer::of(request, Some(&body)).await.unwrap();
            if speaker == Speaker::Messages {
                assert_eq!(
                    told(answer).await,
                    expected(401, "authentication_error", code)
                );
            } else {
                answer.error(401, code).await;
            }
        }
    }
}

#[actix_rt::test]
async fn limits_are_told_in_the_dialect_too() {
    let simulator = Simulator::start();
    let builder = App::builder()
        .set("limits.max_in_flight_per_app", "1")
        .set("limits.max_wait_ms", "0");
    let app = configured(&simulator, builder).await;
    for speaker in Speaker::ALL {
        let slow = speaker.asks("openai_responses/sim-hang-after-3", "hello");
        let mut first = app.post(speaker.path(), &streaming(slow, true)).await;
        first.piece().await.unwrap();
        let second = app
            .post(speaker.path(), &speaker.asks("gemini/sim-mirror", "hi"))
            .await;
        assert!(!second.header("retry-after").is_empty());
        if speaker == Speaker::Messages {
            assert_eq!(second.header("anthropic-ratelimit-requests-remaining"), "0");
            let limited = expected(429, "rate_limit_error", "app_limit_reached");
            assert_eq!(told(second).await, limited);
        } else {
            assert_eq!(second.header("x-ratelimit-remaining-requests"), "0");
            second.error(429, "app_limit_reached").await;
        }
        drop(first);
        let closed = simulator.script();
        let so_far = Speaker::ALL
            .iter()
            .position(|other| *other == speaker)
            .unwrap() as u64;
        closed
            .wait_for(crate::support::SOON, |stats| stats.cancelled == so_far + 1)
            .await;
    }
}

#[actix_rt::test]
async fn a_full_spool_is_told_in_the_dialect() {
    let simulator = Simulator::start();
    let builder = App::builder()
        .set("calls.spool_max_bytes", "1048576")
        .set("calls.flush_ms", "60000");
    let app = configured(&simulator, builder).await;
    let body = Speaker::Messages.asks("nobody/nothing", "hello");
    let refused = crate::support::eventually("a full spool", async || {
        let answers = (0..64).map(|_| app.post(MESSAGES, &body));
        let answers = futures_util::future::join_all(answers).await;
        answers.into_iter().find(|answer| answer.status == 503)
    })
    .await;
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(
        told(refused).await,
        expected(503, "api_error", "spool_full")
    );
}

#[actix_rt::test]
async fn an_error_event_that_comes_first_is_told_as_a_refusal() {
    for kind in KINDS {
        let overloaded = ["anthropic", "gemini"].contains(&kind);
        for speaker in Speaker::ALL {
            // each with a provider whose breaker no other error has opened
            let simulator = Simulator::start();
            let app = app(&simulator).await;
            let body = speaker.asks(&format!("{kind}/sim-error-after-0"), "hello");
            let answer = app.post(speaker.path(), &streaming(body, true)).await;
            match (speaker, overloaded) {
                (Speaker::Messages, true) => assert_eq!(
                    told(answer).await,
                    expected(529, "overloaded_error", "provider_unavailable")
                ),
                (Speaker::Messages, false) => {
                    let failed = expected(502, "api_error", "upstream_error");
                    assert_eq!(told(answer).await, failed);
                }
                (_, true) => drop(answer.error(503, "provider_unavailable").await),
                (_, false) => drop(answer.error(502, "upstream_error").await),
            }
        }
    }
}

#[actix_rt::test]
async fn an_error_event_that_is_not_waited_for_ends_the_stream_in_the_dialect() {
    let simulator = Simulator::start();
    let builder = App::builder().set("timeouts.first_event_ms", "0");
    let app = configured(&simulator, builder).await;
    for kind in KINDS {
        for speaker in Speaker::ALL {
            let body = speaker.asks(&format!("{kind}/sim-error-after-0"), "hello");
            let answer = app.post(speaker.path(), &streaming(body, true)).await;
            assert_eq!(answer.status, 200);
            let events = answer.events().await;
            let last: Value = serde_json::from_str(events.last().unwrap()).unwrap_or_default();
            let pair = format!("{speaker:?} on {kind}: {events:#?}");
            match speaker {
                Speaker::Chat => assert!(last["error"]["message"].is_string(), "{pair}"),
                Speaker::Responses => assert!(
                    last["type"] == "error" || last["type"] == "response.failed",
                    "{pair}"
                ),
                Speaker::Messages => assert_eq!(last["type"], "error", "{pair}"),
            }
        }
    }
}
