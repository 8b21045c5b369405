//! What may be stored, and what has to go when there is no room. Pure.

use std::time::Duration;

use super::{
    config::MediaConfig,
    error::MediaError,
    format::Format,
    formats::{Survey, pixels_per_byte},
};
use crate::storage::config::StorageConfig;

/// What the operator allows.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Of all files together.
    pub max_bytes: u64,
    /// Of one file.
    pub max_file_bytes: u64,
    /// Of one picture.
    pub max_pixels: u64,
    /// Before it files are not removed to make room.
    pub retention: Duration,
}

impl Rules {
    /// The rules of the configuration.
    #[must_use]
    pub fn of(storage: &StorageConfig, media: &MediaConfig) -> Self {
        Self {
            max_bytes: storage.media_max_bytes,
            max_file_bytes: media.max_file_bytes,
            max_pixels: media.max_pixels,
            retention: Duration::from_secs(storage.media_min_retention_seconds),
        }
    }
}

/// How many whole pictures of the largest kind the frames of an animation may come to.
const FRAMES: u64 = 32;

/// Whether a file of so many bytes may be stored.
///
/// # Errors
/// It is too large, has too many pixels, or promises more pixels than its bytes can hold.
pub(super) fn check(
    format: Format,
    survey: &Survey,
    bytes: u64,
    rules: &Rules,
) -> Result<(), MediaError> {
    let limit = rules.max_file_bytes.min(rules.max_bytes);
    if bytes > limit {
        return Err(MediaError::TooLarge { bytes, limit });
    }
    let pixels = survey
        .pixels
        .map_or(0, |(width, height)| u64::from(width) * u64::from(height));
    let limit = rules.max_pixels;
    for (pixels, limit) in [
        (pixels, limit),
        (survey.drawn, limit.saturating_mul(FRAMES)),
    ] {
        if pixels > limit {
            return Err(MediaError::TooManyPixels { pixels, limit });
        }
    }
    match pixels_per_byte(format) {
        Some(most) if pixels > bytes.saturating_mul(most) => Err(MediaError::Damaged(
            "its header promises more pixels than its bytes can hold".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// How far below the limit an eviction goes, in parts of a thousand of the limit, so that a full
/// folder does not evict for every single file.
const SLACK_PER_MILLE: u64 = 20;

/// How many bytes to free so that `total` fits under `limit` again; none while it fits.
#[must_use]
pub fn to_free(total: u64, limit: u64) -> u64 {
    if total <= limit {
        return 0;
    }
    let slack = limit / 1_000 * SLACK_PER_MILLE;
    total - (limit - slack)
}

/// How many of the oldest files must go to free `wanted` bytes, given their sizes from the oldest on.
/// All of them, if that is not enough.
#[must_use]
pub fn victims(sizes: impl IntoIterator<Item = u64>, wanted: u64) -> usize {
    let mut freed = 0_u64;
    sizes
        .into_iter()
        .take_while(|size| {
            let more = freed < wanted;
            freed = freed.saturating_add(*size);
            more
        })
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_goes_while_there_is_room() {
        assert_eq!(to_free(1_000, 1_000), 0);
        assert_eq!(to_free(100_001, 100_000), 2_001);
        assert_eq!(victims([5, 5, 5], 0), 0);
    }

    proptest! {
        #[test]
        fn what_goes_is_enough_and_not_more(sizes in prop::collection::vec(0..1_000_u64, 0..50), wanted in 0..20_000_u64) {
            let count = victims(sizes.iter().copied(), wanted);
            let freed: u64 = sizes[..count].iter().sum();
            prop_assert!(freed >= wanted || count == sizes.len());
            if count > 0 {
                let without_last: u64 = sizes[..count - 1].iter().sum();
                prop_assert!(without_last < wanted);
            }
        }

        #[test]
        fn after_an_eviction_there_is_room(total in 0..1_000_000_u64, limit in 0..1_000_000_u64) {
            prop_assert!(total - to_free(total, limit) <= limit);
        }
    }
}
