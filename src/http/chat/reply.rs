//! An answer on its way back: passed through, or converted.

use std::{pin::pin, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use bytes::Bytes;
use serde_json::{Map, Value};
use troupe_actors::{
    credentials::Outcome as LeaseOutcome,
    providers::{body::UpstreamBody, exchange::Answer, opening::is_event_stream},
};
use troupe_protocol::{
    chat::{ChatAnswer, Reply, ToolNames},
    convert::{event_reader, event_writer, read_answer, write_answer},
    dialect::{Client, Dialect},
    failure::FailureKind,
    openai::{error::ErrorCode, stream::StreamError},
    openai_responses::{echo, read_failure},
    stream_converter::StreamConverter,
};

use super::{
    ask::Asked,
    question::{Question, Way},
};
use crate::http::{
    call::Call,
    error::ApiError,
    passing::{complete, pass, unbuffered},
    relay::{Keep, Relay},
    services::Services,
    tap::{MAX_EVENT, Tap},
};

/// The failure that an answer with a good status tells of; only `openai_responses` has such.
fn failure(from: Dialect, body: &[u8]) -> Option<StreamError> {
    let tells = from == Dialect::OpenaiResponses;
    tells.then(|| read_failure(body)).flatten()
}

/// The largest answer that is converted in one piece.
const ANSWER_LIMIT: usize = 64 << 20;

/// Carries an upstream's answer to the client.
pub async fn answer(
    asked: Asked,
    question: Question,
    call: Call,
    services: &Services,
) -> HttpResponse {
    let keep = question
        .storing
        .as_ref()
        .map(|storing| storing.keep(services, call.app_id()));
    match asked.way {
        Way::Pass { strip_usage } => {
            pass(
                asked.answer,
                question.client,
                strip_usage,
                keep,
                call,
                services,
            )
            .await
        }
        Way::Convert { from, tools, .. } => {
            let conversion = Conversion {
                from,
                client: question.client,
                stream: question.head.stream,
                reply: reply(&question, &call, tools, services),
            };
            conversion.carry(asked.answer, keep, call, services).await
        }
    }
}

/// What the answer's writer must know.
fn reply(question: &Question, call: &Call, tools: Arc<ToolNames>, services: &Services) -> Reply {
    let prefix = match question.client {
        Client::OpenaiChat => "chatcmpl-",
        Client::OpenaiResponses => "resp_",
        Client::Anthropic => "msg_",
    };
    let echo = match question.client {
        Client::OpenaiResponses => echo_of(question),
        Client::OpenaiChat | Client::Anthropic => Default::default(),
    };
    Reply {
        id: format!("{prefix}{}", call.id().replace('-', "")),
        created: services.clock.wall_ms() / 1_000,
        model: question.head.model.clone(),
        include_usage: question.head.wants_usage(),
        tools,
        echo: Arc::new(echo),
        ..Reply::default()
    }
}

/// The request's fields that its answer repeats, as the client sent them: the turns before stand in the body
/// in place of the id of the last.
fn echo_of(question: &Question) -> Map<String, Value> {
    let mut fields = echo(&question.body);
    if let Some(previous) = &question.previous {
        let id = Value::from(&*previous.id);
        fields.insert("previous_response_id".to_owned(), id);
    }
    fields
}

/// An answer in one dialect for a client of another.
struct Conversion {
    from: Dialect,
    client: Client,
    /// Whether the client asked for a stream.
    stream: bool,
    reply: Reply,
}

impl Conversion {
    async fn carry(
        self,
        answer: Answer,
        keep: Option<Keep>,
        call: Call,
        services: &Services,
    ) -> HttpResponse {
        let is_stream = is_event_stream(answer.content_type.as_ref());
        if is_stream && self.stream {
            return self.relay(answer, keep, call, services);
        }
        let Answer { body, lease, .. } = answer;
        let whole = match services.unless_cut(pin!(self.whole(body, is_stream))).await {
            Ok(whole) => whole,
            Err(error) => return call.refuse(&error),
        };
        match whole {
            Ok(whole) => {
                lease.report(LeaseOutcome::Success);
                self.finish(whole, keep, call).await
            }
            Err((error, kind)) => {
                lease.report(LeaseOutcome::Failure(kind));
                call.refuse(&error)
            }
        }
    }

    /// A stream, event by event.
    fn relay(
        self,
        answer: Answer,
        keep: Option<Keep>,
        call: Call,
        services: &Services,
    ) -> HttpResponse {
        let mut response = call.response(StatusCode::OK);
        response.insert_header((header::CONTENT_TYPE, EVENT_STREAM));
        unbuffered(&mut response);
        let tap = Tap::Converted(self.converter());
        call.observe_overhead();
        let cut = services.cut.clone().cancelled_owned();
        let every = Duration::from_secs(services.config.ping_seconds);
        let relay = Relay::new(call, answer.lease, answer.body, tap, 200, cut);
        response.body(relay.with_heartbeat(every).keeping(keep))
    }

    fn converter(self) -> StreamConverter {
        let writer = event_writer(self.client, self.reply);
        StreamConverter::new(event_reader(self.from), writer, MAX_EVENT)
    }

    /// The whole answer, read.
    async fn whole(
        &self,
        body: UpstreamBody,
        is_stream: bool,
    ) -> Result<ChatAnswer, (ApiError, FailureKind)> {
        let malformed = |reason: String| {
            let error = ApiError::new(ErrorCode::UpstreamError, reason);
            (error, FailureKind::Upstream)
        };
        if is_stream {
            let reason = "the upstream answered with a stream that was not asked for";
            return Err(malformed(reason.to_owned()));
        }
        let body = body.collect(ANSWER_LIMIT).await;
        let body = body.map_err(|fault| (fault.into(), fault.kind()))?;
        if let Some(failure) = failure(self.from, &body) {
            let message = failure.message.unwrap_or_else(|| failure.kind.to_string());
            return Err((ApiError::new(failure.kind.into(), message), failure.kind));
        }
        read_answer(self.from, &body).map_err(|error| malformed(error.to_string()))
    }

    /// Writes a whole answer as the client wants it, once it is stored where it is to be.
    async fn finish(self, answer: ChatAnswer, keep: Option<Keep>, mut call: Call) -> HttpResponse {
        call.used(answer.usage);
        let (body, whole, content_type) = if self.stream {
            let mut converter = self.converter();
            let body = converter.write_all(answer.into_events());
            let whole = converter.whole_answer().map(Bytes::copy_from_slice);
            (body, whole, EVENT_STREAM)
        } else {
            let body = write_answer(self.client, &answer, &self.reply);
            (body.clone(), Some(body), JSON)
        };
        if let (Some(keep), Some(whole)) = (keep, whole) {
            keep(&whole).await;
        }
        complete(call, StatusCode::OK, Some(content_type), body)
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
