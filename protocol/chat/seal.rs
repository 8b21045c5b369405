//! What a provider attaches to thoughts so that it can trust them when they come back.
//!
//! Anthropic signs thinking blocks, OpenAI encrypts reasoning items, Gemini signs parts. The client
//! keeps the text and sends it back in the next turn, perhaps after the conversation has moved to
//! another provider, which would refuse it. So a seal that leaves in a dialect other than its maker's
//! carries the maker's name; one without a name is of the dialect it is written in.

use memchr::memmem;

use crate::dialect::Dialect;

/// A signature or an encrypted thought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Whose it is.
    pub by: Dialect,
    /// The id of an OpenAI reasoning item, which goes back with it. Of Anthropic's, `redacted` for a block
    /// that is nothing but the seal.
    pub id: Option<String>,
    /// The provider's own bytes, unchanged.
    pub data: String,
}

const MARK: &str = "troupe.";

/// Whether a text that stands in a request is a seal of a provider that speaks another dialect.
#[must_use]
pub fn is_marked(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Whether a body may hold such seals, at the price of one search.
#[must_use]
pub fn may_hold_marked(body: &[u8]) -> bool {
    memmem::find(body, b"\"troupe.").is_some()
}

impl Seal {
    /// A seal as its own provider gave it.
    #[must_use]
    pub fn new(by: Dialect, data: impl Into<String>) -> Self {
        Self {
            by,
            id: None,
            data: data.into(),
        }
    }

    /// How it is written in `dialect`.
    #[must_use]
    pub fn write(&self, dialect: Dialect) -> String {
        if self.by == dialect {
            return self.data.clone();
        }
        let id = self.id.as_deref().unwrap_or_default();
        format!("{MARK}{}.{id}.{}", self.by, self.data)
    }

    /// Reads what stands in a message of `dialect`.
    #[must_use]
    pub fn read(text: &str, dialect: Dialect) -> Self {
        Self::marked(text).unwrap_or_else(|| Self::new(dialect, text))
    }

    fn marked(text: &str) -> Option<Self> {
        let (name, rest) = text.strip_prefix(MARK)?.split_once('.')?;
        let (id, data) = rest.split_once('.')?;
        let by = Dialect::ALL
            .into_iter()
            .find(|dialect| dialect.to_string() == name)?;
        Some(Self {
            by,
            id: (!id.is_empty()).then(|| id.to_owned()),
            data: data.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_seal_comes_back_through_any_dialect(data in "[A-Za-z0-9+/=._-]{1,40}", id in proptest::option::of("rs_[a-z0-9]{1,8}")) {
            for by in Dialect::ALL {
                for through in Dialect::ALL {
                    let own = by == through;
                    let seal = Seal { by, id: id.clone().filter(|_| !own), data: data.clone() };
                    // a provider's own text that happens to begin like ours is not to be told apart
                    prop_assume!(!data.starts_with(MARK));
                    prop_assert_eq!(Seal::read(&seal.write(through), through), seal);
                }
            }
        }
    }
}
