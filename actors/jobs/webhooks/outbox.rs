//! What is owed, written in the transaction in which a job reaches its last state: there is no moment at which one is
//! stored without the other.

use std::sync::Arc;

use diesel::QueryResult;

use super::{
    actor::Webhooks,
    message::{Callback, Shape, Tell, Topic, receiver},
    messages::Wake,
};
use crate::{
    jobs::job::{Job, Outlook, State},
    storage::{
        Connection,
        queries::{
            jobs::JobRow,
            webhook_deliveries::{self, DeliveryRow},
            webhook_endpoints::{self, CallbackRow},
        },
    },
    supervision::Handle,
};

/// The end where jobs put in what is to be told. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    pub(super) tell: Arc<dyn Tell>,
    pub(super) webhooks: Handle<Webhooks>,
}

impl Outbox {
    /// Notes where the end of a new job is told, in the transaction that stores the job.
    pub(in crate::jobs) fn expect(
        conn: &mut Connection,
        job_id: &str,
        callback: Callback,
    ) -> QueryResult<()> {
        let row = CallbackRow {
            job_id: job_id.to_owned(),
            url: callback.url,
            shape: callback.shape.to_string(),
        };
        webhook_endpoints::insert_callback(conn, &row)
    }

    /// Writes a message to everybody who is told of a job that has ended at `now` (milliseconds since 1970), in the
    /// transaction that stores its end. Returns whether there is anybody.
    pub(in crate::jobs) fn note(
        &self,
        conn: &mut Connection,
        row: &JobRow,
        now: i64,
    ) -> QueryResult<bool> {
        let Some(topic) = State::parse(&row.state).and_then(Topic::of) else {
            return Ok(false);
        };
        let endpoints = webhook_endpoints::of_app(conn, &row.app_id)?;
        let listening = endpoints.into_iter().filter(|endpoint| {
            endpoint.disabled_at.is_none() && Topic::split(&endpoint.topics).contains(&topic)
        });
        let mut owed: Vec<_> = listening
            .map(|endpoint| (Some(endpoint.id), endpoint.url, Shape::Standard))
            .collect();
        let callback = webhook_endpoints::take_callback(conn, &row.id)?;
        owed.extend(callback.map(|to| (None, to.url, Shape::parse(&to.shape))));
        if owed.is_empty() {
            return Ok(false);
        }
        let job = Job::of(row.clone(), Outlook::default(), now);
        for (endpoint_id, url, shape) in owed {
            let delivery = DeliveryRow {
                id: super::fresh_id("msg"),
                app_id: row.app_id.clone(),
                endpoint_id,
                job_id: row.id.clone(),
                topic: topic.to_string(),
                shape: shape.to_string(),
                receiver: receiver(&url),
                url,
                body: self.tell.body(shape, topic, &job, now),
                state: "pending".to_owned(),
                attempts: 0,
                last_status: None,
                last_error: None,
                created_at: now,
                queued_at: now,
                next_at: now,
                ended_at: None,
            };
            webhook_deliveries::insert(conn, &delivery)?;
        }
        Ok(true)
    }

    /// Something was put in, and its transaction is through.
    pub(in crate::jobs) fn wake(&self) {
        if let Err(error) = self.webhooks.tell(Wake) {
            // its restart reads the table
            log::debug!("nobody was told of a new delivery: {error}");
        }
    }
}
