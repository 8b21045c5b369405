//! Secrets that have to be read again, encrypted under the installation's own key for as long as they are stored.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use derive_more::{Display, Error};

use crate::secrets::{KeyedHash, Secret};

/// Seals secrets and opens them again: XChaCha20-Poly1305, each with a nonce of its own.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

/// Why a secret could not be sealed or opened. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
pub enum SealError {
    #[display("the system gives no random bytes")]
    NoRandom,
    /// It was sealed under another key or for another place, or is damaged.
    #[display(
        "a stored secret cannot be opened: the installation's key is not the one that sealed it"
    )]
    Sealed,
}

/// XChaCha20's nonces are long enough to be drawn at random.
const NONCE: usize = 24;

impl Sealer {
    /// A sealer for one `domain`, under a key that is derived from the installation's.
    #[must_use]
    pub fn new(installation_key: &[u8; 32], domain: &str) -> Self {
        let key = KeyedHash::new(installation_key, domain).of("seal");
        Self(XChaCha20Poly1305::new(&key.into()))
    }

    /// Seals a secret, to be opened again for the same `place` alone: a sealed text that was moved to another row
    /// does not open there.
    ///
    /// # Errors
    /// [`SealError::NoRandom`].
    pub fn seal(&self, secret: &Secret, place: &str) -> Result<String, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandom)?;
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        // it refuses nothing that has any room in memory
        let sealed = sealed.map_err(|_| SealError::Sealed)?;
        Ok(BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`SealError::Sealed`].
    pub fn open(&self, sealed: &str, place: &str) -> Result<Secret, SealError> {
        let bytes = BASE64_STANDARD.decode(sealed).ok();
        let opened = bytes.as_deref().and_then(|bytes| {
            let (nonce, msg) = bytes.split_first_chunk::<NONCE>()?;
            let aad = place.as_bytes();
            let opened = self.0.decrypt(&XNonce::from(*nonce), Payload { msg, aad });
            String::from_utf8(opened.ok()?).ok()
        });
        opened.map(Secret::from).ok_or(SealError::Sealed)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_under_the_same_key_for_the_same_place_alone() {
        let sealer = Sealer::new(&[7; 32], "webhook");
        let secret = Secret::from("whsec_c2VjcmV0".to_owned());
        let sealed = sealer.seal(&secret, "row").unwrap();
        assert!(!sealed.contains("whsec"));
        assert_eq!(
            sealer.open(&sealed, "row").unwrap().expose(),
            "whsec_c2VjcmV0"
        );
        assert_ne!(sealer.seal(&secret, "row").unwrap(), sealed);
        let other_key = Sealer::new(&[8; 32], "webhook");
        let other_domain = Sealer::new(&[7; 32], "else");
        for refused in [
            sealer.open(&sealed, "another row"),
            other_key.open(&sealed, "row"),
            other_domain.open(&sealed, "row"),
            sealer.open("", "row"),
            sealer.open("c2hvcnQ=", "row"),
            sealer.open(&format!("A{}", &sealed[1..]), "row"),
        ] {
            assert_eq!(refused.err(), Some(SealError::Sealed));
        }
    }
}
