//! A value that fits a JSON schema: the arguments of a call, or the answer that a response format asks for.

use serde_json::{Map, Value, json};

/// Schemas nested deeper than this are filled with `null`.
const DEEPEST: usize = 16;

/// Makes values; each text and number that it makes differs from the one before.
#[derive(Debug, Default)]
pub(super) struct Filler {
    made: u32,
}

impl Filler {
    /// A value that fits `schema`. Properties that are not required are left out, unless none is.
    pub(super) fn fill(&mut self, schema: &Value) -> Value {
        self.part(schema, schema, DEEPEST)
    }

    fn part(&mut self, schema: &Value, root: &Value, depth: usize) -> Value {
        if depth == 0 {
            return Value::Null;
        }
        if let Some(known) = schema.get("const").or_else(|| schema["enum"].get(0)) {
            return known.clone();
        }
        if let Some(place) = schema["$ref"].as_str() {
            let target = root.pointer(place.trim_start_matches('#'));
            return target.map_or(Value::Null, |target| self.part(target, root, depth - 1));
        }
        let either = ["anyOf", "oneOf", "allOf"].map(|name| schema[name].get(0));
        if let Some(first) = either.into_iter().flatten().next() {
            return self.part(first, root, depth - 1);
        }
        match kind(schema).as_str() {
            "object" => self.object(schema, root, depth),
            "array" => json!([self.part(&schema["items"], root, depth - 1)]),
            "integer" => json!(self.next()),
            "number" => json!(f64::from(self.next()) + 0.5),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => json!(format!("value-{}", self.next())),
        }
    }

    fn object(&mut self, schema: &Value, root: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().filter(|all| !all.is_empty());
        let properties = schema["properties"].as_object();
        let members: Map<String, Value> = properties
            .into_iter()
            .flatten()
            .filter(|(name, _)| {
                required.is_none_or(|all| all.iter().any(|one| one == name.as_str()))
            })
            .map(|(name, property)| (name.clone(), self.part(property, root, depth - 1)))
            .collect();
        members.into()
    }

    fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }
}

/// The schema's type in small letters, as Gemini writes it in capitals; the first of several.
fn kind(schema: &Value) -> String {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().unwrap_or(&Value::Null),
        kind => kind,
    };
    match kind.as_str() {
        Some(kind) => kind.to_lowercase(),
        None if schema.get("properties").is_some() => "object".to_owned(),
        None => String::new(),
    }
}
