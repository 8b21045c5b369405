//! The texts of answers, in the fragments in which they are streamed.

use crate::{behaviour::Behaviour, plan::Plan};

use super::fingerprint;

/// The text of an ordinary answer's event `index`; a seed makes it distinct.
pub(crate) fn word(plan: &Plan, seed: Option<usize>, index: u32) -> String {
    match (seed, &plan.behaviour) {
        (Some(seed), _) => format!("{seed}-{index} "),
        (None, Behaviour::SplitUtf8) => format!("né{index}世界🎭 "),
        (None, _) => {
            let mut text = "token ".repeat(plan.text / 6 + 1);
            text.truncate(plan.text);
            text
        }
    }
}

/// The text of `sim-long-<count>` after this user text: words that no other text gets in this order.
#[must_use]
pub fn long_text(prompt: &str, count: u32) -> String {
    long_words(prompt, count).concat()
}

pub(super) fn long_words(prompt: &str, count: u32) -> Vec<String> {
    let seed = fingerprint(prompt.as_bytes());
    let mut state = u64::from_str_radix(&seed, 16).unwrap_or_default();
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            format!("{:05x} ", state >> 44)
        })
        .collect()
}

/// A text in fragments of so many characters.
pub(super) fn fragments(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(size.max(1))
        .map(|piece| piece.iter().collect())
        .collect()
}
