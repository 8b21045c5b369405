//! What Gitee AI is asked for, by what is ordered.

use serde_json::Value;

use super::{
    super::{
        Action, Body, Call, Order, Patience, Settings, fields::Fields, shape::no_mask,
        spec::refused,
    },
    is_task,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// Frames of a second of video.
const FRAME_RATE: f64 = 16.0;

/// More seconds than any of its models films.
const LONGEST: f64 = 60.0;

/// The call that begins an order.
pub(super) fn call(
    settings: &Settings,
    order: &Order,
    losses: &mut Losses,
) -> Result<Call, RequestError> {
    no_mask(order)?;
    let (path, known, body): (_, &[&str], Body) = match order.action {
        Action::Generate => ("/images/generations", &[], picture(order)),
        Action::Edit => ("/images/edits", &["lora_weights"], edit(order, losses)),
        Action::Upscale => (
            "/images/upscaling",
            &["model_name", "outscale", "output_format"],
            upscale(order, losses),
        ),
        Action::ImageToVideo => {
            let fields = video(order)?.with_pictures(order, "image", "image");
            ("/async/videos/image-to-video", FILM, fields.form())
        }
        Action::TextToVideo => ("/async/videos/generations", FILM, video(order)?.json()),
    };
    for name in order.extra.keys().filter(|name| !known.contains(&&***name)) {
        losses.note(name);
    }
    let task = if is_task(order) && !order.action.makes_video() {
        "/async"
    } else {
        ""
    };
    let url = format!("{}{task}{path}", settings.base_url);
    let call = Call::post(url, body, patience(order));
    Ok(match settings.options.get("failover") {
        Some(Value::Bool(failover)) => call.header("x-failover-enabled", failover.to_string()),
        _ => call,
    })
}

const FILM: &[&str] = &["fps", "num_frames"];

fn patience(order: &Order) -> Patience {
    if is_task(order) {
        Patience::Short
    } else {
        Patience::Long
    }
}

/// What pictures and edits are both told.
fn drawn(order: &Order) -> Fields {
    Fields::default()
        .with("model", &*order.model.upstream)
        .with("prompt", &*order.prompt)
        .with("response_format", "url")
        .with_some("num_inference_steps", order.steps)
        .with_some("seed", order.seed)
        .with_some(
            "num_images_per_prompt",
            (order.count > 1).then_some(order.count),
        )
}

fn picture(order: &Order) -> Body {
    drawn(order)
        .with_some("size", order.size.map(|size| size.to_string()))
        .with_some("guidance_scale", order.guidance)
        .with_some("negative_prompt", order.negative_prompt.as_deref())
        .json()
}

fn edit(order: &Order, losses: &mut Losses) -> Body {
    losses.note_if(order.size.as_ref(), "size");
    losses.note_if(order.negative_prompt.as_ref(), "negative_prompt");
    drawn(order)
        .with_some("cfg_scale", order.guidance)
        .with_some("lora_weights", said(order, "lora_weights"))
        .with_pictures(order, "image", "image")
        .form()
}

fn upscale(order: &Order, losses: &mut Losses) -> Body {
    losses.note_if(order.size.as_ref(), "size");
    if !order.prompt.is_empty() {
        losses.note("prompt");
    }
    Fields::default()
        .with("model", &*order.model.upstream)
        .with_some("model_name", said(order, "model_name"))
        .with_some("outscale", said(order, "outscale"))
        .with(
            "output_format",
            said(order, "output_format").unwrap_or_else(|| "png".into()),
        )
        .with_pictures(order, "image", "image_url")
        .form()
}

fn video(order: &Order) -> Result<Fields, RequestError> {
    let prompt = Some(&*order.prompt).filter(|prompt| !prompt.is_empty());
    Ok(Fields::default()
        .with("model", &*order.model.upstream)
        .with_some("prompt", prompt)
        .with_some("negative_prompt", order.negative_prompt.as_deref())
        .with_some("num_frames", frames(order)?)
        .with_some("num_inference_steps", order.steps)
        .with_some("num_inferenece_steps", order.steps)
        .with_some("guidance_scale", order.guidance)
        .with_some("height", order.size.map(|size| size.height))
        .with_some("width", order.size.map(|size| size.width))
        .with_some("fps", said(order, "fps"))
        .with_some("seed", order.seed))
}

fn frames(order: &Order) -> Result<Option<Value>, RequestError> {
    if let Some(frames) = order.extra.get("num_frames") {
        return Ok(Some(frames.clone()));
    }
    let Some(seconds) = order.seconds else {
        return Ok(None);
    };
    let frames = (seconds * FRAME_RATE).round();
    if !(1.0..=LONGEST * FRAME_RATE).contains(&frames) {
        return Err(refused(
            "duration",
            format!("more than 0 and up to {LONGEST} seconds"),
        ));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 to 960"
    )]
    Ok(Some(Value::from(frames as u32)))
}

/// What the client says of this field, or what the model's description does.
fn said(order: &Order, name: &str) -> Option<Value> {
    let own = order.extra.get(name).filter(|value| !value.is_null());
    own.or_else(|| order.model.options.get(name)).cloned()
}
