//! Routes: who serves a name, who is asked next, and which conversation stays where.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use crate::support::{Answer, App, Builder, Provider, chat, eventually};

/// What `acme` does in place of an answer, the words of its model's name, and the failure's kind.
const FAILURES: [(&str, &str); 8] = [
    ("status-500", "upstream"),
    ("status-503", "overloaded"),
    ("status-429-after-30", "rate_limited"),
    // it would thaw within the time that a request may wait, but nobody waits who can go on
    ("status-429-after-4", "rate_limited"),
    ("cut", "network"),
    ("hang", "timeout"),
    ("status-403", "not_entitled"),
    // the last, since the token rests for all models then
    ("quota", "quota_exhausted"),
];

fn names<'a>(models: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = models.into_iter().map(|id| format!("{id:?}")).collect();
    format!("targets = [{}]\n", quoted.join(", "))
}

/// Two providers, `acme` and `beta`, each with an upstream of its own.
fn two(acme: &Simulator, beta: &Simulator) -> Builder {
    both(acme_of(acme), beta)
}

/// The same where `acme` is soon given up.
fn hasty(acme: &Simulator, beta: &Simulator) -> Builder {
    let acme = acme_of(acme).with("timeouts", "{ first_byte_ms = 1000 }");
    both(acme, beta)
}

fn acme_of(sim: &Simulator) -> Provider {
    let failing = FAILURES.map(|(words, _)| format!("sim-{words}"));
    let failing = failing.each_ref().map(|model| &**model);
    let others = ["sim-cut-after-3", "sim-status-400", "other"];
    Provider::of(sim).models(&failing).models(&others)
}

fn both(acme: Provider, beta: &Simulator) -> Builder {
    let beta = Provider::of(beta).name("beta");
    let beta = beta.tokens(&["sk-upstream-token-b"]);
    App::builder().provider(acme).provider(beta)
}

fn attempts(answer: &Answer) -> u64 {
    answer.header("x-troupe-attempts").parse().unwrap()
}

#[actix_rt::test]
async fn another_provider_answers_where_the_first_cannot() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let mut builder =
        hasty(&acme, &beta).provider(Provider::at("http://127.0.0.1:1/v1").name("gone"));
    for (words, _) in FAILURES {
        let first = format!("acme/sim-{words}");
        builder = builder.route(words, &names([&*first, "beta/gpt-4o"]));
    }
    let app = builder
        .route("unreachable", &names(["gone/gpt-4o", "beta/gpt-4o"]))
        .start()
        .await;
    let requests = || acme.script().stats().requests + beta.script().stats().requests;
    for (served, (words, _)) in (1..).zip(FAILURES) {
        let (before, began) = (requests(), Instant::now());
        let answer = app.chat(&chat::plain(words)).await;
        assert_eq!(answer.header("x-troupe-provider"), "beta", "{words}");
        assert_eq!(attempts(&answer), requests() - before, "{words}");
        assert_eq!(answer.status, 200, "{words}");
        let waited = words.contains("after-4") && began.elapsed() >= Duration::from_secs(4);
        assert!(!waited, "it waited for a thaw");
        // under the name that the target has over there
        assert_eq!(beta.script().stats().model("gpt-4o"), served);
    }
    let answer = app.chat(&chat::stream("unreachable")).await;
    assert_eq!((answer.status, attempts(&answer) > 1), (200, true));
    assert!(!answer.events().await.is_empty());

    let calls = app.calls_once(FAILURES.len() + 1).await;
    for (call, (words, _)) in calls.iter().rev().zip(FAILURES) {
        let recorded = ["model", "provider", "upstream_model", "outcome"].map(|key| &call[key]);
        assert_eq!(recorded, [words, "beta", "gpt-4o", "ok"], "{call}");
    }
    let metrics = app.get("/metrics").await.text().await;
    for (words, kind) in FAILURES {
        let line = format!(
            "troupe_route_fallbacks_total{{route=\"{words}\",from=\"acme/sim-{words}\",\
             to=\"beta/gpt-4o\",kind=\"{kind}\"}} 1"
        );
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
}

#[actix_rt::test]
async fn nothing_goes_on_after_the_first_byte_nor_after_a_fault_of_the_request() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let app = two(&acme, &beta)
        .route("cut", &names(["acme/sim-cut-after-3", "beta/gpt-4o"]))
        .route("bad", &names(["acme/sim-status-400", "beta/gpt-4o"]))
        .start()
        .await;
    let answer = app.chat(&chat::stream("cut")).await;
    let events = answer.events().await;
    assert!(
        events.last().unwrap().contains("upstream_cut"),
        "{events:?}"
    );
    let answer = app.chat(&chat::plain("bad")).await;
    assert_eq!((answer.status, attempts(&answer)), (400, 1));
    assert_eq!(answer.header("x-troupe-provider"), "acme");
    assert_eq!(beta.script().stats().requests, 0);
}

