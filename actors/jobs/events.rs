//! What followers of a job are told. The events follow from the job as it stands, so that nothing has to be kept for
//! who comes back: their numbers grow, and who names the last one that it has seen gets what is new since.

use std::sync::Arc;

use super::job::{Job, State};

/// Something new.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Grows from event to event of a job, not always by 1.
    pub number: u64,
    pub kind: EventKind,
    /// As it stands.
    pub job: Arc<Job>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The state has changed.
    Status,
    /// It got on.
    Progress,
    /// The result at that place.
    Result(usize),
    /// It failed.
    Error,
}

/// Numbers of one revision: its status, or its progress, or its results and its end.
const SPAN: u64 = 1_000;

/// What is new since the event numbered `after`; 0 = everything.
#[must_use]
pub fn since(after: u64, job: &Arc<Job>) -> Vec<Event> {
    let base = (u64::from(job.revision) + 1) * SPAN;
    let mut events = Vec::new();
    let mut add = |number: u64, kind| {
        if number > after {
            let job = job.clone();
            events.push(Event { number, kind, job });
        }
    };
    if !job.state.is_final() {
        let kind = match after >= base {
            true => EventKind::Progress,
            false => EventKind::Status,
        };
        add(base + u64::from(job.progress), kind);
        return events;
    }
    for at in 0..job.output.results.len().min(900) {
        add(base + at as u64, EventKind::Result(at));
    }
    if job.state == State::Failed {
        add(base + SPAN - 2, EventKind::Error);
    }
    add(base + SPAN - 1, EventKind::Status);
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{
        job::{JobFailure, JobResult, Yield},
        tests::job,
    };

    fn told(after: u64, job: Job) -> Vec<(u64, EventKind)> {
        let events = since(after, &Arc::new(job));
        events
            .into_iter()
            .map(|event| (event.number, event.kind))
            .collect()
    }

    #[test]
    fn who_comes_back_gets_what_is_new() {
        let pending = job(State::Pending);
        assert_eq!(told(0, pending.clone()), [(1_000, EventKind::Status)]);
        assert_eq!(told(1_000, pending), []);
        let processing = |progress| Job {
            revision: 1,
            progress,
            ..job(State::Processing)
        };
        assert_eq!(told(1_000, processing(0)), [(2_000, EventKind::Status)]);
        assert_eq!(told(2_000, processing(7)), [(2_007, EventKind::Progress)]);
        assert_eq!(told(2_007, processing(7)), []);
        assert_eq!(told(0, processing(7)), [(2_007, EventKind::Status)]);
    }

    #[test]
    fn the_end_tells_results_then_the_error_then_the_status() {
        let error = JobFailure {
            kind: "upstream".to_owned(),
            code: "x".to_owned(),
            message: String::new(),
        };
        let result = JobResult::Failed { error };
        let ended = |state| Job {
            revision: 2,
            output: Yield {
                results: vec![result.clone(), result.clone()],
                usage: None,
            },
            ..job(state)
        };
        let (first, second) = ((3_000, EventKind::Result(0)), (3_001, EventKind::Result(1)));
        let (error, status) = ((3_998, EventKind::Error), (3_999, EventKind::Status));
        assert_eq!(
            told(2_050, ended(State::Completed)),
            [first, second, status]
        );
        assert_eq!(told(3_000, ended(State::Failed)), [second, error, status]);
        assert_eq!(told(3_999, ended(State::Failed)), []);
    }
}
