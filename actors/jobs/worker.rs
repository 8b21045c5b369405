//! One job on its way: begun in the table, drawn, ended in the table.

use std::{sync::Arc, time::Duration};

use actix_rt::time::sleep;
use tokio::select;
use tokio_util::sync::CancellationToken;
use troupe_protocol::failure::FailureKind;

use super::{
    actor::{Jobs, Setup},
    draw::Harvest,
    handle::JobError,
    job::{JobFailure, NewJob, State, Yield},
    messages::{Adopt, Begun, Moved, tell},
    parts::OpenParts,
    patience::until_answered,
    policy::{Fault, Verdict, verdict},
    route::{Choice, Others},
    standing::setback,
    store::Kept,
    transition::End,
    waiting::Teller,
};
use crate::{
    storage::{StorageError, queries::jobs::JobRow},
    supervision::Handle,
};

pub(super) struct Worker {
    pub setup: Arc<Setup>,
    pub id: Arc<str>,
    /// Cancelled when the job is not wanted any more, or not here.
    pub token: CancellationToken,
    /// Cancelled when the process ends.
    pub shutdown: CancellationToken,
    pub manager: Handle<Jobs>,
}

/// What is drawn at once gets so long to be done when the process ends: it cannot be asked for later.
const LAST_STROKES: Duration = Duration::from_millis(2_500);

/// How a stay at the upstreams ended.
enum Drawn {
    Done(Harvest),
    Fell(Fault),
    /// The process ends, or the job is not wanted any more, or not here.
    Left,
}

impl Worker {
    /// Takes a job from the table. The row as it is then; none if it is finished by somebody else, another node's, or
    /// unknown.
    pub async fn work(&self, teller: Teller) -> Option<JobRow> {
        let store = &self.setup.store;
        let row = self
            .until_stored(async || store.begin(&self.id).await)
            .await??;
        self.setup.workers.note_begun(&self.id);
        let (id, started_at) = (self.id.clone(), row.started_at);
        tell(&self.manager, Begun { id, started_at });
        self.go_on(row, teller).await
    }

    /// The same for a job that is not in the table yet. `stored` is told once it is, or which one is there in its place.
    pub async fn work_on_new(
        &self,
        new: NewJob,
        teller: Teller,
        stored: impl FnOnce(Result<Kept, JobError>),
    ) -> Option<JobRow> {
        let row = match self.setup.store.insert_begun(new).await {
            Ok(Kept::New(row)) => row,
            Ok(earlier) => {
                stored(Ok(earlier));
                return None;
            }
            Err(error) => {
                stored(Err(error));
                return None;
            }
        };
        self.setup.workers.note_begun(&self.id);
        tell(&self.manager, Adopt::of(&row));
        stored(Ok(Kept::New(row.clone())));
        self.go_on(row, teller).await
    }

    async fn go_on(&self, mut row: JobRow, mut teller: Teller) -> Option<JobRow> {
        let store = &self.setup.store;
        let parts = OpenParts::of(&row, self);
        let mut said: Option<Fault> = None;
        let (end, result) = loop {
            teller.turn_to(&row.target);
            let fault = match self.draw(&row, &parts, &mut teller).await {
                Drawn::Left => return None,
                Drawn::Done(harvest) => {
                    let output = Yield::of(parts.with(harvest));
                    break (End::Completed(output.clone()), Ok(output));
                }
                Drawn::Fell(fault) => fault,
            };
            let held = !parts.held().is_empty();
            let fault = weightier(said.take(), Fault { held, ..fault });
            log_fault(&row, &fault);
            let Some((choice, others)) = self.next(&row, &fault) else {
                break (self.judge(&fault, &row, &teller), Err(fault));
            };
            teller.fell_back(&row.target, &choice.target, fault.kind);
            said = Some(fault);
            let turn = async || {
                let (choice, others) = (choice.clone(), others.clone());
                store.turn(&self.id, choice, others).await
            };
            row = self.until_stored(turn).await??;
            tell(&self.manager, Moved::of(&row));
        };
        log_end(&row, &end);
        let ended = self
            .until_stored(async || store.end(&self.id, end.clone()).await)
            .await?;
        if let Some(row) = ended.as_ref().filter(|_| result.is_err()) {
            // one that is tried again asks for what upstreams have taken
            if row.finished_at.is_some() {
                self.setup.workers.call_off(&self.setup, row, parts.held());
            }
        }
        teller.ended(result);
        ended
    }

