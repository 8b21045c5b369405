//! ModelsLab: pictures and videos from words, at once or, under load, as tasks.
//!
//! | what | call, relative to the base URL |
//! |---|---|
//! | a picture | `POST /images/text2img`, then `POST /images/fetch/{id}` while `"status": "processing"` |
//! | a video | `POST /video/text2video`, then `POST /video/fetch/{id}` |
//!
//! Quirks: the key is a field of the body; numbers are texts; failures may come with 200 and
//! `"status": "error"`, their text under `message` or, misspelt, `messege`. Links are in `output`. An account
//! without a plan has a queue of five.
//!
//! | option of the provider | what it is |
//! |---|---|
//! | `poll_ms` | milliseconds between two questions after a task; 5000 |
//!
//! | `extra` of an order | what it is |
//! |---|---|
//! | `safety_checker`, `scheduler`, `lora_model`, `lora_strength` | of pictures, as in its documentation |
//! | `num_frames`, `fps`, `output_type` | of videos |

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Action, Answer, Call, Errand, Failure, ModelSpec, Order, Outcome, Patience, Polled, Range,
    Service, Settings, Sizes, Taken, Task, Ticket,
    call::{Auth, Body},
    fields::Fields,
    polled,
    service::Kind,
    spec::refused,
};
use crate::{
    chat::Losses,
    failure::{FailureKind, QuotaScope},
    openai::request_error::RequestError,
};

pub(super) const KIND: Kind = Kind {
    name: "modelslab",
    title: "ModelsLab",
    base_url: "https://modelslab.com/api/v6",
    env: &["MODELSLAB_TOKENS"],
    needs_token: true,
    chat: None,
    make: |settings| {
        Box::new(ModelsLab {
            settings: Arc::new(settings),
        })
    },
};

const POLL: Duration = Duration::from_secs(5);

/// Requests that wait in the queue of an account without a plan.
const QUEUE: usize = 5;

const PICTURE_FIELDS: &[&str] = &["safety_checker", "scheduler", "lora_model", "lora_strength"];
const VIDEO_FIELDS: &[&str] = &["num_frames", "fps", "output_type"];

struct ModelsLab {
    settings: Arc<Settings>,
}

impl ModelsLab {
    fn job(&self, order: &Arc<Order>) -> Job {
        let room = room(order.action);
        Job {
            fetch: format!("{}/{room}/fetch", self.settings.base_url),
            order: Arc::clone(order),
        }
    }
}

/// Where what is ordered lives.
fn room(action: Action) -> &'static str {
    if action.makes_video() {
        "video"
    } else {
        "images"
    }
}

impl Service for ModelsLab {
    fn models(&self) -> Vec<ModelSpec> {
        let flux = picture("flux", "flux", "Flux");
        let dev = ModelSpec {
            guidance: None,
            ..picture("flux-dev", "flux-dev", "Flux Dev")
        };
        let video = ModelSpec {
            types: vec![Action::TextToVideo.model_type().to_owned()],
            sizes: Sizes::Any,
            steps: Some(Range::new(1.0, 50.0, 20.0)),
            per_order: 1,
            is_task: true,
            ..picture("cogvideox-5b", "cogvideox-5b", "CogVideoX-5B")
        };
        vec![
            flux,
            dev,
            picture("sdxl", "sdxl", "Stable Diffusion XL"),
            picture(
                "realistic-vision",
                "realistic-vision-v6",
                "Realistic Vision v6",
            ),
            video,
        ]
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        let (path, known) = match order.action {
            Action::Generate => ("images/text2img", PICTURE_FIELDS),
            Action::TextToVideo => ("video/text2video", VIDEO_FIELDS),
            _ => {
                let expected = "this provider makes pictures and videos from words, no more";
                return Err(refused("model", expected));
            }
        };
        losses.note_if(order.seconds.as_ref(), "duration");
        for name in order.extra.keys().filter(|name| !known.contains(&&***name)) {
            losses.note(name);
        }
        let url = format!("{}/{path}", self.settings.base_url);
        let call = Call::post(url, body(order, known), Patience::Long).auth(Auth::JsonField("key"));
        let every = self.settings.poll_every(POLL);
        Ok(Polled::submit(self.job(order), call, every))
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        polled::id(&ticket.0)?;
        let every = self.settings.poll_every(POLL);
        Some(Polled::resume(self.job(order), ticket, every))
    }

