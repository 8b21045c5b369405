//! Ark, VolcEngine's OpenAI-like service (`ark.cn-beijing.volces.com`, abroad
//! `ark.ap-southeast.bytepluses.com`): Seedream, SeedEdit and Seedance.
//!
//! | what | how |
//! |---|---|
//! | pictures | `POST /images/generations`; several of one order are a sequence, which comes as events |
//! | videos | `POST /contents/generations/tasks`, `GET …/{id}`; `DELETE …/{id}` while it is queued |
//! | tokens | `authorization: Bearer …` |
//! | errors | `error.code` decides; single pictures of a sequence may fail |
//! | links | for a day |
//!
//! A model is named by its id or by that of an endpoint (`ep-…`).
//!
//! Fields of a request beyond the usual ones:
//!
//! | field | of |
//! |---|---|
//! | `watermark` | all; the upstream draws one unless told `false` |
//! | `resolution` | `1K`, `1.5K`, `2K`, `4K` of pictures from 4.0 on, in place of a size; `480p`, `720p`, `1080p` of videos |
//! | `sequential_image_generation`, `sequential_image_generation_options`, `optimize_prompt`, `optimize_prompt_options` | pictures from 4.0 on |
//! | `output_format`, `tools`, `layer_decomposition` | 5.0 |
//! | `camera_fixed`, `generate_audio` | videos; sound from 1.5 on |
//!
//! Options of the provider: `poll_ms` (5000); `stream = true` for single pictures as events, too.

mod draw;
mod failure;
mod film;
mod models;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use self::{
    draw::Draw,
    film::{Film, TASKS, task_url},
};
use super::{
    Body, Call, Errand, Input, Kind, ModelSpec, Order, Patience, Polled, Service, Settings, Ticket,
    call::Method,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// `kind = "ark"`.
pub const KIND: Kind = Kind {
    name: "ark",
    title: "VolcEngine Ark",
    base_url: "https://ark.cn-beijing.volces.com/api/v3",
    env: &["ARK_TOKENS", "ARK_API_KEY"],
    needs_token: true,
    chat: Some("/chat/completions"),
    make: |settings| Box::new(Ark(settings)),
};

const POLL: Duration = Duration::from_secs(5);

struct Ark(Settings);

impl Ark {
    fn film(&self, order: &Arc<Order>) -> Film {
        Film {
            base_url: self.0.base_url.clone(),
            order: Arc::clone(order),
        }
    }

    fn every(&self) -> Duration {
        self.0.poll_every(POLL)
    }
}

impl Service for Ark {
    fn models(&self) -> Vec<ModelSpec> {
        models::models()
    }

    fn unknown_model(&self, id: &str) -> ModelSpec {
        models::unknown(id)
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        let model = models::find(&order.model.upstream);
        let base_url = &self.0.base_url;
        if order.action.makes_video() {
            let body = film::submission(model, order, losses)?;
            let url = format!("{base_url}{TASKS}");
            let call = Call::post(url, Body::Json(body.into()), Patience::Short);
            return Ok(Polled::submit(self.film(order), call, self.every()));
        }
        let stream = self.0.options.get("stream") == Some(&Value::Bool(true));
        let body = draw::submission(model, order, stream, losses)?;
        Ok(Draw::errand(base_url, order, body))
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        task_url(&self.0.base_url, ticket)?;
        Some(Polled::resume(self.film(order), ticket, self.every()))
    }

    fn cancel(&self, ticket: &Ticket) -> Option<Call> {
        Some(Call {
            method: Method::Delete,
            patience: Patience::Short,
            ..Call::get(task_url(&self.0.base_url, ticket)?)
        })
    }

    fn takes_links(&self, order: &Order) -> bool {
        let mut inputs = order.inputs.iter();
        inputs.all(|input| matches!(input, Input::Link(_)))
    }
}
