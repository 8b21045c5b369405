//! Whether a wish keeps to what the operator allows and the model can. Pure; every fault is noted, none ends it.

use std::borrow::Cow;

use troupe_actors::pictures::PicturesConfig;
use troupe_protocol::{
    openai::request_error::RequestError,
    pictures::{Action, ModelSpec, Range, Size, Sizes},
};

use super::{refusal::Fault, words};
use crate::{
    http::pictures::{
        draft::{Draft, Shape},
        form::Form,
    },
    pages::language::Language,
};

/// What is wrong with a request's fields, in the caller's language.
pub struct Faults {
    language: Language,
    found: Vec<Fault>,
}

/// A part of a message.
type Part<'a> = (&'static str, Cow<'a, str>);

impl Faults {
    pub fn new(language: Language) -> Self {
        let found = Vec::new();
        Self { language, found }
    }

    /// Notes one, by the key of its message.
    pub fn add<'a>(
        &mut self,
        field: &'static str,
        key: &str,
        parts: impl IntoIterator<Item = Part<'a>>,
    ) {
        let message = self.language.say_with(key, parts).into_owned();
        self.found.push(Fault { field, message });
    }

    /// Whether something is wrong with a field.
    pub fn has(&self, field: &str) -> bool {
        self.found.iter().any(|fault| fault.field == field)
    }

    /// Takes a text; what is none is noted.
    pub fn text(&mut self, form: &mut Form, name: &'static str, others: &[&str]) -> Option<String> {
        self.noted(name, "check-text", form.text(name, others))
    }

    /// Takes a number; what is none is noted.
    pub fn number(&mut self, form: &mut Form, name: &'static str, others: &[&str]) -> Option<f64> {
        self.noted(name, "check-number", form.number(name, others))
    }

    /// Takes a whole number; what is none is noted.
    pub fn whole(&mut self, form: &mut Form, name: &'static str, others: &[&str]) -> Option<u64> {
        self.noted(name, "check-whole-number", form.whole(name, others))
    }

    /// Takes a whole number of the usual size; what is none is noted.
    pub fn small(&mut self, form: &mut Form, name: &'static str, others: &[&str]) -> Option<u32> {
        let number = self.whole(form, name, others)?;
        let small = u32::try_from(number).ok();
        if small.is_none() {
            self.add(name, "check-whole-number", []);
        }
        small
    }

    fn noted<T>(
        &mut self,
        field: &'static str,
        key: &str,
        taken: Result<Option<T>, RequestError>,
    ) -> Option<T> {
        taken.unwrap_or_else(|_| {
            self.add(field, key, []);
            None
        })
    }

    fn range(&mut self, field: &'static str, [least, most]: [f64; 2], value: f64) {
        if !(least..=most).contains(&value) {
            let parts = [
                ("least", least.to_string().into()),
                ("most", most.to_string().into()),
            ];
            self.add(field, "check-range", parts);
        }
    }
}

impl From<Faults> for Vec<Fault> {
    fn from(faults: Faults) -> Self {
        faults.found
    }
}

/// Holds a draft against the operator's limits.
pub fn limits(draft: &Draft, config: &PicturesConfig, faults: &mut Faults) {
    let negative = draft.negative_prompt.as_deref().unwrap_or_default();
    for (field, text) in [
        ("prompt", draft.prompt.as_str()),
        ("negative_prompt", negative),
    ] {
        if text.chars().count() > config.max_prompt_chars {
            let most = config.max_prompt_chars.to_string();
            faults.add(field, "check-too-long", [("most", most.into())]);
        }
    }
    let most = f64::from(config.max_count);
    faults.range("num_images", [1.0, most], f64::from(draft.count));
    if draft.inputs.len() > config.max_inputs {
        let most = config.max_inputs.to_string();
        faults.add("image", "check-pictures", [("most", most.into())]);
    }
}

/// Holds a draft against its model's description.
pub fn against(draft: &Draft, spec: &ModelSpec, faults: &mut Faults) {
    if !spec.does(draft.action) {
        let types = spec.types.join(", ");
        faults.add("model", "check-does", [("types", types.into())]);
    }
    if draft.prompt.trim().is_empty() && needs_words(draft.action) {
        faults.add("prompt", "check-prompt", []);
    }
    if let Shape::Exact(size) = draft.shape
        && !spec.sizes.allow(size)
    {
        size_fault(size, &spec.sizes, faults);
    }
    let number = |field, range: Option<Range>, value: Option<f64>, faults: &mut Faults| {
        if let (Some(range), Some(value)) = (range, value) {
            faults.range(field, range.range, value);
        }
    };
    number("steps", spec.steps, draft.steps.map(f64::from), faults);
    number("scale", spec.guidance, draft.guidance, faults);
    pictures(draft, spec, faults);
}

fn needs_words(action: Action) -> bool {
    matches!(
        action,
        Action::Generate | Action::Edit | Action::TextToVideo
    )
}

fn pictures(draft: &Draft, spec: &ModelSpec, faults: &mut Faults) {
    let needs = matches!(
        draft.action,
        Action::Edit | Action::Upscale | Action::ImageToVideo
    );
    if needs && draft.inputs.is_empty() && !faults.has("image") {
        faults.add("image", "check-picture-needed", []);
    }
    if draft.inputs.len() > spec.max_inputs && !faults.has("image") {
        let most = spec.max_inputs.to_string();
        faults.add("image", "check-pictures", [("most", most.into())]);
    }
}

/// Says it of the side that is at fault where one can tell, else of both together under the first.
fn size_fault(size: Size, sizes: &Sizes, faults: &mut Faults) {
    let allowed = words::sizes(sizes, faults.language);
    let mut add = |field| faults.add(field, "check-size", [("sizes", allowed.as_str().into())]);
    let mut one = false;
    if let Sizes::Within {
        side: [least, most],
        multiple,
        ..
    } = sizes
    {
        for (field, side) in [("width", size.width), ("height", size.height)] {
            if !(*least..=*most).contains(&side) || !side.is_multiple_of((*multiple).max(1)) {
                add(field);
                one = true;
            }
        }
    }
    if !one {
        add("width");
    }
}
