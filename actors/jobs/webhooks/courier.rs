//! One attempt at one delivery, and what becomes of it.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_rt::time::sleep;
use awc::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use futures_util::FutureExt as _;
use tokio::select;

use super::{
    actor::Setup,
    handle::WebhookError,
    message::Shape,
    policy::{Outcome, Verdict, verdict},
    sign,
};
use crate::{
    jobs::patience::until_answered,
    secrets::Secret,
    storage::{
        StorageError,
        queries::{
            webhook_deliveries::{self, DeliveryChange, DeliveryRow},
            webhook_endpoints,
        },
    },
};

/// A delivery whose end the database refuses is left alone for so long: its receiver has had it, and will again.
const UNSTORED: Duration = Duration::from_secs(30);

/// Tries a delivery once and stores how that went. Without the database's word it is owed as before, and tried again.
pub(super) async fn deliver(setup: &Setup, row: DeliveryRow) {
    let shutdown = setup.tasks.shutdown();
    if tried(setup, &row).await.is_none() {
        select! {
            () = sleep(UNSTORED) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// None where it is not stored.
async fn tried(setup: &Setup, row: &DeliveryRow) -> Option<()> {
    let (shutdown, what) = (setup.tasks.shutdown(), format!("delivery {}", row.id));
    let claim = async || setup.claim(row).await;
    if !until_answered(&shutdown, &what, claim).await? {
        return Some(());
    }
    let owner = row.endpoint_id.as_ref().unwrap_or(&row.app_id);
    let read = async || match setup.keys.of(owner).await {
        Err(WebhookError::Database(error)) => Err(error),
        read => Ok(read),
    };
    let outcome = match until_answered(&shutdown, &what, read).await? {
        Ok(secrets) => attempt(setup, row, &secrets).await,
        Err(error) => Outcome::Failed(error.to_string()),
    };
    let (attempts, now) = (row.attempts.saturating_add(1), setup.keys.now());
    let age = u64::try_from(now - row.queued_at).unwrap_or_default();
    let verdict = verdict(
        &outcome,
        u32::try_from(attempts).unwrap_or_default(),
        Duration::from_millis(age),
        &setup.config,
        lot(),
    );
    report(row, &outcome, verdict);
    let change = change(&outcome, verdict, attempts, now);
    let store = async || settle(setup, row, change.clone(), verdict).await;
    let buried = until_answered(&shutdown, &what, store).await?;
    setup.metrics.count(verdict, buried);
    Some(())
}

async fn attempt(setup: &Setup, row: &DeliveryRow, secrets: &[Secret]) -> Outcome {
    let headers = headers(row, secrets, setup.keys.now() / 1_000);
    let body = row.body.clone().into();
    let posted = AssertUnwindSafe(setup.carry.post(&row.url, headers, body));
    // one that makes us panic is not tried again and again at once
    let posted = posted.catch_unwind().await;
    posted.unwrap_or_else(|_| {
        Outcome::Failed("the gateway failed on it; its log has more".to_owned())
    })
}

/// What goes with a message; `at` is in seconds since 1970.
fn headers(row: &DeliveryRow, secrets: &[Secret], at: i64) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (CONTENT_TYPE.as_str(), "application/json".to_owned()),
        ("webhook-id", row.id.clone()),
        ("webhook-timestamp", at.to_string()),
        (
            "webhook-signature",
            sign::standard(secrets, &row.id, at, &row.body),
        ),
    ];
    // it has room for one: that of the newest
    if let (Shape::Imagine, Some(secret)) = (Shape::parse(&row.shape), secrets.first()) {
        headers.push(("x-webhook-signature", sign::imagine(secret, &row.body)));
    }
    let lines = headers.into_iter().filter_map(|(name, value)| {
        let value = HeaderValue::try_from(value).ok()?;
        Some((HeaderName::from_static(name), value))
    });
    lines.collect()
}

/// From 0 to 1; without any chance from the system in the middle.
fn lot() -> f64 {
    getrandom::u32().map_or(0.5, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}

fn change(outcome: &Outcome, verdict: Verdict, attempts: i32, now: i64) -> DeliveryChange {
    let (state, wait) = match verdict {
        Verdict::Delivered => ("delivered", None),
        Verdict::Dead | Verdict::Gone => ("dead", None),
        Verdict::Again(wait) => ("pending", Some(wait)),
    };
    let wait_ms = wait.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    DeliveryChange {
        state: state.to_owned(),
        attempts,
        last_status: outcome.status().map(i32::from),
        last_error: outcome.error(),
        next_at: now.saturating_add(wait_ms.unwrap_or_default()),
        ended_at: wait.is_none().then_some(now),
    }
}

/// Stores how an attempt went; returns how many others of a receiver that is gone were given up with it.
async fn settle(
    setup: &Setup,
    row: &DeliveryRow,
    change: DeliveryChange,
    verdict: Verdict,
) -> Result<usize, StorageError> {
    let (id, now) = (row.id.clone(), setup.keys.now());
    let gone = row.endpoint_id.clone().filter(|_| verdict == Verdict::Gone);
    let store = move |conn: &mut _| {
        webhook_deliveries::change(conn, &id, &change)?;
        let Some(endpoint) = gone else { return Ok(0) };
        webhook_endpoints::disable(conn, &endpoint, Some(now))?;
        let why = "its endpoint answered another delivery with 410";
        webhook_deliveries::bury(conn, &endpoint, why, now)
    };
    setup.keys.database.write(store).await
}

/// URLs may hold what is nobody's business, so the log names servers.
fn report(row: &DeliveryRow, outcome: &Outcome, verdict: Verdict) {
    let (id, to) = (&row.id, &row.receiver);
    let why = outcome.error().unwrap_or_default();
    match verdict {
        Verdict::Delivered => log::debug!("{id} was delivered to {to}"),
        Verdict::Again(wait) => {
            log::info!("{id} is tried again at {to} in {} s: {why}", wait.as_secs());
        }
        Verdict::Dead => log::warn!("{id} to {to} is given up: {why}"),
        Verdict::Gone => log::warn!("{to} wants no more messages"),
    }
}