#[actix_rt::test]
async fn the_policy_says_when_to_go_on() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let hang = names(["acme/sim-hang", "beta/gpt-4o"]);
    let bad = names(["acme/sim-status-400", "beta/gpt-4o"]);
    let app = hasty(&acme, &beta)
        .route("short", &format!("{hang}budget_ms = 100"))
        .route("once", &format!("{hang}max_attempts = 1"))
        .route("never", &format!("{hang}on = [\"rate_limited\"]"))
        .route("hang", &hang)
        .route("also", &format!("{bad}on = [\"invalid_request\"]"))
        .start()
        .await;
    for model in ["short", "once", "never"] {
        let answer = app.chat(&chat::plain(model)).await;
        assert_eq!((answer.status, attempts(&answer)), (504, 1), "{model}");
    }
    // one that passes as it is: a job could not keep the user
    let picture = json!({"model": "hang", "prompt": "a house", "x-pass": true});
    let answer = app.post("/v1/images/generations", &picture).await;
    assert_eq!(
        answer.status, 504,
        "a picture that is perhaps drawn is not ordered twice"
    );
    assert_eq!(beta.script().stats().requests, 0);
    let answer = app.chat(&chat::plain("also")).await;
    assert_eq!((answer.status, attempts(&answer)), (200, 2));
}

#[actix_rt::test]
async fn who_is_cold_is_passed_over_and_the_first_error_with_words_is_told() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let limited = "acme/sim-status-429-after-30";
    let app = two(&acme, &beta)
        .route("smart", &names([limited, "beta/gpt-4o"]))
        .start()
        .await;
    let first = app.chat(&chat::plain("smart")).await;
    assert_eq!((first.status, attempts(&first)), (200, 2));
    for _ in 0..3 {
        let answer = app.chat(&chat::plain("smart")).await;
        assert_eq!((answer.status, attempts(&answer)), (200, 1));
    }
    assert_eq!(acme.script().stats().requests, 1);
    beta.script().any().answers([Behaviour::status_with(
        500,
        r#"{"error": {"message": "the roof fell"}}"#,
    )]);
    let answer = app.chat(&chat::plain("smart")).await;
    let error = answer.error(502, "upstream_error").await;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("the roof fell"), "{message}");
}

#[actix_rt::test]
async fn weights_share_what_comes() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let targets = r#"targets = [{ model = "acme/gpt-4o", weight = 3 }, { model = "beta/gpt-4o" }]"#;
    let app = two(&acme, &beta).route("shared", targets).start().await;
    for _ in 0..400 {
        assert_eq!(app.chat(&chat::plain("shared")).await.status, 200);
    }
    let shares = [&acme, &beta].map(|sim| sim.script().stats().requests);
    assert_eq!(shares[0] + shares[1], 400);
    // five standard deviations
    assert!((257..=343).contains(&shares[0]), "{shares:?}");
}

/// A chat request of a conversation, named by a header or by a field of the body.
async fn turn(app: &App, model: &str, conversation: &str, in_header: bool) -> Answer {
    let request = app.client().post(app.url("/v1/chat/completions"));
    let request = request.bearer_auth(App::API_KEY);
    let mut body = chat::plain(model);
    let request = match in_header {
        true => request.insert_header(("x-session-id", conversation)),
        false => {
            body["metadata"] = json!({ "session_id": conversation });
            request
        }
    };
    Answer::of(request, Some(&body)).await.expect("an answer")
}

#[actix_rt::test]
async fn a_conversation_keeps_its_token_and_its_target() {
    let sim = Simulator::start();
    let tokens = [
        "sk-upstream-token-a",
        "sk-upstream-token-b",
        "sk-upstream-token-c",
    ];
    let acme = Provider::of(&sim).tokens(&tokens);
    let targets = r#"targets = [{ model = "acme/gpt-4o" }, { model = "acme/gpt-4o-mini" }]"#;
    let app = App::builder().provider(acme).route("shared", targets);
    let app = app.start().await;
    let mut homes: HashMap<_, usize> = HashMap::new();
    for conversation in 0..16 {
        let conversation = format!("conversation-{conversation}");
        sim.script().reset();
        for number in 0..6 {
            let answer = turn(&app, "shared", &conversation, number % 2 == 0).await;
            assert_eq!(answer.status, 200);
        }
        let stats = sim.script().stats();
        let seen = (
            Vec::from_iter(stats.by_token.into_keys()),
            Vec::from_iter(stats.by_model.into_keys()),
        );
        assert_eq!((seen.0.len(), seen.1.len()), (1, 1), "{seen:?}");
        *homes.entry(seen).or_default() += 1;
    }
    assert!(homes.len() > 2, "all in few places: {homes:?}");

    // its token rests: the conversation goes to another, and stays there
    sim.script().reset();
    turn(&app, "acme/gpt-4o", "moving", true).await;
    let home = sim.script().stats().by_token.into_keys().next().unwrap();
    sim.script()
        .token(&home)
        .answers([Behaviour::rate_limited("60")]);
    for _ in 0..5 {
        assert_eq!(turn(&app, "acme/gpt-4o", "moving", true).await.status, 200);
    }
    let by_token = sim.script().stats().by_token;
    assert_eq!(
        by_token[&home], 2,
        "once before it rested, once to learn of it"
    );
    assert_eq!(by_token.len(), 2, "{by_token:?}");
}

