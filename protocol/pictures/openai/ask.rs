//! What OpenAI is asked for, by what is ordered.

use super::{
    super::{Action, Call, Order, Patience, fields::Fields, spec::refused},
    models::Family,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// The lengths of videos, in seconds.
const SECONDS: [f64; 3] = [4.0, 8.0, 12.0];

/// How many times longer than wide a picture of `gpt-image-2` may be.
const LONGEST_SHAPE: u32 = 3;

/// The call that begins an order.
pub(super) fn call(
    base_url: &str,
    order: &Order,
    losses: &mut Losses,
) -> Result<Call, RequestError> {
    let said = said(order);
    order.lose_all_but(said, losses);
    let url = |path: &str| format!("{base_url}{path}");
    if order.action.makes_video() {
        let body = video(order)?.form();
        return Ok(Call::post(url("/videos"), body, Patience::Short));
    }
    check_shape(order)?;
    let fields = drawn(order).with_extras(order, said);
    let (path, body) = match order.action {
        Action::Edit => {
            let name = match Family::of(order) {
                Family::DallE2 => "image",
                _ => "image[]",
            };
            let fields = fields.with_pictures(order, name, name);
            ("/images/edits", fields.with_file("mask", order.mask).form())
        }
        _ => ("/images/generations", fields.json()),
    };
    Ok(Call::post(url(path), body, Patience::Long))
}

/// The optional fields that the model is told.
fn said(order: &Order) -> &'static [&'static str] {
    match (Family::of(order), order.action) {
        (Family::GptImage | Family::Other, Action::Edit) => &[
            "quality",
            "background",
            "output_format",
            "output_compression",
            "moderation",
            "user",
            "input_fidelity",
        ],
        (Family::GptImage | Family::Other, _) => &[
            "quality",
            "background",
            "output_format",
            "output_compression",
            "moderation",
            "user",
        ],
        (Family::DallE3, _) => &["quality", "style", "user"],
        (Family::DallE2, _) => &["user"],
        (Family::Sora, _) => &["seconds"],
    }
}

/// What pictures and edits are both told.
fn drawn(order: &Order) -> Fields {
    let dall_e = matches!(Family::of(order), Family::DallE2 | Family::DallE3);
    Fields::default()
        .with("model", &*order.model.upstream)
        .with("prompt", &*order.prompt)
        .with_some("n", (order.count > 1).then_some(order.count))
        .with_some("size", order.size.map(|size| size.to_string()))
        .with_some("response_format", dall_e.then_some("b64_json"))
}

fn check_shape(order: &Order) -> Result<(), RequestError> {
    let fits = |long: u32, wide: u32| long.max(wide) <= LONGEST_SHAPE * long.min(wide);
    match order.size {
        Some(size) if Family::of(order) == Family::GptImage && !fits(size.width, size.height) => {
            let expected = "one side may be three times as long as the other at most";
            Err(refused("size", expected))
        }
        _ => Ok(()),
    }
}

fn video(order: &Order) -> Result<Fields, RequestError> {
    if order.prompt.trim().is_empty() {
        let param = "prompt".into();
        return Err(RequestError::Missing { param });
    }
    let seconds = match order.seconds {
        Some(seconds) if !SECONDS.contains(&seconds) => {
            return Err(refused("seconds", "this model films 4, 8 or 12 seconds"));
        }
        seconds => seconds.map(|seconds| seconds.to_string()),
    };
    Ok(Fields::default()
        .with("model", &*order.model.upstream)
        .with("prompt", &*order.prompt)
        .with_some("size", order.size.map(|size| size.to_string()))
        .with_some("seconds", seconds)
        .with_pictures(order, "input_reference", "input_reference"))
}
