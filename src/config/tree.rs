//! Settings before they are decoded: one tree over all sources, in which each value knows its place.

use std::{collections::BTreeMap, fmt, sync::Arc};

use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::problems::Problem;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Line and column count from 1.
    File {
        name: Arc<str>,
        line: usize,
        column: usize,
    },
    /// The variable's name.
    Environment(Arc<str>),
    /// The flag, such as `--listen`.
    CommandLine(&'static str),
    /// Nowhere: it is what we assume.
    BuiltIn,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::CommandLine(flag) => write!(f, "command line {flag}"),
            Self::BuiltIn => f.write_str("defaults"),
        }
    }
}

/// A value and its place. For the entry of a table the place is that of its key.
#[derive(Debug, Clone)]
pub struct Node {
    pub value: Value,
    pub place: Place,
}

/// What TOML can say, plus text of the environment that takes the type which is asked of it.
#[derive(Debug, Clone)]
pub enum Value {
    Untyped(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// Nothing that a setting could be: what it is, in words.
    Unfit(&'static str),
    /// Reported already; taken for absent from then on.
    Faulty,
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    pub fn table(place: Place) -> Self {
        Self {
            value: Value::Table(BTreeMap::new()),
            place,
        }
    }

    pub fn text(text: &str, place: Place) -> Self {
        Self {
            value: Value::Text(text.to_owned()),
            place,
        }
    }

    /// Text from outside the file; what looks like a TOML list or table and is one is read as such.
    pub fn untyped(text: &str, place: Place) -> Self {
        let structured = text.trim_start().starts_with(['[', '{']);
        match DeValue::parse(text.trim()) {
            Ok(parsed) if structured => {
                convert(parsed.into_inner(), place, &mut |place, _| place.clone())
            }
            _ => Self {
                value: Value::Untyped(text.to_owned()),
                place,
            },
        }
    }

    /// Reads a file's text. What could be read is returned even where there are problems.
    pub fn parse(name: &str, text: &str) -> (Self, Vec<Problem>) {
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
        let tree = convert(root, place(0), &mut |_, offset| place(offset));
        (tree, problems)
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Untyped(text) => Some(text),
            _ => None,
        }
    }

    pub fn entries(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn entries_mut(&mut self) -> Option<&mut BTreeMap<String, Node>> {
        match &mut self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry `key` of a table, or the element of a list where `key` is its index.
    pub fn child(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(entries) => entries.get(key),
            Value::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    fn child_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Table(entries) => entries.get_mut(key),
            Value::List(items) => items.get_mut(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The place of what `path` leads to, or of the nearest thing around it.
    pub fn place_of(&self, path: &[String]) -> Place {
        let mut node = self;
        let mut place = Place::BuiltIn;
        for step in path {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
            place = node.place.clone();
        }
        place
    }

    /// What `path` leads to.
    pub fn find(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| node.child(step))
    }

    /// Marks what `path` leads to as faulty, so that decoding passes over it. Says whether that is new.
    pub fn spoil(&mut self, path: &[String]) -> bool {
        let found = path
            .iter()
            .try_fold(self, |node, step| node.child_mut(step));
        match found {
            Some(node) if !node.is_faulty() => {
                node.value = Value::Faulty;
                true
            }
            _ => false,
        }
    }

    pub fn is_faulty(&self) -> bool {
        matches!(self.value, Value::Faulty)
    }

    /// Puts `node` at `path`, making the tables on the way; a value in the way is replaced.
    pub fn insert(&mut self, path: &[&str], node: Self) {
        let Some((last, parents)) = path.split_last() else {
            return;
        };
        let mut parent = self;
        for step in parents {
            if parent.entries().is_none() {
                parent.value = Value::Table(BTreeMap::new());
            }
            let Value::Table(entries) = &mut parent.value else {
                return;
            };
            parent = entries
                .entry((*step).to_owned())
                .or_insert_with(|| Self::table(node.place.clone()));
        }
        if let Some(entries) = parent.entries_mut() {
            entries.insert((*last).to_owned(), node);
        }
    }
}

/// Copies a parsed value; `locate` tells the place of an offset, given the place of what is around it.
fn convert(
    value: DeValue<'_>,
    place: Place,
    locate: &mut dyn FnMut(&Place, usize) -> Place,
) -> Node {
    let mut at = |value: Spanned<DeValue<'_>>, offset: usize| {
        let inner = locate(&place, offset);
        convert(value.into_inner(), inner, locate)
    };
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
    Node { value, place }
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
        let (tree, problems) = Node::parse("c.toml", text);
        assert!(problems.is_empty());
        let shown = |at: &str| tree.place_of(&path(at)).to_string();
        assert_eq!(shown("server.listen"), "c.toml:3:3");
        assert_eq!(shown("provider.0.tokens.1"), "c.toml:6:3");
        assert_eq!(shown("provider.0.base_url"), shown("provider.0"));
        assert_eq!(shown("pool"), "defaults");
    }

    #[test]
    fn broken_toml_is_reported_in_every_place_and_the_rest_is_kept() {
        let (tree, problems) = Node::parse("c.toml", "a = \nb = 1\nc = = 2\n");
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
        let list = Node::untyped("[\"a\", \"b\"]", place.clone());
        assert_eq!(list.child("1").and_then(Node::as_text), Some("b"));
        assert_eq!(list.child("1").map(|node| &node.place), Some(&place));
        for text in ["[::1]:80", "a,b", "12"] {
            let node = Node::untyped(text, place.clone());
            assert_eq!(node.as_text(), Some(text));
        }
    }

    #[test]
    fn nodes_are_put_in_and_spoilt_by_path() {
        let mut tree = Node::table(Place::BuiltIn);
        tree.insert(&["a", "b"], Node::text("x", Place::BuiltIn));
        assert_eq!(
            tree.child("a").and_then(|a| a.child("b")?.as_text()),
            Some("x")
        );
        assert!(tree.spoil(&path("a.b")));
        assert!(!tree.spoil(&path("a.b")));
        assert!(!tree.spoil(&path("a.c")));
        assert!(tree.find(&path("a.b")).is_some_and(Node::is_faulty));
    }

    #[test]
    fn offsets_inside_and_after_the_text_have_a_position() {
        let lines = Lines::new("é=1\nb");
        assert_eq!(lines.position(2), (1, 2));
        assert_eq!(lines.position(5), (2, 1));
        assert_eq!(lines.position(99), (2, 1));
    }
}
