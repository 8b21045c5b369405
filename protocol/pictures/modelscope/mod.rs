//! ModelScope (魔搭): every picture is a task.
//!
//! | what | call, relative to the base URL |
//! |---|---|
//! | a picture, an edit | `POST /images/generations` with `X-ModelScope-Async-Mode: true` → `{"task_id"}` |
//! | a task | `GET /tasks/{id}` with `X-ModelScope-Task-Type: image_generation` → `{"task_status", "output_images"}` |
//!
//! Quirks: the pictures of an edit stand in `image_url`, links or data URIs. An old form of the service gives
//! `{"images": [{"url"}]}` at once. Calls are counted for the account and for each model, by days of China; the
//! headers of an answer tell what is left, `modelscope-ratelimit-requests-remaining` and
//! `-model-requests-remaining`. A 429 with something left of both is a short limit, though its text may well
//! speak of a quota and of billing.
//!
//! | option of the provider | what it is |
//! |---|---|
//! | `poll_ms` | milliseconds between two questions after a task; 5000 |
//!
//! | `extra` of an order | what it is |
//! |---|---|
//! | `loras` | the id of a LoRA, or `{id: weight}` |

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Action, Answer, Call, Errand, Failure, ModelSpec, Order, Outcome, Patience, Polled, Quota,
    Range, Service, Settings, Sizes, Taken, Task, Ticket, Told, failure::said, fields::Fields,
    polled, reset::beijing_midnight, service::Kind, spec::refused,
};
use crate::{
    chat::Losses,
    failure::{FailureKind, QuotaScope},
    openai::request_error::RequestError,
};

pub(super) const KIND: Kind = Kind {
    name: "modelscope",
    title: "ModelScope",
    base_url: "https://api-inference.modelscope.cn/v1",
    env: &["MODELSCOPE_TOKENS"],
    needs_token: true,
    chat: Some("/chat/completions"),
    make: |settings| {
        Box::new(ModelScope {
            settings: Arc::new(settings),
        })
    },
};

const POLL: Duration = Duration::from_secs(5);

/// Characters of a prompt are fewer.
const PROMPT: usize = 2000;

const LARGEST_SEED: u64 = (1 << 31) - 1;

struct ModelScope {
    settings: Arc<Settings>,
}

impl ModelScope {
    fn job(&self, order: &Arc<Order>) -> Job {
        Job {
            settings: Arc::clone(&self.settings),
            order: Arc::clone(order),
        }
    }
}

