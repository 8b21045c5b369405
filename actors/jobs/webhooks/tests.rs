//! Webhooks on real databases, with receivers that do what the test says.

use std::{collections::HashMap, time::Duration};

use super::{
    testing::{Message, Mood, Receivers, start, start_on},
    *,
};
use crate::{
    accounts::testing::{World, until},
    jobs::{Node, job::State, tests::hand::row},
    secrets::Secret,
    storage::{
        queries::{
            jobs::JobRow,
            webhook_deliveries::{self, Busy, DeliveryBrief},
            webhook_secrets,
        },
        testing::TestDatabase,
    },
};

const URL: &str = "https://example.org/hook";
const OTHER: &str = "https://other.example/hook";

struct Shop {
    world: World,
    receivers: Receivers,
    webhooks: WebhooksHandle,
}

impl Shop {
    async fn open(file: TestDatabase, config: &WebhooksConfig) -> Self {
        let world = World::start(file, 1_000_000_000).await;
        let receivers = Receivers::default();
        let webhooks = start(&world, config, &receivers).await;
        Self {
            world,
            receivers,
            webhooks,
        }
    }

    async fn endpoint(&self, app: &str, url: &str) -> (Endpoint, Secret) {
        let made = self.webhooks.create(app, url, &Topic::ALL).await.unwrap();
        (made.0, made.1.secret)
    }

    /// A job of `app` ends so, as its transaction would have it.
    async fn ends(&self, app: &str, job: &str, state: State) {
        let row = JobRow {
            id: job.to_owned(),
            app_id: app.to_owned(),
            state: state.to_string(),
            finished_at: Some(1),
            ..row()
        };
        let (outbox, now) = (self.webhooks.outbox(), self.now());
        let noted = move |conn: &mut _| outbox.note(conn, &row, now);
        self.world.database.write(noted).await.unwrap();
        self.webhooks.outbox().wake();
    }

    /// Its end is told to this URL.
    async fn expects(&self, job: &str, url: &str, shape: Shape) {
        let (job, url) = (job.to_owned(), url.to_owned());
        let expect = move |conn: &mut _| Outbox::expect(conn, &job, Callback { url, shape });
        self.world.database.write(expect).await.unwrap();
    }

    fn now(&self) -> i64 {
        self.world.clock.wall_ms().try_into().unwrap()
    }

    /// Returns when everything has been tried whose time has come.
    async fn settled(&self) {
        self.webhooks.outbox().wake();
        until(async || {
            let now = self.now();
            let due = move |conn: &mut _| webhook_deliveries::due(conn, now, &Busy::default(), 1);
            let due = self.world.database.read(due).await.unwrap();
            due.is_empty().then_some(())
        })
        .await;
    }

    /// Goes on to when the next delivery has its time, no further than `until`, and tries it. False at that end.
    async fn on_to_next(&self, end: i64) -> bool {
        let now = self.now();
        let next = move |conn: &mut _| webhook_deliveries::next_after(conn, now);
        let next = self.world.database.read(next).await.unwrap();
        let to = next.unwrap_or(end).min(end);
        self.world
            .hand
            .advance(Duration::from_millis((to - now).try_into().unwrap()));
        self.settled().await;
        to < end
    }

    async fn deliveries(&self, app: &str) -> Vec<DeliveryBrief> {
        self.webhooks
            .deliveries(app, None, None, 100)
            .await
            .unwrap()
    }

