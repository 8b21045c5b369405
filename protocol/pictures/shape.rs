//! Upstreams that are told a shape, width to height, rather than a size.

use serde_json::Value;

use super::{Order, spec::refused};
use crate::openai::request_error::RequestError;

/// What an upstream is told: `16:9`. `named` are shapes that it calls otherwise than in smallest whole numbers.
/// The client's own word is `aspect_ratio`, of `extra`; none where it leaves it to the upstream.
///
/// # Errors
/// Where the client chooses both a size and a shape.
pub fn aspect_ratio(
    order: &Order,
    named: &[((u32, u32), &str)],
) -> Result<Option<Value>, RequestError> {
    match (order.size, order.given("aspect_ratio")) {
        (Some(_), Some(_)) => {
            let expected = "give it without a size, which says the shape already";
            Err(refused("aspect_ratio", expected))
        }
        (Some(size), None) => {
            let (width, height) = size.ratio();
            let mut named = named.iter();
            let named = named.find(|(ratio, _)| *ratio == (width, height));
            let usual = || format!("{width}:{height}");
            let shape = named.map_or_else(usual, |(_, name)| (*name).to_owned());
            Ok(Some(shape.into()))
        }
        (None, shape) => Ok(shape.cloned()),
    }
}

/// Refuses a mask, for upstreams that have no place for one.
///
/// # Errors
/// Where there is a mask.
pub fn no_mask(order: &Order) -> Result<(), RequestError> {
    match order.mask {
        None => Ok(()),
        Some(_) => Err(refused(
            "mask",
            "this provider is not told where to change a picture; say it in the prompt",
        )),
    }
}

/// The length of a video in seconds, whole ones from `least` to `most`.
///
/// # Errors
/// Where it is another, naming what is allowed.
pub fn whole_seconds(order: &Order, least: u32, most: u32) -> Result<Option<u32>, RequestError> {
    let Some(seconds) = order.seconds else {
        return Ok(None);
    };
    let length = (least..=most).find(|length| f64::from(*length) == seconds);
    let expected = || format!("this model films {least} to {most} seconds, whole ones");
    length
        .map(Some)
        .ok_or_else(|| refused("seconds", expected()))
}
