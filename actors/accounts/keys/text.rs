//! What an API key looks like.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use derive_more::{Display, Error};
use zeroize::Zeroizing;

use crate::secrets::Secret;

/// What every key that we make begins with.
const PREFIX: &str = "tp-";
/// Shorter keys could be guessed.
const SHORTEST: usize = 16;
/// Longer ones are not even looked up.
pub(super) const LONGEST: usize = 512;

/// Why a key of the operator's own choice is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
pub enum KeyTextError {
    /// Too easy to guess.
    #[display("an API key needs at least {SHORTEST} characters")]
    TooShort,
    /// No header would carry it.
    #[display("an API key has at most {LONGEST} characters")]
    TooLong,
    /// Headers carry visible ASCII only.
    #[display("an API key consists of visible ASCII characters without spaces")]
    Characters,
}

/// Makes a key from 256 random bits.
///
/// # Errors
/// When the system gives no randomness.
pub(super) fn make() -> Result<Secret, getrandom::Error> {
    let mut bits = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bits)?;
    let mut text = PREFIX.to_owned();
    URL_SAFE_NO_PAD.encode_string(*bits, &mut text);
    Ok(Secret::from(text))
}

/// Whether a key that the operator chose can be one.
pub(super) fn check(text: &str) -> Result<(), KeyTextError> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(KeyTextError::Characters);
    }
    match text.len() {
        0..SHORTEST => Err(KeyTextError::TooShort),
        SHORTEST..=LONGEST => Ok(()),
        _ => Err(KeyTextError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_keys_are_unlike_each_other_and_pass_their_own_check() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), PREFIX.len() + 43);
        assert_eq!(check(one.expose()), Ok(()));
    }

    #[test]
    fn given_keys_must_be_hard_to_guess_and_fit_a_header() {
        assert_eq!(check("0123456789abcde"), Err(KeyTextError::TooShort));
        assert_eq!(check("0123456789abcdef"), Ok(()));
        assert_eq!(check(&"x".repeat(LONGEST + 1)), Err(KeyTextError::TooLong));
        assert_eq!(check("0123456789abcde f"), Err(KeyTextError::Characters));
        assert_eq!(check("0123456789abcdeé"), Err(KeyTextError::Characters));
    }
}
