//! Values that must never be shown, and the keyed hash under which they are stored.

use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A credential in memory. It has no `Display`, its `Debug` says nothing, and it is wiped on drop.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// The bare value, for the one place that puts it on the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters behind an ellipsis, enough for an operator to tell two tokens apart.
    /// Values under twelve characters show nothing.
    #[must_use]
    pub fn hint(&self) -> String {
        let count = self.0.chars().count();
        if count < 12 {
            return "…".to_owned();
        }
        self.0
            .chars()
            .skip(count - 4)
            .fold("…".to_owned(), |mut hint, c| {
                hint.push(c);
                hint
            })
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(Arc::new(Zeroizing::new(value)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// HMAC-SHA256 under the installation's own key: what is stored in place of API keys and tokens.
#[derive(Clone)]
pub struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    /// A hasher for one `domain`, so that the same value hashes differently as an API key and as a token.
    #[must_use]
    pub fn new(installation_key: &[u8; 32], domain: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(installation_key).expect("any length");
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        Self(mac)
    }

    /// The 32-byte hash of `value`.
    #[must_use]
    pub fn of(&self, value: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The hash as 64 lower-case hex digits, the form in which it is stored.
    #[must_use]
    pub fn hex_of(&self, value: &str) -> String {
        use fmt::Write as _;
        self.of(value)
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // writing to a String cannot fail
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_at_most_four_characters() {
        let secret = Secret::from("sk-0123456789abcdef".to_owned());
        assert_eq!(secret.hint(), "…cdef");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(Secret::from("short".to_owned()).hint(), "…");
    }

    #[test]
    fn domains_separate_hashes() {
        let key = [7; 32];
        let keys = KeyedHash::new(&key, "api-key");
        let tokens = KeyedHash::new(&key, "token");
        assert_eq!(keys.hex_of("a"), keys.hex_of("a"));
        assert_ne!(keys.hex_of("a"), tokens.hex_of("a"));
        assert_eq!(keys.hex_of("a").len(), 64);
    }
}
