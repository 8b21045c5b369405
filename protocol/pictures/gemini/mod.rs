//! Google's Gemini API: pictures of Gemini and of Imagen, edits, videos of Veo.
//!
//! | what | call, relative to the base URL | body |
//! |---|---|---|
//! | a picture or an edit of Gemini | `POST /models/{model}:generateContent` | `contents`, `generationConfig.imageConfig` |
//! | pictures of Imagen | `POST /models/{model}:predict` | `instances`, `parameters` |
//! | a video of Veo | `POST /models/{model}:predictLongRunning` → `{"name": "models/…/operations/…"}` | the same |
//! | the video's state | `GET /models/{model}/operations/{id}` → `{"done", "response" or "error"}` | |
//! | the video | the link of the answer, with the credential | |
//!
//! The credential goes in `x-goog-api-key`. Pictures go both ways as base64. Which of the three a model speaks is
//! told by its name: `imagen…`, `veo…`, and Gemini for all others.
//!
//! Quirks: shapes are chosen, not sizes. What the safety filters keep back comes with success: as
//! `promptFeedback.blockReason`, as a `finishReason`, as `raiFilteredReason` of a single picture, as
//! `raiMediaFilteredReasons` of a video. A day's quota is one of a model, its days end at midnight of the Pacific
//! coast, and it is told with the wait of a minute. A quota of 0 is that of a model which costs money.
//!
//! | option of the provider | what it is |
//! |---|---|
//! | `poll_ms` | milliseconds between two questions after a video; 10000 |
//!
//! | `extra` of an order | what it is |
//! |---|---|
//! | `aspect_ratio` | instead of a size: `16:9`, `21:9`, … |
//! | `resolution` | `1K`, `2K`, `4K` of pictures, `720p`, `1080p`, `4k` of videos, which their size says too |
//! | `person_generation` | of Imagen and Veo: `dont_allow`, `allow_adult`, `allow_all` |

mod ask;
mod classify;
mod hear;
mod models;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use super::{
    Auth, Errand, Order, Polled, Service, Settings, Single, Ticket, polled, service::Kind,
    spec::ModelSpec,
};
use crate::{chat::Losses, openai::request_error::RequestError};
use models::Family;

pub(super) const KIND: Kind = Kind {
    name: "gemini",
    title: "Google Gemini",
    base_url: "https://generativelanguage.googleapis.com/v1beta",
    // its preset, which is for chat too, has the names
    env: &[],
    needs_token: true,
    chat: None,
    make: |settings| Box::new(Gemini { settings }),
};

const POLL: Duration = Duration::from_secs(10);

struct Gemini {
    settings: Settings,
}

impl Gemini {
    fn film(&self, order: &Order) -> hear::Film {
        hear::Film {
            operations: format!("{}/operations", self.model(order)),
        }
    }

    /// Where the model is: `…/models/veo-3.1-generate-preview`.
    fn model(&self, order: &Order) -> String {
        format!("{}/models/{}", self.settings.base_url, order.model.upstream)
    }
}

impl Service for Gemini {
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
        let call = ask::call(&self.model(order), order, losses)?;
        let family = Family::of(order);
        if family == Family::Veo {
            let every = self.settings.poll_every(POLL);
            return Ok(Polled::submit(self.film(order), call, every));
        }
        let order = Arc::clone(order);
        Ok(Single::errand(call, move |answer| {
            if !answer.is_success() {
                return Err(classify::classify(answer));
            }
            match family {
                Family::Imagen => hear::predictions(&order, &answer.json()),
                _ => hear::content(&order, &answer.json()),
            }
        }))
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        polled::id(&ticket.0)?;
        let every = self.settings.poll_every(POLL);
        Some(Polled::resume(self.film(order), ticket, every))
    }

    fn link_auth(&self) -> Auth {
        ask::AUTH
    }
}
