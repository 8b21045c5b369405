//! A Gradio function's arguments: a JSON array, or the text of one, with placeholders.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{prompt}`, `{negative_prompt}` | text |
//! | `{width}`, `{height}` | numbers: what was ordered, else the input picture's where the model makes that, else 1024 |
//! | `{ar}` | text, such as `16:9` |
//! | `{steps}`, `{guidance}` | numbers: what was ordered, else the model's default |
//! | `{seed}` | a number, made up where none was ordered |
//! | `{duration}` | seconds, 3 where nothing was ordered |
//! | `{image}`, `{mask}` | the uploaded file; null where there is none |
//! | `{images}` | the uploaded files as a gallery |
//!
//! A string that is one placeholder becomes the typed value; within a longer text it becomes text.

use serde_json::{Value, json};

use super::super::{Input, ModelSpec, Order, Size, shape::lose_exact, spec::refused};
use crate::{chat::Losses, openai::request_error::RequestError};

const USUAL_SIZE: Size = Size::new(1024, 1024);
const USUAL_SECONDS: u32 = 3;

/// A model's arguments, not filled in yet.
#[derive(Debug, Clone)]
pub(super) struct Template {
    data: Value,
    /// The same as text, to look for placeholders.
    text: String,
}

impl Template {
    /// The one of a model's configuration.
    ///
    /// # Errors
    /// What is wrong with that.
    pub fn of(model: &ModelSpec) -> Result<Self, &'static str> {
        let wrong = "set `template` to the function's arguments, a JSON array";
        let data = match model.options.get("template") {
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| wrong)?,
            Some(data) => data.clone(),
            None => return Err(wrong),
        };
        match data.is_array() {
            true => Ok(Self {
                text: data.to_string(),
                data,
            }),
            false => Err(wrong),
        }
    }

    /// Whether the order can be said with it.
    ///
    /// # Errors
    /// What cannot be said and matters.
    pub fn check(&self, order: &Order, losses: &mut Losses) -> Result<(), RequestError> {
        let sized = self.asks("width") || self.asks("height");
        if order.mask.is_some() && !self.asks("mask") {
            return Err(refused("mask", "this model takes no mask; leave it out"));
        }
        self.check_pictures(order)?;
        for (param, given) in [
            (
                "steps",
                order.steps.or_else(|| usual_steps(order)).is_some(),
            ),
            ("guidance", usual_guidance(order).is_some()),
        ] {
            if !given && self.asks(param) {
                return Err(refused(param, "this model has no default; give a number"));
            }
        }
        for (param, given, said) in [
            ("size", order.size.is_some(), sized || self.asks("ar")),
            (
                "negative_prompt",
                order.negative_prompt.is_some(),
                self.asks("negative_prompt"),
            ),
            ("seed", order.seed.is_some(), self.asks("seed")),
            ("steps", order.steps.is_some(), self.asks("steps")),
            ("guidance", order.guidance.is_some(), self.asks("guidance")),
            ("duration", order.seconds.is_some(), self.asks("duration")),
        ] {
            if given && !said {
                losses.note(param);
            }
        }
        if !sized && self.asks("ar") {
            lose_exact(order, None, losses);
        }
        order.extra.keys().for_each(|name| losses.note(name));
        Ok(())
    }

    /// Pictures that have no place would be left out silently.
    fn check_pictures(&self, order: &Order) -> Result<(), RequestError> {
        let most = match (self.asks("images"), self.asks("image")) {
            (true, _) => usize::MAX,
            (false, true) => 1,
            (false, false) => 0,
        };
        match (order.pictures().count() <= most, most) {
            (true, _) => Ok(()),
            (false, 0) => Err(refused(
                "image",
                "this model takes no picture; leave it out",
            )),
            (false, _) => Err(refused("image", "this model takes one picture")),
        }
    }

    fn asks(&self, name: &str) -> bool {
        self.text.contains(&format!("{{{name}}}"))
    }

    /// The arguments of this order. `files` are the uploaded files by their places among the inputs.
    pub fn fill(&self, order: &Order, files: &[Value]) -> Value {
        filled(&self.data, &|name| value_of(name, order, files))
    }
}

fn filled(template: &Value, value: &dyn Fn(&str) -> Option<Value>) -> Value {
    match template {
        Value::Array(list) => list.iter().map(|entry| filled(entry, value)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, field)| (name.clone(), filled(field, value)));
            Value::Object(fields.collect())
        }
        Value::String(text) => {
            let name = text
                .strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'));
            name.and_then(value)
                .unwrap_or_else(|| Value::String(within(text, value)))
        }
        other => other.clone(),
    }
}

/// A longer text. What is put in is not looked at again: a prompt may hold braces.
fn within(text: &str, value: &dyn Fn(&str) -> Option<Value>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out += before;
        let found = after.split_once('}');
        match found.and_then(|(name, after)| Some((value(name)?, after))) {
            Some((Value::String(text), after)) => (out, rest) = (out + &text, after),
            Some((value, after)) => (out, rest) = (out + &value.to_string(), after),
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

fn value_of(name: &str, order: &Order, files: &[Value]) -> Option<Value> {
    let size = || size_of(order);
    let first = || {
        order
            .pictures()
            .next()
            .and_then(|at| files.get(at))
            .cloned()
    };
    Some(match name {
        "prompt" => json!(order.prompt),
        "negative_prompt" => json!(order.negative_prompt.as_deref().unwrap_or_default()),
        "width" => json!(size().width),
        "height" => json!(size().height),
        "ar" => {
            let (width, height) = size().ratio();
            json!(format!("{width}:{height}"))
        }
        "steps" => json!(order.steps.or_else(|| usual_steps(order))),
        "guidance" => json!(usual_guidance(order)),
        "seed" => json!(order.some_seed()),
        "duration" => order.seconds.map_or(json!(USUAL_SECONDS), Value::from),
        "image" => first().unwrap_or_default(),
        "mask" => order
            .mask
            .and_then(|at| files.get(at))
            .cloned()
            .unwrap_or_default(),
        "images" => {
            let files = order.pictures().filter_map(|at| files.get(at));
            files
                .map(|file| json!({"image": file, "caption": null}))
                .collect()
        }
        _ => return None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a default of steps is small"
)]
fn usual_steps(order: &Order) -> Option<u32> {
    order.model.steps.map(|steps| steps.default as u32)
}

fn usual_guidance(order: &Order) -> Option<f64> {
    let usual = order.model.guidance.map(|guidance| guidance.default);
    order.guidance.or(usual)
}

fn size_of(order: &Order) -> Size {
    let input = order.pictures().next().map(|at| &order.inputs[at]);
    let of_input = match input {
        Some(Input::File { size, .. }) => *size,
        _ => None,
    };
    let of_input = of_input.filter(|size| order.model.sizes.allow(*size));
    order.size.or(of_input).unwrap_or(USUAL_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_what_they_name_and_nothing_else_changes() {
        let value = |name: &str| match name {
            "prompt" => Some(json!("a {seed} \"b\"")),
            "seed" => Some(json!(7)),
            _ => None,
        };
        for (template, wanted) in [
            (
                json!(["{prompt}", "{seed}", false]),
                json!(["a {seed} \"b\"", 7, false]),
            ),
            (
                json!([{"x": ["{seed}"]}, "{prompt}, seed {seed}!"]),
                json!([{"x": [7]}, "a {seed} \"b\", seed 7!"]),
            ),
            (
                json!(["{other}", "{", "{}", "}{{seed}"]),
                json!(["{other}", "{", "{}", "}{7"]),
            ),
        ] {
            assert_eq!(filled(&template, &value), wanted);
        }
    }
}
