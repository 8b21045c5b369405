//! The way to housekeeping.

use std::time::Duration;

use derive_more::{Display, Error, From};

use super::{
    actor::{Housekeeping, Last, Run},
    config::HousekeepingConfig,
    report::Report,
    round::{Ages, Upkeep},
};
use crate::{
    jobs::JobsConfig,
    media::Media,
    storage::{Database, config::StorageConfig},
    supervision::{AskError, ChildSpec, Clock, Handle, Tree, TreeError},
};

/// A round is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("housekeeping is under way already, ask for its report later")]
pub struct Busy;

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error, From)]
pub enum HousekeepingError {
    Busy(Busy),
    /// It did not answer in time; a round may go on all the same.
    #[display("housekeeping has not answered: {_0}")]
    Unavailable(AskError),
}

/// What it needs, from the configuration and from those that own what it removes.
#[derive(Clone)]
pub struct Setup {
    upkeep: Upkeep,
}

impl Setup {
    /// By the rules of these sections, on this database and its files.
    #[must_use]
    pub fn new(
        (config, jobs, storage): (&HousekeepingConfig, &JobsConfig, &StorageConfig),
        clock: &Clock,
        database: &Database,
        media: &Media,
    ) -> Self {
        let days = storage.media_max_age_days;
        let ages = Ages {
            jobs: Duration::from_secs(u64::from(jobs.retention_hours) * 3_600),
            files: (days > 0).then(|| Duration::from_secs(days * 86_400)),
            retention: Duration::from_secs(storage.media_min_retention_seconds),
        };
        Self {
            upkeep: Upkeep {
                config: config.clone(),
                ages,
                database: database.clone(),
                media: media.clone(),
                clock: clock.clone(),
            },
        }
    }
}

/// Asks for rounds and reports. Cheap to clone, valid over restarts of the actor.
#[derive(Debug, Clone)]
pub struct HousekeepingHandle {
    actor: Handle<Housekeeping>,
}

/// How long a round may take that somebody waits for.
const RUN_WAIT: Duration = Duration::from_secs(600);

impl HousekeepingHandle {
    /// Starts it as `jobs/housekeeping`, after the media store.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(tree: &Tree, setup: Setup) -> Result<Self, TreeError> {
        let spec = ChildSpec::new("jobs/housekeeping", "jobs", move || {
            Ok(Housekeeping::new(setup.upkeep.clone()))
        });
        Ok(Self {
            actor: tree.start(spec).await?,
        })
    }

    /// Does everything now, files compared with rows, or only says what there is to do.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn run(&self, dry_run: bool) -> Result<Report, HousekeepingError> {
        Ok(self.actor.ask_within(RUN_WAIT, Run { dry_run }).await??)
    }

    /// What came of the last round since the start; none before the first.
    ///
    /// # Errors
    /// [`HousekeepingError::Unavailable`].
    pub async fn last(&self) -> Result<Option<Report>, HousekeepingError> {
        Ok(self.actor.ask(Last).await?)
    }
}
