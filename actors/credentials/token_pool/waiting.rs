//! Requests that wait for a token, first come first served.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::messages::Lend;
use crate::{
    credentials::lease::{Lease, LeaseError},
    supervision::clock::Monotonic,
};

/// One request that waits. If it goes away, its `reply` is closed and it is passed over.
pub struct Waiter {
    pub lend: Lend,
    /// When it is told that there is none.
    pub deadline: Monotonic,
    /// Taken with the answer.
    pub reply: Option<oneshot::Sender<Result<Lease, LeaseError>>>,
}

/// What happens to a waiter whose turn it is.
pub enum Turn {
    Answer(Result<Lease, LeaseError>),
    /// It waits on; if nothing else happens, asking again makes sense from then on.
    Wait(Option<Monotonic>),
}

/// The queue.
#[derive(Default)]
pub struct Waiting(VecDeque<Waiter>);

impl Waiting {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many wait, those included whose caller has left since the last [`serve`](Self::serve).
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn push(&mut self, waiter: Waiter) {
        self.0.push_back(waiter);
    }

    /// Gives each its turn. Returns when the next turns are due at the latest.
    pub fn serve(&mut self, mut turn: impl FnMut(&Waiter) -> Turn) -> Option<Monotonic> {
        let mut next: Option<Monotonic> = None;
        self.0.retain_mut(|waiter| {
            if waiter.reply.as_ref().is_none_or(oneshot::Sender::is_closed) {
                return false;
            }
            match turn(waiter) {
                Turn::Wait(until) => {
                    let due = until.map_or(waiter.deadline, |until| until.min(waiter.deadline));
                    next = Some(next.map_or(due, |next| next.min(due)));
                    true
                }
                Turn::Answer(answer) => {
                    // a lease that comes back from a closed reply reports itself as dropped
                    let _ = waiter.reply.take().map(|reply| reply.send(answer));
                    false
                }
            }
        });
        next
    }
}