    fn per_token(&self) -> usize {
        QUEUE
    }
}

fn picture(id: &str, upstream: &str, name: &str) -> ModelSpec {
    ModelSpec {
        id: id.to_owned(),
        upstream: upstream.to_owned(),
        name: name.to_owned(),
        sizes: Sizes::between(64, 1024),
        steps: Some(Range::new(1.0, 50.0, 30.0)),
        guidance: Some(Range::new(1.0, 20.0, 7.5)),
        per_order: 4,
        ..ModelSpec::default()
    }
}

fn body(order: &Order, known: &[&'static str]) -> Body {
    let samples = (order.action == Action::Generate).then(|| order.count.to_string());
    let mut fields = Fields::default()
        .with("model_id", &*order.model.upstream)
        .with("prompt", &*order.prompt)
        .with_some("negative_prompt", order.negative_prompt.as_deref())
        .with_some("width", order.size.map(|size| size.width.to_string()))
        .with_some("height", order.size.map(|size| size.height.to_string()))
        .with_some("samples", samples)
        .with_some(
            "num_inference_steps",
            order.steps.map(|steps| steps.to_string()),
        )
        .with_some("guidance_scale", order.guidance)
        .with_some("seed", order.seed);
    for name in known {
        fields = fields.with_some(name, order.extra.get(*name).cloned());
    }
    fields.json()
}

struct Job {
    /// `…/images/fetch`
    fetch: String,
    order: Arc<Order>,
}

impl Task for Job {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        if let Some(outcome) = self.progress(answer)? {
            return Ok(Taken::Done(outcome));
        }
        let id = polled::id(&answer.json()["id"]).ok_or_else(|| Failure::malformed("id"))?;
        Ok(Taken::Task(Ticket(id.into())))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = polled::id(&ticket.0).unwrap_or_default();
        let empty = Fields::default().json();
        let call = Call::post(format!("{}/{id}", self.fetch), empty, Patience::Quick);
        Call {
            repeats: true,
            ..call.auth(Auth::JsonField("key"))
        }
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let json = answer.json();
        let status = json["status"].as_str().unwrap_or_default();
        if matches!(status, "error" | "failed") {
            return Err(classify(answer));
        }
        let links = json["output"].as_array().into_iter().flatten();
        let sources: Vec<_> = links
            .filter_map(|link| Some(self.order.source(link.as_str()?)))
            .collect();
        match status {
            "success" if sources.is_empty() => Err(Failure::malformed("output")),
            "success" => Ok(Some(Outcome::of(sources))),
            // processing, queued, and what else there may come to be
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }
}

/// The texts of `docs.modelslab.com/error-codes`, which may come with 200.
fn classify(answer: &Answer<'_>) -> Failure {
    let json = answer.json();
    let texts = [&json["message"], &json["messege"]];
    let said = texts.into_iter().find(|said| !said.is_null());
    let text = said.and_then(first_text).unwrap_or_default();
    let retry_after = answer
        .retry_after()
        .or_else(|| json["retry_after"].as_u64().map(Duration::from_secs));
    let limited = FailureKind::RateLimited { retry_after };
    let spent = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };
    let words = [
        ("invalid api key", FailureKind::AuthInvalid),
        ("insufficient credits", spent),
        ("this feature requires", FailureKind::NotEntitled),
        ("rate limit exceeded", limited),
    ];
    let lower = text.to_lowercase();
    let known = words
        .into_iter()
        .find(|(words, _)| lower.starts_with(words));
    let objects = said.is_some_and(Value::is_object) || lower.ends_with("is required");
    let kind = match (known, answer.status) {
        (Some((_, kind)), ..500) => kind,
        (None, ..300) if objects => FailureKind::InvalidRequest,
        (None, 429) => limited,
        // what is wrong with an order that was taken for one is not said by a status
        (None, 200..300) => FailureKind::Upstream,
        _ => Failure::of(answer).kind,
    };
    Failure {
        status: Some(answer.status),
        ..Failure::new(kind, text)
    }
}

/// A text, or the first of `{"model_id": ["…"]}`, which is how fields are objected to.
fn first_text(said: &Value) -> Option<&str> {
    match said {
        Value::String(text) => Some(text),
        Value::Array(list) => list.iter().find_map(first_text),
        Value::Object(fields) => fields.values().find_map(first_text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
