//! Errors before the first byte and after it, told in the client's dialect.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{KINDS, Speaker, app, configured, streaming};
use crate::support::{App, Provider, SOON};

/// status, type, message
fn error_of(speaker: Speaker, status: u16, body: &Value) -> (u16, String, String) {
    if speaker == Speaker::Messages {
        assert_eq!(body["type"], "error", "{body}");
        assert!(body["request_id"].is_string(), "{body}");
    }
    let text = |key: &str| body["error"][key].as_str().unwrap_or_default().to_owned();
    (status, text("type"), text("message"))
}

#[actix_rt::test]
async fn refusals_have_the_dialects_own_shape() {
    for (scene, chat, messages) in [
        (
            "sim-status-429-after-7",
            (429, "rate_limit_error"),
            (429, "rate_limit_error"),
        ),
        (
            "sim-status-503",
            (503, "server_error"),
            (529, "overloaded_error"),
        ),
        ("sim-status-500", (502, "server_error"), (502, "api_error")),
        ("sim-bad-key", (502, "server_error"), (502, "api_error")),
    ] {
        for kind in KINDS {
            for speaker in Speaker::ALL {
                // each with credentials that no other error has cooled
                let simulator = Simulator::start();
                let builder = App::builder().set("pool.max_wait_ms", "0");
                let app = configured(&simulator, builder).await;
                let body = speaker.asks(&format!("{kind}/{scene}"), "hello");
                let answer = app.post(speaker.path(), &body).await;
                let expected = if speaker == Speaker::Messages {
                    messages
                } else {
                    chat
                };
                if expected.0 == 429 {
                    // the upstream's word is the floor, to which some chance is added
                    let after: u64 = answer.header("retry-after").parse().expect("seconds");
                    assert!(
                        (7..=9).contains(&after),
                        "{scene} {kind} {speaker:?}: {after}"
                    );
                }
                let id_name = if speaker == Speaker::Messages {
                    "request-id"
                } else {
                    "x-request-id"
                };
                assert!(!answer.header(id_name).is_empty());
                let status = answer.status;
                let body = answer.json().await;
                let (status, name, message) = error_of(speaker, status, &body);
                assert_eq!(
                    (status, name.as_str()),
                    expected,
                    "{scene} {kind} {speaker:?}: {body}"
                );
                assert!(!message.is_empty());
            }
        }
    }
}

#[actix_rt::test]
async fn a_stream_that_breaks_ends_with_the_dialects_error() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for scene in [
        "sim-stream-20+cut-after-3",
        "sim-stream-20+error-after-3",
        "sim-stream-20+malformed",
    ] {
        for speaker in Speaker::ALL {
            for kind in KINDS {
                let body = speaker.asks(&format!("{kind}/{scene}"), "hello");
                let answer = app.post(speaker.path(), &streaming(body, true)).await;
                assert_eq!(answer.status, 200, "{scene} {speaker:?} {kind}");
                let events = answer.events().await;
                let last: Value =
                    serde_json::from_str(events.last().expect("events")).unwrap_or_default();
                let told = match speaker {
                    Speaker::Chat => last["error"]["message"].is_string(),
                    Speaker::Responses | Speaker::Messages => last["type"] == "error",
                };
                assert!(told, "{scene} {speaker:?} {kind}: {events:#?}");
            }
        }
    }
}

#[actix_rt::test]
async fn a_silent_stream_is_kept_alive() {
    let simulator = Simulator::start();
    let builder = App::builder().set("server.ping_seconds", "1");
    let app = configured(&simulator, builder).await;
    for speaker in Speaker::ALL {
        for kind in ["openai", "anthropic"] {
            let body = speaker.asks(&format!("{kind}/sim-stream-9+hang-after-3"), "hello");
            let mut answer = app.post(speaker.path(), &streaming(body, true)).await;
            let mut seen = String::new();
            while !seen.contains("ping") {
                let piece = answer.piece().await.expect("more");
                seen += std::str::from_utf8(&piece).expect("UTF-8");
            }
        }
    }
}

#[actix_rt::test]
async fn a_client_that_leaves_a_converted_stream_ends_it_upstream() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for speaker in Speaker::ALL {
        let before = simulator.script().stats().cancelled;
        let body = speaker.asks("anthropic/sim-stream-500x20ms", "hello");
        let body = streaming(body, true);
        let path = if speaker == Speaker::Messages {
            "gemini"
        } else {
            "anthropic"
        };
        let mut body = body;
        body["model"] = json!(format!("{path}/sim-stream-500x20ms"));
        let mut answer = app.post(speaker.path(), &body).await;
        answer.piece().await.expect("a first piece");
        drop(answer);
        simulator
            .script()
            .wait_for(SOON, |stats| stats.cancelled == before + 1)
            .await;
    }
}

#[actix_rt::test]
async fn a_stream_that_begins_late_has_its_headers_in_time() {
    let simulator = Simulator::start();
    let slow = "{ connect_ms = 1000, first_byte_ms = 2500, idle_ms = 5000, total_ms = 9000 }";
    let slow = Provider::at(&simulator.base_url())
        .name("slow")
        .models(&["sim-hang"])
        .with("timeouts", slow);
    let targets = "targets = [\"slow/sim-hang\", \"openai/sim-stream-5\"]";
    let builder = App::builder()
        .set("server.early_headers_seconds", "1")
        .set("server.ping_seconds", "1")
        .provider(slow)
        .route("late", targets);
    let app = configured(&simulator, builder).await;
    for speaker in Speaker::ALL {
        let body = streaming(speaker.asks("late", "seed:7"), true);
        let mut answer = app.post(speaker.path(), &body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.piece().await.expect("a ping"), ": ping\n\n");
        let heard = speaker.streamed(answer).await;
        assert_eq!(heard.text.trim(), "7-0 7-1 7-2 7-3 7-4", "{speaker:?}");
        let body = streaming(speaker.asks("slow/sim-hang", "hello"), true);
        let answer = app.post(speaker.path(), &body).await;
        assert_eq!(answer.status, 200);
        let events = answer.events().await;
        // Codex reads `response.failed`, the SDKs read `error`
        let expected = if speaker == Speaker::Responses { 2 } else { 1 };
        assert_eq!(events.len(), expected, "{events:?}");
        let last = events.last().expect("an event");
        let error: Value = serde_json::from_str(last).expect("an error");
        if speaker == Speaker::Responses {
            assert!(events[0].contains("\"response.failed\""), "{events:?}");
        }
        let message = match speaker {
            Speaker::Responses => &error["message"],
            Speaker::Chat | Speaker::Messages => &error["error"]["message"],
        };
        assert!(message.is_string(), "{speaker:?}: {error}");
    }
}
