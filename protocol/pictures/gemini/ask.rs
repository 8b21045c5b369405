//! What Google is asked for, by what is ordered.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Auth, Body, Call, Input, Order, Patience, Size,
        shape::{aspect_ratio, lose_exact, no_mask, whole_seconds},
    },
    models::Family,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// The shortest and the longest video of any model, in seconds; which lengths between are filmed is the model's.
const SHORTEST: u32 = 4;
const LONGEST: u32 = 8;

/// The call that begins an order, at the model's URL.
pub(super) fn call(model: &str, order: &Order, losses: &mut Losses) -> Result<Call, RequestError> {
    no_mask(order)?;
    let (method, body, said, patience) = match Family::of(order) {
        Family::Gemini => ("generateContent", content(order)?, GEMINI, Patience::Long),
        Family::Imagen => ("predict", prediction(order)?, IMAGEN, Patience::Long),
        Family::Veo => ("predictLongRunning", film(order)?, VEO, Patience::Short),
    };
    order.lose_all_but(said, losses);
    lose_exact(order, drawn(order), losses);
    let call = Call::post(format!("{model}:{method}"), Body::Json(body), patience);
    Ok(call.auth(AUTH))
}

/// How the credential goes along with every call.
pub(super) const AUTH: Auth = Auth::Header("x-goog-api-key");

const GEMINI: &[&str] = &["seed", "aspect_ratio", "resolution"];
const IMAGEN: &[&str] = &["aspect_ratio", "resolution", "person_generation"];
const VEO: &[&str] = &[
    "seed",
    "seconds",
    "negative_prompt",
    "aspect_ratio",
    "resolution",
    "person_generation",
];

/// An object of those fields that have a value.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
    Value::Object(fields.into_iter().filter_map(given).collect::<Map<_, _>>())
}

fn extra(order: &Order, name: &str) -> Option<Value> {
    order.given(name).cloned()
}

fn shape(order: &Order) -> Result<Option<Value>, RequestError> {
    aspect_ratio(order, &[((7, 3), "21:9")])
}

fn content(order: &Order) -> Result<Value, RequestError> {
    let mut parts = vec![json!({"text": order.prompt})];
    parts.extend(order.pictures().map(|at| match &order.inputs[at] {
        Input::File { mime, .. } => {
            json!({"inlineData": {"mimeType": mime, "data": order.inline(at)}})
        }
        Input::Link(url) => json!({"fileData": {"fileUri": url}}),
    }));
    let image = object([
        ("aspectRatio", shape(order)?),
        ("imageSize", extra(order, "resolution")),
    ]);
    let config = object([
        ("responseModalities", Some(json!(["IMAGE"]))),
        ("seed", order.seed.map(Value::from)),
        (
            "imageConfig",
            Some(image).filter(|image| *image != json!({})),
        ),
    ]);
    Ok(json!({"contents": [{"role": "user", "parts": parts}], "generationConfig": config}))
}

/// Without `includeRaiReason` a picture that was kept back would be missing without a word.
fn prediction(order: &Order) -> Result<Value, RequestError> {
    let parameters = object([
        ("sampleCount", Some(order.count.into())),
        ("aspectRatio", shape(order)?),
        ("sampleImageSize", extra(order, "resolution")),
        ("personGeneration", extra(order, "person_generation")),
        ("includeRaiReason", Some(true.into())),
    ]);
    Ok(json!({"instances": [{"prompt": order.prompt}], "parameters": parameters}))
}

fn film(order: &Order) -> Result<Value, RequestError> {
    let picture = |at| match &order.inputs[at] {
        Input::File { mime, .. } => {
            json!({"bytesBase64Encoded": order.inline(at), "mimeType": mime})
        }
        Input::Link(url) => json!({"gcsUri": url}),
    };
    let mut pictures: Vec<Value> = order.pictures().map(picture).collect();
    let (first, references) = match pictures.len() {
        0 | 1 => (pictures.pop(), None),
        _ => (None, Some(pictures.into_iter().map(reference).collect())),
    };
    let prompt = Some(&*order.prompt).filter(|prompt| !prompt.trim().is_empty());
    let instance = object([
        ("prompt", prompt.map(Value::from)),
        ("image", first),
        ("referenceImages", references),
    ]);
    let parameters = object([
        ("aspectRatio", shape(order)?),
        ("resolution", resolution(order)),
        (
            "durationSeconds",
            whole_seconds(order, SHORTEST, LONGEST)?.map(Value::from),
        ),
        (
            "negativePrompt",
            order.negative_prompt.as_deref().map(Value::from),
        ),
        ("personGeneration", extra(order, "person_generation")),
        ("seed", order.seed.map(Value::from)),
    ]);
    Ok(json!({"instances": [instance], "parameters": parameters}))
}

fn reference(image: Value) -> Value {
    json!({"image": image, "referenceType": "asset"})
}

/// What the client says, or what its size is called; the shape alone where the size has no name.
fn resolution(order: &Order) -> Option<Value> {
    let named = || Some(name_of(order.size?)?.into());
    extra(order, "resolution").or_else(named)
}

/// What a size of a video is called by its shorter side.
fn name_of(size: Size) -> Option<&'static str> {
    match size.width.min(size.height) {
        720 => Some("720p"),
        1080 => Some("1080p"),
        2160 => Some("4k"),
        _ => None,
    }
}

/// The size that comes of the order's shape, where Google tells it for all models alike: of squares, and of
/// videos.
fn drawn(order: &Order) -> Option<Size> {
    let size = order.size?;
    let said = extra(order, "resolution");
    let said = said.as_ref().and_then(Value::as_str);
    if Family::of(order) == Family::Veo {
        let name = name_of(size)?;
        return Some(size).filter(|_| said.is_none_or(|said| said == name));
    }
    let side = match said {
        None | Some("1K") => 1024,
        Some("2K") => 2048,
        Some("4K") => 4096,
        Some(_) => return None,
    };
    Some(Size::new(side, side)).filter(|square| square.ratio() == size.ratio())
}
