//! What a round of housekeeping has removed.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::media::{Reason, Tally};

/// What came of one round.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Whether it only says what would go.
    pub dry_run: bool,
    /// Whether files were compared with their rows.
    pub compared: bool,
    /// Milliseconds since 1970.
    pub started_at: i64,
    pub took_ms: u64,
    /// What went, by why it did.
    pub removed: BTreeMap<Reason, Tally>,
    /// What could not be done, and why; the next round tries again.
    pub problems: Vec<String>,
}

impl Report {
    /// So much more went for that reason.
    pub fn add(&mut self, reason: Reason, more: Tally) {
        *self.removed.entry(reason).or_default() += more;
    }

    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.values().all(|tally| tally.items == 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = self.removed.iter().filter(|(_, tally)| tally.items > 0);
        for (index, (reason, tally)) in some.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {reason} ({} bytes)", tally.items, tally.bytes)?;
        }
        Ok(())
    }
}
