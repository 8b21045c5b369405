//! Who else may do a job: the other targets of the route that its model is. It is part of the job's row, so that a
//! restart goes on with the target at which the job was.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{order::JobOrder, policy::Fault};
use crate::{catalog::config::FallbackOn, storage::queries::jobs::JobRow};

/// A target, and the order as it gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub provider: String,
    /// The full id at the catalog, `provider/model`.
    pub target: String,
    /// What the upstream calls it.
    pub upstream_model: String,
    /// Credits for one picture, times a million.
    pub price: i64,
    pub order: JobOrder,
}

/// The targets beside the one at which a job is, the next one first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Others {
    /// The failures after which the next is asked.
    pub on: Vec<FallbackOn>,
    /// No other is asked from then on, in milliseconds since 1970; none where nobody waits.
    pub until: Option<i64>,
    /// How many may still be asked before the job fails, or rests.
    pub left: usize,
    pub choices: VecDeque<Choice>,
}

impl Others {
    /// Those of a job that has just been ordered; none where there is no other.
    #[must_use]
    pub fn of(on: Vec<FallbackOn>, until: Option<i64>, choices: Vec<Choice>) -> Option<Self> {
        (!choices.is_empty()).then(|| Self {
            on,
            until,
            left: choices.len(),
            choices: choices.into(),
        })
    }

    pub(super) fn read(row: &JobRow) -> Option<Self> {
        serde_json::from_str(row.others.as_deref()?).ok()
    }

    /// Whether the next one is asked after that fault, unless the upstream may have drawn it already.
    #[must_use]
    pub fn may_help(&self, fault: &Fault, now: i64) -> bool {
        let named = FallbackOn::of(fault.kind).is_some_and(|kind| self.on.contains(&kind));
        let in_time = self.until.is_none_or(|until| now < until);
        self.left > 0 && named && in_time && !fault.open && !fault.held
    }

    /// The next one; the present one stands behind all others from now on.
    #[must_use]
    pub fn turn(mut self, present: Choice) -> Option<(Choice, Self)> {
        let next = self.choices.pop_front()?;
        self.choices.push_back(present);
        self.left = self.left.saturating_sub(1);
        Some((next, self))
    }

    /// The same for a new round, in which each may be asked.
    #[must_use]
    pub fn afresh(self, present: Choice) -> Option<(Choice, Self)> {
        let (next, mut others) = self.turn(present)?;
        others.left = others.choices.len();
        Some((next, others))
    }
}

impl Choice {
    /// The one at which a job is; none where its order cannot be read.
    pub(super) fn present(row: &JobRow) -> Option<Self> {
        Some(Self {
            provider: row.provider.clone(),
            target: row.target.clone(),
            upstream_model: row.upstream_model.clone(),
            price: row.price,
            order: serde_json::from_str(&row.draft).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use troupe_protocol::failure::FailureKind;

    use super::*;
    use crate::jobs::tests::hand::{choice, fault};

    fn targets(others: &Others) -> Vec<&str> {
        let targets = others.choices.iter();
        targets.map(|choice| choice.target.as_str()).collect()
    }

    #[test]
    fn targets_take_turns_and_begin_afresh() {
        let others = Others::of(vec![], None, vec![choice("b"), choice("c")]).unwrap();
        let (next, others) = others.turn(choice("a")).unwrap();
        assert_eq!((next.target.as_str(), others.left), ("b", 1));
        let (next, others) = others.turn(next).unwrap();
        assert_eq!((next.target.as_str(), others.left), ("c", 0));
        assert_eq!(targets(&others), ["a", "b"]);
        let (next, others) = others.afresh(next).unwrap();
        assert_eq!((next.target.as_str(), others.left), ("a", 2));
        assert_eq!(targets(&others), ["b", "c"]);
        assert_eq!(Others::of(vec![], None, vec![]), None);
    }

    #[test]
    fn the_next_is_asked_after_what_the_route_names_unless_it_may_be_drawn() {
        let on = vec![FallbackOn::Upstream];
        let others = Others::of(on, Some(100), vec![choice("b")]).unwrap();
        let upstream = fault(FailureKind::Upstream, false);
        assert!(others.may_help(&upstream, 99));
        assert!(!others.may_help(&upstream, 100));
        assert!(!others.may_help(&fault(FailureKind::Network, false), 0));
        for (open, held) in [(true, false), (false, true)] {
            let fault = Fault {
                open,
                held,
                ..upstream.clone()
            };
            assert!(!others.may_help(&fault, 0));
        }
        let (_, spent) = others.turn(choice("a")).unwrap();
        assert!(!spent.may_help(&upstream, 0));
    }
}
