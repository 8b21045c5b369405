//! What a job's row becomes, pure: from one state to the next.

use std::{collections::BTreeMap, time::Duration};

use super::{
    job::{JobFailure, JobResult, Part, State, Yield, parts_of, so_far},
    node::Node,
    route::{Choice, Others},
};
use crate::{
    pictures::Held,
    storage::queries::jobs::{JobChange, JobRow},
};

/// Tickets by the parts that they belong to.
pub(super) type HeldParts = BTreeMap<usize, Held>;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Completed(Yield),
    Failed(JobFailure),
    /// Another attempt follows after a wait. `counts` = this one was one.
    Again {
        wait: Duration,
        counts: bool,
        setback: JobFailure,
    },
}

/// An attempt begins; one that only asks for what upstreams have taken goes on with the last. None if another node is
/// at it.
pub(super) fn begun(row: &JobRow, node: &Node, now: i64) -> Option<JobChange> {
    if !node.may_take(row.owner.as_deref(), row.leased_until, now) {
        return None;
    }
    let resumes = row.tickets.is_some();
    // a restart of the gateway is no attempt of its own
    let counts = !resumes || row.state != State::Processing.to_string();
    Some(JobChange {
        attempts: row.attempts + i32::from(counts),
        started_at: row.started_at.filter(|_| resumes).or(Some(now)),
        wake_at: None,
        owner: Some(node.name().to_owned()),
        leased_until: node.leased_until(now),
        ..to(State::Processing, row)
    })
}

/// A part is done while others are not; nobody will ask for it again.
pub(super) fn recorded(row: &JobRow, place: usize, output: &Yield) -> JobChange {
    let (mut parts, mut held) = (parts_of(row), held_of(row.tickets.as_deref()));
    let part = Part {
        revision: u32::try_from(row.revision + 1).unwrap_or_default(),
        output: output.clone(),
    };
    parts.insert(place, part);
    held.remove(&place);
    JobChange {
        made: Some(json(&parts)),
        tickets: (!held.is_empty()).then(|| json(&held)),
        ..to(State::Processing, row)
    }
}

/// An attempt has ended.
pub(super) fn ended(row: &JobRow, end: &End, now: i64) -> JobChange {
    match end {
        End::Completed(output) => JobChange {
            results: Some(json(output)),
            finished_at: Some(now),
            ..to(State::Completed, row)
        },
        End::Failed(failure) => failed(row, failure, now),
        End::Again {
            wait,
            counts,
            setback,
        } => {
            let state = match counts {
                true => State::Retrying,
                false => State::Pending,
            };
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            JobChange {
                attempts: (row.attempts - i32::from(!*counts)).max(0),
                wake_at: Some(now.saturating_add(wait)),
                error: Some(json(setback)),
                ..afresh(released(to(state, row)), row)
            }
        }
    }
}

/// Nobody wants it any more.
pub(super) fn cancelled(row: &JobRow, now: i64) -> JobChange {
    JobChange {
        finished_at: Some(now),
        ..to(State::Cancelled, row)
    }
}

/// An attempt was lost with its process, and may have been drawn. None if it has come to an end since it was looked
/// at, or another node is at it.
pub(super) fn lost(row: &JobRow, node: &Node, again: bool, now: i64) -> Option<JobChange> {
    let is_lost = row.state == State::Processing.to_string()
        && node.may_take(row.owner.as_deref(), row.leased_until, now);
    is_lost.then(|| interrupted(row, again, now))
}

/// The tickets of a row.
pub(super) fn held_of(tickets: Option<&str>) -> HeldParts {
    let read = tickets.and_then(|tickets| serde_json::from_str(tickets).ok());
    read.unwrap_or_default()
}

/// What a row becomes in a state, all else as it was.
pub(super) fn to(state: State, row: &JobRow) -> JobChange {
    JobChange {
        provider: row.provider.clone(),
        target: row.target.clone(),
        upstream_model: row.upstream_model.clone(),
        draft: row.draft.clone(),
        state: state.to_string(),
        attempts: row.attempts,
        interruptions: row.interruptions,
        tickets: row.tickets.clone(),
        results: None,
        error: None,
        started_at: row.started_at,
        wake_at: None,
        finished_at: None,
        price: row.price,
        made: row.made.clone(),
        others: row.others.clone(),
        owner: row.owner.clone(),
        leased_until: row.leased_until,
    }
}

/// The same for nobody in particular.
fn released(change: JobChange) -> JobChange {
    JobChange {
        owner: None,
        leased_until: None,
        ..change
    }
}

/// The same at another target.
pub(super) fn turned(change: JobChange, choice: &Choice, others: &Others) -> JobChange {
    JobChange {
        provider: choice.provider.clone(),
        target: choice.target.clone(),
        upstream_model: choice.upstream_model.clone(),
        price: choice.price,
        draft: json(&choice.order),
        others: Some(json(others)),
        ..change
    }
}

/// The same where the next round of targets begins, unless one of them is at work on it or has done a part.
fn afresh(change: JobChange, row: &JobRow) -> JobChange {
    let untouched = row.tickets.is_none() && row.made.is_none();
    let others = Others::read(row).filter(|_| untouched);
    let next = others
        .zip(Choice::present(row))
        .and_then(|(others, present)| others.afresh(present));
    match next {
        Some((choice, others)) => turned(change, &choice, &others),
        None => change,
    }
}

/// The end of a job that failed; what was made of it is not lost.
fn failed(row: &JobRow, failure: &JobFailure, now: i64) -> JobChange {
    let mut output = so_far(&parts_of(row));
    let finished_at = Some(now);
    if output.made() == 0 {
        return JobChange {
            error: Some(json(failure)),
            finished_at,
            ..to(State::Failed, row)
        };
    }
    let error = failure.clone();
    output.results.push(JobResult::Failed { error });
    JobChange {
        results: Some(json(&output)),
        finished_at,
        ..to(State::Completed, row)
    }
}

/// What becomes of a job whose attempt was lost: once it may be tried `again`.
fn interrupted(row: &JobRow, again: bool, now: i64) -> JobChange {
    let interruptions = row.interruptions + 1;
    let failure = |message: &str| JobFailure {
        kind: "interrupted".to_owned(),
        code: "interrupted".to_owned(),
        message: message.to_owned(),
    };
    if again && row.interruptions == 0 {
        return JobChange {
            interruptions,
            error: Some(json(&failure("the gateway was stopped"))),
            ..released(to(State::Retrying, row))
        };
    }
    let message = "the gateway was stopped while the upstream was perhaps at work on it; submit it again if you want \
                   to risk paying twice";
    JobChange {
        interruptions,
        ..failed(row, &failure(message), now)
    }
}

#[expect(
    clippy::expect_used,
    reason = "plain structs with text keys: their JSON cannot fail"
)]
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

/// The name of an enum's variant.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}