#[actix_rt::test]
async fn an_alias_is_a_model_of_its_own() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let app = two(&acme, &beta)
        .route("smart", &names(["beta/gpt-4o"]))
        .route("gpt-4o", &names(["beta/gpt-4o"]))
        .start()
        .await;
    for model in ["smart", "gpt-4o", "beta/gpt-4o"] {
        let answer = app.chat(&chat::plain(model)).await;
        assert_eq!(answer.header("x-troupe-provider"), "beta", "{model}");
    }
    let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(answer.header("x-troupe-provider"), "acme");
    let list = app.get("/v1/models").await.json().await;
    let models = list["data"].as_array().unwrap();
    assert!(models.iter().any(|model| model["id"] == "smart"), "{list}");
    let card = app.get("/v1/models/smart").await.json().await;
    assert_eq!(
        (&card["id"], &card["owned_by"]),
        (&json!("smart"), &json!("troupe"))
    );
    app.chat(&chat::plain("dumb"))
        .await
        .error(404, "model_not_found")
        .await;
}

/// One figure of each candidate.
fn each(explained: &Value, pointer: &str) -> Vec<Value> {
    let candidates = explained["candidates"].as_array().unwrap();
    let value = |candidate: &Value| candidate.pointer(pointer).unwrap().clone();
    candidates.iter().map(value).collect()
}

#[actix_rt::test]
async fn admins_are_told_who_would_serve_and_why() {
    let (acme, beta) = (Simulator::start(), Simulator::start());
    let limited = "acme/sim-status-429-after-30";
    let app = two(&acme, &beta)
        .route("smart", &names([limited, "acme/gpt-4o", "beta/gpt-4o"]))
        .route(
            "shared",
            r#"targets = [{ model = "acme/gpt-4o" }, { model = "beta/gpt-4o" }]"#,
        )
        .start()
        .await;
    let path = "/api/admin/route?model=";
    let explain = async |query: &str| app.admin_get(&format!("{path}{query}")).await.json().await;

    let smart = explain("smart").await;
    assert_eq!(smart["resolved_by"], "route");
    assert_eq!(
        each(&smart, "/model"),
        [limited, "acme/gpt-4o", "beta/gpt-4o"]
    );
    assert_eq!(each(&smart, "/priority"), [0, 1, 2]);
    assert_eq!(each(&smart, "/state"), ["ready", "ready", "ready"]);
    assert_eq!(each(&smart, "/why")[0], "asked first: priority 0");
    assert_eq!(smart["policy"]["max_attempts"], 3);
    assert_eq!(smart["policy"]["on"][0], "rate_limited");

    assert_eq!(app.chat(&chat::plain("smart")).await.status, 200);
    let smart = eventually("the rest of acme's token", async || {
        let smart = explain("smart").await;
        (each(&smart, "/state")[2] == "cooling").then_some(smart)
    })
    .await;
    assert_eq!(
        each(&smart, "/model"),
        ["acme/gpt-4o", "beta/gpt-4o", limited]
    );
    let cold = &smart["candidates"][2];
    assert!(
        (1..=33).contains(&cold["ready_in_seconds"].as_u64().unwrap()),
        "{cold}"
    );
    assert_eq!(
        (&cold["tokens"]["ready"], &cold["tokens"]["total"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(cold["tokens"]["list"][0]["alias"], "#1 …en-a");
    assert!(
        cold["why"].as_str().unwrap().contains("rate limited"),
        "{cold}"
    );

    for (query, by) in [
        ("acme/gpt-4o", "full_id"),
        ("gpt-4o", "bare_name"),
        ("other", "bare_name"),
    ] {
        let plain = explain(query).await;
        assert_eq!(plain["resolved_by"], by, "{plain}");
        assert_eq!(each(&plain, "/provider"), ["acme"]);
        assert_eq!(plain["policy"], Value::Null);
    }

    // what it says of a conversation is what happens
    turn(&app, "shared", "c1", true).await;
    let calls = app.calls_once(2).await;
    let id = calls[0]["app_id"].as_str().unwrap();
    for conversation in ["c1", "c2", "c3", "c4", "c5", "c6"] {
        let told = explain(&format!("shared&app={id}&conversation={conversation}")).await;
        let answer = turn(&app, "shared", conversation, true).await;
        assert_eq!(
            each(&told, "/provider")[0],
            answer.header("x-troupe-provider")
        );
    }
    let asked = app
        .admin_get(&format!("{path}shared&conversation=c1"))
        .await;
    asked.error(400, "invalid_request").await;
    let unknown = app.admin_get(&format!("{path}dumb")).await;
    unknown.error(404, "model_not_found").await;
    assert_eq!(app.get(&format!("{path}smart")).await.status, 401);
}
