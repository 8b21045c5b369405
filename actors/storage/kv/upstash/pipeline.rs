//! The way of commands to Upstash: those that wait at the same time go in one request.
//!
//! A few lanes carry one request each. A command takes a free lane at once; while none is free commands wait, and the
//! next lane takes all that wait along, up to a bound. So a hundred callers need no hundred connections.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use awc::http::{
    Method,
    header::{CONTENT_TYPE, HeaderName},
};
use tokio::sync::oneshot;
use url::Url;

use super::{
    super::{
        KvError, MAX_VALUE,
        guard::no_answer,
        rest::{Api, send},
    },
    wire::{self, Command, Outcome},
};

/// Requests under way at a time.
const LANES: usize = 4;
/// The most commands in one request.
const MAX_BATCH: usize = 32;
/// The most bytes in one request, unless a single command has more. The smallest plan of Upstash allows 1 MB.
const MAX_REQUEST: usize = 512 << 10;
/// The most bytes of one command's answer: the longest value, in base64 twice, and a little.
const MAX_ANSWER: usize = MAX_VALUE * 16 / 9 + 1024;
/// Commands that wait beyond this are refused.
const MAX_WAITING: usize = 10_000;
/// A longer sync token is not remembered.
const MAX_SYNC_TOKEN: usize = 1024;

const ENCODING: HeaderName = HeaderName::from_static("upstash-encoding");
/// Comes with each answer; sent along with the next request, it lets a replica answer only if it has seen as much.
const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

type Answered = Result<Outcome, KvError>;

/// See the module's head.
pub struct Pipeline {
    api: Api,
    base: Url,
    /// Bounds each request.
    timeout: Duration,
    waiting: RefCell<VecDeque<Waiting>>,
    lanes: Cell<usize>,
    sync_token: RefCell<Option<String>>,
}

struct Waiting {
    command: Command,
    caller: oneshot::Sender<Answered>,
}

impl Pipeline {
    pub fn new(api: Api, base: &Url, timeout: Duration) -> Self {
        Self {
            api,
            base: base.clone(),
            timeout,
            waiting: RefCell::default(),
            lanes: Cell::new(0),
            sync_token: RefCell::default(),
        }
    }

    /// Runs one command. If the returned future is dropped before the command has left, it stays here.
    pub async fn run(self: &Rc<Self>, command: Command) -> Answered {
        let (caller, answer) = oneshot::channel();
        self.line_up(Waiting { command, caller })?;
        if self.lanes.get() < LANES {
            actix_rt::spawn(Lane::open(self).serve());
        }
        let lost = |_| Err(KvError::Unavailable("the request was given up".to_owned()));
        answer.await.unwrap_or_else(lost)
    }

    fn line_up(&self, next: Waiting) -> Result<(), KvError> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= MAX_WAITING {
            return Err(KvError::Unavailable("too many commands wait".to_owned()));
        }
        waiting.push_back(next);
        Ok(())
    }

    /// What the next request carries: of those that wait the first that are still waited for.
    fn next_batch(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.borrow_mut();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = waiting.pop_front() {
            if next.caller.is_closed() {
                continue;
            }
            bytes += next.command.size();
            if !batch.is_empty() && (bytes > MAX_REQUEST || batch.len() == MAX_BATCH) {
                waiting.push_front(next);
                break;
            }
            batch.push(next);
        }
        batch
    }

    async fn carry(&self, commands: &[&Command]) -> Result<Vec<Answered>, KvError> {
        let (path, body) = wire::request(commands);
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut()
            && !path.is_empty()
        {
            segments.pop_if_empty().push(path);
        }
        let mut request = self
            .api
            .request(Method::POST, url.as_str())
            .insert_header((CONTENT_TYPE, "application/json"))
            .insert_header((ENCODING, "base64"));
        if let Some(token) = &*self.sync_token.borrow() {
            request = request.insert_header((SYNC_TOKEN, token.as_str()));
        }
        let limit = MAX_ANSWER * commands.len();
        let reply = send(request, body.into(), limit).await?;
        let token = reply.headers.get(SYNC_TOKEN);
        if let Some(token) = token.and_then(|token| token.to_str().ok())
            && token.len() <= MAX_SYNC_TOKEN
        {
            *self.sync_token.borrow_mut() = Some(token.to_owned());
        }
        wire::outcomes(&reply, commands.len())
    }
}

/// One of the requests under way.
struct Lane(Rc<Pipeline>);

impl Lane {
    fn open(pipeline: &Rc<Pipeline>) -> Self {
        pipeline.lanes.set(pipeline.lanes.get() + 1);
        Self(pipeline.clone())
    }

    /// Carries what waits until nothing does.
    async fn serve(self) {
        loop {
            let batch = self.0.next_batch();
            if batch.is_empty() {
                break;
            }
            let commands: Vec<_> = batch.iter().map(|waiting| &waiting.command).collect();
            let carried = tokio::time::timeout(self.0.timeout, self.0.carry(&commands)).await;
            let carried = carried.unwrap_or_else(|_elapsed| Err(no_answer(self.0.timeout)));
            let answers = carried.unwrap_or_else(|error| vec![Err(error); batch.len()]);
            for (waiting, answer) in batch.into_iter().zip(answers) {
                // an error means that the caller has gone
                let _ = waiting.caller.send(answer);
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.0.lanes.set(self.0.lanes.get() - 1);
    }
}
