//! Upstreams that are told a shape, width to height, rather than a size.

use serde_json::Value;

use super::{
    Order, Size,
    spec::{Sizes, refused},
};
use crate::{chat::Losses, openai::request_error::RequestError};

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

/// Notes the size as lost where the client wants it to the pixel, and the upstream is told its shape alone.
/// `drawn` is what the model makes of that shape, where that is known; the `sizes` of a configured model tell it too.
pub fn lose_exact(order: &Order, drawn: Option<Size>, losses: &mut Losses) {
    let Some(size) = order.size.filter(|_| order.exact) else {
        return;
    };
    let configured = match &order.model.sizes {
        Sizes::Listed(listed) => {
            let mut same = listed.iter().filter(|known| known.ratio() == size.ratio());
            same.next().filter(|_| same.next().is_none()).copied()
        }
        _ => None,
    };
    if configured.or(drawn) != Some(size) {
        losses.note("size");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::{Action, ModelSpec, testing},
        *,
    };

    #[test]
    fn only_a_size_that_comes_out_otherwise_is_lost() {
        let square = Size::new(1024, 1024);
        let listed = |sizes: &[Size]| Sizes::Listed(sizes.to_vec());
        let large = Size::new(2048, 2048);
        for (exact, size, sizes, drawn, lost) in [
            (true, Some(square), Sizes::Any, None, true),
            (true, Some(square), Sizes::Any, Some(square), false),
            (true, Some(large), Sizes::Any, Some(square), true),
            (false, Some(square), Sizes::Any, None, false),
            (true, None, Sizes::Any, None, false),
            (true, Some(square), listed(&[square]), None, false),
            (true, Some(square), listed(&[square, large]), None, true),
        ] {
            let service = testing::service("demo", Value::Null);
            let order = testing::order(&*service, "demo-image", Action::Generate, |order| {
                (order.exact, order.size) = (exact, size);
                order.model = Arc::new(ModelSpec {
                    sizes: sizes.clone(),
                    ..ModelSpec::default()
                });
            });
            let mut losses = Losses::default();
            lose_exact(&order, drawn, &mut losses);
            let told = losses.iter().eq(["size"]);
            assert_eq!(told, lost, "{exact} {size:?} {sizes:?} {drawn:?}");
        }
    }
}