impl Service for ModelScope {
    fn models(&self) -> Vec<ModelSpec> {
        let drawing = |id, upstream, name, largest| {
            picture(
                id,
                upstream,
                name,
                Action::Generate,
                Sizes::between(64, largest),
            )
        };
        let flux = |id, upstream, name| drawing(id, upstream, name, 1024);
        let text = |id, upstream, name| ModelSpec {
            steps: None,
            guidance: None,
            types: vec!["text2text".to_owned()],
            ..picture(id, upstream, name, Action::Generate, Sizes::Any)
        };
        let edit = ModelSpec {
            max_inputs: 3,
            steps: Some(Range::new(1.0, 100.0, 16.0)),
            guidance: Some(Range::new(1.5, 20.0, 4.0)),
            ..picture(
                "qwen-image-edit",
                "Qwen/Qwen-Image-Edit-2509",
                "Qwen Image Edit",
                Action::Edit,
                Sizes::between(64, 1664),
            )
        };
        vec![
            ModelSpec {
                hd: Some(2.0),
                ..drawing(
                    "z-image-turbo",
                    "Tongyi-MAI/Z-Image-Turbo",
                    "Z-Image Turbo",
                    2048,
                )
            },
            drawing("z-image", "Tongyi-MAI/Z-Image", "Z-Image", 2048),
            flux("flux-2", "black-forest-labs/FLUX.2-dev", "FLUX.2"),
            flux(
                "flux-1-krea",
                "black-forest-labs/FLUX.1-Krea-dev",
                "FLUX.1 Krea",
            ),
            flux("flux-1", "MusePublic/489_ckpt_FLUX_1", "FLUX.1"),
            edit,
            text("deepseek-v3", "deepseek-ai/DeepSeek-V3.2", "DeepSeek V3.2"),
            text("qwen-3", "Qwen/Qwen3-Next-80B-A3B-Instruct", "Qwen 3"),
        ]
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        check(order)?;
        for name in order.extra.keys().filter(|name| *name != "loras") {
            losses.note(name);
        }
        let links: Vec<Value> = order
            .pictures()
            .map(|at| order.link_or_data(at).into())
            .collect();
        let body = Fields::default()
            .with("model", &*order.model.upstream)
            .with("prompt", &*order.prompt)
            .with_some("negative_prompt", order.negative_prompt.as_deref())
            .with_some("size", order.size.map(|size| size.to_string()))
            .with_some("seed", order.seed)
            .with_some("steps", order.steps)
            .with_some("guidance", order.guidance)
            .with_some("image_url", (!links.is_empty()).then_some(links))
            .with_some("loras", order.extra.get("loras").cloned())
            .json();
        let url = format!("{}/images/generations", self.settings.base_url);
        let call = Call::post(url, body, Patience::Short).header("x-modelscope-async-mode", "true");
        let every = self.settings.poll_every(POLL);
        Ok(Polled::submit(self.job(order), call, every))
    }

    fn resume(&self, order: &Arc<Order>, ticket: &Ticket) -> Option<Box<dyn Errand>> {
        polled::id(&ticket.0)?;
        let every = self.settings.poll_every(POLL);
        Some(Polled::resume(self.job(order), ticket, every))
    }

    fn takes_links(&self, _order: &Order) -> bool {
        true
    }

    fn told_quota(&self, answer: &Answer<'_>) -> Told {
        Told {
            all: left(answer, "modelscope-ratelimit-requests"),
            of_model: left(answer, "modelscope-ratelimit-model-requests"),
        }
    }
}

/// What the headers of that name, `…-remaining` and `…-limit`, tell of a day.
fn left(answer: &Answer<'_>, name: &str) -> Option<Quota> {
    let count = |end: &str| {
        let count = answer.header(&format!("{name}-{end}"))?;
        count.trim().parse::<u32>().ok().map(f64::from)
    };
    Some(Quota {
        remaining: count("remaining")?,
        limit: count("limit"),
        unit: "requests",
        resets_in: Some(beijing_midnight(answer.now).as_secs()),
    })
}

fn picture(id: &str, upstream: &str, name: &str, action: Action, sizes: Sizes) -> ModelSpec {
    ModelSpec {
        id: id.to_owned(),
        upstream: upstream.to_owned(),
        name: name.to_owned(),
        types: vec![action.model_type().to_owned()],
        sizes,
        steps: Some(Range::new(1.0, 100.0, 9.0)),
        guidance: Some(Range::new(1.5, 20.0, 3.5)),
        ..ModelSpec::default()
    }
}

fn check(order: &Order) -> Result<(), RequestError> {
    if !matches!(order.action, Action::Generate | Action::Edit) {
        let expected = "this provider makes pictures from words and edits them, no more";
        return Err(refused("model", expected));
    }
    if order.mask.is_some() {
        let expected = "this provider is not told where to change a picture; say it in the prompt";
        return Err(refused("mask", expected));
    }
    if order.count > 1 {
        return Err(refused("n", "this provider draws one picture at a time"));
    }
    if order.prompt.chars().count() >= PROMPT {
        return Err(refused("prompt", format!("fewer than {PROMPT} characters")));
    }
    if order.seed.is_some_and(|seed| seed > LARGEST_SEED) {
        return Err(refused("seed", format!("0 to {LARGEST_SEED}")));
    }
    Ok(())
}

