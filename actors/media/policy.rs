//! What has to go when the folder is full. Pure.

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
