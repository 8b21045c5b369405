//! Pictures of Ark: `POST /images/generations`, answered whole or as events.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    super::{
        Answer, Body, Call, Errand, Failure, Heard, Made, Order, Outcome, Patience, Size, Step,
        spec::refused,
    },
    failure::{classify, of_error},
    models::{Canvas, LONGEST_SHAPE, Model},
};
use crate::{chat::Losses, failure::FailureKind, openai::request_error::RequestError};

/// The body of the call that asks for the pictures. `stream` = one is to come as soon as it is drawn.
///
/// # Errors
/// What this model cannot be told.
pub(super) fn submission(
    model: &Model,
    order: &Order,
    stream: bool,
    losses: &mut Losses,
) -> Result<Map<String, Value>, RequestError> {
    let mut body = Map::new();
    body.insert("model".into(), order.model.upstream.as_str().into());
    body.insert("prompt".into(), order.prompt.as_str().into());
    pictures(order, &mut body)?;
    numbers(model, order, &mut body, losses);
    for (name, value) in &order.extra {
        match name.as_str() {
            "resolution" if model.knows(name) => drop(body.insert("size".into(), value.clone())),
            _ if model.knows(name) => drop(body.insert(name.clone(), value.clone())),
            _ => losses.note(name),
        }
    }
    size(model, order, &mut body)?;
    sequence(model, order, &mut body)?;
    let sequential = body.get("sequential_image_generation") == Some(&"auto".into());
    // a sequence takes longer than an answer may take to begin
    if model.knows("sequential_image_generation") && (stream || sequential) {
        body.insert("stream".into(), true.into());
    }
    Ok(body)
}

fn pictures(order: &Order, body: &mut Map<String, Value>) -> Result<(), RequestError> {
    if order.mask.is_some() {
        let expected = "this model takes no mask; say in the prompt what is to be changed";
        return Err(refused("mask", expected));
    }
    let pictures: Vec<_> = order.pictures().map(|at| order.link_or_data(at)).collect();
    match &pictures[..] {
        [] => {}
        [picture] => drop(body.insert("image".into(), picture.as_str().into())),
        _ => drop(body.insert("image".into(), pictures.into())),
    }
    Ok(())
}

fn numbers(model: &Model, order: &Order, body: &mut Map<String, Value>, losses: &mut Losses) {
    match order.seed {
        Some(seed) if model.seeds => drop(body.insert("seed".into(), seed.into())),
        seed => losses.note_if(seed.as_ref(), "seed"),
    }
    match order.guidance {
        Some(scale) if model.guidance.is_some() => {
            body.insert("guidance_scale".into(), scale.into());
        }
        scale => losses.note_if(scale.as_ref(), "guidance"),
    }
    losses.note_if(order.steps.as_ref(), "steps");
    losses.note_if(order.negative_prompt.as_ref(), "negative_prompt");
}

fn size(model: &Model, order: &Order, body: &mut Map<String, Value>) -> Result<(), RequestError> {
    let Some(size) = order.size else {
        return Ok(());
    };
    if model.canvas == Canvas::Adaptive {
        let expected = "this model keeps the picture's shape; leave `size` out";
        return Err(refused("size", expected));
    }
    if is_too_long(size) {
        let expected = format!("this model makes shapes of 1:{LONGEST_SHAPE} to {LONGEST_SHAPE}:1");
        return Err(refused("size", expected));
    }
    body.insert("size".into(), size.to_string().into());
    Ok(())
}

fn is_too_long(size: Size) -> bool {
    let (short, long) = (size.width.min(size.height), size.width.max(size.height));
    long > short.saturating_mul(LONGEST_SHAPE)
}

fn sequence(
    model: &Model,
    order: &Order,
    body: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    if order.count < 2 {
        return Ok(());
    }
    let given = u32::try_from(order.pictures().count()).unwrap_or(u32::MAX);
    if model.sequence > 1 && order.count.saturating_add(given) > model.sequence {
        let most = model.sequence;
        let expected = format!("this model takes and makes {most} pictures at most, all together");
        return Err(refused("n", expected));
    }
    body.insert("sequential_image_generation".into(), "auto".into());
    let options = json!({ "max_images": order.count });
    body.insert("sequential_image_generation_options".into(), options);
    Ok(())
}

