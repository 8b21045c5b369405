//! Hugging Face: Gradio apps on Spaces, and other companies' models through the Inference Providers router.
//!
//! A model's `options` say where it is:
//!
//! | option | what it says |
//! |---|---|
//! | `via` | through the router: `fal-ai`, `replicate`, `hf-inference`, `together`, `nscale`, `wavespeed`; `upstream` is that provider's own id of the model |
//! | `image_field` | `via`: what the model calls its input picture; a name that ends in `s` takes a list |
//! | `queue` | `via = "fal-ai"`: whether it is a task; without it, all but pictures from words are |
//! | `space` | on a Space: `owner/name`, or the whole address of a Gradio app |
//! | `api_name`, `template` | its function and arguments, see [`template`] |
//! | `protocol` | `call` (the default) or `queue`, see [`gradio`] |
//! | `fn_index`, `trigger_id` | `protocol = "queue"`: the function's number, else asked from `/config` |
//! | `api_prefix` | `gradio_api` for Gradio 5, empty for Gradio 4; found out where it is not said |
//! | `send_token` | `false` keeps the token from this Space, which then counts us as anonymous |
//!
//! A model with neither is looked for at `hf-inference`. Spaces come and go, so every one of the shipped models
//! can be moved to another Space by configuration alone.
//!
//! | `options` of the provider | default |
//! |---|---|
//! | `hub_url` | `https://huggingface.co`, asked for the quota |
//! | `space_url` | `https://{host}.hf.space`, where `owner/name` is; `{host}` is `owner-name` |
//! | `trusted_hosts` | none: Gradio apps elsewhere that are shown the token, and private Spaces whose files only it opens |
//! | `bill_to` | none: the organisation that the router bills |
//! | `poll_ms` | 1000, between two questions after a task |
//!
//! The router's address is `base_url`. A ZeroGPU quota comes back when its message says, else after 24 hours;
//! the router's with the month. What ails a Space is never held against the token.

mod failure;
mod gradio;
mod models;
mod results;
mod router;
mod space;
mod template;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::SystemTime};

use chrono::{DateTime, Utc};

use self::{gradio::Visit, space::Space};
use super::{
    Answer, Call, Errand, Kind, ModelSpec, Order, Quota, Service, Settings, Ticket, spec::refused,
};
use crate::{chat::Losses, openai::request_error::RequestError};

const HUB: &str = "https://huggingface.co";

pub(super) const KIND: Kind = Kind {
    name: "huggingface",
    title: "Hugging Face",
    base_url: "https://router.huggingface.co",
    env: &["HUGGINGFACE_TOKENS", "HF_TOKEN"],
    needs_token: false,
    chat: Some("/v1/chat/completions"),
    make: |settings| Box::new(HuggingFace { settings }),
};

struct HuggingFace {
    settings: Settings,
}

impl Service for HuggingFace {
    fn models(&self) -> Vec<ModelSpec> {
        models::shipped()
    }

    /// How many pictures it takes is for its template or its provider to say.
    fn unknown_model(&self, id: &str) -> ModelSpec {
        ModelSpec {
            id: id.to_owned(),
            upstream: id.to_owned(),
            name: id.to_owned(),
            max_inputs: 4,
            ..ModelSpec::default()
        }
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        let on_space = via(&order.model).is_none() && order.model.options.contains_key("space");
        if on_space {
            let space = Space::of(&order.model, &self.settings).map_err(misconfigured)?;
            Ok(Box::new(Visit::begin(order, space, losses)?))
        } else {
            router::begin(order, &self.settings, losses)
        }
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        if ticket.0.get("via").is_some() {
            return router::resume(order, &self.settings, ticket);
        }
        let space = Space::of(&order.model, &self.settings).ok()?;
        Some(Box::new(Visit::resume(order, space, ticket)?))
    }

    fn cancel(&self, ticket: &Ticket) -> Option<Call> {
        router::cancel(&self.settings, ticket).or_else(|| Visit::cancel(&self.settings, ticket))
    }

    fn takes_links(&self, order: &Order) -> bool {
        via(&order.model).is_some_and(router::takes_links)
    }

    fn ask_quota(&self) -> Option<Call> {
        Some(Call::get(format!(
            "{}/api/spaces/zero-gpu/quota",
            self.hub()
        )))
    }

    /// `{"base":2400,"current":2400,"resetsAt":null,"overquotaUsed":0}`, in seconds of a GPU.
    fn read_quota(&self, answer: &Answer<'_>) -> Option<Quota> {
        let body = answer.json();
        let resets_at = body["resetsAt"].as_str();
        Some(Quota {
            remaining: body["current"].as_f64()?,
            limit: body["base"].as_f64(),
            unit: "seconds",
            resets_in: resets_at.and_then(|time| until(time, answer.now)),
        })
    }

    fn hosts(&self) -> Vec<String> {
        let spaces = models::shipped().into_iter();
        let spaces = spaces.filter_map(|model| Space::of(&model, &self.settings).ok());
        let trusted = space::trusted_hosts(&self.settings).map(|host| format!("https://{host}"));
        let hub = self.hub().to_owned();
        [hub]
            .into_iter()
            .chain(spaces.map(|space| space.url))
            .chain(trusted)
            .collect()
    }
}

impl HuggingFace {
    fn hub(&self) -> &str {
        let url = self.settings.option("hub_url").unwrap_or(HUB);
        url.trim_end_matches('/')
    }
}

/// The provider behind the router that has the model.
fn via(model: &ModelSpec) -> Option<&str> {
    model.options.get("via")?.as_str()
}

fn misconfigured(problem: &'static str) -> RequestError {
    refused(
        "model",
        format!("the model's configuration is wrong: {problem}"),
    )
}

/// Seconds until an RFC 3339 time.
fn until(time: &str, now: SystemTime) -> Option<u64> {
    let time: DateTime<Utc> = time.parse().ok()?;
    let wait = SystemTime::from(time).duration_since(now);
    Some(wait.unwrap_or_default().as_secs())
}
