//! An order at another company's model, through Hugging Face's router. Its paths are `/{provider}/…`, and what
//! stands in them is that provider's own protocol.
//!
//! | `via` | submits | answers |
//! |---|---|---|
//! | `fal-ai` | `POST /{model}`, or the same with `?_subdomain=queue` | `images[].url`, `video.url`, see [`fal`] |
//! | `replicate` | `POST /v1/models/{model}/predictions` | `output`, see [`replicate`] |
//! | `hf-inference` | `POST /models/{model}` | the picture itself |
//! | `together`, `nscale` | `POST /v1/images/generations` | `data[].b64_json` |
//! | `wavespeed` | `POST /api/v3/{model}` | `data.outputs[]`, see [`wavespeed`] |

mod fal;
mod parameters;
mod plain;
mod replicate;
mod wavespeed;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    super::{
        Action, Answer, Body, Call, Errand, Failure, Made, Order, Outcome, Patience, Polled,
        Settings, Single, Ticket, polled, polled::Task, spec::refused,
    },
    failure::{Place, classify},
    misconfigured, via,
};
use crate::{chat::Losses, failure::FailureKind, openai::request_error::RequestError};

const POLL: Duration = Duration::from_secs(1);

/// Where a model is that the configuration says nothing of.
const USUAL: &str = "hf-inference";

/// The router, as it is configured.
#[derive(Clone)]
struct Desk {
    settings: Settings,
}

impl Desk {
    fn of(settings: &Settings) -> Self {
        let settings = settings.clone();
        Self { settings }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.base_url)
    }

    fn bill(&self, call: Call) -> Call {
        match self.settings.option("bill_to") {
            Some(organisation) => call.header("x-hf-bill-to", organisation),
            None => call,
        }
    }

    fn post(&self, path: &str, body: Value, patience: Patience) -> Call {
        self.bill(Call::post(self.url(path), Body::Json(body), patience))
    }

    fn poll(&self) -> Duration {
        self.settings.poll_every(POLL)
    }
}

/// Whether the provider fetches pictures by their links.
pub(super) fn takes_links(via: &str) -> bool {
    matches!(via, "fal-ai" | "replicate" | "together" | "wavespeed")
}

/// Begins an order.
///
/// # Errors
/// What the provider cannot do, or what is wrong with the model's configuration.
pub(super) fn begin(
    order: &Arc<Order>,
    settings: &Settings,
    losses: &mut Losses,
) -> Result<Box<dyn Errand>, RequestError> {
    let desk = Desk::of(settings);
    if !is_path(&order.model.upstream) {
        return Err(misconfigured(
            "`upstream` is the provider's id of the model",
        ));
    }
    match via(&order.model).unwrap_or(USUAL) {
        "fal-ai" => fal::begin(order, &desk, losses),
        "replicate" => replicate::begin(order, &desk, losses),
        "hf-inference" => plain::hf_inference(order, &desk, losses),
        "together" => plain::together(order, &desk, losses),
        "nscale" => plain::nscale(order, &desk, losses),
        "wavespeed" => wavespeed::begin(order, &desk, losses),
        _ => Err(misconfigured(
            "`via` is fal-ai, replicate, hf-inference, together, nscale or wavespeed",
        )),
    }
}

/// Goes on with a task.
pub(super) fn resume(
    order: &Arc<Order>,
    settings: &Settings,
    ticket: &Ticket,
) -> Option<Box<dyn Errand>> {
    let desk = Desk::of(settings);
    polled::id(&ticket.0["id"])?;
    match ticket.0["via"].as_str()? {
        "fal-ai" => Some(Polled::resume(
            fal::Film::of(order, &desk),
            ticket,
            desk.poll(),
        )),
        "replicate" => {
            let task = replicate::Prediction::of(order, &desk);
            Some(Polled::resume(task, ticket, desk.poll()))
        }
        "wavespeed" => {
            let task = wavespeed::Wave::of(order, &desk);
            Some(Polled::resume(task, ticket, desk.poll()))
        }
        _ => None,
    }
}

/// The call that stops a task; WaveSpeed has none.
pub(super) fn cancel(settings: &Settings, ticket: &Ticket) -> Option<Call> {
    let desk = Desk::of(settings);
    let id = polled::id(&ticket.0["id"])?;
    match ticket.0["via"].as_str()? {
        "fal-ai" => fal::cancel(&desk, ticket, &id),
        "replicate" => Some(replicate::cancel(&desk, &id)),
        _ => None,
    }
}

fn ticket(via: &str, id: &str, model: &str) -> Ticket {
    Ticket(json!({"via": via, "id": id, "model": model}))
}

/// Refuses what the provider does not do.
fn only(order: &Order, provider: &str, actions: &[Action]) -> Result<(), RequestError> {
    if actions.contains(&order.action) {
        return Ok(());
    }
    let does: Vec<_> = actions.iter().map(Action::to_string).collect();
    let does = does.join(", ");
    Err(refused(
        "model",
        format!("{provider} takes orders of {does} only"),
    ))
}

/// Whether a model's id can stand in a path.
fn is_path(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    !id.is_empty()
        && id.chars().all(plain)
        && !id.split('/').any(|part| part.trim_matches('.').is_empty())
}

/// What a text that names a picture or video was, or that there is none.
fn made(order: &Order, text: Option<&str>) -> Result<Made, Failure> {
    let text = text.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Failure::malformed("picture or video"))?;
    Ok(Made {
        source: order.source(text),
        revised_prompt: None,
    })
}

/// The pictures or videos, one at least.
fn outcome(results: Vec<Result<Made, Failure>>) -> Result<Outcome, Failure> {
    match results.is_empty() {
        true => Err(Failure::malformed("pictures or videos")),
        false => Ok(Outcome {
            results,
            usage: None,
        }),
    }
}

/// A picture that was blacked out.
fn unsafe_content() -> Failure {
    Failure::new(
        FailureKind::ContentPolicy,
        "the picture was withheld because of its content",
    )
}

fn refusal(answer: &Answer<'_>) -> Failure {
    classify(answer, Place::Router)
}
