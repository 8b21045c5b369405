//! Submissions that are repeated.

use super::{
    hand::{Shop, new},
    on_both,
};
use crate::{accounts::testing::until, answers::Fingerprint, jobs::*};

fn keyed(prompt: &str, body: &[u8], since: i64) -> NewJob {
    let body = Fingerprint::of("/p", body);
    NewJob {
        submission: Some(Submission::new("app", "key", "/route", &body, since)),
        ..new("app", prompt)
    }
}

async fn open(file: crate::storage::testing::TestDatabase) -> Shop {
    let config = JobsConfig {
        retry_ms: 1,
        ..JobsConfig::default()
    };
    Shop::open(file, &config).await
}

#[actix_rt::test]
async fn a_key_is_one_job_until_it_is_forgotten() {
    on_both(async |file| {
        let shop = open(file).await;
        let (one, two) = futures_util::join!(
            shop.jobs.submit(keyed("ok", b"a", 0)),
            shop.jobs.submit(keyed("ok", b"a", 0))
        );
        let id = one.unwrap().id;
        assert_eq!(two.unwrap().id, id);
        let job = shop.reaches(&id, State::Completed).await;
        assert_eq!(job.attempts, 1);
        let again = shop.jobs.submit(keyed("ok", b"a", 0)).await.unwrap();
        assert_eq!((again.id, again.state), (id.clone(), State::Completed));
        let other = keyed("ok", b"b", 0);
        assert_eq!(
            shop.jobs
                .submitted(other.submission.as_ref().unwrap(), Again::Always)
                .await,
            Err(JobError::OtherBody)
        );
        assert_eq!(
            shop.jobs.submit(other).await.unwrap_err(),
            JobError::OtherBody
        );
        // a day is over
        let later = keyed("ok", b"b", job.created_at + 1);
        let submission = later.submission.clone().unwrap();
        let found = shop.jobs.submitted(&submission, Again::Always).await;
        assert_eq!(found, Ok(None));
        let later = shop.jobs.submit(later).await.unwrap();
        assert_ne!(later.id, id);
        shop.reaches(&later.id, State::Completed).await;
        assert_eq!(shop.charges().await.len(), 2);
        shop.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn who_comes_again_waits_for_the_job_that_there_is() {
    on_both(async |file| {
        let shop = open(file).await;
        let begin = || {
            shop.jobs
                .begin(keyed("late", b"a", 0), waiting::Files::new(), ())
        };
        let first = begin().await.unwrap();
        shop.hand.0.begun.notified().await;
        let mut second = begin().await.unwrap();
        assert_eq!(second.id(), first.id());
        let submission = keyed("late", b"a", 0).submission.unwrap();
        let found = shop.jobs.submitted(&submission, Again::UnlessLost).await;
        assert_eq!(found.unwrap().unwrap().id, first.id());
        // nobody is left for whom it would fail at once
        drop(first);
        shop.hand.0.go.notify_one();
        until(async || {
            shop.world.hand.advance(std::time::Duration::from_secs(1));
            Some(shop.get(second.id()).await).filter(|job| job.state == State::Completed)
        })
        .await;
        let Some(News::Ended(ended)) = second.next().await else {
            panic!("no end");
        };
        assert_eq!(ended.result.unwrap(), super::hand::made());
        assert_eq!(ended.target, "acme/m");
        assert!(second.next().await.is_none());
        assert_eq!(shop.charges().await.len(), 1);
        shop.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn one_that_has_failed_is_given_to_who_was_promised_it_alone() {
    on_both(async |file| {
        let shop = open(file).await;
        let failed = shop.jobs.submit(keyed("refused", b"a", 0)).await.unwrap();
        shop.reaches(&failed.id, State::Failed).await;
        let again = shop.jobs.submit(keyed("refused", b"a", 0)).await.unwrap();
        assert_eq!((again.id, again.state), (failed.id.clone(), State::Failed));
        let mut told = shop.jobs.wait_for("app", &failed.id).await.unwrap();
        let Some(News::Ended(ended)) = told.next().await else {
            panic!("no end");
        };
        let kind = ended.result.unwrap_err().kind;
        assert_eq!(kind.to_string(), "content_policy");
        let another = keyed("ok", b"a", 0);
        let another = shop.jobs.begin(another, waiting::Files::new(), ());
        let another = another.await.unwrap();
        assert_ne!(another.id(), failed.id);
        shop.reaches(another.id(), State::Completed).await;
        shop.world.tree.stop().await;
    })
    .await;
}