/// An order of pictures on its way.
pub(super) struct Draw {
    call: Call,
    order: Arc<Order>,
    /// By their place in the sequence.
    results: BTreeMap<u64, Result<Made, Failure>>,
    usage: Option<Value>,
}

impl Draw {
    pub fn errand(base_url: &str, order: &Arc<Order>, body: Map<String, Value>) -> Box<dyn Errand> {
        let streams = body.get("stream") == Some(&true.into());
        let url = format!("{base_url}/images/generations");
        let call = Call::post(url, Body::Json(body.into()), Patience::Long);
        Box::new(Self {
            call: if streams { call.listening() } else { call },
            order: Arc::clone(order),
            results: BTreeMap::new(),
            usage: None,
        })
    }

    /// A whole answer: `{data:[{url|b64_json|error}], usage}`.
    fn whole(&mut self, answer: &Answer<'_>) -> Step {
        if !answer.is_success() {
            return Step::Failed(classify(answer));
        }
        let mut body = answer.json();
        if let error @ Value::Object(_) = &body["error"] {
            return Step::Failed(of_error(error));
        }
        for entry in body["data"].as_array().into_iter().flatten() {
            self.take(None, entry);
        }
        self.usage = Some(body["usage"].take()).filter(Value::is_object);
        self.finish()
    }

    fn event(&mut self, name: &str, data: &str) -> Step {
        if data.trim() == "[DONE]" {
            return self.finish();
        }
        let mut event: Value = serde_json::from_str(data).unwrap_or_default();
        let kind = event["type"].as_str().unwrap_or(name).to_owned();
        match kind.as_str() {
            "image_generation.partial_succeeded" | "image_generation.partial_failed" => {
                self.take(event["image_index"].as_u64(), &event);
            }
            "image_generation.completed" => {
                self.usage = Some(event["usage"].take()).filter(Value::is_object);
            }
            // the rest will not come
            _ if event["error"].is_object() => {
                self.take(None, &event);
                return self.finish();
            }
            _ => {}
        }
        Step::Listen
    }

    /// Notes a picture, or why it is missing.
    fn take(&mut self, at: Option<u64>, entry: &Value) {
        let text = entry["url"].as_str().or_else(|| entry["b64_json"].as_str());
        let result = match (text, &entry["error"]) {
            (_, error @ Value::Object(_)) => Err(of_error(error)),
            (Some(text), _) => Ok(Made {
                source: self.order.source(text),
                revised_prompt: None,
            }),
            (None, _) => Err(Failure::malformed("picture")),
        };
        let next = self.results.keys().next_back().map_or(0, |last| last + 1);
        self.results.insert(at.unwrap_or(next), result);
    }

    /// What there is; what a sequence lacks has failed.
    fn finish(&mut self) -> Step {
        let mut results: Vec<_> = std::mem::take(&mut self.results).into_values().collect();
        if results.is_empty() {
            return Step::Failed(Failure::malformed("picture"));
        }
        if let [first @ Err(_), rest @ ..] = &results[..]
            && rest.iter().all(Result::is_err)
            && let Err(failure) = first
        {
            return Step::Failed(failure.clone());
        }
        let count = usize::try_from(self.order.count).unwrap_or(results.len());
        while results.len() < count {
            let message = "the upstream made fewer pictures than were asked for";
            results.push(Err(Failure::new(FailureKind::Upstream, message)));
        }
        Step::Done(Outcome {
            results,
            usage: self.usage.take(),
        })
    }
}

impl Errand for Draw {
    fn next(&mut self, heard: Heard<'_>) -> Step {
        match heard {
            Heard::Start => Step::call(self.call.clone()),
            Heard::Answer(answer) => self.whole(&answer),
            Heard::Event { name, data, .. } => self.event(name, data),
            Heard::End => self.finish(),
        }
    }
}
