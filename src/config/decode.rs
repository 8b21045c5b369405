//! Decodes the tree of settings through serde, with errors that say exactly where and what.
//!
//! serde's derives know every key and type, so they are the one source of what is allowed. Text from the
//! environment takes the type that is asked of it.

use std::fmt::{self, Display};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::tree::{Node, Value};

/// Decodes `node`, or tells the first thing that is wrong with it.
pub fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, Fault> {
    T::deserialize(Decoder(node)).map_err(|mut fault| {
        fault.path.reverse();
        fault
    })
}

/// The first thing that is wrong, and the path to it (as [`Node::find`] takes it).
#[derive(Debug)]
pub struct Fault {
    pub path: Vec<String>,
    pub kind: FaultKind,
}

/// What is wrong. Never holds a value that could be a secret.
#[derive(Debug)]
pub enum FaultKind {
    /// The path's last step is a key that nobody knows here, among these that are known.
    UnknownKey(&'static [&'static str]),
    /// The table at the path lacks this key.
    Missing(&'static str),
    /// Not one of the words that are allowed.
    UnknownWord {
        word: String,
        known: &'static [&'static str],
    },
    /// Another type, or a number out of range; both in words.
    Unfit { found: String, expected: String },
    /// Anything else that a type has against its value.
    Other(String),
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self {
            path: Vec::new(),
            kind,
        }
    }

    /// Adds a step; the path grows from its end while the error travels up.
    fn inside(mut self, step: &str) -> Self {
        self.path.push(step.to_owned());
        self
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.kind, self.path)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(FaultKind::Other(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(FaultKind::Unfit {
            found: found_in_words(found),
            expected: expected_in_words(&expected.to_string()),
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let word = word.to_owned();
        Self::new(FaultKind::UnknownWord { word, known })
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(FaultKind::UnknownKey(known))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(FaultKind::Missing(key))
    }
}

/// The kind of a value, and the value itself only where it is a number.
fn found_in_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(yes) => yes.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Str(_) => "text".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}

/// What serde calls a type, in the words of somebody who writes TOML.
fn expected_in_words(expected: &str) -> String {
    match expected {
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a string" | "string" => "text in quotes".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.starts_with("enum ") => "text in quotes".to_owned(),
        other => other.to_owned(),
    }
}

struct Decoder<'a>(&'a Node);

impl Decoder<'_> {
    /// Untyped text that reads as `T`.
    fn reads_as<T: std::str::FromStr>(&self) -> Option<T> {
        match &self.0.value {
            Value::Untyped(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// Numbers: as written, or read from untyped text.
macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.reads_as() {
                Some(number) => visitor.visit_i64(number),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Untyped(text) | Value::Text(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Bool(yes) => visitor.visit_bool(*yes),
            Value::Unfit(what) => Err(serde::de::Error::invalid_type(
                Unexpected::Other(what),
                &visitor,
            )),
            Value::Faulty => visitor.visit_unit(),
            Value::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Table(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                current: None,
            }),
        }
    }

    numbers! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
    deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.reads_as() {
            Some(number) => visitor.visit_f64(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.reads_as() {
            Some(yes) => visitor.visit_bool(yes),
            None => self.deserialize_any(visitor),
        }
    }

    /// Untyped text is a list with commas.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::Untyped(text) = &self.0.value else {
            return self.deserialize_any(visitor);
        };
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let items: Vec<Node> = parts
            .map(|part| Node {
                value: Value::Untyped(part.to_owned()),
                place: self.0.place.clone(),
            })
            .collect();
        visitor.visit_seq(Items(items.iter().enumerate()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// Only words: no setting is an enum with contents.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0.as_text() {
            Some(word) => visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(word)),
            None => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
        ignored_any i128 u128
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Node>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((index, item)) = self.0.find(|(_, item)| !item.is_faulty()) else {
            return Ok(None);
        };
        seed.deserialize(Decoder(item))
            .map(Some)
            .map_err(|fault| fault.inside(&index.to_string()))
    }
}

struct Entries<'a> {
    rest: std::collections::btree_map::Iter<'a, String, Node>,
    current: Option<(&'a String, &'a Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.current = self.rest.find(|(_, value)| !value.is_faulty());
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(key))
            .map(Some)
            .map_err(|fault: Fault| fault.inside(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, value)) = self.current else {
            return Err(serde::de::Error::custom(
                "a value was asked for before its key",
            ));
        };
        seed.deserialize(Decoder(value))
            .map_err(|fault| fault.inside(key))
    }
}
