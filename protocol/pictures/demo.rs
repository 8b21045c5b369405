//! The built-in provider, which draws in this process: an OpenAI image API without a network.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Action, Answer, Body, Call, Errand, Failure, Heard, Made, ModelSpec, Order, Outcome, Patience,
    Service, Settings, Sizes, Step,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// The one model that draws.
const MODEL: &str = "demo-image";

pub struct Demo {
    base_url: String,
}

impl Demo {
    #[must_use]
    pub fn make(settings: Settings) -> Box<dyn Service> {
        Box::new(Self {
            base_url: settings.base_url,
        })
    }
}

impl Service for Demo {
    fn models(&self) -> Vec<ModelSpec> {
        vec![ModelSpec {
            id: MODEL.to_owned(),
            upstream: MODEL.to_owned(),
            name: "Demo landscape".to_owned(),
            types: vec![Action::Generate.model_type().to_owned()],
            sizes: Sizes::between(16, 2_048),
            hd: Some(1.5),
            per_order: 4,
            ..ModelSpec::default()
        }]
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        losses.note_if(order.negative_prompt.as_ref(), "negative_prompt");
        losses.note_if(order.steps.as_ref(), "steps");
        losses.note_if(order.guidance.as_ref(), "guidance");
        for name in order.extra.keys() {
            losses.note(name);
        }
        Ok(Box::new(Drawing {
            url: format!("{}/images/generations", self.base_url),
            order: order.clone(),
        }))
    }
}

struct Drawing {
    url: String,
    order: Arc<Order>,
}

impl Errand for Drawing {
    fn next(&mut self, heard: Heard<'_>) -> Step {
        match heard {
            Heard::Start => {
                let body = Body::Json(Value::Object(self.request()));
                Step::call(Call::post(&self.url, body, Patience::Long))
            }
            Heard::Answer(answer) => self.read(&answer),
            Heard::Event { .. } | Heard::End => Step::Failed(Failure::malformed("picture")),
        }
    }
}

impl Drawing {
    fn request(&self) -> Map<String, Value> {
        let order = &self.order;
        let fields = [
            ("model", json!(order.model.upstream)),
            ("prompt", json!(order.prompt)),
            ("n", json!(order.count)),
            (
                "size",
                order
                    .size
                    .map_or(Value::Null, |size| size.to_string().into()),
            ),
            ("seed", json!(order.some_seed())),
        ];
        let given = fields.into_iter().filter(|(_, value)| !value.is_null());
        given
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn read(&self, answer: &Answer<'_>) -> Step {
        if !answer.is_success() {
            return Step::Failed(Failure::of(answer));
        }
        let mut json = answer.json();
        let Some(data) = json["data"].as_array() else {
            return Step::Failed(Failure::malformed("list of pictures"));
        };
        let results = data.iter().map(|item| {
            let text = item["b64_json"].as_str();
            let text = text.ok_or_else(|| Failure::malformed("picture"))?;
            Ok(Made {
                source: self.order.source(text),
                revised_prompt: None,
            })
        });
        Step::Done(Outcome {
            results: results.collect(),
            usage: Some(json["usage"].take()).filter(Value::is_object),
        })
    }
}
