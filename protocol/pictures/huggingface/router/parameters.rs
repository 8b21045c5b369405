//! What each provider calls the fields of an order.

use serde_json::{Map, Value, json};

use super::super::super::{Order, spec::refused};
use crate::{chat::Losses, openai::request_error::RequestError};

/// How a size is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum SizeAs {
    /// `"width": 1024, "height": 768`
    Sides,
    /// `"image_size": {"width": 1024, "height": 768}`
    Object,
    /// `"size": "1024x768"`, with this between.
    Text(char),
}

/// A provider's names for fields; none for those that it does not have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub size: SizeAs,
    pub steps: Option<&'static str>,
    pub guidance: Option<&'static str>,
    pub seed: Option<&'static str>,
    pub negative_prompt: Option<&'static str>,
    pub seconds: Option<&'static str>,
    /// Fields of its own that go along as they are.
    pub extra: &'static [&'static str],
}

impl Names {
    /// The names that most have.
    pub const USUAL: Self = Self {
        size: SizeAs::Sides,
        steps: Some("num_inference_steps"),
        guidance: Some("guidance_scale"),
        seed: Some("seed"),
        negative_prompt: Some("negative_prompt"),
        seconds: None,
        extra: &[],
    };

    /// What was ordered, but for the prompt and the pictures. What has no name is noted.
    pub fn fields(&self, order: &Order, losses: &mut Losses) -> Map<String, Value> {
        let mut fields = Map::new();
        if let Some(size) = order.size {
            let (width, height) = (size.width, size.height);
            match self.size {
                SizeAs::Sides => {
                    fields.insert("width".into(), json!(width));
                    fields.insert("height".into(), json!(height));
                }
                SizeAs::Object => {
                    let sides = json!({"width": width, "height": height});
                    fields.insert("image_size".into(), sides);
                }
                SizeAs::Text(between) => {
                    let text = format!("{width}{between}{height}");
                    fields.insert("size".into(), json!(text));
                }
            }
        }
        for (field, name, value) in [
            ("steps", self.steps, order.steps.map(Value::from)),
            ("guidance", self.guidance, order.guidance.map(Value::from)),
            ("seed", self.seed, order.seed.map(Value::from)),
            (
                "negative_prompt",
                self.negative_prompt,
                order.negative_prompt.clone().map(Value::from),
            ),
            ("duration", self.seconds, order.seconds.map(Value::from)),
        ] {
            match (name, value) {
                (Some(name), Some(value)) => drop(fields.insert(name.into(), value)),
                (None, Some(_)) => losses.note(field),
                (_, None) => {}
            }
        }
        for (name, value) in &order.extra {
            if self.extra.contains(&name.as_str()) {
                fields.insert(name.clone(), value.clone());
            } else {
                losses.note(name);
            }
        }
        fields
    }
}

/// Puts the input pictures in, under the model's own name for them, else the provider's for one or for several.
/// A name that ends in `s` takes a list.
///
/// # Errors
/// Where there are several and the model takes one.
pub(super) fn add_pictures(
    fields: &mut Map<String, Value>,
    order: &Order,
    usual: [&str; 2],
) -> Result<(), RequestError> {
    let pictures: Vec<_> = order.pictures().map(|at| order.link_or_data(at)).collect();
    let own = order
        .model
        .options
        .get("image_field")
        .and_then(Value::as_str);
    let name = own.unwrap_or(usual[usize::from(pictures.len() > 1)]);
    match pictures.as_slice() {
        [] => {}
        pictures if name.ends_with('s') => drop(fields.insert(name.into(), json!(pictures))),
        [picture] => drop(fields.insert(name.into(), json!(picture))),
        _ => return Err(refused("image", "this model takes one picture")),
    }
    Ok(())
}

/// Puts the mask in.
///
/// # Errors
/// Where there is one and the provider takes none.
pub(super) fn add_mask(
    fields: &mut Map<String, Value>,
    order: &Order,
    name: Option<&str>,
) -> Result<(), RequestError> {
    match (order.mask, name) {
        (None, _) => Ok(()),
        (Some(at), Some(name)) => {
            fields.insert(name.into(), json!(order.link_or_data(at)));
            Ok(())
        }
        (Some(_), None) => Err(refused("mask", "this model takes no mask; leave it out")),
    }
}

/// Puts the prompt in, unless there is none.
pub(super) fn add_prompt(fields: &mut Map<String, Value>, order: &Order) {
    if !order.prompt.is_empty() {
        fields.insert("prompt".into(), json!(order.prompt));
    }
}