    async fn only(&self, app: &str) -> DeliveryBrief {
        let mut all = self.deliveries(app).await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    async fn close(self) {
        self.world.tree.stop().await;
    }
}

#[actix_rt::test]
async fn of_two_nodes_one_brings_a_message() {
    let world = World::start(TestDatabase::postgres(), 1_000_000_000).await;
    let other = World::start(world.file.shared(), 1_000_000_000).await;
    let (receivers, config) = (Receivers::default(), WebhooksConfig::default());
    let node = || Node::among_others(Duration::from_secs(30));
    let shop = Shop {
        webhooks: start_on(&world, &config, &receivers, node()).await,
        receivers: receivers.clone(),
        world,
    };
    let second = start_on(&other, &config, &receivers, node()).await;
    shop.endpoint("app", URL).await;
    receivers.set(URL, Mood::Status(500));
    let jobs: Vec<_> = (0..20).map(|number| format!("job_{number}")).collect();
    for job in &jobs {
        shop.ends("app", job, State::Completed).await;
    }
    let tried = |attempts| {
        let (shop, jobs) = (&shop, &jobs);
        until(async move || {
            let all = shop.deliveries("app").await;
            let done = all.iter().filter(|one| one.attempts == attempts).count();
            (done == jobs.len()).then_some(())
        })
    };
    tried(1).await;
    receivers.set(URL, Mood::Status(200));
    // both see the same times, and both look
    for world in [&shop.world, &other] {
        world.hand.advance(Duration::from_secs(3_600));
    }
    shop.webhooks.outbox().wake();
    second.outbox().wake();
    tried(2).await;
    assert_eq!(receivers.got().len(), 2 * jobs.len());
    other.tree.stop().await;
    shop.close().await;
}

async fn on_both(test: impl AsyncFn(TestDatabase)) {
    test(TestDatabase::sqlite()).await;
    test(TestDatabase::postgres()).await;
}

fn told(message: &Message) -> (String, String) {
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("job"), text("type"))
}

fn is_signed_by(message: &Message, secret: &Secret) -> bool {
    let header = |name: &str| message.headers[name].as_str();
    let at = header("webhook-timestamp").parse().unwrap();
    let expected = sign::standard(
        std::slice::from_ref(secret),
        header("webhook-id"),
        at,
        &message.body,
    );
    header("webhook-signature")
        .split(' ')
        .any(|given| given == expected)
}

#[actix_rt::test]
async fn a_receiver_that_is_down_for_ten_minutes_gets_every_event_once_in_order() {
    on_both(async |file| {
        let shop = Shop::open(file, &WebhooksConfig::default()).await;
        let (_, secret) = shop.endpoint("app", URL).await;
        shop.receivers.set(URL, Mood::Away);
        let jobs = 20;
        for job in 0..jobs {
            // a job has one end; a second one shows the order
            for state in [State::Failed, State::Completed] {
                shop.ends("app", &format!("job_{job}"), state).await;
            }
            shop.world.hand.advance(Duration::from_secs(30));
            shop.settled().await;
        }
        assert_eq!(shop.receivers.got(), []);
        shop.receivers.set(URL, Mood::Status(200));
        while shop.on_to_next(shop.now() + 1_800_000).await {}
        let mut by_job: HashMap<String, Vec<String>> = HashMap::new();
        for message in shop.receivers.got() {
            assert!(is_signed_by(&message, &secret));
            let (job, topic) = told(&message);
            by_job.entry(job).or_default().push(topic);
        }
        assert_eq!(by_job.len(), jobs);
        for (job, topics) in by_job {
            assert_eq!(topics, ["job.failed", "job.completed"], "{job}");
        }
        for delivery in shop.deliveries("app").await {
            assert_eq!(
                (delivery.state.as_str(), delivery.last_error),
                ("delivered", None)
            );
        }
        shop.close().await;
    })
    .await;
}

