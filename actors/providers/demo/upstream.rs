//! The demo provider as an upstream like any other, answered in this process.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use troupe_protocol::{
    dialect::Dialect,
    failure::FailureKind,
    openai::{
        classify::classify,
        error::{ErrorCode, render_json},
        request::RequestHead,
    },
};
use uuid::Uuid;

use super::{
    CHAT_MODEL, DemoError, DemoRequest, DemoResponse, DemoSurface, EMBED_MODEL, IMAGE_MODEL,
    respond,
};
use crate::{
    egress::Exempt,
    providers::{
        model::Model,
        upstream::{Endpoint, LocalAnswer, Outgoing, Plan, Upstream},
    },
    secrets::Secret,
};

/// The built-in provider.
pub struct Demo;

/// Fast for a model, slow enough to be seen as a stream.
const PACE: Duration = Duration::from_millis(12);

impl Upstream for Demo {
    fn plan(&self, outgoing: &Outgoing, _: Option<&Secret>) -> Option<Plan> {
        let (endpoint, body) = (outgoing.endpoint, outgoing.body.clone());
        match endpoint {
            Endpoint::Chat(Dialect::OpenaiChat) | Endpoint::Embeddings | Endpoint::Images => {
                Some(Plan::Local(Box::new(move || answer(endpoint, &body))))
            }
            Endpoint::Chat(_) | Endpoint::CountTokens(_) | Endpoint::Models => None,
        }
    }

    fn chat_dialect(&self, _: Dialect) -> Dialect {
        Dialect::OpenaiChat
    }

    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
        classify(status, retry_after, body)
    }

    fn host(&self) -> Option<Exempt> {
        None
    }

    fn lists_models(&self) -> bool {
        false
    }

    fn own_models(&self) -> Option<Arc<[Model]>> {
        let model = |id: &str, kind: &str| Model {
            kind: Some(kind.to_owned()),
            ..Model::named(id)
        };
        Some(Arc::new([
            model(CHAT_MODEL, "chat"),
            model(IMAGE_MODEL, "text2image"),
            model(EMBED_MODEL, "embedding"),
        ]))
    }
}

fn answer(endpoint: Endpoint, body: &Bytes) -> LocalAnswer {
    let head = match RequestHead::parse(body) {
        Ok(head) => head,
        Err(error) => return refusal(&error.into()),
    };
    let surface = match endpoint {
        Endpoint::Embeddings => DemoSurface::Embeddings,
        Endpoint::Images => DemoSurface::Images,
        Endpoint::Chat(_) | Endpoint::CountTokens(_) | Endpoint::Models => DemoSurface::Chat {
            stream: head.stream,
            include_usage: head.wants_usage(),
        },
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let answered = respond(&DemoRequest {
        surface,
        model: &head.model,
        named: &head.model,
        body,
        id: &Uuid::now_v7().simple().to_string(),
        now: now.map_or(0, |now| now.as_secs()),
    });
    match answered {
        Ok(DemoResponse::Whole(body)) => LocalAnswer {
            status: 200,
            content_type: "application/json",
            pieces: vec![body],
            pace: Duration::ZERO,
        },
        Ok(DemoResponse::Events(pieces)) => LocalAnswer {
            status: 200,
            content_type: "text/event-stream",
            pieces,
            pace: PACE,
        },
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &DemoError) -> LocalAnswer {
    let (code, param) = match error {
        DemoError::Request(error) => (error.code(), error.param()),
        DemoError::Encode(_) => (ErrorCode::InternalError, None),
    };
    LocalAnswer {
        status: code.status(),
        content_type: "application/json",
        pieces: vec![render_json(code, &error.to_string(), param, "")],
        pace: Duration::ZERO,
    }
}