struct Job {
    settings: Arc<Settings>,
    order: Arc<Order>,
}

impl Task for Job {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let json = answer.json();
        if let Some(id) = polled::id(&json["task_id"]) {
            return Ok(Taken::Task(Ticket(id.into())));
        }
        let entries = json["images"].as_array().into_iter().flatten();
        let links: Vec<&str> = entries.filter_map(|entry| entry["url"].as_str()).collect();
        self.made(&links, "task_id").map(Taken::Done)
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = polled::id(&ticket.0).unwrap_or_default();
        Call::get(format!("{}/tasks/{id}", self.settings.base_url))
            .header("x-modelscope-task-type", "image_generation")
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let json = answer.json();
        match json["task_status"].as_str() {
            Some("SUCCEED") => {
                let list = json["output_images"].as_array().into_iter().flatten();
                let links: Vec<&str> = list.filter_map(Value::as_str).collect();
                self.made(&links, "output_images").map(Some)
            }
            Some("FAILED") => Err(failed(answer, &json)),
            // PENDING, RUNNING, PROCESSING, and what else there may come to be
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }
}

impl Job {
    fn made(&self, links: &[&str], missing: &str) -> Result<Outcome, Failure> {
        if links.is_empty() {
            return Err(Failure::malformed(missing));
        }
        Ok(Outcome::of(
            links.iter().map(|link| self.order.source(link)),
        ))
    }
}

/// Why a task failed: `errors.message`, `message` or `error_message`.
fn failed(answer: &Answer<'_>, json: &Value) -> Failure {
    let text = match said(answer.body) {
        text if text.is_empty() => json["error_message"]
            .as_str()
            .unwrap_or("the task failed")
            .to_owned(),
        text => text,
    };
    if is_busy(&text) {
        return Failure::new(FailureKind::Overloaded { retry_after: None }, &text);
    }
    Failure::new(FailureKind::Upstream, &text)
}

/// What a failed answer means. The text stands under `error.message`, `errors.message` or `message`.
fn classify(answer: &Answer<'_>) -> Failure {
    let usual = Failure::of(answer);
    let text = said(answer.body);
    let kind = match answer.status {
        429 => limit(answer, &text),
        400 | 402 | 403 if is_arrears(&text) => spent(QuotaScope::Credential, answer),
        403 if text.to_lowercase().contains("real-name") || text.contains("实名") => {
            FailureKind::AuthInvalid
        }
        400.. if is_busy(&text) => FailureKind::Overloaded {
            retry_after: answer.retry_after(),
        },
        _ => usual.kind,
    };
    Failure { kind, ..usual }
}

/// Which limit a 429 is about: the account's day, the model's day, or a moment's.
fn limit(answer: &Answer<'_>, text: &str) -> FailureKind {
    let none_left = |name| answer.header(name).is_some_and(|left| left.trim() == "0");
    if none_left("modelscope-ratelimit-requests-remaining") || is_arrears(text) {
        return spent(QuotaScope::Credential, answer);
    }
    let lower = text.to_lowercase();
    if none_left("modelscope-ratelimit-model-requests-remaining")
        || lower.starts_with("you have exceeded today's quota for model")
    {
        return spent(QuotaScope::CredentialModel, answer);
    }
    if lower.starts_with("you have exceeded today's quota") {
        return spent(QuotaScope::Credential, answer);
    }
    FailureKind::RateLimited {
        retry_after: answer.retry_after(),
    }
}

fn spent(scope: QuotaScope, answer: &Answer<'_>) -> FailureKind {
    FailureKind::QuotaExhausted {
        scope,
        retry_after: Some(beijing_midnight(answer.now)),
    }
}

/// Alibaba Cloud's words for an account that owes money.
fn is_arrears(text: &str) -> bool {
    text.starts_with("Arrearage") || text.starts_with("Bill")
}

fn is_busy(text: &str) -> bool {
    text.starts_with("Server is busy")
}
