//! Gitee AI (模力方舟, also Moark): pictures at once or as tasks, edits, upscaling, videos.
//!
//! | what | call, relative to the base URL | body |
//! |---|---|---|
//! | a picture | `POST /images/generations`, as a task `POST /async/images/generations` | JSON |
//! | an edit | `POST /images/edits`, as a task `POST /async/images/edits` | form; `image` repeats, a file or a link |
//! | upscaling | `POST /images/upscaling` | form; the answer is the bare picture |
//! | a video of a picture | `POST /async/videos/image-to-video` | form |
//! | a video of words | `POST /async/videos/generations` | JSON |
//! | a task | `GET /task/{id}`, `POST /task/{id}/cancel`, both at `/api/v1` where the base URL ends with `/v1` | |
//! | tasks that may still be begun | `GET /tasks/available-quota` → `{"available", "max_concurrency"}` | |
//!
//! Whether a model runs as a task is said by its description (`is_task`, which the configuration may set); videos
//! always do.
//!
//! Quirks: the steps of videos are read under the misspelt `num_inferenece_steps` by some models, so both are
//! sent. Guidance is `guidance_scale`, of edits `cfg_scale`. A task fails with `failure` or `failed`. Free
//! tokens bear 100 calls a day, and their end is told with 400; days are those of China.
//!
//! | option of the provider | what it is |
//! |---|---|
//! | `poll_ms` | milliseconds between two questions after a task; 3000 |
//! | `failover` | `true` or `false`: sent as `X-Failover-Enabled` |
//!
//! | option of a model | what it is |
//! |---|---|
//! | `lora_weights` | `{"url", "weight"}`, of edits: Qwen-Image-Edit has the Lightning LoRA for 8 steps |
//! | `model_name`, `outscale` | of upscalers: which weights, and how many times larger |
//!
//! | `extra` of an order | what it is |
//! |---|---|
//! | `lora_weights` | of edits, instead of the model's |
//! | `fps`, `num_frames` | of videos; frames are 16 for each second where they are not given |
//! | `model_name`, `outscale`, `output_format` | of upscaling |

mod ask;
mod hear;
mod models;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use super::{
    Action, Answer, Call, Errand, Order, Patience, Polled, Quota, Service, Settings, Single,
    Ticket, call::Body, polled, service::Kind, spec::ModelSpec,
};
use crate::{chat::Losses, openai::request_error::RequestError};

pub(super) const KIND: Kind = Kind {
    name: "gitee",
    title: "Gitee AI",
    base_url: "https://ai.gitee.com/v1",
    env: &["GITEE_TOKENS"],
    needs_token: true,
    chat: Some("/chat/completions"),
    make: |settings| Box::new(Gitee { settings }),
};

const POLL: Duration = Duration::from_secs(3);

struct Gitee {
    settings: Settings,
}

impl Gitee {
    /// Where tasks are: `…/api/v1/task` of a base URL that ends with `/v1`.
    fn tasks(&self) -> String {
        let base = &self.settings.base_url;
        match base.strip_suffix("/v1") {
            Some(host) => format!("{host}/api/v1/task"),
            None => format!("{base}/task"),
        }
    }

    fn task(&self, order: &Arc<Order>) -> hear::Job {
        hear::Job {
            tasks: self.tasks(),
            order: Arc::clone(order),
        }
    }
}

impl Service for Gitee {
    fn models(&self) -> Vec<ModelSpec> {
        models::shipped()
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        let call = ask::call(&self.settings, order, losses)?;
        if is_task(order) {
            let every = self.settings.poll_every(POLL);
            return Ok(Polled::submit(self.task(order), call, every));
        }
        let order = Arc::clone(order);
        Ok(Single::errand(call, move |answer| {
            hear::pictures(&order, answer)
        }))
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        polled::id(&ticket.0)?;
        let every = self.settings.poll_every(POLL);
        Some(Polled::resume(self.task(order), ticket, every))
    }

    fn cancel(&self, ticket: &Ticket) -> Option<Call> {
        let url = format!("{}/{}/cancel", self.tasks(), polled::id(&ticket.0)?);
        Some(Call::post(url, Body::None, Patience::Quick))
    }

    fn takes_links(&self, _order: &Order) -> bool {
        true
    }

    fn ask_quota(&self) -> Option<Call> {
        let base = &self.settings.base_url;
        Some(Call::get(format!("{base}/tasks/available-quota")))
    }

    fn read_quota(&self, answer: &Answer<'_>) -> Option<Quota> {
        hear::quota(answer)
    }
}

fn is_task(order: &Order) -> bool {
    let video = order.action.makes_video();
    video || (order.model.is_task && order.action != Action::Upscale)
}
