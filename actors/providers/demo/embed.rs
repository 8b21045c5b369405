//! What `demo-embed` computes: a unit vector by feature hashing, so that texts which share words and
//! syllables lie close together. No model, no state: the same text is always the same vector.

use derive_more::{Display, Error};

/// Dimensions of a vector where the caller names none.
pub const DEFAULT_DIMENSIONS: usize = 256;
/// The most dimensions that may be asked for.
pub const MAX_DIMENSIONS: usize = 4_096;

/// The number of dimensions asked for cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("dimensions must be between 1 and {MAX_DIMENSIONS}, got {asked}")]
pub struct BadDimensions {
    pub asked: u64,
}

/// Checks a `dimensions` from a request.
///
/// # Errors
/// Outside 1 to [`MAX_DIMENSIONS`].
pub fn dimensions(asked: u64) -> Result<usize, BadDimensions> {
    usize::try_from(asked)
        .ok()
        .filter(|dimensions| (1..=MAX_DIMENSIONS).contains(dimensions))
        .ok_or(BadDimensions { asked })
}

/// The vector of `text`, of length 1 in `dimensions` (at least 1) dimensions.
#[must_use]
pub fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    // Whole numbers, so that the order of addition cannot matter.
    let mut sums = vec![0_i64; dimensions.max(1)];
    let mut add = |feature: &[char], weight: i64| {
        let hash = hash(feature);
        let at = (hash % sums.len() as u64) as usize;
        sums[at] += if hash >> 63 == 0 { weight } else { -weight };
    };
    // Spaces at both ends make the first and last letters of a text count like those of its words.
    let mut window = [' '; 3];
    for c in text.chars().flat_map(char::to_lowercase).chain([' ', ' ']) {
        let c = if c.is_alphanumeric() { c } else { ' ' };
        window = [window[1], window[2], c];
        add(&window, 2);
        add(&window[2..], 1);
    }
    normalised(&sums)
}

fn normalised(sums: &[i64]) -> Vec<f32> {
    let length = sums
        .iter()
        .map(|&sum| (sum * sum) as f64)
        .sum::<f64>()
        .sqrt();
    if length == 0.0 {
        // Every feature met its opposite: any fixed direction will do.
        let mut first = vec![0.0; sums.len()];
        first[0] = 1.0;
        return first;
    }
    sums.iter()
        .map(|&sum| (sum as f64 / length) as f32)
        .collect()
}

/// FNV-1a over the characters, then a finish that lets the high bits depend on all of them.
fn hash(feature: &[char]) -> u64 {
    let fnv = feature.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &c| {
        (hash ^ u64::from(c)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closeness(a: &str, b: &str) -> f32 {
        let (a, b) = (embed(a, DEFAULT_DIMENSIONS), embed(b, DEFAULT_DIMENSIONS));
        a.iter().zip(&b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn vectors_are_repeatable_and_of_length_one() {
        for (text, dimensions) in [
            ("a cat", 256),
            ("", 8),
            ("猫", 1),
            ("many words here", 4_096),
        ] {
            let vector = embed(text, dimensions);
            assert_eq!(vector, embed(text, dimensions));
            assert_eq!(vector.len(), dimensions);
            let length: f32 = vector.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{text}: {length}");
        }
    }

    #[test]
    fn texts_that_share_syllables_are_closer() {
        let near = closeness("the red house on the hill", "a red house upon that hill");
        let far = closeness("the red house on the hill", "quick brown foxes jump");
        assert!(near > far + 0.2, "{near} against {far}");
        assert!(
            closeness("今天天气很好", "今天天气不错") > closeness("今天天气很好", "数据库迁移失败")
        );
        assert!((closeness("Same Text", "same text") - 1.0).abs() < 1e-5);
    }

    #[test]
    fn dimensions_outside_the_range_are_refused_with_the_range() {
        assert_eq!(dimensions(512), Ok(512));
        assert!(dimensions(0).is_err());
        let refused = dimensions(5_000).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "dimensions must be between 1 and 4096, got 5000"
        );
    }
}
