//! Settings from the environment: `TROUPE__SECTION__KEY`, and the names that everybody uses.

use std::collections::BTreeMap;

use super::{
    parse,
    tree::{Node, Place},
};

/// Settings of `TROUPE__SECTION__KEY` start so.
const PREFIX: &str = "TROUPE__";

/// Variables that mean the same everywhere, and the key that each sets.
const USUAL_NAMES: &[(&str, [&str; 2])] = &[("DATABASE_URL", ["storage", "database_url"])];

/// Those whose values are no text but numbers, lists and the like, and what they are multiplied with: the key has another unit.
const USUAL_VALUES: &[(&str, [&str; 2], u32)] = &[
    ("ALLOWED_ORIGINS", ["server", "cors_origins"], 1),
    ("AUTO_CLEANUP", ["housekeeping", "automatic"], 1),
    ("MAX_HISTORY_DAYS", ["jobs", "retention_hours"], 24),
    ("MAX_STORAGE_GB", ["storage", "media_max_bytes"], 1 << 30),
];

/// The environment by name. A usual name that is set but empty counts as not set.
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The first of `names` that is set and not blank, with its value.
    ///
    /// A name such as `KEY_ID|KEY_SECRET` stands for two variables, whose values make one token in that form.
    pub fn first_of<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|name| {
            let values = name.split('|').map(|name| {
                let value = self.0.get(name)?.trim();
                (!value.is_empty()).then_some(value)
            });
            let values = values.collect::<Option<Vec<_>>>()?;
            Some((*name, values.join("|")))
        })
    }

    /// Lays the environment's settings over those of the file.
    pub fn apply(&self, tree: &mut Node) {
        for (name, path) in USUAL_NAMES {
            if let Some((_, value)) = self.first_of(&[*name]) {
                tree.insert(path, Node::text(&value, place(name)));
            }
        }
        for (name, path, unit) in USUAL_VALUES {
            if let Some((_, value)) = self.first_of(&[*name]) {
                tree.insert(path, parse::value(&in_unit(&value, *unit), place(name)));
            }
        }
        for (name, value) in &self.0 {
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let path = path.to_lowercase();
            let steps: Vec<&str> = path.split("__").collect();
            tree.insert(&steps, parse::value(value, place(name)));
        }
    }
}

/// A number times the unit, which may have a part behind the point; whatever is no number as it is.
fn in_unit(value: &str, unit: u32) -> String {
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() => (number * f64::from(unit)).round().to_string(),
        _ => value.to_owned(),
    }
}

/// The place of what the variable `name` says.
pub fn place(name: &str) -> Place {
    Place::Environment(name.into())
}

#[cfg(test)]
mod tests {
    use super::{super::tree::Value, *};

    fn applied(pairs: &[(&str, &str)]) -> Node {
        let mut tree = Node::table(Place::BuiltIn);
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::new(pairs).apply(&mut tree);
        tree
    }

    fn text<'a>(tree: &'a Node, section: &str, key: &str) -> Option<&'a str> {
        tree.child(section)?.child(key)?.as_text()
    }

    #[test]
    fn our_own_names_win_over_the_usual_ones() {
        let tree = applied(&[
            ("DATABASE_URL", "postgres://a"),
            ("TROUPE__STORAGE__DATABASE_URL", "postgres://b"),
        ]);
        assert_eq!(text(&tree, "storage", "database_url"), Some("postgres://b"));
    }

    #[test]
    fn usual_values_come_in_the_units_of_their_keys() {
        let tree = applied(&[
            ("AUTO_CLEANUP", "false"),
            ("MAX_HISTORY_DAYS", "30"),
            ("MAX_STORAGE_GB", "0.5"),
        ]);
        let untyped = |section: &str, key: &str| {
            let node = tree.child(section)?.child(key)?;
            match &node.value {
                Value::Untyped(text) => Some(text.as_str()),
                _ => None,
            }
        };
        assert_eq!(untyped("housekeeping", "automatic"), Some("false"));
        assert_eq!(untyped("jobs", "retention_hours"), Some("720"));
        assert_eq!(untyped("storage", "media_max_bytes"), Some("536870912"));
        assert_eq!(in_unit("many", 24), "many");
    }

    #[test]
    fn blank_usual_names_and_other_variables_change_nothing() {
        let tree = applied(&[("DATABASE_URL", " "), ("TROUPE_CONFIG", "x"), ("PATH", "y")]);
        assert!(tree.entries().is_some_and(BTreeMap::is_empty));
    }
}
