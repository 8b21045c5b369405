//! What is wrong with a configuration, told so that its author can put it right.

use std::fmt;

use super::tree::Place;

/// Whether the gateway can start all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One thing that is wrong. Shown as `config.toml:12:3: error: server.listn: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub place: Place,
    /// The full key, such as `server.listen` or `provider[acme].base_url`; empty where there is none.
    pub key: String,
    /// What is wrong and what would be right. Holds no secret.
    pub message: String,
}

impl Problem {
    pub fn error(place: Place, key: &str, message: String) -> Self {
        Self {
            severity: Severity::Error,
            place,
            key: key.to_owned(),
            message,
        }
    }

    pub fn warning(place: Place, key: &str, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(place, key, message)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{}: {severity}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Adds `problem`, unless the same was said of the same place: a faulty `[pool]` concerns each provider
/// that inherits from it.
pub fn report(problems: &mut Vec<Problem>, problem: Problem) {
    let known = |earlier: &Problem| {
        earlier.place == problem.place
            && earlier.message == problem.message
            && problem.place != Place::BuiltIn
    };
    if !problems.iter().any(known) {
        problems.push(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_shown_with_place_and_key() {
        let place = Place::Environment("TROUPE__LOG__LEVEL".into());
        let problem = Problem::warning(place.clone(), "log.level", "too loud".to_owned());
        assert_eq!(
            problem.to_string(),
            "environment variable TROUPE__LOG__LEVEL: warning: log.level: too loud"
        );
        let bare = Problem::error(place, "", "broken".to_owned());
        assert!(bare.to_string().ends_with(": error: broken"));
    }

    #[test]
    fn one_mistake_is_told_once() {
        let place = Place::CommandLine("--listen");
        let mut problems = Vec::new();
        for key in ["pool.jitter", "provider[a].pool.jitter"] {
            report(
                &mut problems,
                Problem::error(place.clone(), key, "no".to_owned()),
            );
        }
        assert_eq!(problems.len(), 1);
    }
}
