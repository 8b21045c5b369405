//! What tells a repeated submission from a new one, also after a restart: it stands in the job's row from the very
//! insert on.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::answers::Fingerprint;

/// The `Idempotency-Key` of a submission, which no two jobs have at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// A hash of the key with its app and route: other ones may use the same.
    pub(super) key: String,
    /// A hash of the path and the body that it came with.
    pub(super) fingerprint: String,
    /// Jobs that were submitted before it do not count: their keys are forgotten. Milliseconds since 1970.
    pub(super) since: i64,
}

impl Submission {
    /// Of the `key` that the app `app` has sent to the gateway's route `route`.
    #[must_use]
    pub fn new(app: &str, key: &str, route: &str, fingerprint: &Fingerprint, since: i64) -> Self {
        let mut hash = Sha256::new();
        for part in [app, route, key] {
            hash.update(part);
            // in none of them
            hash.update([0]);
        }
        Self {
            key: BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()),
            fingerprint: BASE64_URL_SAFE_NO_PAD.encode(fingerprint.bytes()),
            since,
        }
    }
}

/// What an earlier job has to do with a submission whose key it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is given, however it ended: it was or would have been acknowledged.
    Always,
    /// It is given unless it has failed or was cancelled: who waits for an answer may try for a better one.
    UnlessLost,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_for_its_app_and_route() {
        let body = Fingerprint::of("/p", b"{}");
        let of = |app, key, route| Submission::new(app, key, route, &body, 0).key;
        let one = of("app", "key", "/route");
        assert_eq!(one, of("app", "key", "/route"));
        for other in [
            of("apps", "key", "/route"),
            of("app", "keys", "/route"),
            of("app", "key", "/routes"),
            of("ap", "pkey", "/route"),
        ] {
            assert_ne!(one, other);
        }
        assert!(!one.contains("key"));
    }
}
