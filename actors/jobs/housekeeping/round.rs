//! One round: its chores in their order. Each takes some rows at a time, and what fails leaves the rest to the next
//! round.

use std::time::Duration;

use super::{config::HousekeepingConfig, report::Report};
use crate::{
    media::{Comparison, Media, MediaError, Reason, Tally, Tidy, policy},
    storage::{
        Connection, Database,
        queries::{
            images, jobs,
            media::MediaRow,
            upkeep::{self, Behind},
        },
    },
    supervision::{Clock, clock::millis},
};

/// What a round needs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Upkeep {
    pub config: HousekeepingConfig,
    pub ages: Ages,
    pub database: Database,
    pub media: Media,
    pub clock: Clock,
}

/// How old things get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ages {
    /// Finished jobs, and what they made.
    pub jobs: Duration,
    /// Files; none = any age.
    pub files: Option<Duration>,
    /// At least, whatever the others say: links hold so long.
    pub retention: Duration,
}

/// From the first row on.
fn first() -> Behind {
    (i64::MIN, String::new())
}

impl Upkeep {
    /// Does everything once, or only says what there is to do. Files and rows are compared where that is wanted.
    pub async fn round(self, dry_run: bool, compares: bool) -> Report {
        let begun = self.clock.now();
        let mut report = Report {
            dry_run,
            compared: compares,
            started_at: self.ago(Duration::ZERO),
            ..Report::default()
        };
        let mut ends = vec![
            self.old_jobs(&mut report).await,
            self.old_files(&mut report).await,
            self.files_over_limit(&mut report).await,
        ];
        if compares {
            ends.extend(self.differences(&mut report).await);
            ends.push(self.lost_pictures(&mut report).await);
        }
        for problem in ends.into_iter().filter_map(Result::err) {
            log::warn!("housekeeping has left something undone: {problem}");
            report.problems.push(problem.to_string());
        }
        report.took_ms = millis(self.clock.now().saturating_sub(begun));
        report
    }

    /// Finished jobs past their time, with their files. A pinned picture keeps its job.
    async fn old_jobs(&self, report: &mut Report) -> Result<(), MediaError> {
        let (before, most) = (
            self.ago(self.ages.jobs.max(self.ages.retention)),
            self.config.batch,
        );
        let mut behind = first();
        loop {
            let list = move |conn: &mut _| upkeep::old_jobs(conn, before, &behind, most);
            let batch = self.read(list).await?;
            let Some(last) = batch.last() else {
                return Ok(());
            };
            behind = last.clone();
            let ids: Vec<String> = batch.into_iter().map(|(_, id)| id).collect();
            let theirs = ids.clone();
            let files = self.read(move |conn| upkeep::files_of_jobs(conn, &theirs));
            self.part_with(files.await?, Reason::FilesOfOldJobs, report)
                .await?;
            let mut tally = Tally {
                items: ids.len() as u64,
                bytes: 0,
            };
            if !report.dry_run {
                let removed = self.database.write(move |conn| jobs::delete(conn, &ids));
                tally.items = removed.await? as u64;
                self.media.removals().count(Reason::OldJobs, tally);
            }
            report.add(Reason::OldJobs, tally);
        }
    }

    /// Files past their time; pinned pictures have none, nor has what a job needs that is not finished.
    async fn old_files(&self, report: &mut Report) -> Result<(), MediaError> {
        let Some(age) = self.ages.files else {
            return Ok(());
        };
        let (before, most) = (self.ago(age.max(self.ages.retention)), self.config.batch);
        let mut behind = first();
        loop {
            let list = move |conn: &mut _| upkeep::loose_files(conn, before, &behind, most);
            let batch = self.read(list).await?;
            let Some(last) = batch.last() else {
                return Ok(());
            };
            behind = (last.created_at, last.name.clone());
            self.part_with(batch, Reason::OldFiles, report).await?;
        }
    }

