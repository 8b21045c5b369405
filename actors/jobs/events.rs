//! What followers of a job are told. The events follow from the job as it stands, so that nothing has to be kept for
//! who comes back: their numbers grow, and who names the last one that it has seen gets what is new since.

use std::sync::Arc;

use super::job::{Job, State};

/// Something new.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Grows from event to event of a job, not always by 1. Those that tell again how a job waits have the number of
    /// the event before: who comes back after either is told how it waits then.
    pub number: u64,
    pub kind: EventKind,
    /// As it stands.
    pub job: Arc<Job>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The state has changed.
    Status,
    /// It got on, or waits at another place.
    Progress,
    /// The result at that place.
    Result(usize),
    /// It failed.
    Error,
}

/// Numbers of one revision: its status, or its progress, or its results and its end.
const SPAN: u64 = 1_000;
/// Where in the revision before it a part's results stand: behind all progress.
const PARTS: u64 = 500;
/// Results of one job that are told; there are not more.
const MOST: usize = 400;

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
    for at in 0..job.output.results.len().min(MOST) {
        let since = job.known_since.get(at).copied().flatten();
        let place = since.map_or(base, |revision| u64::from(revision) * SPAN + PARTS);
        add(place + at as u64, EventKind::Result(at));
    }
    if !job.state.is_final() {
        let kind = match after >= base {
            true => EventKind::Progress,
            false => EventKind::Status,
        };
        add(base + u64::from(job.progress), kind);
    } else {
        if job.state == State::Failed {
            add(base + SPAN - 2, EventKind::Error);
        }
        add(base + SPAN - 1, EventKind::Status);
    }
    events.sort_by_key(|event| event.number);
    events
}

/// That the job waits at another place, told after the event numbered `after`.
#[must_use]
pub fn waiting(after: u64, job: &Arc<Job>) -> Event {
    Event {
        number: after,
        kind: EventKind::Progress,
        job: job.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{
        job::{JobFailure, JobResult, Yield},
        tests::hand::job,
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
    fn results_of_parts_are_told_once_as_they_come() {
        let error = JobFailure {
            kind: "upstream".to_owned(),
            code: "x".to_owned(),
            message: String::new(),
        };
        let two = Yield {
            results: vec![JobResult::Failed { error }; 2],
            usage: None,
        };
        let first = Job {
            revision: 2,
            progress: 30,
            output: two.clone(),
            known_since: vec![Some(2)],
            ..job(State::Processing)
        };
        let first = Job {
            output: Yield {
                results: first.output.results[..1].to_vec(),
                usage: None,
            },
            ..first
        };
        // what came before it in its revision has a smaller number
        assert_eq!(
            told(2_099, first.clone()),
            [(2_500, EventKind::Result(0)), (3_030, EventKind::Status)]
        );
        assert_eq!(told(3_030, first), []);
        let done = Job {
            revision: 3,
            output: two,
            known_since: vec![Some(2), None],
            ..job(State::Completed)
        };
        assert_eq!(
            told(3_030, done),
            [(4_001, EventKind::Result(1)), (4_999, EventKind::Status)]
        );
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
