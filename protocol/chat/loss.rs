//! What does not survive the way into another dialect.

use std::fmt;

use derive_more::{Display, Error};

/// Fields that the upstream's dialect cannot say, by their path in the caller's dialect; told to the
/// client in `x-troupe-dropped`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    paths: Vec<String>,
}

/// A header has to hold them all.
const MAX_PATHS: usize = 32;
const MAX_PATH_LENGTH: usize = 64;

impl Losses {
    /// Notes a field once. Past 32 fields the rest is left out.
    pub fn note(&mut self, path: impl Into<String>) {
        let mut path: String = path.into();
        path.retain(|c| c.is_ascii_graphic() && c != ',');
        path.truncate(MAX_PATH_LENGTH);
        if self.paths.len() < MAX_PATHS && !self.paths.contains(&path) {
            self.paths.push(path);
        }
    }

    /// Notes a field if it was given.
    pub fn note_if<T>(&mut self, value: Option<&T>, path: &str) {
        if value.is_some() {
            self.note(path);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The paths, in the order they were noted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }
}

/// The value of the header: `top_k, messages[2].content[0].citations`.
impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths.join(", "))
    }
}

/// Why a request is not converted: without this field the answer would not be the one asked for.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("`{param}` cannot be passed to the model's provider: {reason}")]
pub struct ConvertError {
    /// The field, by its path in the caller's dialect.
    pub param: String,
    /// Why not, and what to do instead.
    pub reason: String,
}

impl ConvertError {
    #[must_use]
    pub fn new(param: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            param: param.into(),
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_stays_a_header() {
        let mut losses = Losses::default();
        losses.note("top_k");
        losses.note("top_k");
        losses.note("a\r\nb, c\u{e9}");
        losses.note_if(None::<&u8>, "seed");
        assert_eq!(losses.to_string(), "top_k, abc");
        for n in 0..100 {
            losses.note(format!("x{n}"));
        }
        assert_eq!(losses.iter().count(), MAX_PATHS);
    }
}
