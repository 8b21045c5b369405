//! Somebody who waits for the end of a job that was begun for him at once. He is told what goes on; if he leaves, the
//! job goes on without him.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{
    Stream, StreamExt as _,
    stream::{self, LocalBoxStream},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use troupe_protocol::failure::FailureKind;

use super::{
    job::{Job, JobFailure, Outlook, State, Yield},
    policy::Fault,
};
use crate::{media::Spooled, providers::exchange::Watch, storage::queries::jobs::JobRow};

/// What who waits is told. As many as there are attempts, each twice, and an end.
#[derive(Debug)]
pub enum News {
    /// An attempt begins at that target, with the credential of that alias.
    Attempt { target: String, alias: Arc<str> },
    /// So long was spent waiting for the upstream.
    Took(Duration),
    /// The job goes from one target to the next.
    FellBack {
        from: String,
        to: String,
        kind: FailureKind,
    },
    /// It is in the table how the job ended.
    Ended(Box<Ended>),
}

/// How a job ended.
#[derive(Debug)]
pub struct Ended {
    /// At which target: the full id at the catalog.
    pub target: String,
    pub result: Result<Yield, Fault>,
}

/// A job that was begun at once. Dropping it leaves the job alone.
pub struct Waiting {
    id: String,
    news: LocalBoxStream<'static, News>,
}

impl Waiting {
    /// For the job of that id, of which this is told.
    pub(super) fn of(id: &str, news: impl Stream<Item = News> + 'static) -> Self {
        Self {
            id: id.to_owned(),
            news: news.boxed_local(),
        }
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is new; none once nobody is at the job any more, without an end that could be told. May be dropped
    /// while it waits without losing anything.
    pub async fn next(&mut self) -> Option<News> {
        self.news.next().await
    }
}

/// The files that came with an order, as the client sent them, by the names of their copies in the media store, which
/// keeps the picture alone.
pub type Files = HashMap<String, Spooled>;

/// Tells who waits, if somebody does.
#[derive(Default)]
pub struct Teller {
    to: Option<UnboundedSender<News>>,
    target: String,
    /// For credentials.
    waited: Duration,
    /// That he has given.
    pub files: Files,
}

impl Teller {
    pub(super) fn new(files: Files) -> (Self, impl Stream<Item = News> + use<>) {
        let (to, mut news) = unbounded_channel();
        let news = stream::poll_fn(move |cx| news.poll_recv(cx));
        let teller = Self {
            to: Some(to),
            target: String::new(),
            waited: Duration::ZERO,
            files,
        };
        (teller, news)
    }

    /// Whether somebody still waits.
    pub(super) fn is_heard(&self) -> bool {
        self.to.as_ref().is_some_and(|to| !to.is_closed())
    }

    /// At which target the job is from now on.
    pub(super) fn turn_to(&mut self, target: &str) {
        target.clone_into(&mut self.target);
    }

    pub(super) fn fell_back(&self, from: &str, to: &str, kind: FailureKind) {
        self.tell(News::FellBack {
            from: from.to_owned(),
            to: to.to_owned(),
            kind,
        });
    }

    pub(super) fn ended(&self, result: Result<Yield, Fault>) {
        let target = self.target.clone();
        self.tell(News::Ended(Box::new(Ended { target, result })));
    }

    fn tell(&self, news: News) {
        if let Some(to) = &self.to {
            // an error means that he has left
            let _ = to.send(news);
        }
    }
}

impl News {
    /// How a finished job ended.
    pub(super) fn end_of(row: JobRow) -> Self {
        let target = row.target.clone();
        let job = Job::of(row, Outlook::default(), 0);
        let result = match job.error {
            _ if job.state == State::Completed => Ok(job.output),
            Some(failure) => Err(failure.into()),
            None => Err(Fault::of(FailureKind::Cancelled, "the job was cancelled")),
        };
        Self::Ended(Box::new(Ended { target, result }))
    }
}

impl From<JobFailure> for Fault {
    fn from(failure: JobFailure) -> Self {
        let JobFailure {
            kind,
            code,
            message,
        } = failure;
        let kind = match kind.as_str() {
            "invalid_request" => FailureKind::InvalidRequest,
            "content_policy" => FailureKind::ContentPolicy,
            "timeout" => FailureKind::Timeout,
            // what an upstream said of its credentials is not told any more
            _ => FailureKind::Upstream,
        };
        Self {
            code,
            ..Self::of(kind, &message)
        }
    }
}

impl Watch for Teller {
    fn attempt(&mut self, alias: &Arc<str>) {
        self.tell(News::Attempt {
            target: self.target.clone(),
            alias: alias.clone(),
        });
    }

    fn upstream_took(&mut self, time: Duration) {
        self.tell(News::Took(time));
    }

    fn waited(&mut self) -> &mut Duration {
        &mut self.waited
    }
}
