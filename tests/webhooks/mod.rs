//! Webhooks: the ends of jobs, told to receivers on real sockets.

mod receiver;
mod secrets;

use awc::http::header;
use serde_json::{Value, json};
use troupe_actors::{jobs::webhooks::sign, secrets::Secret};

use self::receiver::{Message, Mood, Receiver};
use crate::{
    repeats::key,
    support::{Answer, App, Builder, eventually},
};

/// A gateway whose jobs may be told to this machine.
fn telling() -> Builder {
    App::builder()
        .set("egress.allow_hosts", "[\"127.0.0.1\"]")
        .set("webhooks.retry_ms", "20")
        .set("keys.refresh_ms", "100")
}

/// A picture to be drawn by a job.
fn fox(more: &Value) -> Value {
    let mut body = json!({
        "model": "demo/demo-image", "prompt": "a red fox", "size": "64x64", "seed": 7, "async": true,
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body
}

/// Submits it and returns the job's id.
async fn submitted(app: &App, more: &Value) -> String {
    let answer = app.post("/v1/images/generations", &fox(more)).await;
    assert_eq!(answer.status, 202);
    answer.json().await["id"].as_str().unwrap().to_owned()
}

/// An endpoint and its secret.
async fn endpoint(app: &App, url: &str) -> (String, Secret) {
    let made = app.post("/v1/webhooks", &json!({"url": url})).await;
    assert_eq!(made.status, 201);
    let made = made.json().await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret").into())
}

/// The app's only delivery once it has that status.
async fn delivery(app: &App, status: &str) -> Value {
    let path = format!("/v1/webhooks/deliveries?status={status}");
    eventually(status, async || {
        app.get(&path).await.json().await["data"].get(0).cloned()
    })
    .await
}

fn is_signed_by(message: &Message, secret: &Secret) -> bool {
    let expected = sign::standard(
        std::slice::from_ref(secret),
        message.header("webhook-id"),
        message.header("webhook-timestamp").parse().unwrap(),
        &message.body,
    );
    let mut given = message.header("webhook-signature").split(' ');
    given.any(|signature| signature == expected)
}

/// Sends with another app's key.
async fn sent(app: &App, key: &str, method: &str, path: &str) -> Answer {
    let request = app.client().request(method.parse().unwrap(), app.url(path));
    Answer::of(request.bearer_auth(key), None).await.unwrap()
}

#[actix_rt::test]
async fn the_end_of_a_job_is_told_to_the_endpoint_of_its_app() {
    let (app, receiver) = (telling().start().await, Receiver::start());
    let (id, secret) = endpoint(&app, &receiver.url("/hook?a=b")).await;
    let job = submitted(&app, &json!({})).await;
    let message = receiver.once(1).await.remove(0);
    assert_eq!(message.path, "/hook?a=b");
    assert!(is_signed_by(&message, &secret), "{message:?}");
    assert_eq!(message.header("content-type"), "application/json");
    let told = message.json();
    assert_eq!(told["type"], "job.completed");
    assert!(told["timestamp"].as_str().unwrap().ends_with('Z'), "{told}");
    let seen = app.get(&format!("/v1/jobs/{job}")).await.json().await;
    assert_eq!(told["data"], seen);

    let done = delivery(&app, "delivered").await;
    assert_eq!((&done["job"], &done["webhook"]), (&json!(job), &json!(id)));
    assert_eq!(
        (&done["attempts"], &done["last_status"]),
        (&json!(1), &json!(204))
    );
    assert_eq!(done["id"], message.header("webhook-id"));
    eventually("the metrics", async || {
        let metrics = app.get("/metrics").await.text().await;
        metrics
            .contains("troupe_webhooks_delivered_total 1")
            .then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn nothing_is_lost_by_a_kill_between_the_end_of_a_job_and_its_delivery() {
    let receiver = Receiver::start();
    let mut app = telling().start().await;
    receiver.set(Mood::Hangs);
    let mut jobs = Vec::new();
    for _ in 0..6 {
        jobs.push(submitted(&app, &json!({"webhook_url": receiver.url("/job")})).await);
    }
    // as many as go to one receiver at a time
    receiver.once(4).await;
    for job in &jobs {
        eventually("the job's end", async || {
            let job = app.get(&format!("/v1/jobs/{job}")).await.json().await;
            (job["status"] == "completed").then_some(())
        })
        .await;
    }
    app.kill9();
    let before = receiver.got().len();
    receiver.set(Mood::Takes);
    app.restart().await;
    let told = receiver.once(before + jobs.len()).await;
    let mut told: Vec<_> = told[before..]
        .iter()
        .map(|message| message.json()["data"]["id"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, jobs);
}

#[actix_rt::test]
async fn imagine_servers_clients_are_told_in_its_words() {
    let (app, receiver) = (telling().start().await, Receiver::start());
    let rotated = app.post("/v1/webhooks/secret/rotate", &json!({})).await;
    let secret = rotated.json().await["secret"].as_str().unwrap().to_owned();
    let order = fox(&json!({"webhookUrl": receiver.url("/imagine")}));
    let taken = app.post("/api/v1/generate", &order).await;
    assert_eq!(taken.status, 202);
    let job = taken.json().await["id"].clone();
    let message = receiver.once(1).await.remove(0);
    let told = message.json();
    assert_eq!(told["taskId"], job);
    assert_eq!(
        (&told["provider"], &told["status"]),
        (&json!("demo"), &json!("completed"))
    );
    assert!(told["result"]["url"].is_string(), "{told}");
    let secret = Secret::from(secret);
    let expected = sign::imagine(&secret, &message.body);
    assert_eq!(message.header("x-webhook-signature"), expected);
    assert!(is_signed_by(&message, &secret));
}

#[actix_rt::test]
async fn what_is_given_up_is_kept_and_sent_again() {
    let builder = telling().set("webhooks.max_attempts", "2");
    let (app, receiver) = (builder.start().await, Receiver::start());
    receiver.set(Mood::Says("302 Found\r\nlocation: /elsewhere"));
    endpoint(&app, &receiver.url("/")).await;
    submitted(&app, &json!({})).await;
    let dead = delivery(&app, "dead").await;
    assert_eq!(
        (&dead["attempts"], &dead["last_status"]),
        (&json!(2), &json!(302))
    );
    assert!(
        dead["last_error"].as_str().unwrap().contains("redirects"),
        "{dead}"
    );
    let paths: Vec<_> = receiver
        .got()
        .into_iter()
        .map(|message| message.path)
        .collect();
    assert_eq!(paths, ["/", "/"]);
    receiver.set(Mood::Takes);
    let path = format!(
        "/v1/webhooks/deliveries/{}/redeliver",
        dead["id"].as_str().unwrap()
    );
    let other = key(&app, &["--app", "other"]).await;
    assert_eq!(sent(&app, &other, "POST", &path).await.status, 404);
    let queued = app.post(&path, &json!({})).await.json().await;
    assert_eq!(queued["id"], dead["id"]);
    delivery(&app, "delivered").await;
}

#[actix_rt::test]
async fn an_admin_finds_the_dead_letters_of_all_apps_and_sends_them_again() {
    let builder = telling().set("webhooks.max_attempts", "1");
    let (app, receiver) = (builder.start().await, Receiver::start());
    receiver.set(Mood::Says("500 Internal Server Error"));
    endpoint(&app, &receiver.url("/secret-path")).await;
    submitted(&app, &json!({})).await;
    let dead = delivery(&app, "dead").await;
    let path = "/api/admin/webhooks/deliveries";
    assert_eq!(app.get(path).await.status, 401);
    let list = async |query: &str| {
        let answer = app.admin_get(&format!("{path}?{query}")).await;
        answer.json().await
    };
    let all = list("state=dead").await;
    let found = &all["list"][0];
    assert_eq!(
        (&all["count"], &found["id"]),
        (&json!(1), &dead["id"]),
        "{all}"
    );
    assert!(
        found["app"].is_string() && found["last_status"] == 500,
        "{all}"
    );
    assert!(!all.to_string().contains("secret-path"), "{all}");
    assert_eq!(list("state=delivered").await["count"], 0);
    receiver.set(Mood::Takes);
    let again = format!("{path}/{}/redeliver", dead["id"].as_str().unwrap());
    let queued = app.admin_post(&again, &json!({})).await.json().await;
    assert_eq!(queued["state"], "pending", "{queued}");
    delivery(&app, "delivered").await;
    let nobody = app
        .admin_post(&format!("{path}/msg_x/redeliver"), &json!({}))
        .await;
    nobody.error(404, "not_found").await;
}

#[actix_rt::test]
async fn what_may_not_be_opened_is_refused_in_the_words_of_the_caller() {
    let app = App::builder().start().await;
    for url in [
        "http://127.0.0.1:9/",
        "http://localhost/",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.1]/",
        "http://2130706433/",
        "ftp://example.org/",
        "nonsense",
    ] {
        let refused = app.post("/v1/webhooks", &json!({"url": url})).await;
        assert_eq!(refused.error(400, "url_not_allowed").await["param"], "url");
        let body = fox(&json!({"webhook": {"url": url}}));
        let refused = app.post("/v1/images/generations", &body).await;
        assert_eq!(
            refused.error(400, "url_not_allowed").await["param"],
            "webhook"
        );
        let body = fox(&json!({"webhookUrl": url}));
        let refused = app.post("/api/v1/generate", &body).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json().await["code"], "url_not_allowed");
    }
    let mut plain = fox(&json!({"webhook_url": "https://example.org/"}));
    plain["async"] = false.into();
    for path in ["/v1/images/generations", "/api/v1/generate"] {
        let refused = app.post(path, &plain).await;
        assert_eq!(refused.status, 400, "{path}");
    }
    let list = app.get("/v1/jobs").await.json().await;
    assert_eq!(list["data"], json!([]));
    let unheard = json!({"url": "https://example.org/", "events": ["job.begun"]});
    let refused = app.post("/v1/webhooks", &unheard).await;
    refused.error(400, "invalid_request").await;
    let request = app.client().get(app.url("/v1/webhooks"));
    let nobody = Answer::of(request, None).await.unwrap();
    assert_eq!(
        nobody.header(header::CONTENT_TYPE.as_str()),
        "application/json"
    );
    nobody.error(401, "missing_api_key").await;
}
