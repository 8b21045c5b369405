//! A client's chat request, and what it is written as for each target.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use bytes::Bytes;
use troupe_actors::{
    catalog::Target,
    providers::upstream::{Endpoint, Outgoing},
};
use troupe_protocol::{
    anthropic,
    chat::{ChatRequest, ConvertError, Encoding, Losses, ToolNames, seal::may_hold_marked},
    convert::{read_request, write_request},
    dialect::{Client, Dialect},
    openai::{error::ErrorCode, request::RequestHead, request_error::RequestError},
    openai_responses,
};

use crate::http::error::ApiError;

/// What a client asks.
pub struct Question {
    pub client: Client,
    pub head: RequestHead,
    /// As the client sent it, but for the earlier answers that it goes on from.
    pub body: Bytes,
    /// Read when the first target wants it in another dialect. Boxed, since a question moves from hand to hand.
    parsed: Option<Box<ChatRequest>>,
    /// What goes along to upstreams of the client's own dialect.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Off once an upstream has refused the signatures of earlier thoughts.
    pub keep_thoughts: bool,
    /// Of `/v1/responses`: the earlier answer that it goes on from.
    pub previous: Option<Previous>,
    /// Of `/v1/responses`: whether it goes on in a conversation that OpenAI has stored.
    pub in_conversation: bool,
    /// Of `/v1/responses`: what is to be stored with the answer.
    pub storing: Option<super::stored::Storing>,
}

/// An earlier answer that a request goes on from.
pub struct Previous {
    pub id: String,
    /// We do not have it, but the upstream perhaps.
    pub is_foreign: bool,
}

/// How the answer comes back.
pub enum Way {
    /// In the client's own dialect.
    Pass {
        /// Whether only the gateway asked for the usage in the stream.
        strip_usage: bool,
    },
    Convert {
        from: Dialect,
        losses: Losses,
        tools: Arc<ToolNames>,
        has_thoughts: bool,
    },
}

impl Way {
    /// Whether earlier thoughts may have gone upstream.
    pub fn has_thoughts(&self) -> bool {
        match self {
            Self::Pass { .. } => true,
            Self::Convert { has_thoughts, .. } => *has_thoughts,
        }
    }
}

/// Headers of Anthropic's clients that choose what the protocol means.
const ANTHROPIC_HEADERS: [&str; 2] = ["anthropic-version", "anthropic-beta"];

impl Question {
    /// Reads what the gateway itself must know.
    ///
    /// # Errors
    /// 400 for a body that is none.
    pub fn read(client: Client, request: &HttpRequest, body: Bytes) -> Result<Self, ApiError> {
        Ok(Self {
            client,
            head: RequestHead::parse(&body)?,
            body,
            parsed: None,
            headers: own_headers(client, request.headers()),
            keep_thoughts: true,
            previous: None,
            in_conversation: false,
            storing: None,
        })
    }

    /// Puts another body in the place of the client's.
    ///
    /// # Errors
    /// 400 for a body that is none.
    pub fn replace(&mut self, body: Bytes) -> Result<(), ApiError> {
        self.head = RequestHead::parse(&body)?;
        self.body = body;
        self.parsed = None;
        Ok(())
    }

    /// The question as that target gets it.
    ///
    /// # Errors
    /// 400 for what is not a request of the client's dialect, or cannot be said in the target's.
    pub fn written_for(&mut self, target: &Target) -> Result<(Outgoing, Way), ApiError> {
        let dialect = self.client.dialect();
        let theirs = target.provider.upstream.chat_dialect(dialect);
        if theirs == dialect {
            self.pass(target)
        } else {
            self.convert(target, theirs)
        }
    }

    fn pass(&self, target: &Target) -> Result<(Outgoing, Way), ApiError> {
        let chat = self.client == Client::OpenaiChat;
        let ask_usage = chat && target.provider.ask_stream_usage;
        let (body, strip_usage) = self.passed(target, ask_usage)?;
        let outgoing = Outgoing {
            endpoint: Endpoint::Chat(self.client.dialect()),
            model: target.upstream.clone(),
            body,
            stream: self.head.stream,
            headers: self.headers.clone(),
        };
        Ok((outgoing, Way::Pass { strip_usage }))
    }

