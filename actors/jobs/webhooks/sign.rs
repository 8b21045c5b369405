//! Signatures, pure: those of Standard Webhooks (<https://www.standardwebhooks.com>, specification 1.0), and the one
//! that Imagine Server's receivers check.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{sealing::SealError, secrets::Secret};

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a new secret: the specification asks for 24 to 64.
const BYTES: usize = 32;

/// A new secret: `whsec_` and base64.
///
/// # Errors
/// [`SealError::NoRandom`].
pub fn fresh() -> Result<Secret, SealError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandom)?;
    Ok(format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)).into())
}

/// The header `webhook-signature`: one signature for each secret, with blanks between. `at` is the header
/// `webhook-timestamp`, in seconds since 1970.
#[must_use]
pub fn standard(secrets: &[Secret], id: &str, at: i64, body: &str) -> String {
    let sign = |secret: &Secret| {
        let text = secret.expose();
        let key = BASE64_STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text));
        let mac = mac(
            &key.unwrap_or_default(),
            &[id, ".", &at.to_string(), ".", body],
        );
        format!("v1,{}", BASE64_STANDARD.encode(mac))
    };
    let signatures: Vec<String> = secrets.iter().map(sign).collect();
    signatures.join(" ")
}

/// The header `x-webhook-signature`: the key is the whole text of the secret.
#[must_use]
pub fn imagine(secret: &Secret, body: &str) -> String {
    let mut header = "sha256=".to_owned();
    for byte in mac(secret.expose().as_bytes(), &[body]) {
        // writing to a String cannot fail
        let _ = write!(header, "{byte:02x}");
    }
    header
}

fn mac(key: &[u8], parts: &[&str]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the reference libraries of Standard Webhooks are tested with.
    #[test]
    fn signs_as_the_reference_libraries_do() {
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let (id, at, body) = (
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(
            standard(std::slice::from_ref(&secret), id, at, body),
            expected
        );
        let bare = Secret::from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let both = standard(&[secret, bare], id, at, body);
        assert_eq!(both, format!("{expected} {expected}"));
    }

    #[test]
    fn signs_as_imagine_server_does() {
        let secret = Secret::from("key".to_owned());
        let body = "The quick brown fox jumps over the lazy dog";
        let expected = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        assert_eq!(imagine(&secret, body), expected);
    }

    #[test]
    fn every_secret_is_another() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one.expose(), other.expose());
        let bytes = BASE64_STANDARD.decode(one.expose().strip_prefix(PREFIX).unwrap());
        assert_eq!(bytes.unwrap().len(), BYTES);
    }
}
