//! Every class of error: OpenAI's shape, a stable code, who has to act, and no secret.

use std::net::TcpListener;

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::support::{Answer, App, Provider, chat};

const CHAT: &str = "/v1/chat/completions";

/// Checks the shape and returns the status and the code.
async fn shaped(answer: Answer) -> (u16, String) {
    let (status, id) = (answer.status, answer.header("x-request-id").to_owned());
    assert!(!id.is_empty(), "{status} without an id");
    assert_eq!(
        answer.header("content-type"),
        "application/json",
        "{status}"
    );
    let body = answer.json().await;
    let error = &body["error"];
    for field in ["message", "type", "code", "layer"] {
        assert!(error[field].is_string(), "{field} in {body}");
    }
    assert_eq!(error["request_id"], id, "{body}");
    assert!(!body.to_string().contains("sk-upstream-token-a"), "{body}");
    (status, error["code"].as_str().unwrap().to_owned())
}

#[actix_rt::test]
async fn faults_of_the_request() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("server.max_body_bytes", "10000")
        .set("server.max_json_depth", "16")
        .provider(Provider::of(&sim))
        .start()
        .await;
    let deep = format!(
        r#"{{"model":"acme/gpt-4o","messages":{}{}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    let large = format!(
        r#"{{"model":"acme/gpt-4o","messages":"{}"}}"#,
        "x".repeat(20_000)
    );
    for (body, status, code) in [
        ("not json", 400, "invalid_json"),
        (r#"{"messages":[]}"#, 400, "missing_model"),
        (
            r#"{"model":"acme/nothing","messages":[]}"#,
            404,
            "model_not_found",
        ),
        (
            r#"{"model":"nobody/gpt-4o","messages":[]}"#,
            404,
            "model_not_found",
        ),
        (&deep, 400, "json_too_deep"),
        (&large, 413, "body_too_large"),
    ] {
        let request = app.client().post(app.url(CHAT)).bearer_auth(App::API_KEY);
        let request = request.insert_header(("content-type", "application/json"));
        let sent = request.send_body(body.to_owned()).await.unwrap();
        let answer = shaped(Answer::new(sent)).await;
        assert_eq!(
            answer,
            (status, code.to_owned()),
            "{}",
            body.get(..60).unwrap_or(body)
        );
    }
    assert_eq!(shaped(app.get("/v1/nothing").await).await.1, "not_found");
    assert_eq!(
        shaped(app.get(CHAT).await).await,
        (405, "method_not_allowed".to_owned())
    );
    assert_eq!(sim.script().stats().requests, 0);
}

#[actix_rt::test]
async fn headers_have_a_limit() {
    let app = App::builder()
        .set("server.max_header_bytes", "4096")
        .start()
        .await;
    let request = app.client().get(app.url("/v1/models"));
    let request = request.bearer_auth(App::API_KEY);
    let request = request.insert_header(("x-long", "x".repeat(8_000)));
    let answer = Answer::of(request, None).await.unwrap();
    let refused = shaped(answer).await;
    assert_eq!(refused, (431, "headers_too_large".to_owned()));
}

#[actix_rt::test]
async fn faults_of_the_key() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let post = || app.client().post(app.url(CHAT));
    let body = chat::plain("acme/gpt-4o");
    for (request, code) in [
        (post(), "missing_api_key"),
        (
            post().bearer_auth("tp-nobody-knows-this-key-000000"),
            "invalid_api_key",
        ),
        (post().bearer_auth(""), "missing_api_key"),
    ] {
        let answer = Answer::of(request, Some(&body)).await.unwrap();
        assert_eq!(shaped(answer).await, (401, code.to_owned()));
    }
    assert_eq!(sim.script().stats().requests, 0);
}

#[actix_rt::test]
async fn faults_of_the_upstream() {
    let table: &[(&str, &[(u16, &str)])] = &[
        ("sim-status-400", &[(400, "upstream_invalid_request")]),
        ("sim-policy", &[(400, "content_policy")]),
        ("sim-leak", &[(502, "upstream_auth")]),
        ("sim-status-403", &[(502, "upstream_not_entitled")]),
        ("sim-status-429-after-9", &[(429, "rate_limit_exceeded")]),
        (
            "sim-quota",
            &[
                (503, "credentials_unavailable"),
                (429, "rate_limit_exceeded"),
            ],
        ),
        ("sim-status-500", &[(502, "upstream_error")]),
        ("sim-status-503", &[(503, "provider_unavailable")]),
        ("sim-cut", &[(502, "upstream_unreachable")]),
        (
            "sim-cut-after-1",
            &[
                (502, "upstream_cut"),
                (502, "upstream_error"),
                (502, "upstream_unreachable"),
            ],
        ),
        ("sim-hang", &[(504, "upstream_timeout")]),
    ];
    for (model, wanted) in table {
        let sim = Simulator::start();
        let provider = Provider::of(&sim)
            .models(&[model])
            .with("pool", "{ max_wait_ms = 0 }")
            .with("timeouts", "{ first_byte_ms = 300 }");
        let app = App::builder().provider(provider).start().await;
        let answer = app.chat(&chat::plain(&format!("acme/{model}"))).await;
        let after = answer.header("retry-after").to_owned();
        let (status, code) = shaped(answer).await;
        assert!(
            wanted.contains(&(status, &code)),
            "{model}: {status} {code}"
        );
        if *model == "sim-status-429-after-9" {
            assert!((8..=10).contains(&after.parse().unwrap()), "{after}");
        }
    }
}

