//! Counts durations in buckets that grow with the value, so that a run of any length takes the same memory.
//!
//! Each power of two is cut into 128 equal buckets: a value is known to within 0.8 %, from nanoseconds to hours.

use std::time::Duration;

const SUB_BITS: u32 = 7;
const SUB: u64 = 1 << SUB_BITS;

/// Durations by size.
#[derive(Debug, Default, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, value: Duration) {
        let index = index_of(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX));
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
    }

    /// The duration that the share `q` (0.0 to 1.0) of all does not exceed, in microseconds; 0 when nothing was counted.
    pub fn quantile_us(&self, q: f64) -> f64 {
        let rank = ((self.total as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        self.buckets_us()
            .find(|(_, count)| {
                seen += count;
                seen >= rank
            })
            .map_or(0.0, |(middle, _)| middle)
    }

    /// The filled buckets in rising order: their middle in microseconds, and how many values they hold.
    pub fn buckets_us(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(index, count)| (middle_of(index) / 1_000.0, *count))
    }
}

/// Values below 128 have a bucket each; above, the seven bits behind the leading one choose it.
fn index_of(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    let index = u64::from(shift) * SUB + (value >> shift);
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The middle of a bucket in nanoseconds.
fn middle_of(index: usize) -> f64 {
    let index = index as u64;
    let shift = (index / SUB).saturating_sub(1);
    let low = (index - shift * SUB) << shift;
    low as f64 + ((1_u64 << shift) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_one_percent_of_its_buckets_middle() {
        for shift in 0..63 {
            for value in [
                1_u64 << shift,
                (1 << shift) + (1 << shift) / 3,
                (2 << shift) - 1,
            ] {
                let middle = middle_of(index_of(value));
                let off = (middle - value as f64).abs() / value as f64;
                assert!(off < 0.008, "{value} is counted as {middle}");
            }
        }
    }

    #[test]
    fn buckets_follow_each_other_without_gap_or_overlap() {
        let mut last = 0;
        for value in 1..100_000 {
            let index = index_of(value);
            assert!(index == last || index == last + 1, "jump at {value}");
            last = index;
        }
    }

    #[test]
    fn quantiles_of_a_known_series() {
        let mut histogram = Histogram::default();
        for micros in 1..=1_000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (q, expected) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let found = histogram.quantile_us(q);
            assert!((found - expected).abs() <= expected * 0.01, "{q}: {found}");
        }
    }

    #[test]
    fn nothing_counted_is_zero() {
        assert_eq!(Histogram::default().quantile_us(0.5), 0.0);
        assert_eq!(Histogram::default().buckets_us().count(), 0);
    }

    #[test]
    fn the_buckets_hold_every_value() {
        let mut histogram = Histogram::default();
        for nanos in (0..5_000_000).step_by(997) {
            histogram.record(Duration::from_nanos(nanos));
        }
        let counted: u64 = histogram.buckets_us().map(|(_, count)| count).sum();
        assert_eq!(counted, 5_000_000_u64.div_ceil(997));
        assert!(histogram.buckets_us().is_sorted_by(|a, b| a.0 < b.0));
    }
}
