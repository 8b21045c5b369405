//! What becomes of a request that repeats one of the same key.

use std::str::FromStr;

use derive_more::{Display, Error};

/// What becomes of a request that has the path and body of another one of the same key, which began or ended a moment
/// ago.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Display)]
pub enum Dedupe {
    /// It is a request like any other.
    #[default]
    #[display("off")]
    Off,
    /// It gets the other one's answer.
    #[display("attach")]
    Attach,
    /// It is refused with 409.
    #[display("refuse")]
    Refuse,
}

/// A word that names no [`Dedupe`].
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("`{_0}` is none of off, attach, refuse")]
pub struct UnknownDedupe(#[error(not(source))] pub String);

impl FromStr for Dedupe {
    type Err = UnknownDedupe;

    fn from_str(word: &str) -> Result<Self, UnknownDedupe> {
        [Self::Off, Self::Attach, Self::Refuse]
            .into_iter()
            .find(|known| known.to_string() == word)
            .ok_or_else(|| UnknownDedupe(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for known in [Dedupe::Off, Dedupe::Attach, Dedupe::Refuse] {
            assert_eq!(known.to_string().parse(), Ok(known));
        }
        let unknown = "Attach".parse::<Dedupe>().unwrap_err();
        assert!(unknown.to_string().contains("off, attach, refuse"));
    }
}
