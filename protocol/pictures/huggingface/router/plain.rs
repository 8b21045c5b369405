//! Providers that answer with the picture: Hugging Face's own, Together and Nscale.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::super::{data, spec::refused},
    Action, Answer, Desk, Errand, Failure, Order, Outcome, Patience, Single, made, only, outcome,
    parameters::{Names, SizeAs, add_mask, add_pictures, add_prompt},
    refusal,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// `POST /models/{model}` `{"inputs", "parameters"}`; the words, or the picture that is to be changed, are
/// `inputs`.
pub(super) fn hf_inference(
    order: &Arc<Order>,
    desk: &Desk,
    losses: &mut Losses,
) -> Result<Box<dyn Errand>, RequestError> {
    only(order, "hf-inference", &[Action::Generate, Action::Edit])?;
    let mut parameters = Names::USUAL.fields(order, losses);
    add_mask(&mut parameters, order, None)?;
    let pictures: Vec<_> = order.pictures().collect();
    let inputs = match pictures[..] {
        [] => order.prompt.clone(),
        [picture] => {
            add_prompt(&mut parameters, order);
            order.inline(picture)
        }
        _ => return Err(refused("image", "this model takes one picture")),
    };
    let path = format!("hf-inference/models/{}", order.model.upstream);
    let body = match parameters.is_empty() {
        true => json!({"inputs": inputs}),
        false => json!({"inputs": inputs, "parameters": parameters}),
    };
    let call = desk.post(&path, body, Patience::Long);
    let order = Arc::clone(order);
    Ok(Single::errand(call, move |answer| bare(&order, answer)))
}

/// A picture as the whole answer.
fn bare(order: &Order, answer: &Answer<'_>) -> Result<Outcome, Failure> {
    let is_json = answer.json() != Value::Null;
    if !answer.is_success() || is_json {
        return Err(refusal(answer));
    }
    outcome(vec![Ok(made(order, Some(answer.text()))?)])
}

/// `POST /v1/images/generations`, whose base64 is called that; a picture to be changed is `image_url`.
pub(super) fn together(
    order: &Arc<Order>,
    desk: &Desk,
    losses: &mut Losses,
) -> Result<Box<dyn Errand>, RequestError> {
    const NAMES: Names = Names {
        steps: Some("steps"),
        guidance: Some("guidance"),
        extra: &["disable_safety_checker", "output_format"],
        ..Names::USUAL
    };
    only(order, "together", &[Action::Generate, Action::Edit])?;
    listed(order, desk, losses, "together", &NAMES, "base64")
}

/// The same with a size in one text, and not much more.
pub(super) fn nscale(
    order: &Arc<Order>,
    desk: &Desk,
    losses: &mut Losses,
) -> Result<Box<dyn Errand>, RequestError> {
    const NAMES: Names = Names {
        size: SizeAs::Text('x'),
        steps: None,
        guidance: None,
        seed: None,
        negative_prompt: None,
        ..Names::USUAL
    };
    only(order, "nscale", &[Action::Generate])?;
    listed(order, desk, losses, "nscale", &NAMES, "b64_json")
}

fn listed(
    order: &Arc<Order>,
    desk: &Desk,
    losses: &mut Losses,
    via: &str,
    names: &Names,
    format: &str,
) -> Result<Box<dyn Errand>, RequestError> {
    let mut body = names.fields(order, losses);
    add_prompt(&mut body, order);
    add_pictures(&mut body, order, ["image_url", "image_url"])?;
    add_mask(&mut body, order, None)?;
    body.insert("model".into(), json!(order.model.upstream));
    body.insert("response_format".into(), json!(format));
    let path = format!("{via}/v1/images/generations");
    let call = desk.post(&path, body.into(), Patience::Long);
    let order = Arc::clone(order);
    Ok(Single::errand(call, move |answer| {
        if !answer.is_success() {
            return Err(refusal(answer));
        }
        data::read(&order, &answer.json())
    }))
}