#[actix_rt::test]
async fn who_hangs_holds_nobody_up_and_outlives_a_fall_of_the_actor() {
    let config = WebhooksConfig {
        max_running_per_receiver: 2,
        ..WebhooksConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    shop.receivers.set(URL, Mood::Hangs);
    for number in 0..100 {
        let job = format!("hangs_{number}");
        shop.expects(&job, URL, Shape::Standard).await;
        shop.ends("app", &job, State::Completed).await;
    }
    shop.expects("good", OTHER, Shape::Standard).await;
    shop.ends("app", "good", State::Completed).await;
    let taken = async || shop.receivers.taken();
    until(async || (taken().await.len() == 1).then_some(())).await;
    shop.world
        .panic("jobs/webhooks", shop.webhooks.actor())
        .await;
    shop.expects("better", OTHER, Shape::Standard).await;
    shop.ends("app", "better", State::Completed).await;
    until(async || (taken().await.len() == 2).then_some(())).await;
    let jobs: Vec<_> = taken()
        .await
        .iter()
        .map(|message| told(message).0)
        .collect();
    assert_eq!(jobs, ["good", "better"]);
    shop.close().await;
}

#[actix_rt::test]
async fn the_end_of_a_job_is_told_in_the_words_and_with_the_signatures_of_who_asked() {
    let shop = Shop::open(TestDatabase::sqlite(), &WebhooksConfig::default()).await;
    shop.expects("a", URL, Shape::Imagine).await;
    shop.ends("app", "a", State::Cancelled).await;
    shop.settled().await;
    let message = shop.receivers.got().remove(0);
    assert_eq!(told(&message), ("a".to_owned(), "job.cancelled".to_owned()));
    assert!(message.body.contains("\"imagine\""), "{}", message.body);
    assert_eq!(message.headers["content-type"], "application/json");
    // the secret was made when it was first needed
    let stored = async || {
        let get = |conn: &mut _| webhook_secrets::get(conn, "app");
        shop.world.database.read(get).await.unwrap().unwrap()
    };
    assert!(!stored().await.sealed.contains("whsec_"));
    let shown = shop.webhooks.secret("app").await.unwrap().unwrap();
    assert_eq!((shown.id, shown.earlier_until), (stored().await.id, None));
    assert_eq!(shop.webhooks.secret("other").await, Ok(None));

    let first = shop.webhooks.rotate_own("app").await.unwrap();
    let second = shop.webhooks.rotate_own("app").await.unwrap();
    assert!(second.earlier_until.is_some());
    let delivery = shop.only("app").await;
    let again = async || {
        shop.webhooks
            .redeliver("app", &delivery.id)
            .await
            .unwrap()
            .unwrap();
        shop.settled().await;
        shop.receivers.got().pop().unwrap()
    };
    let message = again().await;
    assert_eq!(message.headers["webhook-id"], delivery.id);
    assert!(is_signed_by(&message, &first.secret) && is_signed_by(&message, &second.secret));
    let imagines = sign::imagine(&second.secret, &message.body);
    assert_eq!(message.headers["x-webhook-signature"], imagines);
    shop.world.hand.advance(Duration::from_secs(24 * 3_600));
    let message = again().await;
    assert!(!is_signed_by(&message, &first.secret) && is_signed_by(&message, &second.secret));
    shop.close().await;
}

#[actix_rt::test]
async fn an_endpoint_is_told_what_it_wants_of_its_own_app_alone() {
    on_both(async |file| {
        let config = WebhooksConfig {
            max_endpoints: 2,
            ..WebhooksConfig::default()
        };
        let shop = Shop::open(file, &config).await;
        let made = shop.webhooks.create("app", URL, &[Topic::JobFailed]).await;
        let (endpoint, _) = made.unwrap();
        shop.endpoint("other", OTHER).await;
        shop.ends("app", "a", State::Completed).await;
        shop.ends("app", "b", State::Failed).await;
        shop.ends("nobody", "c", State::Failed).await;
        shop.settled().await;
        let got: Vec<_> = shop.receivers.got().iter().map(told).collect();
        assert_eq!(got, [("b".to_owned(), "job.failed".to_owned())]);

        let id = endpoint.id.as_str();
        let webhooks = &shop.webhooks;
        assert_eq!(webhooks.endpoints("app").await, Ok(vec![endpoint.clone()]));
        assert_eq!(webhooks.endpoint("other", id).await, Ok(None));
        assert!(webhooks.rotate("other", id).await.unwrap().is_none());
        assert_eq!(webhooks.enable("other", id).await, Ok(None));
        assert_eq!(webhooks.delete("other", id).await, Ok(false));
        let delivery = shop.only("app").await;
        assert_eq!(shop.deliveries("other").await, []);
        assert_eq!(webhooks.redeliver("other", &delivery.id).await, Ok(None));
        shop.endpoint("app", OTHER).await;
        let refused = webhooks.create("app", URL, &Topic::ALL).await;
        assert_eq!(refused.unwrap_err(), WebhookError::TooMany { limit: 2 });
        assert_eq!(webhooks.delete("app", id).await, Ok(true));
        assert_eq!(shop.deliveries("app").await, []);
        shop.close().await;
    })
    .await;
}

#[actix_rt::test]
async fn what_nobody_takes_is_given_up_and_can_be_sent_again() {
    let config = WebhooksConfig {
        max_attempts: 3,
        ..WebhooksConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    shop.endpoint("app", URL).await;
    shop.receivers.set(URL, Mood::Status(500));
    shop.ends("app", "a", State::Completed).await;
    shop.settled().await;
    while shop.on_to_next(shop.now() + 60_000).await {}
    let dead = shop.only("app").await;
    assert_eq!((dead.state.as_str(), dead.attempts), ("dead", 3));
    assert_eq!(dead.last_status, Some(500));
    assert_eq!(shop.receivers.got().len(), 3);
    shop.receivers.set(URL, Mood::Status(200));
    let queued = shop.webhooks.redeliver("app", &dead.id).await.unwrap();
    let queued = queued.unwrap();
    assert_eq!((queued.attempts, queued.ended_at), (0, None));
    shop.settled().await;
    assert_eq!(shop.only("app").await.state, "delivered");
    shop.close().await;
}

#[actix_rt::test]
async fn a_receiver_may_put_itself_off_or_leave() {
    let shop = Shop::open(TestDatabase::sqlite(), &WebhooksConfig::default()).await;
    let (endpoint, _) = shop.endpoint("app", URL).await;
    shop.receivers
        .set(URL, Mood::Busy(Duration::from_secs(3_600)));
    shop.ends("app", "a", State::Completed).await;
    shop.settled().await;
    let put_off = shop.only("app").await;
    assert_eq!(put_off.next_at, shop.now() + 3_600_000);

    shop.receivers.set(URL, Mood::Status(410));
    shop.ends("app", "b", State::Completed).await;
    until(async || {
        let all = shop.deliveries("app").await;
        all.iter()
            .all(|delivery| delivery.state == "dead")
            .then_some(())
    })
    .await;
    shop.ends("app", "c", State::Completed).await;
    assert_eq!(
        shop.deliveries("app").await.len(),
        2,
        "it is told nothing any more"
    );
    let disabled = shop.webhooks.endpoint("app", &endpoint.id).await.unwrap();
    assert_eq!(disabled.unwrap().disabled_at, Some(shop.now()));
    let enabled = shop.webhooks.enable("app", &endpoint.id).await.unwrap();
    assert_eq!(enabled, Some(endpoint));
    shop.receivers.set(URL, Mood::Status(200));
    shop.ends("app", "d", State::Completed).await;
    shop.settled().await;
    assert_eq!(shop.receivers.taken().len(), 1);
    shop.close().await;
}

#[actix_rt::test]
async fn a_delivery_that_makes_the_gateway_fail_waits_like_any_other() {
    let shop = Shop::open(TestDatabase::sqlite(), &WebhooksConfig::default()).await;
    shop.receivers.set(URL, Mood::Panics);
    shop.expects("a", URL, Shape::Standard).await;
    shop.ends("app", "a", State::Completed).await;
    shop.settled().await;
    let failed = shop.only("app").await;
    assert_eq!((failed.state.as_str(), failed.attempts), ("pending", 1));
    assert_eq!(shop.webhooks.actor().vitals().restarts(), 0);
    shop.close().await;
}

#[actix_rt::test]
async fn what_was_kept_long_enough_goes() {
    let shop = Shop::open(TestDatabase::sqlite(), &WebhooksConfig::default()).await;
    shop.endpoint("app", URL).await;
    shop.ends("app", "a", State::Completed).await;
    shop.settled().await;
    shop.receivers.set(URL, Mood::Status(410));
    shop.ends("app", "b", State::Completed).await;
    shop.settled().await;
    for (hours, left) in [(169, 1), (720, 0)] {
        shop.world.hand.advance(Duration::from_secs(hours * 3_600));
        // its start sweeps
        shop.world
            .panic("jobs/webhooks", shop.webhooks.actor())
            .await;
        until(async || (shop.deliveries("app").await.len() == left).then_some(())).await;
    }
    shop.close().await;
}
