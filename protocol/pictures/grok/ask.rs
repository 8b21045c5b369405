//! What xAI is asked for, by what is ordered.

use serde_json::{Value, json};

use super::super::{
    Action, Call, Order, Patience,
    fields::Fields,
    shape::{aspect_ratio, lose_exact, no_mask, whole_seconds},
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// The shortest and the longest video, in seconds.
const SHORTEST: u32 = 1;
const LONGEST: u32 = 15;

/// The call that begins an order.
pub(super) fn call(
    base_url: &str,
    order: &Order,
    losses: &mut Losses,
) -> Result<Call, RequestError> {
    no_mask(order)?;
    let (path, fields, said, patience): (_, _, &[&str], _) = match order.action {
        Action::Edit => ("/images/edits", edit(order)?, PICTURE, Patience::Long),
        Action::TextToVideo | Action::ImageToVideo => {
            ("/videos/generations", video(order)?, VIDEO, Patience::Short)
        }
        Action::Generate | Action::Upscale => (
            "/images/generations",
            drawn(order)?,
            PICTURE,
            Patience::Long,
        ),
    };
    order.lose_all_but(said, losses);
    lose_exact(order, None, losses);
    let body = fields.with_extras(order, said).json();
    Ok(Call::post(format!("{base_url}{path}"), body, patience))
}

const PICTURE: &[&str] = &["aspect_ratio", "resolution", "quality", "user"];
const VIDEO: &[&str] = &["aspect_ratio", "resolution", "user", "seconds"];

/// Shapes that it does not call by whole numbers.
const NAMED: &[((u32, u32), &str)] = &[((13, 6), "19.5:9"), ((6, 13), "9:19.5")];

/// What all are told.
fn told(order: &Order) -> Result<Fields, RequestError> {
    let prompt = Some(&*order.prompt).filter(|prompt| !prompt.trim().is_empty());
    Ok(Fields::default()
        .with("model", &*order.model.upstream)
        .with_some("prompt", prompt)
        .with_some("aspect_ratio", aspect_ratio(order, NAMED)?))
}

fn drawn(order: &Order) -> Result<Fields, RequestError> {
    Ok(told(order)?.with_some("n", (order.count > 1).then_some(order.count)))
}

fn edit(order: &Order) -> Result<Fields, RequestError> {
    let image = |at| json!({"url": order.link_or_data(at), "type": "image_url"});
    let mut images: Vec<Value> = order.pictures().map(image).collect();
    let fields = drawn(order)?;
    Ok(match images.len() {
        1 => fields.with_some("image", images.pop()),
        _ => fields.with("images", images),
    })
}

fn video(order: &Order) -> Result<Fields, RequestError> {
    let image = |at| json!({"url": order.link_or_data(at)});
    let mut images: Vec<Value> = order.pictures().map(image).collect();
    let fields = told(order)?.with_some("duration", whole_seconds(order, SHORTEST, LONGEST)?);
    Ok(match images.len() {
        0 | 1 => fields.with_some("image", images.pop()),
        _ => fields.with("reference_images", images),
    })
}