#[actix_rt::test]
async fn nobody_listens_upstream() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let provider = Provider::at(&format!("http://{free}/v1"));
    let app = App::builder().provider(provider).start().await;
    let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(
        shaped(answer).await,
        (502, "upstream_unreachable".to_owned())
    );
}

#[actix_rt::test]
async fn too_much_at_once_is_shed() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("limits.max_in_flight_per_app", "1")
        .set("limits.max_wait_ms", "50")
        .provider(Provider::of(&sim).models(&["sim-hang-after-1"]))
        .start()
        .await;
    let mut held = app.chat(&chat::stream("acme/sim-hang-after-1")).await;
    held.event().await.unwrap();
    let refused = app.chat(&chat::plain("acme/gpt-4o")).await;
    let after: u64 = refused.header("retry-after").parse().unwrap();
    assert!(after >= 1);
    assert_eq!(shaped(refused).await, (429, "app_limit_reached".to_owned()));
    drop(held);
    sim.script()
        .wait_for(crate::support::SOON, |stats| stats.cancelled == 1)
        .await;
    app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
}

#[actix_rt::test]
async fn what_follows_the_first_byte_comes_as_an_event() {
    let sim = Simulator::start();
    let models = ["sim-cut-after-3", "sim-error-after-3", "sim-hang-after-3"];
    let provider = Provider::of(&sim)
        .models(&models)
        .with("timeouts", "{ idle_ms = 300 }");
    let app = App::builder().provider(provider).start().await;
    for (model, code) in [
        ("acme/sim-cut-after-3", "upstream_cut"),
        ("acme/sim-hang-after-3", "upstream_timeout"),
        ("acme/sim-error-after-3", ""),
    ] {
        let answer = app.chat(&chat::stream(model)).await;
        assert_eq!(answer.status, 200);
        let events = answer.events().await;
        let error = events.iter().rfind(|event| event.contains("\"error\""));
        let error = error.unwrap_or_else(|| panic!("{model}: {events:?}"));
        let error: Value = serde_json::from_str(error).unwrap();
        assert!(error["error"]["message"].is_string());
        assert!(
            code.is_empty() || error["error"]["code"] == json!(code),
            "{error}"
        );
        assert!(
            !events.contains(&"[DONE]".to_owned()),
            "{model}: {events:?}"
        );
    }
}

#[actix_rt::test]
async fn an_https_upstream_that_speaks_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // answers plainly where a handshake is expected
    let plain = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        // the gateway may have hung up already
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let provider = Provider::at(&format!("https://{address}/v1"));
    let app = App::builder().provider(provider).start().await;
    let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(
        shaped(answer).await,
        (502, "upstream_unreachable".to_owned())
    );
    plain.join().unwrap();
}

/// Sends the head of a request whose body never comes, and returns what is answered.
fn answer_without_a_body(app: &App, path: &str, headers: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = app.url("").trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let limit = std::time::Duration::from_secs(10);
    stream.set_read_timeout(Some(limit)).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: troupe\r\ncontent-type: application/json\r\n\
         {headers}content-length: 5000000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[actix_rt::test]
async fn a_body_that_does_not_come() {
    let app = App::builder()
        .set("server.body_timeout_ms", "200")
        .start()
        .await;
    let key = format!("authorization: Bearer {}\r\n", App::API_KEY);
    let late = answer_without_a_body(&app, CHAT, &key);
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    assert!(late.contains("\"request_timeout\""), "{late}");
    // nobody's bodies are not even waited for
    let refused = answer_without_a_body(&app, CHAT, "");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
}

#[actix_rt::test]
async fn no_body_is_read_without_a_place() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("limits.max_in_flight_per_app", "1")
        .set("limits.max_wait_ms", "50")
        .set("server.body_timeout_ms", "5000")
        .provider(Provider::of(&sim).models(&["sim-hang-after-1"]))
        .start()
        .await;
    let mut held = app.chat(&chat::stream("acme/sim-hang-after-1")).await;
    held.event().await.unwrap();
    let key = format!("authorization: Bearer {}\r\n", App::API_KEY);
    let keyed = format!("{key}idempotency-key: once\r\n");
    let plain = [
        CHAT,
        "/v1/images/generations",
        "/v1/images/edits",
        "/v1/videos",
        "/api/v1/imagine",
        "/api/v1/edit",
        "/api/v1/upscale",
        "/api/v1/text",
        "/api/v1/video",
        "/api/v1/generate",
        "/api/v1/tasks",
    ];
    let plain = plain.map(|path| (path, &key));
    for (path, headers) in plain.into_iter().chain([(CHAT, &keyed)]) {
        let refused = answer_without_a_body(&app, path, headers);
        assert!(refused.starts_with("HTTP/1.1 429 "), "{path}: {refused}");
    }
    drop(held);
    app.calls_once(13).await;
}
