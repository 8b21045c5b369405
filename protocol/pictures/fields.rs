//! The fields of a call's body, written once for services that want some as JSON and some as a form.

use serde_json::{Map, Value};

use super::{Body, Field, Input, Order};

/// Fields by name, in their order. Those without a value are not sent.
#[derive(Debug, Default)]
pub struct Fields {
    texts: Vec<(&'static str, Value)>,
    files: Vec<Field>,
}

impl Fields {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.texts.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// One for each picture of the order: a file under `file`, or the text of its link under `link`.
    #[must_use]
    pub fn with_pictures(mut self, order: &Order, file: &'static str, link: &'static str) -> Self {
        let field = |at| match &order.inputs[at] {
            Input::Link(url) => Field::text(link, url),
            Input::File { .. } => Field::file(file, at),
        };
        self.files.extend(order.pictures().map(field));
        self
    }

    /// One of the inputs that is not among the pictures, such as the mask, where there is one.
    #[must_use]
    pub fn with_file(mut self, name: &'static str, input: Option<usize>) -> Self {
        self.files.extend(input.map(|at| Field::file(name, at)));
        self
    }

    /// What the client said of these fields of `extra`, as it said it.
    #[must_use]
    pub fn with_extras(mut self, order: &Order, said: &[&'static str]) -> Self {
        let given = said
            .iter()
            .filter_map(|name| Some((*name, order.given(name)?.clone())));
        self.texts.extend(given);
        self
    }

    /// As a JSON object, without the pictures.
    #[must_use]
    pub fn json(self) -> Body {
        let fields = self.texts.into_iter();
        let object: Map<String, Value> = fields.map(|(name, value)| (name.into(), value)).collect();
        Body::Json(Value::Object(object))
    }

    /// As a form: texts first, as they are; numbers and objects as their JSON.
    #[must_use]
    pub fn form(self) -> Body {
        let texts = self.texts.into_iter().map(|(name, value)| match value {
            Value::String(text) => Field::text(name, text),
            value => Field::text(name, value),
        });
        Body::Form(texts.chain(self.files).collect())
    }
}
