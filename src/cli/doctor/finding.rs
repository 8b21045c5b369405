//! What a check found: one line, and what to do about it.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    Warn,
    Fail,
}

/// The outcome of one check. Shown as `fail  disk  data: 12 MiB free -> make room`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub state: State,
    /// What was checked.
    pub subject: String,
    /// What was seen. Holds no secret.
    pub seen: String,
    /// What to do; empty where all is well.
    pub next: String,
}

impl Finding {
    pub fn ok(subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            state: State::Ok,
            subject: subject.into(),
            seen: seen.into(),
            next: String::new(),
        }
    }

    pub fn warn(
        subject: impl Into<String>,
        seen: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Warn,
            next: next.into(),
            ..Self::ok(subject, seen)
        }
    }

    pub fn fail(
        subject: impl Into<String>,
        seen: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Fail,
            ..Self::warn(subject, seen, next)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        write!(f, "{state:<5} {}: {}", self.subject, self.seen)?;
        if !self.next.is_empty() {
            write!(f, " -> {}", self.next)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let fine = Finding::ok("clock", "within 1 s");
        assert_eq!(fine.to_string(), "ok    clock: within 1 s");
        let bad = Finding::fail("disk", "full", "make room");
        assert_eq!(bad.to_string(), "fail  disk: full -> make room");
    }
}
