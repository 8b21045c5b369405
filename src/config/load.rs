//! Reads all sources into one [`Config`]: file, then environment, then command line, the later winning.

use super::{
    Config,
    decode::{Fault, FaultKind, decode},
    environment::Environment,
    key_value, keys, parse,
    problems::{Problem, Severity, report},
    providers,
    tree::{Node, Place},
    validate,
};

/// Where settings come from, as values.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file's name (for messages) and text.
    pub file: Option<(String, String)>,
    /// Every variable of the environment.
    pub environment: Vec<(String, String)>,
    /// Flags of the command line: name, path of the key, value.
    pub flags: Vec<(&'static str, [&'static str; 2], String)>,
}

/// What was read. With errors among the problems the configuration is only good for showing.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// Every problem there is, in the order of their places in the file.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// Whether the gateway must not start.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }
}

/// Reads, decodes and checks. Reports every problem, not only the first.
#[must_use]
pub fn load(sources: Sources) -> Loaded {
    let (mut tree, mut problems) = match &sources.file {
        Some((name, text)) => parse::file(name, text),
        None => (Node::table(Place::BuiltIn), Vec::new()),
    };
    let environment = Environment::new(sources.environment);
    environment.apply(&mut tree);
    for (flag, path, value) in sources.flags {
        tree.insert(&path, parse::value(&value, Place::CommandLine(flag)));
    }
    key_value::choose(&mut tree, &environment, &mut problems);
    providers::complete(&mut tree, &environment);
    decode_all(&mut tree, &mut problems);
    providers::inherit(&mut tree);
    let config = decode_all(&mut tree, &mut problems);
    validate::validate(&config, &tree, &mut problems);
    problems.sort_by_key(|problem| order(&problem.place));
    Loaded { config, problems }
}

/// Decodes again and again, each time without what was found faulty before, so that every fault is found.
fn decode_all(tree: &mut Node, problems: &mut Vec<Problem>) -> Config {
    loop {
        let fault = match decode::<Config>(tree) {
            Ok(config) => return config,
            Err(fault) => fault,
        };
        if let Some(problem) = told(&fault, tree) {
            report(problems, problem);
        }
        if !tree.spoil(&fault.path) {
            return Config::default();
        }
    }
}

/// The fault as a problem; nothing where it follows from one that was told before.
fn told(fault: &Fault, tree: &Node) -> Option<Problem> {
    let mut path = fault.path.clone();
    let message = match &fault.kind {
        FaultKind::UnknownKey(known) => {
            let key = path.last().map(String::as_str).unwrap_or_default();
            keys::unknown(key, known)
        }
        FaultKind::Missing(key) => {
            path.push((*key).to_owned());
            if tree.find(&path).is_some() {
                return None;
            }
            "missing".to_owned()
        }
        FaultKind::UnknownWord { word, known } => {
            let nearest = keys::nearest(word, known).unwrap_or_default();
            let known = known.join(", ");
            format!("`{word}` is none of {known}; the nearest is `{nearest}`")
        }
        FaultKind::Unfit { found, expected } => format!("expected {expected}, found {found}"),
        FaultKind::Other(message) => message.clone(),
    };
    let key = keys::shown(tree, &path);
    Some(Problem::error(tree.place_of(&path), &key, message))
}

fn order(place: &Place) -> (usize, usize, String) {
    match place {
        Place::File { line, column, .. } => (*line, *column, String::new()),
        other => (usize::MAX, 0, other.to_string()),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
