//! Jobs along a route.

use super::hand::{Shop, choice, new, order};
use crate::{
    catalog::config::FallbackOn,
    jobs::{
        route::{Choice, Others},
        *,
    },
    storage::testing::TestDatabase,
};

fn other(prompt: &str) -> Option<Others> {
    let beta = Choice {
        order: order(prompt),
        ..choice("beta")
    };
    Others::of(vec![FallbackOn::Upstream], None, vec![beta])
}

#[actix_rt::test]
async fn the_next_target_draws_what_the_first_cannot() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let wanted = NewJob {
        others: other("ok"),
        ..new("app", "elsewhere")
    };
    let id = shop.jobs.submit(wanted).await.unwrap().id;
    let job = shop.reaches(&id, State::Completed).await;
    assert_eq!((job.provider.as_str(), job.attempts), ("beta", 1));
    // at the price of who has drawn it
    let charges = shop.charges().await;
    assert_eq!(
        (charges[0].provider.as_str(), charges[0].micro_credits),
        ("beta", 7)
    );
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn what_the_next_target_refuses_is_final() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let wanted = NewJob {
        others: other("refused"),
        ..new("app", "elsewhere")
    };
    let id = shop.jobs.submit(wanted).await.unwrap().id;
    let job = shop.reaches(&id, State::Failed).await;
    assert_eq!(job.error.unwrap().kind, "content_policy");
    shop.world.tree.stop().await;
}
