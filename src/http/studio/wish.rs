//! What a client of the studio's API wants, read from its fields with everything that is wrong with them.

use serde_json::Value;
use troupe_actors::pictures::PicturesConfig;
use troupe_protocol::pictures::{Action, ModelSpec, Size};

use super::{
    check::{self, Faults},
    refusal::{Fault, Refusal},
};
use crate::{
    config::StudioConfig,
    http::{
        pictures::{
            draft::{Draft, Shape, spec_of},
            form::Form,
        },
        services::Services,
    },
    pages::language::Language,
};

/// A task to be.
pub struct Wish {
    pub draft: Draft,
    /// For its pictures.
    pub tags: Vec<String>,
}

/// What wishes are held against.
pub struct Rules<'a> {
    pub pictures: &'a PicturesConfig,
    pub studio: &'a StudioConfig,
}

impl Wish {
    /// Reads a request and holds it against the model that it names.
    ///
    /// # Errors
    /// All fields that are at fault.
    pub fn of(form: Form, services: &Services, language: Language) -> Result<Self, Refusal> {
        let rules = Rules {
            pictures: &services.atelier.config,
            studio: &services.studio.config,
        };
        let mut faults = Faults::new(language);
        let wish = read(form, &rules, &mut faults);
        match spec(services, &wish.draft.model) {
            Some(spec) => check::against(&wish.draft, &spec, &mut faults),
            // what cannot be read was noted already
            None if faults.has("model") => {}
            None if wish.draft.model.is_empty() => faults.add("model", "check-required", []),
            None => {
                let model = ("model", wish.draft.model.as_str().into());
                faults.add("model", "check-model", [model]);
            }
        }
        faults.none(wish)
    }
}

/// The description of a model, as the first of those who serve it draws it.
fn spec(services: &Services, model: &str) -> Option<std::sync::Arc<ModelSpec>> {
    let candidates = services.catalog.directory().candidates(model, None, 0)?;
    let target = candidates.targets.first()?;
    spec_of(&target.provider, &target.id)
}

/// Reads what can be read; what is at fault is noted, and stands as if it had not been given.
fn read(mut form: Form, rules: &Rules<'_>, faults: &mut Faults) -> Wish {
    let model = faults.text(&mut form, "model", &[]).unwrap_or_default();
    let prompt = faults.text(&mut form, "prompt", &[]).unwrap_or_default();
    let negative = faults.text(&mut form, "negative_prompt", &["negativePrompt"]);
    let shape = shape(&mut form, faults);
    let count = faults.small(&mut form, "num_images", &["n"]);
    let steps = faults.small(&mut form, "steps", &["num_inference_steps"]);
    let guidance = faults.number(&mut form, "scale", &["guidance", "guidance_scale"]);
    let seconds = faults.number(&mut form, "seconds", &["duration"]);
    let seed = seed(&mut form, faults);
    let tags = tags(form.take(&["tags"]), rules.studio, faults).unwrap_or_default();
    let inputs = match form.pictures("image", &["images"]) {
        Ok(inputs) => inputs,
        Err(_) => {
            faults.add("image", "check-picture", []);
            Vec::new()
        }
    };
    let action = action(&mut form, inputs.is_empty(), faults);
    for name in ["async", "type", "request_id"] {
        form.take(&[name]);
    }
    let draft = Draft {
        action,
        model,
        prompt,
        negative_prompt: negative.filter(|text| !text.is_empty()),
        shape,
        count: count.unwrap_or(1),
        seed,
        steps,
        guidance,
        seconds,
        inputs,
        mask: None,
        nonce: form.nonce,
        extra: form.rest(),
    };
    check::limits(&draft, rules.pictures, faults);
    Wish { draft, tags }
}

/// Width and height: both or neither.
fn shape(form: &mut Form, faults: &mut Faults) -> Shape {
    let width = faults.small(form, "width", &[]);
    let height = faults.small(form, "height", &[]);
    match (width, height) {
        (None, None) => Shape::Open,
        (Some(width @ 1..), Some(height @ 1..)) => Shape::Exact(Size::new(width, height)),
        (width, height) => {
            for (field, side) in [("width", width), ("height", height)] {
                match side {
                    // what cannot be read was noted already
                    None if !faults.has(field) => faults.add(field, "check-required", []),
                    Some(0) => faults.add(field, "check-whole-number", []),
                    _ => {}
                }
            }
            Shape::Open
        }
    }
}

/// A negative seed is any, as for clients of the original.
fn seed(form: &mut Form, faults: &mut Faults) -> Option<u64> {
    let is_any = |value: &Value| value.as_i64().is_some_and(|seed| seed < 0) || value == "-1";
    if form.get("seed").is_some_and(is_any) {
        form.take(&["seed"]);
    }
    faults.whole(form, "seed", &[])
}

fn action(form: &mut Form, no_picture: bool, faults: &mut Faults) -> Action {
    let action = faults.text(form, "action", &[]);
    match (action.as_deref().unwrap_or_default(), no_picture) {
        ("generate", _) | ("", true) => Action::Generate,
        ("edit", _) | ("", false) => Action::Edit,
        ("upscale", _) => Action::Upscale,
        ("video", true) => Action::TextToVideo,
        ("video", false) => Action::ImageToVideo,
        _ => {
            faults.add("action", "check-action", []);
            Action::Generate
        }
    }
}

/// A list of words, or one text with commas between them; each once.
///
/// # Errors
/// What is wrong with them, for who has noted nothing else.
pub fn tags(
    value: Option<Value>,
    config: &StudioConfig,
    faults: &mut Faults,
) -> Option<Vec<String>> {
    let given: Vec<String> = match value? {
        Value::String(text) => text.split([',', '，']).map(str::to_owned).collect(),
        Value::Array(list) => {
            let texts = list.into_iter().map(|tag| match tag {
                Value::String(text) => Some(text),
                _ => None,
            });
            match texts.collect() {
                Some(texts) => texts,
                None => {
                    faults.add("tags", "check-tags", []);
                    return None;
                }
            }
        }
        _ => {
            faults.add("tags", "check-tags", []);
            return None;
        }
    };
    let mut tags: Vec<String> = given
        .iter()
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect();
    tags.sort();
    tags.dedup();
    let too_long = tags
        .iter()
        .any(|tag| tag.chars().count() > config.max_tag_chars);
    if too_long || tags.len() > config.max_tags {
        let most = ("most", config.max_tags.to_string().into());
        let letters = ("letters", config.max_tag_chars.to_string().into());
        faults.add("tags", "check-tags-limits", [most, letters]);
    }
    Some(tags)
}

impl Faults {
    /// What was read, if nothing is at fault.
    ///
    /// # Errors
    /// All faults.
    pub fn none<T>(self, read: T) -> Result<T, Refusal> {
        let faults: Vec<Fault> = self.into();
        match faults.is_empty() {
            true => Ok(read),
            false => Err(faults.into()),
        }
    }
}

#[cfg(test)]
mod tests;
