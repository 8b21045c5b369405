//! Passwords: made, hashed with argon2id, and checked.

use argon2::{
    Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash, password_hash::phc,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The setting that holds the hash of the administrator's password.
pub const ADMIN_SETTING: &str = "admin.password";

/// Random text of 256 bits behind `prefix`: 43 characters that survive a shell, a URL and a header.
///
/// # Errors
/// When the system gives no random bytes.
pub fn random_text(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The argon2id hash of `password` as a PHC string, salt and parameters included. Takes some 20 ms and
/// 19 MiB: not for a thread that serves.
///
/// # Errors
/// When the system gives no random salt, or the password is longer than 4 GiB.
pub fn hash(password: &str) -> Result<String, password_hash::Error> {
    let hash: phc::PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that `hash` was made of. As costly as [`hash`]; a hash that cannot be read
/// matches nothing.
#[must_use]
pub fn verify(password: &str, hash: &str) -> bool {
    phc::PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits_its_hash() {
        let stored = hash("hunter2").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"));
        assert!(verify("hunter2", &stored));
        assert!(!verify("hunter3", &stored));
        assert!(!verify("hunter2", "no hash"));
        assert_ne!(stored, hash("hunter2").unwrap());
    }

    #[test]
    fn random_texts_differ_and_keep_their_prefix() {
        let text = random_text("tp-").unwrap();
        assert!(text.starts_with("tp-") && text.len() == 46);
        assert_ne!(text, random_text("tp-").unwrap());
    }
}
