//! OpenAI, and whoever speaks as it does: pictures, edits, videos.
//!
//! | what | call, relative to the base URL | body |
//! |---|---|---|
//! | a picture | `POST /images/generations` | JSON |
//! | an edit | `POST /images/edits` | form; `image[]` repeats, of `dall-e-2` it is `image`; `mask` |
//! | a video | `POST /videos` → `{"id"}` | form; `input_reference` is the picture to begin with |
//! | the video's state | `GET /videos/{id}` → `queued`, `in_progress`, `completed`, `failed` | |
//! | the video | `GET /videos/{id}/content`, with the credential | |
//!
//! Quirks: `response_format` is for DALL·E alone; GPT Image answers in base64 and refuses the field, so it is
//! sent to neither GPT Image nor models that are not known. Every width and height is for `gpt-image-2` alone,
//! in multiples of 16 and at most three times as long as wide. A video cannot be stopped, only deleted when it
//! is over.
//!
//! | option of the provider | what it is |
//! |---|---|
//! | `poll_ms` | milliseconds between two questions after a video; 5000 |
//!
//! | `extra` of an order | of which models |
//! |---|---|
//! | `quality`, `background`, `output_format`, `output_compression`, `moderation`, `user` | GPT Image, and models that are not known |
//! | `input_fidelity` | edits of those |
//! | `quality`, `style`, `user` | DALL·E 3 |
//! | `user` | DALL·E 2 |

mod ask;
mod hear;
mod models;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use super::{
    Answer, Errand, Failure, Order, Polled, Service, Settings, Single, Ticket, data, polled,
    service::Kind, spec::ModelSpec,
};
use crate::{chat::Losses, openai::request_error::RequestError};

pub(super) const KIND: Kind = Kind {
    name: "openai",
    title: "OpenAI",
    base_url: "https://api.openai.com/v1",
    // its preset, which is for chat too, has the names
    env: &[],
    needs_token: true,
    chat: Some("/chat/completions"),
    make: |settings| Box::new(OpenAi { settings }),
};

const POLL: Duration = Duration::from_secs(5);

struct OpenAi {
    settings: Settings,
}

impl OpenAi {
    fn film(&self) -> hear::Film {
        hear::Film {
            videos: format!("{}/videos", self.settings.base_url),
        }
    }
}

impl Service for OpenAi {
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
            match answer.is_success() {
                true => data::read(&order, &answer.json()),
                false => Err(classify(answer)),
            }
        }))
    }

    fn resume(&self, _order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        polled::id(&ticket.0)?;
        let every = self.settings.poll_every(POLL);
        Some(Polled::resume(self.film(), ticket, every))
    }
}

/// What a failed answer means.
fn classify(answer: &Answer<'_>) -> Failure {
    hear::classify(answer)
}
