//! Bodies that are almost right: JSON with something in it deleted, doubled, moved, renamed or of another
//! type.

use serde_json::{Map, Value, json};

use super::random::Random;

/// What a mutation may take its pieces from.
pub struct Mutator<'a> {
    pub random: &'a mut Random,
    /// Another document of the same kind.
    pub donor: &'a Value,
}

/// Values deeper than this are not wrapped any more: a body that is too deep is refused before it is read.
const MAX_DEPTH: usize = 100;

impl Mutator<'_> {
    /// Changes one place.
    pub fn mutate(&mut self, value: &mut Value) {
        let place = self.random.below(size(value));
        let place = nth(value, place);
        match self.random.below(9) {
            0 => *place = self.odd_value(),
            1 => *place = self.piece(),
            2 => self.remove(place),
            3 => self.insert(place),
            4 => self.rename(place),
            5 => self.swap(place),
            6 => self.wrap(place),
            7 => self.retype(place),
            _ => self.change_text(place),
        }
    }

    /// A random part of the donor.
    fn piece(&mut self) -> Value {
        let mut donor = self.donor.clone();
        let at = self.random.below(size(&donor));
        nth(&mut donor, at).take()
    }

    fn odd_value(&mut self) -> Value {
        let values = [
            Value::Null,
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(""),
            json!("\u{0}"),
            json!([]),
            json!({}),
            json!([[], null, 1, "x"]),
            json!({"": {"type": null}}),
        ];
        match self.random.below(values.len() + 2) {
            0 => "long 长 ".repeat(self.random.below(4_000)).into(),
            1 => nested(self.random.below(MAX_DEPTH - 20)),
            at => values[at - 2].clone(),
        }
    }

    fn remove(&mut self, place: &mut Value) {
        match place {
            Value::Object(fields) if !fields.is_empty() => {
                let name = key(fields, self.random);
                fields.shift_remove(&name);
            }
            Value::Array(items) if !items.is_empty() => {
                items.remove(self.random.below(items.len()));
            }
            _ => *place = Value::Null,
        }
    }

    /// More of what there is, or something foreign.
    fn insert(&mut self, place: &mut Value) {
        let piece = self.piece();
        match place {
            Value::Object(fields) => {
                let name = self.name();
                fields.insert(name, piece);
            }
            Value::Array(items) => {
                let own = items.get(self.random.below(items.len())).cloned();
                let at = self.random.below(items.len() + 1);
                let piece = own.filter(|_| self.random.one_in(2)).unwrap_or(piece);
                items.insert(at, piece);
            }
            _ => *place = json!([place.take(), piece]),
        }
    }

    fn rename(&mut self, place: &mut Value) {
        let Value::Object(fields) = place else { return };
        if fields.is_empty() {
            return;
        }
        let name = key(fields, self.random);
        let value = fields.shift_remove(&name).unwrap();
        let name = self.name();
        fields.insert(name, value);
    }

    fn swap(&mut self, place: &mut Value) {
        match place {
            Value::Object(fields) if fields.len() > 1 => {
                let (a, b) = (key(fields, self.random), key(fields, self.random));
                let value = fields[&a].take();
                let other = std::mem::replace(&mut fields[&b], value);
                if a != b {
                    fields[&a] = other;
                }
            }
            Value::Array(items) if items.len() > 1 => {
                let (a, b) = (
                    self.random.below(items.len()),
                    self.random.below(items.len()),
                );
                items.swap(a, b);
            }
            _ => {}
        }
    }

    fn wrap(&mut self, place: &mut Value) {
        let inner = place.take();
        *place = match self.random.below(3) {
            _ if depth(&inner) > MAX_DEPTH => inner,
            0 => json!([inner]),
            1 => json!({self.name(): inner}),
            _ => Value::String(inner.to_string()),
        };
    }

    fn retype(&mut self, place: &mut Value) {
        *place = match place.take() {
            Value::String(text) if self.random.one_in(2) => json!([{"type": "text", "text": text}]),
            Value::String(text) => json!(text.len()),
            Value::Number(number) => json!(number.to_string()),
            Value::Bool(yes) => json!(u8::from(yes)),
            Value::Array(mut items) => items.pop().unwrap_or_default(),
            Value::Object(fields) => fields.into_iter().map(|(_, value)| value).collect(),
            Value::Null => json!(false),
        };
    }

    fn change_text(&mut self, place: &mut Value) {
        let Value::String(text) = place else { return };
        match self.random.below(4) {
            0 => text.clear(),
            1 => text.push_str("\u{0}\"\\\n\r\u{2028}💥"),
            2 => *text = text.chars().rev().collect(),
            _ => *text = text.repeat(1 + self.random.below(3)),
        }
    }

    /// A key of the donor, or another one.
    fn name(&mut self) -> String {
        match self.piece() {
            Value::Object(fields) if !fields.is_empty() => key(&fields, self.random),
            Value::String(text) if text.len() < 30 => text,
            _ => self
                .random
                .of_these(&["type", "x", "", "content"])
                .to_string(),
        }
    }
}

/// A document from nothing, out of the donor's words.
pub fn invented(random: &mut Random, donor: &Value, depth: usize) -> Value {
    let mut mutator = Mutator { random, donor };
    match mutator.random.below(if depth == 0 { 2 } else { 5 }) {
        0 => mutator.odd_value(),
        1 => mutator.piece(),
        2 => {
            let count = random.below(4);
            (0..count)
                .map(|_| invented(random, donor, depth - 1))
                .collect()
        }
        _ => {
            let count = random.below(6);
            let mut fields = Map::new();
            for _ in 0..count {
                let name = Mutator { random, donor }.name();
                fields.insert(name, invented(random, donor, depth - 1));
            }
            Value::Object(fields)
        }
    }
}

/// So many arrays and objects around nothing.
pub fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, level| match level % 2 {
        0 => json!([inner]),
        _ => json!({"type": "object", "properties": inner}),
    })
}

pub fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

fn key(fields: &Map<String, Value>, random: &mut Random) -> String {
    let at = random.below(fields.len());
    fields.keys().nth(at).cloned().unwrap_or_default()
}

/// How many values there are in it, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

fn nth(value: &mut Value, mut at: usize) -> &mut Value {
    if at == 0 || !(value.is_array() || value.is_object()) {
        return value;
    }
    at -= 1;
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => unreachable!("only these hold others"),
    };
    for child in children {
        let within = size(child);
        if at < within {
            return nth(child, at);
        }
        at -= within;
    }
    unreachable!("the place is within the value")
}
