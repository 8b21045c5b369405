//! Checks of what the settings mean, after their types are right.

mod providers;
mod routes;
mod sections;

use std::ops::RangeInclusive;

use url::Url;

use super::{
    Config, keys,
    problems::{Problem, report},
    tree::{Node, Place, Value},
};

/// Adds what is wrong with `config`, whose values were written in `tree`.
pub fn validate(config: &Config, tree: &Node, problems: &mut Vec<Problem>) {
    let mut check = Check {
        tree,
        path: Vec::new(),
        problems,
    };
    check.server(&config.server);
    check.storage(&config.storage);
    check.media(&config.media, &config.storage);
    check.auth(&config.auth);
    check.supervision(&config.supervision);
    check.keys(&config.keys);
    check.calls(&config.calls);
    check.limits(&config.limits);
    check.egress(&config.egress);
    check.pictures(&config.pictures);
    check.jobs(&config.jobs);
    check.housekeeping(&config.housekeeping);
    check.studio(&config.studio);
    check.webhooks(&config.webhooks);
    check.token_counts(&config.tokens);
    check.responses(&config.responses);
    check.answers(&config.answers);
    check.within("timeouts", |check| check.timeouts(&config.timeouts));
    check.within("pool", |check| check.pool(&config.pool));
    check.providers(&config.providers);
    check.routes(config);
}

/// One walk over the settings.
struct Check<'a> {
    tree: &'a Node,
    /// Of the table that is being checked.
    path: Vec<String>,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn within(&mut self, step: &str, check: impl FnOnce(&mut Self)) {
        self.path.push(step.to_owned());
        check(self);
        self.path.pop();
    }

    fn path_to(&self, key: &str) -> Vec<String> {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        path
    }

    fn error(&mut self, key: &str, message: impl Into<String>) {
        self.add(Problem::error, key, message.into());
    }

    fn warning(&mut self, key: &str, message: impl Into<String>) {
        self.add(Problem::warning, key, message.into());
    }

    fn add(&mut self, kind: fn(Place, &str, String) -> Problem, key: &str, message: String) {
        let path = self.path_to(key);
        // what was faulty is absent now; its author knows already
        if self.tree.find(&path).is_some_and(Node::is_faulty) {
            return;
        }
        let problem = kind(
            self.tree.place_of(&path),
            &keys::shown(self.tree, &path),
            message,
        );
        report(self.problems, problem);
    }

    fn range<T: PartialOrd + std::fmt::Display>(
        &mut self,
        key: &str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        if !range.contains(&value) {
            let (low, high) = range.into_inner();
            self.error(key, format!("must be from {low} to {high}, is {value}"));
        }
    }

    fn not_empty(&mut self, key: &str, value: &str) {
        if value.trim().is_empty() {
            self.error(key, "must not be empty");
        }
    }

    /// A URL of one of these schemes with a host. The value is not shown: it may hold a password.
    fn url(&mut self, key: &str, value: &str, schemes: &[&str]) {
        let wanted = schemes.join("://, ") + "://";
        match Url::parse(value) {
            Ok(url) if !schemes.contains(&url.scheme()) => {
                let scheme = url.scheme();
                self.error(key, format!("starts with {scheme}:, expected {wanted}"));
            }
            Ok(url) if url.host_str().is_none_or(str::is_empty) => {
                self.error(key, "names no host");
            }
            Ok(_) => {}
            Err(error) => self.error(key, format!("not a URL ({error}), expected {wanted}")),
        }
    }
}

/// The places in the tree's list `key` of the tables that could be decoded.
fn live_indices(tree: &Node, key: &str) -> Vec<usize> {
    match tree.child(key).map(|list| &list.value) {
        Some(Value::List(items)) => items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.is_faulty())
            .map(|(index, _)| index)
            .collect(),
        _ => Vec::new(),
    }
}
