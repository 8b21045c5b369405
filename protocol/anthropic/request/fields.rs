//! An object of a request, taken apart field by field.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{chat::Losses, openai::request_error::RequestError};

/// What is taken out of it is understood; what stays is noted as unread.
pub(super) struct Fields {
    map: Map<String, Value>,
    /// Where the object stands: `messages[2].content[0]`; empty = the request itself.
    path: String,
}

impl Fields {
    /// # Errors
    /// When the value is no object.
    pub(super) fn of(value: Value, path: String) -> Result<Self, RequestError> {
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ if path.is_empty() => Err(RequestError::NotAnObject),
            _ => Err(invalid(path, "an object")),
        }
    }

    /// The path of one of its fields.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    /// Takes a field as it is; `null` counts as not given.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    /// Puts a field back that was taken to have a look.
    pub(super) fn put(&mut self, key: &str, value: Value) {
        self.map.insert(key.to_owned(), value);
    }

    /// Takes a field of a type, which `expected` names in an error.
    pub(super) fn get<T: DeserializeOwned>(
        &mut self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, RequestError> {
        let value = self.take(key).map(serde_json::from_value).transpose();
        value.map_err(|_| invalid(self.path_of(key), expected))
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, RequestError> {
        self.get(key, "a string")
    }

    /// Takes a text that has to be there.
    pub(super) fn required(&mut self, key: &str) -> Result<String, RequestError> {
        let text = self.text(key)?;
        text.ok_or_else(|| RequestError::Missing {
            param: self.path_of(key).into(),
        })
    }

    /// Takes an object.
    pub(super) fn object(&mut self, key: &str) -> Result<Option<Self>, RequestError> {
        let path = self.path_of(key);
        self.take(key)
            .map(|value| Self::of(value, path))
            .transpose()
    }

    /// Takes a list, each entry with its path.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<(String, Value)>, RequestError> {
        let path = self.path_of(key);
        self.take(key)
            .map_or(Ok(Vec::new()), |value| entries(value, &path))
    }

    /// Notes what has not been taken. Nothing is lost with what is empty.
    pub(super) fn finish(self, unread: &mut Losses) {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        for (key, value) in &self.map {
            if !empty(value) {
                unread.note(self.path_of(key));
            }
        }
    }
}

/// The entries of a list, each with its path.
///
/// # Errors
/// When the value is no list.
pub(super) fn entries(value: Value, path: &str) -> Result<Vec<(String, Value)>, RequestError> {
    let Value::Array(list) = value else {
        return Err(invalid(path.to_owned(), "an array"));
    };
    let with_path = |(at, entry)| (format!("{path}[{at}]"), entry);
    Ok(list.into_iter().enumerate().map(with_path).collect())
}

pub(super) fn invalid(param: String, expected: &'static str) -> RequestError {
    RequestError::Invalid {
        param: param.into(),
        expected: expected.into(),
    }
}
