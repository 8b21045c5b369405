//! An object of a request, taken apart field by field: a field of a wrong type is refused by its path,
//! and what is left at the end is what nobody has read.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    chat::Losses,
    openai::request_error::{RequestError, parse_typed},
};

const TEXT: &str = "it must be a string";
const OBJECT: &str = "it must be an object";
const LIST: &str = "it must be a list";

/// See the module's head. A `null` counts as a field that is not there.
#[derive(Debug)]
pub(super) struct Fields {
    path: String,
    fields: Map<String, Value>,
}

impl Fields {
    /// The body itself.
    pub(super) fn of_body(body: &[u8]) -> Result<Self, RequestError> {
        Ok(Self {
            path: String::new(),
            fields: parse_typed(body)?,
        })
    }

    /// An object at `path`.
    pub(super) fn of(value: Value, path: String) -> Result<Self, RequestError> {
        match value {
            Value::Object(fields) => Ok(Self { path, fields }),
            _ => Err(invalid(path, OBJECT)),
        }
    }

    /// The path of a field.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            return name.to_owned();
        }
        format!("{}.{name}", self.path)
    }

    /// The path of the object itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields
            .shift_remove(name)
            .filter(|value| !value.is_null())
    }

    /// A field of a type; `expected` says which in the error.
    pub(super) fn typed<T: DeserializeOwned>(
        &mut self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, RequestError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match serde_json::from_value(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(invalid(self.path_of(name), expected)),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, RequestError> {
        self.typed(name, TEXT)
    }

    /// A text that must be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, RequestError> {
        let text = self.text(name)?;
        text.ok_or_else(|| missing(self.path_of(name)))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, RequestError> {
        self.typed(name, "it must be true or false")
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, RequestError> {
        self.typed(name, "it must be a whole number, 0 or more")
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, RequestError> {
        self.typed(name, "it must be a number")
    }

    pub(super) fn map(&mut self, name: &str) -> Result<Option<Map<String, Value>>, RequestError> {
        self.typed(name, OBJECT)
    }

    /// An object, to be taken apart in its turn.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, RequestError> {
        let path = self.path_of(name);
        self.take(name)
            .map(|value| Self::of(value, path))
            .transpose()
    }

    /// An object that must be there.
    pub(super) fn needed_object(&mut self, name: &str) -> Result<Self, RequestError> {
        let object = self.object(name)?;
        object.ok_or_else(|| missing(self.path_of(name)))
    }

    /// The items of a list with their paths; empty where there is none.
    pub(super) fn items(&mut self, name: &str) -> Result<Vec<(String, Value)>, RequestError> {
        let path = self.path_of(name);
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(numbered(items, &path)),
            Some(_) => Err(invalid(path, LIST)),
        }
    }

    /// Whether a field has just this value.
    pub(super) fn is(&self, name: &str, value: &Value) -> bool {
        self.fields.get(name) == Some(value)
    }

    /// Passes over fields that need no mention.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.fields.shift_remove(*name);
        }
    }

    /// Notes what nobody has read.
    pub(super) fn leave(self, unread: &mut Losses) {
        for (name, value) in &self.fields {
            if !value.is_null() {
                unread.note(self.path_of(name));
            }
        }
    }
}

/// Items with their paths: `messages[0]`.
pub(super) fn numbered(items: Vec<Value>, path: &str) -> Vec<(String, Value)> {
    let numbered = items.into_iter().enumerate();
    numbered
        .map(|(at, item)| (format!("{path}[{at}]"), item))
        .collect()
}

pub(super) fn invalid(path: String, expected: &'static str) -> RequestError {
    RequestError::Invalid {
        param: path.into(),
        expected: expected.into(),
    }
}

pub(super) fn missing(path: String) -> RequestError {
    RequestError::Missing { param: path.into() }
}
