//! One connection: what the client says, what is told to it, and when it ends.

use std::{collections::HashMap, rc::Rc, time::Duration};

use actix_web::HttpRequest;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason};
use futures_util::{
    StreamExt as _,
    future::{AbortHandle, Abortable},
    stream::{LocalBoxStream, SelectAll},
};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval, timeout};
use troupe_actors::{accounts::calls::Outcome, supervision::clock::Monotonic};
use troupe_protocol::{
    dialect::Client,
    json::check_depth,
    openai::{error::ErrorCode, request_error::RequestError},
};
use uuid::Uuid;

use super::{
    follower::{News, follow},
    words::{self, About, Heard},
};
use crate::{
    http::{
        auth,
        enter::admitted,
        error::ApiError,
        pictures::form::Form,
        services::Worker,
        studio::{
            generate::order,
            ids::job_id,
            refusal::{Refusal, Thing},
            tasks::cancel,
        },
    },
    pages::language::Language,
};

/// As the call records name it.
const ROUTE: &str = "/api/v1/generate/stream";
/// How long a client may take to read what it is told.
const READ_WAIT: Duration = Duration::from_secs(30);

/// A connection.
pub struct Session {
    out: actix_ws::Session,
    worker: Rc<Worker>,
    /// The one that opened it, whose key is looked at again for everything that the client wants.
    request: HttpRequest,
    language: Language,
    news: SelectAll<LocalBoxStream<'static, News>>,
    followed: HashMap<Rc<str>, AbortHandle>,
    heard_at: Monotonic,
}

/// Why a connection ends.
struct End(Option<CloseReason>);

impl Session {
    pub fn new(
        out: actix_ws::Session,
        worker: Rc<Worker>,
        request: HttpRequest,
        language: Language,
    ) -> Self {
        Self {
            heard_at: worker.services.clock.now(),
            out,
            worker,
            request,
            language,
            news: SelectAll::new(),
            followed: HashMap::new(),
        }
    }

