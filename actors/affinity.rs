//! Keeping a conversation where it is: rendezvous hashing, which needs no memory.
//!
//! Upstreams keep what they have read of a conversation in a cache of one account, so its next turn is
//! cheaper and faster with the same target and token. Each conversation ranks all choices by a hash of
//! itself and the choice. Every node ranks alike, also after a restart; a choice that comes or goes moves
//! only the conversations that prefer it.

use std::fmt;

use sha2::{Digest, Sha256};

/// A conversation of one app.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Affinity(u64);

impl Affinity {
    /// The conversation that app `app_id` calls `key`. Two apps never share one, whatever they call it.
    #[must_use]
    pub fn of(app_id: &str, key: &str) -> Self {
        Self(digest(&[app_id, key]))
    }

    /// How much it prefers the choice of that lot: the highest rank wins.
    #[must_use]
    pub fn rank(self, lot: Lot) -> u64 {
        mix(self.0 ^ lot.0)
    }

    /// As the seed of a draw, which then comes out the same each time.
    #[must_use]
    pub fn seed(self) -> u64 {
        self.0
    }
}

// what a client calls its conversations is nobody else's affair, not even hashed
impl fmt::Debug for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Affinity(…)")
    }
}

/// What stands for a choice in the ranking: a hash of its lasting name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot(u64);

impl Lot {
    /// The lot of the choice called `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(digest(&[name]))
    }

    /// A number above 0 and below 1 that is the same for the same seed, and evenly spread over seeds.
    #[must_use]
    pub fn draw(self, seed: u64) -> f64 {
        // as many bits as fit into the fraction; half of the last keeps it off both ends
        const BITS: u64 = 53;
        let number = mix(seed ^ self.0) >> (64 - BITS);
        (number as f64 + 0.5) / (1_u64 << BITS) as f64
    }
}

/// The first bytes of a hash that no client can aim at a value of its choice.
fn digest(parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        // with their lengths, so that no two lists of parts look the same
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let bytes = hasher.finalize();
    let first = bytes.iter().take(8);
    first.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Spreads the bits of a counter (the last step of SplitMix64).
#[must_use]
pub fn mix(counter: u64) -> u64 {
    let mixed = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_on_every_node_for_ever() {
        let affinity = Affinity::of("app", "conversation");
        assert_eq!(affinity.seed(), 0x85f3_9ca1_2cd8_2c67);
        assert_eq!(affinity.rank(Lot::of("acme/gpt")), 0xa772_24ee_a5bf_93b1);
    }

    #[test]
    fn apps_share_no_conversation() {
        assert_ne!(Affinity::of("a", "x"), Affinity::of("b", "x"));
        assert_ne!(Affinity::of("ab", "c"), Affinity::of("a", "bc"));
    }

    #[test]
    fn draws_are_spread_between_the_ends() {
        let lot = Lot::of("x");
        let draws: Vec<f64> = (0..1_000).map(|seed| lot.draw(seed)).collect();
        assert!(
            draws
                .iter()
                .all(|draw| (0.0..1.0).contains(draw) && *draw > 0.0)
        );
        let mean = draws.iter().sum::<f64>() / 1_000.0;
        assert!((0.47..0.53).contains(&mean), "{mean}");
    }
}
