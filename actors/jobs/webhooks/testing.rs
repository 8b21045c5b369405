//! Receivers that tests can see into.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use awc::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use serde_json::json;

use super::{
    Office, Outbox, Shape, Tell, Topic, WebhooksConfig, WebhooksHandle, carry::Carry,
    policy::Outcome,
};
use crate::{
    accounts::testing::World,
    egress::EgressError,
    jobs::{Node, job::Job},
    sealing::Sealer,
    storage::queries::webhook_deliveries::DeliveryRow,
};

/// A delivery that is owed, to `https://example.org/` of the app `app`.
pub(crate) fn owed(id: &str, job: &str) -> DeliveryRow {
    DeliveryRow {
        id: id.to_owned(),
        app_id: "app".to_owned(),
        endpoint_id: None,
        job_id: job.to_owned(),
        topic: "job.completed".to_owned(),
        shape: "standard".to_owned(),
        url: "https://example.org/".to_owned(),
        receiver: "https://example.org".to_owned(),
        body: "{}".to_owned(),
        state: "pending".to_owned(),
        attempts: 0,
        last_status: None,
        last_error: None,
        created_at: 1,
        queued_at: 1,
        next_at: 1,
        ended_at: None,
    }
}

/// What a receiver got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub url: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    /// What it was answered with.
    pub status: u16,
}

/// How a URL answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Status(u16),
    Busy(Duration),
    /// There is nobody.
    Away,
    Hangs,
    Panics,
}

/// All receivers of a test: each URL in its mood, 200 without one.
#[derive(Clone, Default)]
pub struct Receivers {
    moods: Arc<Mutex<HashMap<String, Mood>>>,
    got: Arc<Mutex<Vec<Message>>>,
}

impl Receivers {
    pub fn set(&self, url: &str, mood: Mood) {
        self.moods.lock().unwrap().insert(url.to_owned(), mood);
    }

    /// All that arrived at all, in order.
    pub fn got(&self) -> Vec<Message> {
        self.got.lock().unwrap().clone()
    }

    /// What was taken.
    pub fn taken(&self) -> Vec<Message> {
        let got = self.got().into_iter();
        got.filter(|message| message.status == 200).collect()
    }
}

impl Carry for Receivers {
    fn vet<'a>(&'a self, _: &'a str) -> LocalBoxFuture<'a, Result<(), EgressError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> LocalBoxFuture<'a, Outcome> {
        Box::pin(async move {
            let mood = self.moods.lock().unwrap().get(url).copied();
            let (status, retry_after) = match mood.unwrap_or(Mood::Status(200)) {
                Mood::Status(status) => (status, None),
                Mood::Busy(wait) => (503, Some(wait)),
                Mood::Away => return Outcome::Failed("nobody is there".to_owned()),
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("the carrier falls"),
            };
            let text = |(name, value): (HeaderName, HeaderValue)| {
                (name.to_string(), value.to_str().unwrap().to_owned())
            };
            self.got.lock().unwrap().push(Message {
                url: url.to_owned(),
                headers: headers.into_iter().map(text).collect(),
                body: String::from_utf8(body.to_vec()).unwrap(),
                status,
            });
            Outcome::Answered {
                status,
                retry_after,
            }
        })
    }
}

struct Plainly;

impl Tell for Plainly {
    fn body(&self, shape: Shape, topic: Topic, job: &Job, at: i64) -> String {
        json!({"shape": shape.to_string(), "type": topic, "job": job.id, "at": at}).to_string()
    }
}

/// Webhooks that are carried to `receivers`.
pub async fn start(
    world: &World,
    config: &WebhooksConfig,
    receivers: &Receivers,
) -> WebhooksHandle {
    start_on(world, config, receivers, Node::only()).await
}

/// The same on a node that is perhaps one of several.
pub async fn start_on(
    world: &World,
    config: &WebhooksConfig,
    receivers: &Receivers,
    node: Node,
) -> WebhooksHandle {
    let office = Office {
        config: config.clone(),
        clock: world.clock.clone(),
        database: world.database.clone(),
        node,
        sealer: Sealer::new(&[7; 32], "webhook"),
        carry: Arc::new(receivers.clone()),
        tell: Arc::new(Plainly),
    };
    WebhooksHandle::start(&world.tree, office).await.unwrap()
}

/// An outbox that is emptied into nothing.
pub async fn outbox(world: &World) -> Outbox {
    let webhooks = start(world, &WebhooksConfig::default(), &Receivers::default()).await;
    webhooks.outbox()
}