    async fn draw(&self, row: &JobRow, parts: &OpenParts<'_>, teller: &mut Teller) -> Drawn {
        if let Some(fault) = self.late(row, Duration::ZERO, "it waited too long") {
            return Drawn::Fell(fault);
        }
        select! {
            drawn = self.setup.draw.draw(row, parts, teller) => match drawn {
                Ok(harvest) => Drawn::Done(harvest),
                Err(fault) => Drawn::Fell(fault),
            },
            () = self.token.cancelled() => {
                self.leave(row, parts, teller).await;
                Drawn::Left
            }
            // the next start goes on from what is in the table
            () = self.end_of_process(parts) => Drawn::Left,
        }
    }

    /// Tells the upstream that the job is not wanted any more, unless it is merely another node's now.
    async fn leave(&self, row: &JobRow, parts: &OpenParts<'_>, teller: &Teller) {
        let look = async || self.setup.store.get(&self.id).await;
        let found = self.until_stored(look).await.flatten();
        let state = found.map(|row| row.state);
        if state == Some(State::Cancelled.to_string()) {
            self.setup.workers.call_off(&self.setup, row, parts.held());
            teller.ended(Err(cancelled()));
        }
    }

    /// Returns when the process ends and there is no use in going on.
    async fn end_of_process(&self, parts: &OpenParts<'_>) {
        self.shutdown.cancelled().await;
        if parts.held().is_empty() {
            sleep(LAST_STROKES).await;
        }
    }

    /// The target that is asked after that fault, and those that are left then.
    fn next(&self, row: &JobRow, fault: &Fault) -> Option<(Choice, Others)> {
        let others = Others::read(row)?;
        let may_help = others.may_help(fault, self.setup.store.now());
        let present = Choice::present(row).filter(|_| may_help)?;
        others.turn(present)
    }

    fn judge(&self, fault: &Fault, row: &JobRow, teller: &Teller) -> End {
        let attempts = u32::try_from(row.attempts).unwrap_or_default();
        let failed = |fault: &Fault| End::Failed(JobFailure::from(fault));
        // who waits is told at once, and may try again himself
        if teller.is_heard() {
            return failed(fault);
        }
        let (wait, counts) = match verdict(fault, attempts, &self.setup.config) {
            Verdict::Retry(wait) => (wait, true),
            Verdict::Rest(wait) => (wait, false),
            Verdict::Fail => return failed(fault),
        };
        match self.late(row, wait, &fault.message) {
            Some(late) => failed(&late),
            None => End::Again {
                wait,
                counts,
                setback: setback(fault),
            },
        }
    }

    /// The fault of a job that would have to be done after its time.
    fn late(&self, row: &JobRow, wait: Duration, why: &str) -> Option<Fault> {
        let hours = self.setup.config.max_hours;
        let end = row.created_at + i64::from(hours) * 3_600_000;
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let is_late = self.setup.store.now().saturating_add(wait_ms) > end;
        is_late.then(|| Fault {
            // nothing may be done any more, by whomever
            open: true,
            ..Fault::of(
                FailureKind::Timeout,
                &format!("it was not done within jobs.max_hours ({hours}): {why}"),
            )
        })
    }

    /// Tries a write until the database has taken or refused it. None when the process ends, or when it refused.
    pub async fn until_stored<T>(
        &self,
        write: impl AsyncFnMut() -> Result<T, StorageError>,
    ) -> Option<T> {
        until_answered(&self.shutdown, &format!("job {}", self.id), write).await
    }
}

/// What an upstream said tells more than that another could not be asked.
fn weightier(said: Option<Fault>, fault: Fault) -> Fault {
    match said {
        Some(said) if !fault.was_said() && !fault.open => said,
        _ => fault,
    }
}

fn cancelled() -> Fault {
    Fault::of(FailureKind::Cancelled, "the job was cancelled")
}

fn log_fault(row: &JobRow, fault: &Fault) {
    log::info!(
        "job {} did not come of {}: {}: {}",
        row.id,
        row.target,
        fault.kind,
        fault.message
    );
}

fn log_end(row: &JobRow, end: &End) {
    match end {
        End::Completed(_) => log::debug!("job {} is done", row.id),
        End::Failed(failure) => {
            log::info!(
                "job {} failed: {}: {}",
                row.id,
                failure.kind,
                failure.message
            );
        }
        End::Again { wait, .. } => {
            log::info!("job {} is tried again in {} ms", row.id, wait.as_millis());
        }
    }
}
