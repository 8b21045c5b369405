//! An object of a request, taken apart field by field.
//!
//! Items are of so many kinds that types for all of them would say less than this: each reader takes the
//! fields that it knows, a field of the wrong type is named by its path, and what nobody took is noted.

use serde_json::{Map, Value};

use crate::{chat::Losses, openai::request_error::RequestError};

/// An object and where it stands in the body.
pub(super) struct Fields {
    path: String,
    object: Map<String, Value>,
}

type Read<T> = Result<T, RequestError>;

impl Fields {
    /// The body itself.
    pub(super) fn root(object: Map<String, Value>) -> Self {
        Self {
            path: String::new(),
            object,
        }
    }

    /// The object at `path`.
    pub(super) fn of(value: Value, path: String) -> Read<Self> {
        match value {
            Value::Object(object) => Ok(Self { path, object }),
            _ => Err(invalid(path, "an object")),
        }
    }

    /// Where the object stands.
    pub(super) fn place(&self) -> &str {
        &self.path
    }

    /// The path of a field.
    pub(super) fn path(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// Takes a field; `null` counts as not given.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let value = self.object.get_mut(name)?.take();
        (!value.is_null()).then_some(value)
    }

    pub(super) fn text(&mut self, name: &str) -> Read<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.invalid(name, "a string")),
        }
    }

    pub(super) fn required_text(&mut self, name: &str) -> Read<String> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn flag(&mut self, name: &str) -> Read<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.invalid(name, "true or false")),
        }
    }

    pub(super) fn count(&mut self, name: &str) -> Read<Option<u64>> {
        self.number_as(name, Value::as_u64, "a whole number that is not negative")
    }

    pub(super) fn number(&mut self, name: &str) -> Read<Option<f64>> {
        self.number_as(name, Value::as_f64, "a number")
    }

    fn number_as<T>(
        &mut self,
        name: &str,
        read: impl Fn(&Value) -> Option<T>,
        expected: &'static str,
    ) -> Read<Option<T>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        read(&value)
            .map(Some)
            .ok_or_else(|| self.invalid(name, expected))
    }

    pub(super) fn object(&mut self, name: &str) -> Read<Option<Self>> {
        let path = self.path(name);
        self.take(name)
            .map(|value| Self::of(value, path))
            .transpose()
    }

    pub(super) fn map(&mut self, name: &str) -> Read<Option<Map<String, Value>>> {
        Ok(self.object(name)?.map(|fields| fields.object))
    }

    /// The items of a list with their paths; none where it is not given.
    pub(super) fn list(&mut self, name: &str) -> Read<Vec<(Value, String)>> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(with_paths(items, &self.path(name))),
            Some(_) => Err(self.invalid(name, "a list")),
        }
    }

    /// Passes over fields that make no difference to the answer.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.take(name);
        }
    }

    /// Notes what was not taken.
    pub(super) fn note_rest(&self, unread: &mut Losses) {
        let left = self.object.iter().filter(|(_, value)| !value.is_null());
        for (name, _) in left {
            unread.note(self.path(name));
        }
    }

    pub(super) fn invalid(&self, name: &str, expected: &'static str) -> RequestError {
        invalid(self.path(name), expected)
    }

    pub(super) fn missing(&self, name: &str) -> RequestError {
        RequestError::Missing {
            param: self.path(name).into(),
        }
    }
}

/// `path[0]`, `path[1]`, …
pub(super) fn with_paths(items: Vec<Value>, path: &str) -> Vec<(Value, String)> {
    let paths = (0..).map(|n: usize| format!("{path}[{n}]"));
    items.into_iter().zip(paths).collect()
}

pub(super) fn invalid(path: String, expected: &'static str) -> RequestError {
    RequestError::Invalid {
        param: path.into(),
        expected: expected.into(),
    }
}
