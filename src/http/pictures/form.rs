//! A request's fields and files, however they were sent.

mod reading;
#[cfg(test)]
mod tests;

use actix_web::web::Bytes;
use base64::{Engine as _, prelude::BASE64_STANDARD as STANDARD};
use serde_json::{Map, Value};
use troupe_actors::media::Spooled;
use troupe_protocol::{
    openai::request_error::RequestError,
    pictures::{Source, order::source, spec::refused},
};

pub use self::reading::{admitted_form, not_spooled};

/// What a client sent.
pub struct Form {
    /// In the order in which they came; a name may come again.
    fields: Vec<(String, Entry)>,
    /// Files that stood in JSON; their marks have the nonce.
    parts: Vec<Spooled>,
    pub nonce: u64,
}

/// One field.
enum Entry {
    Value(Value),
    /// A file of a form.
    Picture(Given),
}

/// A picture that a client gave.
#[derive(Debug, Clone)]
pub enum Given {
    Link(String),
    File(Spooled),
    /// Too small to have been put on disk yet.
    Bytes(Bytes),
}

impl Form {
    /// One of fields that came in another way, without files.
    pub fn of(values: Map<String, Value>, nonce: u64) -> Self {
        let fields = values.into_iter();
        Self {
            fields: fields
                .map(|(name, value)| (name, Entry::Value(value)))
                .collect(),
            parts: Vec::new(),
            nonce,
        }
    }

    /// Looks at a field that is there and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields.find_map(|(known, entry)| match entry {
            Entry::Value(value) if known == name && !value.is_null() => Some(value),
            _ => None,
        })
    }

    /// Takes a field that is there and not null, under any of its names: the first of them goes before the others.
    pub fn take(&mut self, names: &[&str]) -> Option<Value> {
        let taken = names.iter().filter_map(|name| self.taken(name));
        taken.fold(None, |first, value| first.or(Some(value)))
    }

    /// Takes a field; one that came more than once is a list.
    fn taken(&mut self, name: &str) -> Option<Value> {
        let is_value = |(known, entry): &mut (String, Entry)| {
            known == name && matches!(entry, Entry::Value(_))
        };
        let found = self.fields.extract_if(.., is_value);
        let values = found.filter_map(|(_, entry)| match entry {
            Entry::Value(value) => Some(value).filter(|value| !value.is_null()),
            Entry::Picture(_) => None,
        });
        values.fold(None, |first, value| Some(joined(first, value)))
    }

    /// Takes a text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Option<String>, RequestError> {
        match self.take(&[&[name], others].concat()) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(name, "write a text")),
        }
    }

    /// Takes a number; in forms all values are texts.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Option<f64>, RequestError> {
        let number = match self.take(&[&[name], others].concat()) {
            None => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Number(number)) => number.as_f64(),
            Some(_) => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        number
            .map(Some)
            .ok_or_else(|| refused(name, "write a number"))
    }

    /// Takes a whole number, 0 or more.
    ///
    /// # Errors
    /// It is something else.
    pub fn whole(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Option<u64>, RequestError> {
        let number = self.number(name, others)?;
        let whole = |number: f64| {
            // beyond it not every whole number has its own value
            const MOST: f64 = 9_007_199_254_740_991.0;
            let whole = number.fract() == 0.0 && (0.0..=MOST).contains(&number);
            whole
                .then_some(number as u64)
                .ok_or_else(|| refused(name, "write a whole number, 0 or more"))
        };
        number.map(whole).transpose()
    }

    /// Takes a yes or no.
    ///
    /// # Errors
    /// It is something else.
    pub fn flag(&mut self, name: &'static str, others: &[&str]) -> Result<bool, RequestError> {
        match self.take(&[&[name], others].concat()) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(text)) if text == "true" || text == "1" => Ok(true),
            Some(Value::String(text)) if text == "false" || text == "0" || text.is_empty() => {
                Ok(false)
            }
            Some(_) => Err(refused(name, "write true or false")),
        }
    }

    /// Takes the pictures of fields, in the order in which they came: files, links, data URIs and base64, one or a
    /// list of them. OpenAI's `{"image_url": …}` and `{"url": …}` are read as well. An empty text is none.
    ///
    /// # Errors
    /// A value that is no picture.
    pub fn pictures(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Vec<Given>, RequestError> {
        let is_one =
            |(known, _): &mut (String, Entry)| known == name || others.contains(&known.as_str());
        let found: Vec<_> = self.fields.extract_if(.., is_one).collect();
        let mut given = Vec::new();
        for (_, entry) in found {
            let values = match entry {
                Entry::Picture(picture) => {
                    given.push(picture);
                    continue;
                }
                Entry::Value(Value::Array(values)) => values,
                Entry::Value(value) => vec![value],
            };
            for value in values.iter().filter(|value| !is_empty(value)) {
                given.push(self.picture(value).ok_or_else(|| no_picture(name))?);
            }
        }
        Ok(given)
    }

    fn picture(&self, value: &Value) -> Option<Given> {
        let text = match value {
            Value::String(text) => text,
            Value::Object(fields) => {
                let named = ["image_url", "url"]
                    .iter()
                    .find_map(|name| fields.get(*name));
                return self.picture(named?);
            }
            _ => return None,
        };
        match source(text, self.nonce) {
            Source::Link { url, .. } => Some(Given::Link(url)),
            Source::Part(at) => self.parts.get(at).cloned().map(Given::File),
            Source::Base64(text) => {
                let bytes = STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
                bytes.map(|bytes| Given::Bytes(bytes.into()))
            }
        }
    }

    /// The values that were not taken.
    pub fn rest(self) -> Map<String, Value> {
        let mut rest = Map::new();
        for (name, entry) in self.fields {
            let Entry::Value(value) = entry else {
                continue;
            };
            match rest.get_mut(&name) {
                Some(known) => *known = joined(Some(known.take()), value),
                None => {
                    rest.insert(name, value);
                }
            }
        }
        rest
    }
}

/// What came of one name, with what came again.
fn joined(first: Option<Value>, value: Value) -> Value {
    match first {
        None => value,
        Some(Value::Array(mut list)) => {
            list.push(value);
            list.into()
        }
        Some(first) => vec![first, value].into(),
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn no_picture(name: &'static str) -> RequestError {
    refused(
        name,
        "give a file, an http or https link, or a data URI in base64",
    )
}
