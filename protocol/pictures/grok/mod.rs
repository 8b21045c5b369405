//! xAI: pictures, edits and videos of Grok Imagine.
//!
//! | what | call, relative to the base URL | body |
//! |---|---|---|
//! | a picture | `POST /images/generations` | JSON |
//! | an edit | `POST /images/edits` | JSON, unlike OpenAI: `image: {"url", "type": "image_url"}`; of several, `images` |
//! | a video | `POST /videos/generations` → `{"request_id"}` | JSON; `image: {"url"}` is its first frame, `reference_images` are what is to be in it |
//! | the video's state | `GET /videos/{request_id}` → `pending`, `done`, `failed`, `expired` | |
//!
//! Quirks: shapes are chosen by `aspect_ratio`, there is no size, seed or mask. Links last for a while only. What
//! its moderation keeps back comes with success and `respect_moderation: false`. Of a video that is done, `status`
//! may be missing. Errors are `{"error": {…}}` or `{"code", "error": "text"}`.
//!
//! | option of the provider | what it is |
//! |---|---|
//! | `poll_ms` | milliseconds between two questions after a video; 3000 |
//!
//! | `extra` of an order | what it is |
//! |---|---|
//! | `aspect_ratio` | instead of a size: `16:9`, `auto`, … |
//! | `resolution` | `1k` or `2k` of pictures, `480p`, `720p` or `1080p` of videos |
//! | `quality` | of pictures: `low` or `medium` |
//! | `user` | the client's own user |

mod ask;
mod hear;
mod models;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use super::{
    Errand, Order, Polled, Service, Settings, Single, Ticket, polled, service::Kind,
    spec::ModelSpec,
};
use crate::{chat::Losses, openai::request_error::RequestError};

pub(super) const KIND: Kind = Kind {
    name: "grok",
    title: "xAI",
    base_url: "https://api.x.ai/v1",
    env: &["GROK_TOKENS"],
    needs_token: true,
    chat: Some("/chat/completions"),
    make: |settings| Box::new(Grok { settings }),
};

const POLL: Duration = Duration::from_secs(3);

struct Grok {
    settings: Settings,
}

impl Grok {
    fn film(&self) -> hear::Film {
        hear::Film {
            videos: format!("{}/videos", self.settings.base_url),
        }
    }
}

impl Service for Grok {
    fn models(&self) -> Vec<ModelSpec> {
        models::shipped()
    }

    fn unknown_model(&self, id: &str) -> ModelSpec {
        models::unknown(id)
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        let call = ask::call(&self.settings.base_url, order, losses)?;
        if order.action.makes_video() {
            let every = self.settings.poll_every(POLL);
            return Ok(Polled::submit(self.film(), call, every));
        }
        let order = Arc::clone(order);
        Ok(Single::errand(call, move |answer| {
            hear::pictures(&order, answer)
        }))
    }

    fn resume(&self, _order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        polled::id(&ticket.0)?;
        let every = self.settings.poll_every(POLL);
        Some(Polled::resume(self.film(), ticket, every))
    }

    fn takes_links(&self, _order: &Order) -> bool {
        true
    }
}
