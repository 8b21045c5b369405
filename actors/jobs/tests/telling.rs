//! Their ends, told.

use std::time::Duration;

use super::{
    hand::{Shop, new},
    on_both,
};
use crate::{
    accounts::testing::{World, until},
    jobs::{
        webhooks::{
            Callback, Shape, WebhooksConfig,
            testing::{Receivers, start},
        },
        *,
    },
};

#[actix_rt::test]
async fn every_end_of_a_job_is_told_and_no_other_state() {
    on_both(async |file| {
        let world = World::start(file, 1_000_000).await;
        let receivers = Receivers::default();
        let webhooks = start(&world, &WebhooksConfig::default(), &receivers).await;
        let config = JobsConfig {
            retry_ms: 1,
            ..JobsConfig::default()
        };
        let shop = Shop::telling(world, &config, Node::only(), webhooks.outbox()).await;
        let submit = async |prompt: &str| {
            let callback = Some(Callback {
                url: format!("https://example.org/{prompt}"),
                shape: Shape::Standard,
            });
            let new = NewJob {
                callback,
                ..new("app", prompt)
            };
            shop.jobs.submit(new).await.unwrap().id
        };
        let (flaky, hangs) = (submit("flaky").await, submit("hang").await);
        submit("refused").await;
        shop.reaches(&flaky, State::Retrying).await;
        shop.world.hand.advance(Duration::from_secs(5));
        shop.reaches(&flaky, State::Completed).await;
        shop.jobs.cancel("app", &hangs).await.unwrap();
        until(async || (receivers.got().len() >= 3).then_some(())).await;
        let told = receivers.got().into_iter().map(|message| {
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            (message.url, body["type"].as_str().unwrap().to_owned())
        });
        let mut told: Vec<(String, String)> = told.collect();
        told.sort();
        let expected = [
            ("flaky", "completed"),
            ("hang", "cancelled"),
            ("refused", "failed"),
        ];
        let expected = expected.map(|(prompt, end)| {
            (
                format!("https://example.org/{prompt}"),
                format!("job.{end}"),
            )
        });
        assert_eq!(told, expected);
        shop.world.tree.stop().await;
    })
    .await;
}
