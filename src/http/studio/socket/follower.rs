//! One task that a connection follows: what is new about it, as messages.

use std::{pin::Pin, rc::Rc, sync::Arc};

use futures_util::{Stream, StreamExt as _, stream, stream::LocalBoxStream};
use serde_json::Value;
use troupe_actors::{
    images::Image,
    jobs::{Event, Job, JobError, JobResult, events::EventKind},
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
        images: None,
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
    /// Those of the task, once they are asked for.
    images: Option<Vec<Image>>,
    /// Whether its last word was said.
    over: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<News> {
        while !self.over {
            let Some(Event { kind, job, .. }) = self.events.next().await else {
                return Some(self.gone());
            };
            let is_last = kind == EventKind::Status && job.state.is_final();
            self.over = is_last;
            if let Some(message) = self.message(kind, &job).await {
                return Some(News {
                    job_id: self.job_id.clone(),
                    message,
                    is_last,
                });
            }
        }
        None
    }

    /// The task was removed before its end was told.
    fn gone(&mut self) -> News {
        self.over = true;
        let task_id = task_id(&self.job_id);
        let about = About {
            task_id: Some(&task_id),
            request_id: self.request_id.as_deref(),
        };
        News {
            job_id: self.job_id.clone(),
            message: words::refused(&Refusal::Absent(Thing::Task), about, self.language),
            is_last: true,
        }
    }

    /// None where there is nothing to tell of: a picture that was removed meanwhile.
    async fn message(&mut self, kind: EventKind, job: &Job) -> Option<Value> {
        match kind {
            EventKind::Status => Some(words::status(
                job,
                self.request_id.as_deref(),
                self.language,
            )),
            EventKind::Progress => Some(words::progress(job)),
            EventKind::Result(at) => match job.output.results.get(at)? {
                JobResult::Failed { error } => Some(words::failed(
                    job,
                    Some(at),
                    view::failure(error, self.language),
                )),
                JobResult::Made { .. } => {
                    let image = self.image(job, at).await?;
                    Some(words::image(job, at, view::image(&image, job)))
                }
            },
            EventKind::Error => {
                let error = job.error.as_ref()?;
                Some(words::failed(
                    job,
                    None,
                    view::failure(error, self.language),
                ))
            }
        }
    }

    async fn image(&mut self, job: &Job, position: usize) -> Option<Image> {
        if self.images.is_none() {
            let found = self
                .services
                .studio
                .images
                .of_jobs(vec![job.id.clone()])
                .await;
            let found = found.inspect_err(|error| {
                log::warn!("the pictures of a task cannot be told of: {error}");
            });
            self.images = found
                .ok()
                .map(|mut found| found.remove(&job.id).unwrap_or_default());
        }
        let images = self.images.iter().flatten();
        images
            .into_iter()
            .find(|image| image.position == position)
            .cloned()
    }
}
