//! An order in the words of the Visual service.

use serde_json::{Map, Value, json};

use super::{
    super::{Input, Order, Size, shape::lose_exact, spec::refused},
    algorithms::{Algorithm, Canvas, Flow, RATIOS},
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// What the service counts as the largest seed.
const LARGEST_SEED: u64 = i32::MAX as u64;

/// The body of the call that asks for it.
///
/// # Errors
/// What this algorithm cannot be told.
pub(super) fn submission(
    (key, algorithm): (&str, &Algorithm),
    flow: Flow,
    order: &Order,
    losses: &mut Losses,
) -> Result<Value, RequestError> {
    let mut body = Map::new();
    body.insert("req_key".into(), key.into());
    for (name, value) in algorithm.fixed {
        body.insert((*name).into(), (*value).into());
    }
    words(algorithm, order, &mut body)?;
    pictures(algorithm, order, &mut body)?;
    numbers(algorithm, order, &mut body, losses)?;
    extras(algorithm, order, &mut body, losses)?;
    size(algorithm, order, &mut body, losses)?;
    seconds(algorithm, order, &mut body)?;
    if algorithm.knows("force_single") {
        let single = body.entry("force_single");
        single.or_insert_with(|| (order.count == 1).into());
    }
    if flow == Flow::Process {
        body.extend(delivery(order));
    }
    Ok(body.into())
}

/// How the pictures are to be handed over: with the order where the answer has them, else with each question.
/// Checked by [`submission`].
pub(super) fn delivery(order: &Order) -> Map<String, Value> {
    let mut delivery = Map::new();
    if !order.action.makes_video() {
        delivery.insert("return_url".into(), true.into());
        let logo = match (order.extra.get("logo_info"), order.extra.get("watermark")) {
            (Some(logo), _) => Some(logo.clone()),
            (None, watermark) => watermark.map(|add| json!({ "add_logo": add })),
        };
        delivery.extend(logo.map(|logo| ("logo_info".into(), logo)));
    }
    if let Some(meta) = order.extra.get("aigc_meta") {
        delivery.insert("aigc_meta".into(), meta.clone());
    }
    delivery
}

fn words(
    algorithm: &Algorithm,
    order: &Order,
    body: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    let most = algorithm.longest_prompt;
    if order.prompt.chars().count() > most {
        let expected = format!("this model takes {most} characters at most");
        return Err(refused("prompt", expected));
    }
    if !order.prompt.is_empty() {
        body.insert("prompt".into(), order.prompt.as_str().into());
    }
    Ok(())
}

fn pictures(
    algorithm: &Algorithm,
    order: &Order,
    body: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    if order.mask.is_some() {
        let expected = "this model takes no mask; say in the prompt what is to be changed";
        return Err(refused("mask", expected));
    }
    let [fewest, _] = algorithm.pictures;
    if order.inputs.len() < fewest {
        return Err(refused(
            "image",
            format!("this model needs {fewest} pictures"),
        ));
    }
    for input in &order.inputs {
        fits(algorithm, input)?;
    }
    let all = order.inputs.iter().enumerate();
    let (links, files): (Vec<_>, Vec<_>) = all.partition(|(_, input)| is_link(input));
    // a link among files is never here: `takes_links` has them fetched
    let links: Vec<_> = links
        .iter()
        .map(|(at, _)| order.link_or_data(*at))
        .collect();
    let files: Vec<_> = files.iter().map(|(at, _)| order.inline(*at)).collect();
    if !links.is_empty() {
        body.insert("image_urls".into(), links.into());
    }
    if !files.is_empty() {
        body.insert("binary_data_base64".into(), files.into());
    }
    Ok(())
}

pub(super) fn is_link(input: &Input) -> bool {
    matches!(input, Input::Link(_))
}

fn fits(algorithm: &Algorithm, input: &Input) -> Result<(), RequestError> {
    let (most_bytes, longest) = algorithm.largest_picture;
    let Input::File { bytes, size, .. } = input else {
        return Ok(());
    };
    if *bytes > most_bytes {
        let expected = format!("this model takes pictures of {most_bytes} bytes at most");
        return Err(refused("image", expected));
    }
    if size.is_some_and(|size| size.width.max(size.height) > longest) {
        let expected = format!("this model takes pictures with sides of {longest} at most");
        return Err(refused("image", expected));
    }
    Ok(())
}

fn numbers(
    algorithm: &Algorithm,
    order: &Order,
    body: &mut Map<String, Value>,
    losses: &mut Losses,
) -> Result<(), RequestError> {
    if order.seed.is_some_and(|seed| seed > LARGEST_SEED) {
        let expected = format!("this model takes 0 to {LARGEST_SEED}");
        return Err(refused("seed", expected));
    }
    let negative = order.negative_prompt.as_deref().map(Value::from);
    for (field, name, value) in [
        ("seed", "seed", order.seed.map(Value::from)),
        ("scale", "guidance", order.guidance.map(Value::from)),
        ("ddim_steps", "steps", order.steps.map(Value::from)),
        ("negative_prompt", "negative_prompt", negative),
    ] {
        match value {
            Some(value) if algorithm.knows(field) => drop(body.insert(field.into(), value)),
            value => losses.note_if(value.as_ref(), name),
        }
    }
    Ok(())
}

fn extras(
    algorithm: &Algorithm,
    order: &Order,
    body: &mut Map<String, Value>,
    losses: &mut Losses,
) -> Result<(), RequestError> {
    for (name, value) in &order.extra {
        match name.as_str() {
            "logo_info" | "watermark" if order.action.makes_video() => losses.note(name),
            "logo_info" if !value.is_object() => return Err(refused("logo_info", "an object")),
            "aigc_meta" if !value.is_object() => return Err(refused("aigc_meta", "an object")),
            "watermark" if !value.is_boolean() => {
                return Err(refused("watermark", "true or false"));
            }
            // they go along with the delivery
            "logo_info" | "aigc_meta" | "watermark" => {}
            "area" if algorithm.knows(name) => drop(body.insert("size".into(), value.clone())),
            _ if OPEN.contains(&name.as_str()) && algorithm.knows(name) => {
                body.insert(name.clone(), value.clone());
            }
            _ => losses.note(name),
        }
    }
    Ok(())
}

/// Fields of the service that clients say by their own name.
const OPEN: &[&str] = &[
    "use_sr",
    "use_pre_llm",
    "req_schedule_conf",
    "strength",
    "force_single",
    "min_ratio",
    "max_ratio",
];

fn size(
    algorithm: &Algorithm,
    order: &Order,
    body: &mut Map<String, Value>,
    losses: &mut Losses,
) -> Result<(), RequestError> {
    let Some(size) = order.size else {
        return Ok(());
    };
    let drawn = match algorithm.canvas {
        Canvas::Ratio { of_pictures } if of_pictures || order.inputs.is_empty() => {
            body.insert("aspect_ratio".into(), ratio(size)?.into());
            lose_exact(order, None, losses);
            return Ok(());
        }
        // the first frame decides
        Canvas::Ratio { .. } | Canvas::Own if order.action.makes_video() => {
            losses.note("size");
            return Ok(());
        }
        Canvas::Ratio { .. } | Canvas::Own => {
            let expected = "this model keeps the picture's own; leave `size` out";
            return Err(refused("size", expected));
        }
        Canvas::Sides(..) => size,
        Canvas::Doubling(sides) => {
            let wanted = body.get("use_sr").and_then(Value::as_bool);
            let (drawn, doubled) = draw_at(size, sides, wanted)?;
            body.insert("use_sr".into(), doubled.into());
            drawn
        }
    };
    body.insert("width".into(), drawn.width.into());
    body.insert("height".into(), drawn.height.into());
    Ok(())
}

/// The size to draw at, and whether the result is to be doubled, so that it is of exactly the size asked for.
fn draw_at(
    size: Size,
    [least, most]: [u32; 2],
    doubled: Option<bool>,
) -> Result<(Size, bool), RequestError> {
    let fits = |size: Size| {
        let sides = least..=most;
        sides.contains(&size.width) && sides.contains(&size.height)
    };
    let half = Size::new(size.width / 2, size.height / 2);
    let even = size.width.is_multiple_of(2) && size.height.is_multiple_of(2);
    if fits(size) && doubled != Some(true) {
        return Ok((size, false));
    }
    if even && fits(half) && doubled != Some(false) {
        return Ok((half, true));
    }
    let (low, high) = (2 * least, 2 * most);
    let expected = match doubled {
        Some(false) => format!("without `use_sr` this model makes sides of {least} to {most}"),
        Some(true) => format!("with `use_sr` this model makes even sides of {low} to {high}"),
        None => format!(
            "this model makes sides of {least} to {most}, or both of them even and {low} to {high}"
        ),
    };
    Err(refused("size", expected))
}

fn ratio(size: Size) -> Result<&'static str, RequestError> {
    let known = RATIOS.iter().find(|(reduced, _)| *reduced == size.ratio());
    known.map(|(_, name)| *name).ok_or_else(|| {
        let names: Vec<_> = RATIOS.iter().map(|(_, name)| *name).collect();
        refused(
            "size",
            format!("this model makes the shapes {}", names.join(", ")),
        )
    })
}

/// 24 frames a second, and the first one.
fn seconds(
    algorithm: &Algorithm,
    order: &Order,
    body: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    let frames = match order.seconds {
        None => return Ok(()),
        Some(5.0) => 121,
        Some(10.0) if algorithm.knows("frames") => 241,
        Some(_) if algorithm.knows("frames") => {
            return Err(refused("seconds", "this model makes 5 or 10"));
        }
        Some(_) => return Err(refused("seconds", "this model makes 5")),
    };
    if algorithm.knows("frames") {
        body.insert("frames".into(), frames.into());
    }
    Ok(())
}