    /// The oldest files, where all together are too large: it was another limit when they came.
    async fn files_over_limit(&self, report: &mut Report) -> Result<(), MediaError> {
        if !report.dry_run {
            report.add(
                Reason::FilesOverLimit,
                self.media.tidy(Tidy::OverLimit).await?,
            );
            return Ok(());
        }
        let usage = self.media.usage().await?;
        let wanted = policy::to_free(usage.bytes, usage.limit);
        let (young, most) = (self.ago(self.ages.retention), self.config.batch);
        let (mut behind, mut tally) = (first(), Tally::default());
        while tally.bytes < wanted {
            let list = move |conn: &mut _| upkeep::loose_files(conn, young, &behind, most);
            let batch = self.read(list).await?;
            let Some(last) = batch.last() else {
                break;
            };
            behind = (last.created_at, last.name.clone());
            let sizes = batch.iter().map(MediaRow::size);
            let victims = policy::victims(sizes, wanted - tally.bytes);
            tally += Tally::of(&batch[..victims]);
        }
        report.add(Reason::FilesOverLimit, tally);
        Ok(())
    }

    /// What the store and its table do not agree on.
    async fn differences(&self, report: &mut Report) -> Vec<Result<(), MediaError>> {
        let how = Comparison {
            dry_run: report.dry_run,
            before: self.ago(self.grace()),
            batch: self.config.batch,
        };
        let mut ends = Vec::new();
        for (reason, tidy) in [
            (Reason::FilesWithoutRow, Tidy::Strays(how)),
            (Reason::RowsWithoutFile, Tidy::Lost(how)),
            (Reason::AbandonedFiles, Tidy::Abandoned(how)),
        ] {
            let gone = self.media.tidy(tidy).await;
            ends.push(gone.map(|gone| report.add(reason, gone)));
        }
        ends
    }

    /// Pictures that the store does not know, and what belongs to no picture.
    async fn lost_pictures(&self, report: &mut Report) -> Result<(), MediaError> {
        let (before, most) = (self.ago(self.grace()), self.config.batch);
        let mut tally = Tally::default();
        if report.dry_run {
            let count = move |conn: &mut Connection| {
                let lost = upkeep::count_lost_pictures(conn, before)?;
                Ok(lost + upkeep::count_loose_ends(conn)?)
            };
            tally.items = u64::try_from(self.read(count).await?).unwrap_or_default();
        } else {
            loop {
                let delete = move |conn: &mut Connection| {
                    let lost = upkeep::lost_pictures(conn, before, most)?;
                    images::delete(conn, &lost)
                };
                let removed = self.database.write(delete).await?;
                tally.items += removed as u64;
                if removed < most {
                    break;
                }
            }
            tally.items += self.database.write(upkeep::delete_loose_ends).await? as u64;
            self.media
                .removals()
                .count(Reason::PicturesWithoutFile, tally);
        }
        report.add(Reason::PicturesWithoutFile, tally);
        Ok(())
    }

    /// Files that go for that reason.
    async fn part_with(
        &self,
        files: Vec<MediaRow>,
        reason: Reason,
        report: &mut Report,
    ) -> Result<(), MediaError> {
        let tally = match report.dry_run {
            true => Tally::of(&files),
            false => self.media.tidy(Tidy::Named(names(files), reason)).await?,
        };
        report.add(reason, tally);
        Ok(())
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(self.config.grace_seconds)
    }

    /// So long before now, in milliseconds since 1970.
    fn ago(&self, time: Duration) -> i64 {
        let then = self.clock.wall_ms().saturating_sub(millis(time));
        i64::try_from(then).unwrap_or(i64::MAX)
    }

    async fn read<T: Send + 'static>(
        &self,
        list: impl FnOnce(&mut Connection) -> diesel::QueryResult<T> + Send + 'static,
    ) -> Result<T, MediaError> {
        Ok(self.database.read(list).await?)
    }
}

fn names(files: Vec<MediaRow>) -> Vec<String> {
    files.into_iter().map(|file| file.name).collect()
}
