//! What xAI is asked for, by what is ordered.

use serde_json::{Value, json};

use super::super::{Action, Call, Order, Patience, fields::Fields, spec::refused};
use crate::{chat::Losses, openai::request_error::RequestError};

/// The shortest and the longest video, in seconds.
const SECONDS: [f64; 2] = [1.0, 15.0];

/// The call that begins an order.
pub(super) fn call(
    base_url: &str,
    order: &Order,
    losses: &mut Losses,
) -> Result<Call, RequestError> {
    if order.mask.is_some() {
        let expected = "this provider is not told where to change a picture; say it in the prompt";
        return Err(refused("mask", expected));
    }
    if order.size.is_some() && order.extras(&["aspect_ratio"]).next().is_some() {
        let expected = "give it without a size, which says the shape already";
        return Err(refused("aspect_ratio", expected));
    }
    let (path, fields, said, patience): (_, _, &[&str], _) = match order.action {
        Action::Edit => ("/images/edits", edit(order), PICTURE, Patience::Long),
        Action::TextToVideo | Action::ImageToVideo => {
            ("/videos/generations", video(order)?, VIDEO, Patience::Short)
        }
        Action::Generate | Action::Upscale => {
            ("/images/generations", drawn(order), PICTURE, Patience::Long)
        }
    };
    order.lose_all_but(said, losses);
    let body = fields.with_extras(order, said).json();
    Ok(Call::post(format!("{base_url}{path}"), body, patience))
}

const PICTURE: &[&str] = &["aspect_ratio", "resolution", "quality", "user"];
const VIDEO: &[&str] = &["aspect_ratio", "resolution", "user", "seconds"];

fn drawn(order: &Order) -> Fields {
    told(order).with_some("n", (order.count > 1).then_some(order.count))
}

/// What all are told.
fn told(order: &Order) -> Fields {
    let prompt = Some(&*order.prompt).filter(|prompt| !prompt.trim().is_empty());
    Fields::default()
        .with("model", &*order.model.upstream)
        .with_some("prompt", prompt)
        .with_some("aspect_ratio", order.size.map(|size| shape(size.ratio())))
}

fn shape((width, height): (u32, u32)) -> String {
    match (width, height) {
        (13, 6) => "19.5:9".to_owned(),
        (6, 13) => "9:19.5".to_owned(),
        _ => format!("{width}:{height}"),
    }
}

fn edit(order: &Order) -> Fields {
    let image = |at| json!({"url": order.link_or_data(at), "type": "image_url"});
    let mut images: Vec<Value> = order.pictures().map(image).collect();
    match images.len() {
        1 => drawn(order).with_some("image", images.pop()),
        _ => drawn(order).with("images", images),
    }
}

fn video(order: &Order) -> Result<Fields, RequestError> {
    let image = |at| json!({"url": order.link_or_data(at)});
    let mut images: Vec<Value> = order.pictures().map(image).collect();
    let fields = told(order).with_some("duration", seconds(order)?);
    Ok(match images.len() {
        0 | 1 => fields.with_some("image", images.pop()),
        _ => fields.with("reference_images", images),
    })
}

fn seconds(order: &Order) -> Result<Option<u32>, RequestError> {
    let [least, most] = SECONDS;
    match order.seconds {
        None => Ok(None),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to 15, and whole"
        )]
        Some(seconds) if (least..=most).contains(&seconds) && seconds.fract() == 0.0 => {
            Ok(Some(seconds as u32))
        }
        Some(_) => Err(refused(
            "seconds",
            format!("this model films {least} to {most} seconds, whole ones"),
        )),
    }
}
