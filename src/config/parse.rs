//! Reads settings as TOML, and where each was written.

use std::sync::Arc;

use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::{
    problems::Problem,
    tree::{Node, Place, Value},
};

/// Reads a file's text. What could be read is returned even where there are problems.
pub fn file(name: &str, text: &str) -> (Node, Vec<Problem>) {
    let name = Arc::<str>::from(name);
    let lines = Lines::new(text);
    let place = |offset| {
        let (line, column) = lines.position(offset);
        Place::File {
            name: Arc::clone(&name),
            line,
            column,
        }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let problems = errors
        .into_iter()
        .map(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Problem::error(place(offset), "", format!("not TOML: {}", error.message()))
        })
        .collect();
    let root = DeValue::Table(table.into_inner());
    let tree = convert(root, 0, &place);
    (tree, problems)
}

/// Text from outside the file; what looks like a TOML list or table and is one is read as such.
pub fn value(text: &str, place: Place) -> Node {
    let structured = text.trim_start().starts_with(['[', '{']);
    match DeValue::parse(text.trim()) {
        Ok(parsed) if structured => convert(parsed.into_inner(), 0, &|_| place.clone()),
        _ => Node {
            value: Value::Untyped(text.to_owned()),
            place,
        },
    }
}

/// Copies a parsed value that begins at `offset`; `locate` tells the place of an offset.
fn convert(value: DeValue<'_>, offset: usize, locate: &dyn Fn(usize) -> Place) -> Node {
    let at = |value: Spanned<DeValue<'_>>, offset| convert(value.into_inner(), offset, locate);
    let value = match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => integer(&number),
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::Unfit("an odd number"),
        },
        DeValue::Boolean(yes) => Value::Bool(yes),
        DeValue::Datetime(_) => Value::Unfit("a date"),
        DeValue::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| {
                    let offset = item.span().start;
                    at(item, offset)
                })
                .collect(),
        ),
        DeValue::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let offset = key.span().start;
                    (key.into_inner().into_owned(), at(value, offset))
                })
                .collect(),
        ),
    };
    Node {
        value,
        place: locate(offset),
    }
}

fn integer(number: &DeInteger<'_>) -> Value {
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) => Value::Integer(number),
        Err(_) => Value::Unfit("a number that is too large"),
    }
}

/// Turns offsets into lines and columns.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// Line and column (in characters) of a byte offset, both from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn values_of_a_file_know_line_and_column() {
        let text = "[server]\n\n  listen = \"a\"\n[[provider]]\ntokens = [\"x\",\n  \"y\"]\n";
        let (tree, problems) = file("c.toml", text);
        assert!(problems.is_empty());
        let shown = |at: &str| tree.place_of(&path(at)).to_string();
        assert_eq!(shown("server.listen"), "c.toml:3:3");
        assert_eq!(shown("provider.0.tokens.1"), "c.toml:6:3");
        assert_eq!(shown("provider.0.base_url"), shown("provider.0"));
        assert_eq!(shown("pool"), "defaults");
    }

    #[test]
    fn broken_toml_is_reported_in_every_place_and_the_rest_is_kept() {
        let (tree, problems) = file("c.toml", "a = \nb = 1\nc = = 2\n");
        let places: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            places.iter().any(|place| place.starts_with("c.toml:1:")),
            "{places:?}"
        );
        assert!(
            places.iter().any(|place| place.starts_with("c.toml:3:")),
            "{places:?}"
        );
        assert!(matches!(
            tree.child("b").map(|node| &node.value),
            Some(Value::Integer(1))
        ));
    }

    #[test]
    fn text_from_outside_becomes_a_list_only_where_it_is_one() {
        let place = Place::CommandLine("--x");
        let list = value("[\"a\", \"b\"]", place.clone());
        assert_eq!(list.child("1").and_then(Node::as_text), Some("b"));
        assert_eq!(list.child("1").map(|node| &node.place), Some(&place));
        for text in ["[::1]:80", "a,b", "12"] {
            let node = value(text, place.clone());
            assert_eq!(node.as_text(), Some(text));
        }
    }

    #[test]
    fn offsets_inside_and_after_the_text_have_a_position() {
        let lines = Lines::new("é=1\nb");
        assert_eq!(lines.position(2), (1, 2));
        assert_eq!(lines.position(5), (2, 1));
        assert_eq!(lines.position(99), (2, 1));
    }
}
