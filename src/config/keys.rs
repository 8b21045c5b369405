//! Names for keys and words: how a path is shown, and what a misspelt one was meant to be.

use super::{
    Config,
    tree::{Node, Value},
};

/// A path as its author would write it: `server.listen`, `provider[acme].tokens[1]`. A table in a list is
/// called by its `name` or `model` where it has one, and everything else by its index from 0.
pub fn shown(tree: &Node, path: &[String]) -> String {
    let mut text = String::new();
    let mut node = Some(tree);
    for step in path {
        let in_list = node.is_some_and(|node| matches!(node.value, Value::List(_)));
        node = node.and_then(|node| node.child(step));
        if in_list {
            let called = |key| node.and_then(|node: &Node| node.child(key)?.as_text());
            let name = called("name").or_else(|| called("model"));
            text.push_str(&format!("[{}]", name.unwrap_or(step)));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
    }
    text
}

/// The known word that is nearest to `word`.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    known.iter().copied().max_by(|a, b| {
        let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(&word, candidate);
        likeness(a).total_cmp(&likeness(b))
    })
}

/// What is said of the unknown key `key` among `known`: the section where it belongs, where it is the name
/// of a key elsewhere, or else the nearest of its neighbours.
pub fn unknown(key: &str, known: &[&str]) -> String {
    if let Some(section) = section_of(key) {
        return format!("unknown key here; it belongs in [{section}]");
    }
    match nearest(key, known) {
        Some(nearest) => format!("unknown key; the nearest known key is `{nearest}`"),
        None => "unknown key".to_owned(),
    }
}

/// The only section that knows `key`.
fn section_of(key: &str) -> Option<String> {
    let defaults = toml::Table::try_from(Config::default()).ok()?;
    let mut sections = defaults
        .into_iter()
        .filter(|(_, section)| section.get(key).is_some())
        .map(|(name, _)| name);
    sections.next().filter(|_| sections.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn paths_are_shown_as_they_are_written() {
        let text = "[[provider]]\nname = \"acme\"\ntokens = [\"a\"]\n[[provider]]\n";
        let (tree, _) = parse::file("c", text);
        let show = |dotted: &str| {
            let path: Vec<String> = dotted.split('.').map(str::to_owned).collect();
            shown(&tree, &path)
        };
        assert_eq!(show("provider.0.tokens.0"), "provider[acme].tokens[0]");
        assert_eq!(show("provider.1.kind"), "provider[1].kind");
        assert_eq!(show("server.listen"), "server.listen");
    }

    #[test]
    fn misspelt_keys_find_their_neighbour() {
        let known = ["listen", "public_url", "workers"];
        assert_eq!(nearest("listn", &known), Some("listen"));
        assert_eq!(nearest("PUBLIC-URL", &known), Some("public_url"));
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn misplaced_keys_find_their_section() {
        assert!(unknown("kv_url", &["name"]).contains("[storage]"));
        // known in several sections: no telling which was meant
        assert!(unknown("max_wait_m", &["max_waiting"]).contains("`max_waiting`"));
    }
}