    /// The body for an upstream of the client's dialect, and whether only the gateway asks for the usage.
    ///
    /// # Errors
    /// 400 for thoughts that cannot be read.
    pub fn passed(&self, target: &Target, ask_usage: bool) -> Result<(Bytes, bool), ApiError> {
        let model = &target.upstream;
        Ok(match self.other_thoughts()? {
            None => self.head.rewrite(&self.body, model, ask_usage),
            Some(body) => RequestHead::parse(&body)?.rewrite(&body, model, ask_usage),
        })
    }

    /// The body with other thoughts of earlier turns, where the client's must not go as they are: none,
    /// or none of other providers. `openai_chat` has no signatures.
    fn other_thoughts(&self) -> Result<Option<Bytes>, RequestError> {
        let (all, foreign) = (!self.keep_thoughts, may_hold_marked(&self.body));
        let body = &self.body;
        Ok(match self.client {
            Client::Anthropic if all => Some(anthropic::thoughts::without_thoughts(body)?),
            Client::Anthropic if foreign => {
                Some(anthropic::thoughts::without_foreign_thoughts(body)?)
            }
            Client::OpenaiResponses if all => {
                Some(openai_responses::thoughts::without_thoughts(body)?)
            }
            Client::OpenaiResponses if foreign => {
                Some(openai_responses::thoughts::without_foreign_thoughts(body)?)
            }
            _ => None,
        })
    }

    fn convert(&mut self, target: &Target, theirs: Dialect) -> Result<(Outgoing, Way), ApiError> {
        self.check_history()?;
        let encoding = self.encoding(target);
        let request = self.request()?;
        let encoded = write_request(theirs, request, &encoding)?;
        let outgoing = Outgoing {
            endpoint: Endpoint::Chat(theirs),
            model: target.upstream.clone(),
            body: encoded.body,
            stream: request.stream,
            headers: Vec::new(),
        };
        let way = Way::Convert {
            from: theirs,
            losses: encoded.losses,
            tools: Arc::new(encoded.tools),
            has_thoughts: encoded.has_thinking,
        };
        Ok((outgoing, way))
    }

    /// Whether all that was said before is at hand: without it the answer would be to another question.
    fn check_history(&self) -> Result<(), ApiError> {
        if self.in_conversation {
            let reason =
                "only OpenAI has its conversations; send the whole conversation as `input`";
            return Err(ConvertError::new("conversation", reason).into());
        }
        let foreign = self
            .previous
            .as_ref()
            .filter(|previous| previous.is_foreign);
        foreign.map_or(Ok(()), |previous| Err(unknown_previous(&previous.id)))
    }

    /// How it is to be written for that target.
    pub fn encoding<'t>(&self, target: &'t Target) -> Encoding<'t> {
        let provider = &target.provider;
        Encoding {
            model: &target.upstream,
            default_max_tokens: provider.default_max_tokens,
            openai_fields: provider.openai_fields,
            ask_usage: provider.ask_stream_usage,
            keep_thinking: self.keep_thoughts,
            call_signatures: provider.upstream.wants_call_signatures(),
        }
    }

    /// The client's headers that go along to an upstream of that dialect.
    pub fn headers(&self, theirs: Dialect) -> Vec<(HeaderName, HeaderValue)> {
        if theirs == self.client.dialect() {
            self.headers.clone()
        } else {
            Vec::new()
        }
    }

    /// The request in the intermediate form, read once.
    ///
    /// # Errors
    /// 400 for what is not a request of the client's dialect.
    pub fn request(&mut self) -> Result<&ChatRequest, ApiError> {
        let request = match self.parsed.take() {
            Some(request) => request,
            None => Box::new(read_request(self.client, &self.body)?),
        };
        Ok(self.parsed.insert(request))
    }
}

/// 400 for a request that goes on from an answer that nobody here knows.
fn unknown_previous(id: &str) -> ApiError {
    let message = format!(
        "there is no stored response `{id}`: it was never stored, was deleted or has expired; send the whole conversation as `input`"
    );
    ApiError::param(
        ErrorCode::PreviousResponseNotFound,
        "previous_response_id",
        message,
    )
}

fn own_headers(client: Client, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    if client != Client::Anthropic {
        return Vec::new();
    }
    let named = ANTHROPIC_HEADERS.map(HeaderName::from_static);
    let sent = named.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.clone();
        Some((name, value))
    });
    sent.collect()
}
