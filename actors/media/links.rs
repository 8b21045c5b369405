//! The links to stored files: the name alone, or with when it ends and a signature.

use std::{sync::Arc, time::Duration};

use subtle::ConstantTimeEq as _;

use super::name::MediaName;
use crate::{
    secrets::KeyedHash,
    supervision::{Clock, clock::millis},
};

/// Makes links and checks them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Links {
    signed: Option<Signed>,
}

#[derive(Debug, Clone)]
struct Signed {
    key: Arc<KeyedHash>,
    lifetime: Duration,
    clock: Clock,
}

impl Links {
    /// Links that hold as long as the file is there.
    #[must_use]
    pub fn unsigned() -> Self {
        Self { signed: None }
    }

    /// Links that hold for `lifetime`, signed under `key`.
    #[must_use]
    pub fn signed(key: KeyedHash, lifetime: Duration, clock: Clock) -> Self {
        let key = Arc::new(key);
        let signed = Signed {
            key,
            lifetime,
            clock,
        };
        Self {
            signed: Some(signed),
        }
    }

    /// Whether links carry a signature.
    #[must_use]
    pub fn are_signed(&self) -> bool {
        self.signed.is_some()
    }

    /// The path and query of a file's link, from now on.
    #[must_use]
    pub fn link(&self, name: &MediaName) -> String {
        match &self.signed {
            None => format!("/media/{name}"),
            Some(signed) => {
                let end = (signed.clock.wall_ms() + millis(signed.lifetime)) / 1_000;
                let signature = signed.signature(name.as_str(), end);
                format!("/media/{name}?e={end}&s={signature}")
            }
        }
    }

    /// Whether a link with that `end` (seconds since 1970) and signature leads to the file.
    #[must_use]
    pub fn admit(&self, name: &str, end: Option<u64>, signature: &str) -> bool {
        let Some(signed) = &self.signed else {
            return true;
        };
        let right = signed.signature(name, end.unwrap_or_default());
        let is_right = bool::from(right.as_bytes().ct_eq(signature.as_bytes()));
        is_right && end.is_some_and(|end| signed.clock.wall_ms() < end.saturating_mul(1_000))
    }
}

impl Signed {
    fn signature(&self, name: &str, end: u64) -> String {
        self.key.hex_of(&format!("{name}\n{end}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::format::Format, *};

    /// The name, end and signature of a signed link.
    fn parts(link: &str) -> (&str, Option<u64>, &str) {
        let (name, query) = link
            .strip_prefix("/media/")
            .unwrap()
            .split_once("?e=")
            .unwrap();
        let (end, signature) = query.split_once("&s=").unwrap();
        (name, end.parse().ok(), signature)
    }

    #[test]
    fn a_signed_link_holds_for_its_time_and_its_file_alone() {
        let (clock, hands) = Clock::manual(1_000_000);
        let key = |byte| KeyedHash::new(&[byte; 32], "media");
        let links = Links::signed(key(1), Duration::from_secs(60), clock.clone());
        let one = links.link(&MediaName::fresh(Format::Png).unwrap());
        let other = links.link(&MediaName::fresh(Format::Png).unwrap());
        let (name, end, signature) = parts(&one);
        assert_eq!(end, Some(1_060));
        assert!(links.admit(name, end, signature));
        assert!(!links.admit(parts(&other).0, end, signature));
        assert!(!links.admit(name, Some(9_999), signature));
        assert!(!links.admit(name, None, signature));
        assert!(!links.admit(name, end, ""));
        let elsewhere = Links::signed(key(2), Duration::from_secs(60), clock);
        assert!(!elsewhere.admit(name, end, signature));
        hands.advance(Duration::from_secs(59));
        assert!(links.admit(name, end, signature));
        hands.advance(Duration::from_secs(1));
        assert!(!links.admit(name, end, signature));
    }

    #[test]
    fn an_unsigned_link_is_the_name() {
        let links = Links::unsigned();
        let name = MediaName::fresh(Format::Gif).unwrap();
        assert_eq!(links.link(&name), format!("/media/{name}"));
        assert!(links.admit(name.as_str(), None, ""));
    }
}
