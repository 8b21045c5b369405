//! What the table tells the manager: which jobs are not finished, and how long models take.

use std::sync::Arc;

use super::{
    actor::Setup,
    job::State,
    policy::{Entry, RESUMED},
};
use crate::storage::{StorageError, queries::jobs::JobBrief};

/// What the table holds.
pub(super) struct Read {
    pub unfinished: Vec<JobBrief>,
    pub durations: Vec<(String, i64)>,
    /// Those that were interrupted, and for which that was the end.
    pub ended: Vec<String>,
}

/// Reads the table. What was begun by nobody who lives, and cannot be asked for, was interrupted.
pub(super) async fn read(setup: Arc<Setup>, first: bool) -> Result<Read, StorageError> {
    let alive = setup.workers.ids();
    let durations = match first {
        true => setup.store.durations().await?,
        false => Vec::new(),
    };
    let mut unfinished = setup.store.unfinished().await?;
    // what other living nodes are at is theirs
    let (node, now) = (&setup.store.node, setup.store.now());
    unfinished.retain(|job| node.may_take(job.owner.as_deref(), job.leased_until, now));
    // who was begun meanwhile lives too
    let begun = setup.workers.ids();
    let processing = State::Processing.to_string();
    let mut ended = Vec::new();
    for job in &mut unfinished {
        let lives = alive.iter().chain(&begun).any(|id| **id == *job.id);
        if job.state == processing && job.tickets.is_none() && !lives {
            log::warn!("job {} was interrupted", job.id);
            match setup.store.interrupt(&job.id, &setup.config).await? {
                Some(row) if row.finished_at.is_none() => job.state = row.state,
                _ => ended.push(job.id.clone()),
            }
        }
    }
    unfinished.retain(|job| !ended.contains(&job.id));
    Ok(Read {
        unfinished,
        durations,
        ended,
    })
}

pub(super) fn entry_of(job: &JobBrief) -> Entry {
    Entry {
        id: job.id.as_str().into(),
        app: job.app_id.as_str().into(),
        provider: job.provider.as_str().into(),
        model: job.model.as_str().into(),
        priority: match job.tickets {
            Some(_) => RESUMED,
            None => job.priority,
        },
        at_once: false,
    }
}
