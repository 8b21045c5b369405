//! What every upstream of pictures says of itself, and the list of all of them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    call::{Auth, Call},
    demo::Demo,
    errand::{Answer, Errand, Ticket},
    order::Order,
    spec::ModelSpec,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// One upstream's protocol. It decides, it does not carry.
pub trait Service: Send + Sync {
    /// The models that it is known to have: what the configuration does not say is taken from here. One that
    /// is configured and not among them is described by [`Self::unknown_model`].
    fn models(&self) -> Vec<ModelSpec>;

    /// What is assumed of a model that it is not known to have.
    fn unknown_model(&self, id: &str) -> ModelSpec {
        ModelSpec {
            id: id.to_owned(),
            upstream: id.to_owned(),
            name: id.to_owned(),
            ..ModelSpec::default()
        }
    }

    /// Begins an order, whose model is [described](ModelSpec) and whose fields keep to that. Fields of `extra`
    /// that it knows go along; the others, and fields that the upstream cannot be told, are noted as losses.
    ///
    /// # Errors
    /// What is wrong with the order, beyond what the model's description says.
    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError>;

    /// Goes on with a task that the upstream has taken. None where the ticket is not one of its own.
    fn resume(&self, _order: &Arc<Order>, _ticket: &Ticket) -> Option<Box<dyn Errand>> {
        None
    }

    /// The call that stops a task, where the upstream can do that.
    fn cancel(&self, _ticket: &Ticket) -> Option<Call> {
        None
    }

    /// Whether it fetches the client's pictures from links itself. Else they are fetched for it.
    fn takes_links(&self, _order: &Order) -> bool {
        false
    }

    /// The question for what is left of a credential's quota, where the upstream has one.
    fn ask_quota(&self) -> Option<Call> {
        None
    }

    /// The answer to that question.
    fn read_quota(&self, _answer: &Answer<'_>) -> Option<Quota> {
        None
    }

    /// What an answer tells in passing, by its headers, of what is left to its credential. The body is not there.
    fn told_quota(&self, _answer: &Answer<'_>) -> Told {
        Told::default()
    }

    /// How the credential goes along to links that are only given to who shows it
    /// ([`Source::Link`](super::Source::Link)).
    fn link_auth(&self) -> Auth {
        Auth::Bearer
    }

    /// Requests that one credential bears at a time; 0 = any number. Where the configuration says nothing.
    fn per_token(&self) -> usize {
        0
    }

    /// Addresses, besides `base_url`, that calls go to by the operator's configuration: links of answers may lead to
    /// their hosts, and so may the credential.
    fn hosts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What is left of a credential's quota.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Quota {
    pub remaining: f64,
    pub limit: Option<f64>,
    /// `requests`, `seconds`, ….
    pub unit: &'static str,
    /// Seconds until it is whole again.
    pub resets_in: Option<u64>,
}

/// What an answer tells in passing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// What is left to the credential in all.
    pub all: Option<Quota>,
    /// What is left to it for the model that was asked.
    pub of_model: Option<Quota>,
}

/// How the operator configured an upstream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Without a slash at its end.
    pub base_url: String,
    /// `options` of the provider.
    pub options: Map<String, Value>,
}

impl Settings {
    /// The text of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name)?.as_str()
    }
}

/// A kind of upstream, as in `kind = "…"`.
pub struct Kind {
    pub name: &'static str,
    /// How people call it.
    pub title: &'static str,
    pub base_url: &'static str,
    /// Environment variables that hold its tokens, separated by commas, the usual one first.
    pub env: &'static [&'static str],
    /// Whether it refuses requests without a token.
    pub needs_token: bool,
    /// The path of its OpenAI-compatible chat, relative to the base URL; none where it has none.
    pub chat: Option<&'static str>,
    pub make: fn(Settings) -> Box<dyn Service>,
}

/// Every kind. A new one is a file and a line here.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "demo",
        title: "the built-in demo",
        base_url: "local:",
        env: &[],
        needs_token: false,
        chat: None,
        make: Demo::make,
    },
    super::a4f::KIND,
    super::ark::KIND,
    super::gemini::KIND,
    super::gitee::KIND,
    super::grok::KIND,
    super::huggingface::KIND,
    super::modelscope::KIND,
    super::modelslab::KIND,
    super::openai::KIND,
    super::volcengine::KIND,
];

/// The kind of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
