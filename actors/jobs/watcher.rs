//! Somebody who follows a job, whoever draws it.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::watch;

use super::{
    events::{Event, since, waiting},
    handle::JobsHandle,
    job::Job,
    standing::{Place, Standing, place},
};

/// Before the manager is asked again for news after it has fallen.
const AGAIN: Duration = Duration::from_millis(200);

/// Somebody who follows a job.
pub(super) struct Watcher {
    jobs: JobsHandle,
    app_id: String,
    id: String,
    after: u64,
    news: Option<watch::Receiver<Standing>>,
    /// Where the job was waiting when it was told last.
    place: Option<Place>,
    over: bool,
}

impl Watcher {
    /// For an app's job, and what is new since the event numbered `after`.
    pub fn new(jobs: &JobsHandle, app_id: &str, id: &str, after: u64) -> Self {
        Self {
            jobs: jobs.clone(),
            app_id: app_id.to_owned(),
            id: id.to_owned(),
            after,
            news: None,
            place: None,
            over: false,
        }
    }

    /// The events as they come, until the job's end.
    pub fn events(self) -> impl Stream<Item = Event> + use<> {
        let batches = stream::unfold(self, |mut watcher| async {
            watcher.next().await.map(|events| (events, watcher))
        });
        batches.flat_map(stream::iter)
    }

    /// What is new, once there is something; none after the end.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            if self.over {
                return None;
            }
            // listened to before the job is looked at, so that nothing falls in between
            if self.news.is_none() {
                self.news = self.jobs.news(&self.id).await;
            }
            let events = match self.jobs.get(&self.app_id, &self.id).await {
                Ok(Some(job)) => {
                    self.over = job.state.is_final();
                    self.new_of(&Arc::new(job))
                }
                Ok(None) => return None,
                Err(_) => Vec::new(),
            };
            if let Some(last) = events.last() {
                self.after = last.number;
                return Some(events);
            }
            if !self.over {
                self.wait().await;
            }
        }
    }

    /// The events since the last one; where there is none, that it waits at another place now.
    fn new_of(&mut self, job: &Arc<Job>) -> Vec<Event> {
        let place = place(job);
        let has_moved = place.is_some() && place != std::mem::replace(&mut self.place, place);
        let events = since(self.after, job);
        match events.is_empty() && has_moved {
            true => vec![waiting(self.after, job)],
            false => events,
        }
    }

    async fn wait(&mut self) {
        let told = match &mut self.news {
            Some(news) => news.changed().await.is_ok(),
            None => false,
        };
        if !told {
            self.news = None;
            actix_rt::time::sleep(AGAIN).await;
        }
    }
}