    /// Goes on until either side has enough.
    pub async fn run(mut self, mut messages: AggregatedMessageStream) {
        let config = &self.worker.services.studio.config;
        let mut pings = interval(Duration::from_secs(config.socket_ping_seconds));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let draining = self.worker.services.draining.clone();
        let End(reason) = loop {
            let step = tokio::select! {
                message = messages.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => Err(closing(CloseCode::Protocol, &error.to_string())),
                    None => Err(End(None)),
                },
                Some(news) = self.news.next(), if !self.news.is_empty() => self.pass_on(news).await,
                _ = pings.tick() => self.ping().await,
                () = draining.cancelled() => {
                    Err(closing(CloseCode::Away, "the gateway is being restarted, connect again"))
                }
            };
            if let Err(end) = step {
                break end;
            }
        };
        // who has left does not hear it
        let _ = timeout(READ_WAIT, self.out.close(reason)).await;
    }

    async fn hear(&mut self, message: AggregatedMessage) -> Result<(), End> {
        self.heard_at = self.worker.services.clock.now();
        match message {
            AggregatedMessage::Text(text) => self.answer(text.as_bytes()).await,
            AggregatedMessage::Binary(_) => Err(closing(
                CloseCode::Unsupported,
                "messages are texts with JSON",
            )),
            AggregatedMessage::Ping(bytes) => read_in_time(self.out.pong(&bytes)).await,
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(reason) => Err(End(reason)),
        }
    }

    async fn answer(&mut self, text: &[u8]) -> Result<(), End> {
        let depth = self.worker.services.config.max_json_depth;
        let heard = check_depth(text, depth)
            .map_err(|error| ApiError::new(ErrorCode::JsonTooDeep, error.to_string()))
            .and_then(|()| serde_json::from_slice(text).map_err(unreadable));
        let refused = match heard {
            Err(error) => words::refused(&error.into(), About::default(), self.language),
            Ok(Heard::Ping) => return self.tell(&words::pong()).await,
            Ok(Heard::Generate { request_id, fields }) => {
                let about = About {
                    request_id: request_id.as_deref(),
                    task_id: None,
                };
                match self.generate(fields, request_id.clone()).await {
                    Ok(()) => return Ok(()),
                    Err(refusal) => words::refused(&refusal, about, self.language),
                }
            }
            Ok(Heard::Subscribe { task_id }) => match self.subscribe(&task_id).await {
                Ok(()) => return Ok(()),
                Err(refusal) => self.refused_about(&task_id, &refusal),
            },
            Ok(Heard::Cancel { task_id }) => match self.cancel(&task_id).await {
                Ok(told) => told,
                Err(refusal) => self.refused_about(&task_id, &refusal),
            },
        };
        self.tell(&refused).await
    }

    fn refused_about(&self, task_id: &str, refusal: &Refusal) -> Value {
        let about = About {
            task_id: Some(task_id),
            request_id: None,
        };
        words::refused(refusal, about, self.language)
    }

    /// Orders a task, with a call record of its own, and follows it.
    async fn generate(
        &mut self,
        fields: serde_json::Map<String, Value>,
        request_id: Option<String>,
    ) -> Result<(), Refusal> {
        let worker = self.worker.clone();
        let mut call = admitted(
            &worker,
            &self.request,
            ROUTE,
            Client::OpenaiChat,
            Uuid::now_v7(),
        )?;
        let app_id = call.app_id().to_owned();
        let form = Form::of(fields, call.draw());
        let ordered = match self.room() {
            Ok(()) => order(form, &worker.services, &mut call, self.language).await,
            Err(refusal) => Err(refusal),
        };
        match ordered {
            Ok(job) => {
                call.finish(Outcome::Ok, 201, None);
                self.follow(&app_id, &job.id, request_id).await
            }
            Err(refusal) => {
                let error = refusal.plain();
                call.finish(error.outcome(), error.status, Some(error.code.as_str()));
                Err(refusal)
            }
        }
    }

    async fn subscribe(&mut self, text: &str) -> Result<(), Refusal> {
        let principal = auth::principal(&self.request, &self.worker.services.keys)?;
        let id = job_id(text).ok_or(Refusal::Absent(Thing::Task))?;
        if !self.followed.contains_key(id.as_str()) {
            self.room()?;
        }
        self.follow(principal.app_id(), &id, None).await
    }

    /// What is told to who does not follow the task; others hear of it by its last status.
    async fn cancel(&mut self, text: &str) -> Result<Value, Refusal> {
        let job = cancel(&self.worker.services, &self.request, text).await?;
        Ok(words::status(&job, None, self.language))
    }

    /// Whether one more task may be followed.
    fn room(&self) -> Result<(), Refusal> {
        let most = self.worker.services.studio.config.tasks_per_socket;
        if self.followed.len() < most {
            return Ok(());
        }
        let message = format!("this connection follows {most} tasks, wait until one has ended");
        Err(ApiError::new(ErrorCode::AppLimitReached, message).into())
    }

    /// Follows a task from how it stands now on, also one that was followed already.
    async fn follow(
        &mut self,
        app_id: &str,
        job_id: &str,
        request_id: Option<String>,
    ) -> Result<(), Refusal> {
        let services = &self.worker.services;
        let news = follow(services, app_id, job_id, request_id, self.language).await?;
        let news = news.ok_or(Refusal::Absent(Thing::Task))?;
        let (handle, registration) = AbortHandle::new_pair();
        self.news
            .push(Abortable::new(news, registration).boxed_local());
        if let Some(earlier) = self.followed.insert(job_id.into(), handle) {
            earlier.abort();
        }
        Ok(())
    }

    async fn pass_on(&mut self, news: News) -> Result<(), End> {
        if news.is_last {
            self.followed.remove(&news.job_id);
        }
        self.tell(&news.message).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        let services = &self.worker.services;
        let most = Duration::from_secs(services.studio.config.socket_idle_seconds);
        if services.clock.now().saturating_sub(self.heard_at) > most {
            return Err(closing(
                CloseCode::Policy,
                "nothing was heard, not even a pong",
            ));
        }
        read_in_time(self.out.ping(b"")).await
    }

    async fn tell(&mut self, message: &Value) -> Result<(), End> {
        read_in_time(self.out.text(message.to_string())).await
    }
}

/// Whoever does not read is left.
async fn read_in_time(sent: impl Future<Output = Result<(), actix_ws::Closed>>) -> Result<(), End> {
    match timeout(READ_WAIT, sent).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End(None)),
    }
}

fn closing(code: CloseCode, why: &str) -> End {
    End(Some(CloseReason {
        code,
        description: Some(why.to_owned()),
    }))
}

fn unreadable(error: serde_json::Error) -> ApiError {
    let reason = error.to_string();
    RequestError::InvalidJson { reason }.into()
}
