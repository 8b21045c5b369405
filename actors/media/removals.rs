//! What was removed, by why it was.

use std::{ops::AddAssign, sync::Arc};

use derive_more::Display;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use serde::Serialize;

use crate::storage::queries::media::MediaRow;

/// Why something was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Finished jobs past `jobs.retention_hours`.
    #[display("old_jobs")]
    OldJobs,
    /// What those jobs had made or were given.
    #[display("files_of_old_jobs")]
    FilesOfOldJobs,
    /// Files past `storage.media_max_age_days`.
    #[display("old_files")]
    OldFiles,
    /// The oldest files, since all together are more than `storage.media_max_bytes`.
    #[display("files_over_limit")]
    FilesOverLimit,
    /// Files that somebody asked to be removed.
    #[display("unwanted_files")]
    UnwantedFiles,
    /// Files of jobs that have them neither among their pictures nor anywhere else.
    #[display("abandoned_files")]
    AbandonedFiles,
    /// Files that the table does not know.
    #[display("files_without_row")]
    FilesWithoutRow,
    /// Rows whose file is gone.
    #[display("rows_without_file")]
    RowsWithoutFile,
    /// Pictures of jobs that the store does not know, and thumbnails and tags of no picture.
    #[display("pictures_without_file")]
    PicturesWithoutFile,
}

/// So many, and so much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub items: u64,
    /// On disk; of files that share their bytes each has them.
    pub bytes: u64,
}

impl Tally {
    /// Of these files.
    #[must_use]
    pub fn of(rows: &[MediaRow]) -> Self {
        Self {
            items: rows.len() as u64,
            bytes: rows.iter().map(MediaRow::size).sum(),
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.items += more.items;
        self.bytes += more.bytes;
    }
}

/// Counts removals. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Removals(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    items: Family<ReasonLabel, Counter>,
    bytes: Family<ReasonLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

impl Removals {
    /// Shows the counts in `/metrics`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_removed",
            "Jobs, files and rows that were removed, by why they were",
            self.0.items.clone(),
        );
        registry.register(
            "troupe_removed_bytes",
            "The size of removed files, by why they were removed",
            self.0.bytes.clone(),
        );
    }

    /// So many were removed.
    pub fn count(&self, reason: Reason, tally: Tally) {
        if tally.items == 0 {
            return;
        }
        let label = ReasonLabel {
            reason: reason.to_string(),
        };
        self.0.items.get_or_create(&label).inc_by(tally.items);
        self.0.bytes.get_or_create(&label).inc_by(tally.bytes);
    }

    /// How many were removed since the start.
    #[must_use]
    pub fn items(&self, reason: Reason) -> u64 {
        let reason = reason.to_string();
        self.0.items.get_or_create(&ReasonLabel { reason }).get()
    }
}
