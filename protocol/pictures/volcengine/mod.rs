//! VolcEngine's Visual service (`visual.volcengineapi.com`): Seedream, SeedEdit and Jimeng by `req_key`.
//!
//! | what | how |
//! |---|---|
//! | calls | `POST /?Action=…&Version=2022-08-31`, JSON, [signed](sign) for `cn-north-1` and `cv` |
//! | at once | `CVProcess`: the answer has the pictures |
//! | tasks | `CVSync2AsyncSubmitTask`, `CVSync2AsyncGetResult`, or with `flow = "submit"` `CVSubmitTask`, `CVGetResult`; the question names the same `req_key`, and in the text `req_json` how to hand over |
//! | cancelling | `CVCancelTask` |
//! | tokens | `access key id\|secret access key`, with `\|session token` if temporary; one request at a time each |
//! | success | no `ResponseMetadata.Error`, then `code` 10000, then `data.status` |
//! | links | of 2.x for an hour, else a day; tasks are kept for 12 hours |
//!
//! Sizes are exact: 2.x draws at half the size and doubles it (`use_sr`) where only that makes the size asked
//! for. Seedream 4 makes one picture for each order, unless the client says `force_single: false`, which lets
//! it make as many as it finds in the prompt.
//!
//! A picture that is withheld once it is drawn (50511, 50519) is drawn once more where the client named no seed.
//!
//! Fields of a request beyond the usual ones:
//!
//! | field | of |
//! |---|---|
//! | `logo_info`, or `watermark` for its `add_logo`; `aigc_meta` | all; videos have no logo |
//! | `use_sr`, `use_pre_llm`, `req_schedule_conf` | 2.x, 3.0 |
//! | `force_single`, `min_ratio`, `max_ratio`, `area` (its `size`) | Jimeng 4.0 |
//! | `strength` | the anime model, of edits |
//!
//! Options: `poll_ms` of the provider (2000); `flow` of a model: `process`, `sync2async`, `submit`.

mod algorithms;
mod body;
mod failure;
mod reroll;
pub mod sign;
mod task;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use self::{
    algorithms::{Algorithm, Flow},
    reroll::Reroll,
    task::{Work, call, processed, read_ticket},
};
use super::{
    Call, Errand, Kind, ModelSpec, Order, Patience, Polled, Service, Settings, Single, Ticket,
    spec::refused,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// `kind = "volcengine"`.
pub const KIND: Kind = Kind {
    name: "volcengine",
    title: "VolcEngine",
    base_url: "https://visual.volcengineapi.com",
    env: &["VOLCENGINE_TOKENS", "VOLC_ACCESS_KEY|VOLC_SECRET_KEY"],
    needs_token: true,
    chat: None,
    make: |settings| Box::new(Volcengine(settings)),
};

const POLL: Duration = Duration::from_secs(2);

struct Volcengine(Settings);

impl Volcengine {
    fn work(&self, flow: Flow, key: &str, order: &Arc<Order>) -> Work {
        Work {
            base_url: self.0.base_url.clone(),
            flow,
            key: key.to_owned(),
            order: Arc::clone(order),
        }
    }

    /// That submits this body, and asks after what is not done at once.
    fn errand(&self, flow: Flow, key: &str, order: &Arc<Order>, body: Value) -> Box<dyn Errand> {
        let submit = |action, patience| call(&self.0.base_url, action, body, patience);
        let action = match flow {
            Flow::Process => {
                let order = Arc::clone(order);
                let call = submit("CVProcess", Patience::Long);
                return Single::errand(call, move |answer| processed(&order, answer));
            }
            Flow::Submit => "CVSubmitTask",
            Flow::Sync2Async => "CVSync2AsyncSubmitTask",
        };
        let call = submit(action, Patience::Short);
        Polled::submit(self.work(flow, key, order), call, self.every())
    }

    fn every(&self) -> Duration {
        self.0.poll_every(POLL)
    }
}

/// That of the model's option, or the algorithm's own.
fn flow(algorithm: &Algorithm, model: &ModelSpec) -> Result<Flow, RequestError> {
    let Some(name) = model.options.get("flow") else {
        return Ok(algorithm.flow);
    };
    let known = name.as_str().and_then(Flow::named);
    known.ok_or_else(|| {
        let expected = "its option `flow` is not `process`, `sync2async` or `submit`";
        refused("model", expected)
    })
}

impl Service for Volcengine {
    fn models(&self) -> Vec<ModelSpec> {
        algorithms::models()
    }

    fn unknown_model(&self, id: &str) -> ModelSpec {
        algorithms::unknown(id)
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        let (key, algorithm) = algorithms::find(&order.model.upstream, order.pictures().count());
        let flow = flow(algorithm, &order.model)?;
        let body = body::submission((key, algorithm), flow, order, losses)?;
        let errand = || self.errand(flow, key, order, body.clone());
        Ok(match order.seed {
            None => Reroll::errand(errand(), errand()),
            // the same seed draws the same picture
            Some(_) => errand(),
        })
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        let (flow, key, _) = read_ticket(ticket)?;
        Some(Polled::resume(
            self.work(flow, key, order),
            ticket,
            self.every(),
        ))
    }

    fn cancel(&self, ticket: &Ticket) -> Option<Call> {
        let (_, key, id) = read_ticket(ticket)?;
        let body = json!({ "req_key": key, "task_id": id });
        Some(call(
            &self.0.base_url,
            "CVCancelTask",
            body,
            Patience::Short,
        ))
    }

    /// Links and files do not go together.
    fn takes_links(&self, order: &Order) -> bool {
        order.inputs.iter().all(body::is_link)
    }

    fn per_token(&self) -> usize {
        1
    }
}
