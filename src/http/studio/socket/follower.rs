//! One task that a connection follows: what is new about it, as messages.

use std::{collections::VecDeque, pin::Pin, rc::Rc, sync::Arc};

use futures_util::{Stream, StreamExt as _, stream, stream::LocalBoxStream};
use serde_json::Value;
use troupe_actors::{
    jobs::{Event, Job, JobError, JobFailure, JobResult, events::EventKind},
    storage::StorageError,
};

use super::words::{self, About};
use crate::{
    http::{
        services::Services,
        studio::{
            ids::task_id,
            refusal::{Refusal, Thing},
            view,
        },
    },
    pages::language::Language,
};

/// A message about a task.
pub struct News {
    pub job_id: Rc<str>,
    pub message: Value,
    /// Whether it is the last one of this task.
    pub is_last: bool,
}

/// Follows an app's task, from how it stands now on, to its end. None if the app has no such task.
///
/// # Errors
/// [`JobError`].
pub async fn follow(
    services: &Arc<Services>,
    app_id: &str,
    job_id: &str,
    request_id: Option<String>,
    language: Language,
) -> Result<Option<LocalBoxStream<'static, News>>, JobError> {
    let Some(events) = services.jobs.watch(app_id, job_id, 0).await? else {
        return Ok(None);
    };
    let follower = Follower {
        services: services.clone(),
        events: Box::pin(events),
        job_id: job_id.into(),
        request_id,
        language,
        made: Vec::new(),
        next: VecDeque::new(),
        over: false,
    };
    let news = stream::unfold(follower, |mut follower| async {
        follower.next().await.map(|news| (news, follower))
    });
    Ok(Some(news.boxed_local()))
}

struct Follower {
    services: Arc<Services>,
    events: Pin<Box<dyn Stream<Item = Event>>>,
    job_id: Rc<str>,
    request_id: Option<String>,
    language: Language,
    /// The places of pictures that are made, and not told of yet: they have no ids before the task's end.
    made: Vec<usize>,
    /// To be told before anything else is heard.
    next: VecDeque<Value>,
    /// Whether all of its last words are in `next`.
    over: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<News> {
        while self.next.is_empty() {
            if self.over {
                return None;
            }
            match self.events.next().await {
                Some(Event { kind, job, .. }) => self.hear(kind, &job).await,
                // the task was removed before its end was told
                None => self.end_with(Refusal::Absent(Thing::Task)),
            }
        }
        let message = self.next.pop_front()?;
        Some(News {
            job_id: self.job_id.clone(),
            message,
            is_last: self.over && self.next.is_empty(),
        })
    }

    async fn hear(&mut self, kind: EventKind, job: &Job) {
        match kind {
            EventKind::Status if job.state.is_final() => match self.pictures(job).await {
                Ok(pictures) => {
                    self.next.extend(pictures);
                    self.next.push_back(words::status(
                        job,
                        self.request_id.as_deref(),
                        self.language,
                    ));
                    self.over = true;
                }
                Err(error) => self.end_with(error.into()),
            },
            EventKind::Status => self.next.push_back(words::status(
                job,
                self.request_id.as_deref(),
                self.language,
            )),
            EventKind::Progress => self.next.push_back(words::progress(job)),
            EventKind::Result(at) => match job.output.results.get(at) {
                Some(JobResult::Failed { error }) => self.fails(job, Some(at), error),
                Some(JobResult::Made { .. }) => self.made.push(at),
                None => {}
            },
            EventKind::Error => {
                if let Some(error) = &job.error {
                    self.fails(job, None, error);
                }
            }
        }
    }

    fn fails(&mut self, job: &Job, at: Option<usize>, error: &JobFailure) {
        let failure = view::failure(error, self.language);
        self.next.push_back(words::failed(job, at, failure));
    }

    /// Nothing more is told; who wants to know more follows it anew.
    fn end_with(&mut self, refusal: Refusal) {
        self.over = true;
        let task_id = task_id(&self.job_id);
        let about = About {
            task_id: Some(&task_id),
            request_id: self.request_id.as_deref(),
        };
        self.next
            .push_back(words::refused(&refusal, about, self.language));
    }

    /// What is told of the pictures of a finished task, but for those that were removed meanwhile.
    async fn pictures(&mut self, job: &Job) -> Result<Vec<Value>, StorageError> {
        let made = std::mem::take(&mut self.made);
        if made.is_empty() {
            return Ok(Vec::new());
        }
        let images = &self.services.studio.images;
        let mut found = images.of_jobs(vec![job.id.clone()]).await?;
        let mut images = found.remove(&job.id).unwrap_or_default();
        images.retain(|image| made.contains(&image.position));
        images.sort_by_key(|image| image.position);
        let told = images
            .iter()
            .map(|image| words::image(job, image.position, view::image(image, job)));
        Ok(told.collect())
    }
}
