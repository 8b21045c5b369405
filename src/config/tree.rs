//! Settings before they are decoded: one tree over all sources, in which each value knows its place.

use std::{collections::BTreeMap, fmt, sync::Arc};

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
                *parent = Self::table(node.place.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
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
}
