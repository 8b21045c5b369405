//! The right and the duty to make an answer.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    fingerprint::Fingerprint,
    policy::Wish,
    recording::{End, Head, Reader, Recording, Refusal},
    table::{Ask, KeyScope, Scope, Table},
};
use crate::accounts::calls::Outcome;

/// Held by the request that is the first of its kind, while it makes the answer. Dropped before that is complete, it
/// withdraws the request, and tells its readers that the recording is broken.
#[derive(Debug)]
#[must_use = "dropping it withdraws the request"]
pub struct Ticket {
    pub(super) table: Table,
    pub(super) ask: Ask,
    pub(super) id: u64,
    pub(super) recording: Arc<Recording>,
}

impl Ticket {
    pub(super) fn new(table: Table, ask: Ask, id: u64, recording: Arc<Recording>) -> Self {
        Self {
            table,
            ask,
            id,
            recording,
        }
    }

    /// Whether the answer is for an `Idempotency-Key`, and wanted even when nobody waits for it any more.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.ask.wish == Wish::Idempotent
    }

    /// The `Idempotency-Key` and the fingerprint that belongs to it.
    pub(super) fn key(&self) -> Option<(&KeyScope, Fingerprint)> {
        match &self.ask.scope {
            Scope::Key(scope) => Some((scope, self.ask.fingerprint)),
            Scope::Twin { .. } => None,
        }
    }

    /// A reader of the answer to come.
    #[must_use]
    pub fn read(&self) -> Reader {
        self.recording.read()
    }

    /// Done as soon as nobody reads the answer.
    pub async fn unread(&self) {
        self.recording.unread().await;
    }

    /// Notes what precedes the body.
    pub fn begin(&self, head: Head) {
        self.recording.begin(head);
    }

    /// Records a piece of the body. False where the answer is too large: neither this nor any later piece reaches the
    /// readers, who have been told.
    #[must_use]
    pub fn push(&self, piece: Bytes) -> bool {
        self.recording.push(piece)
    }

    /// The answer is whole with its last piece. False as in [`push`](Self::push), which is no news where that said so
    /// before.
    pub fn complete(self, last: Option<Bytes>, outcome: Outcome) -> bool {
        self.recording.end(last, End::Complete(outcome))
    }

    /// There will be no answer, for the others neither.
    pub fn refuse(self, refusal: Refusal) {
        self.recording.end(None, End::Refused(refusal));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // first out of the table: whoever is told that it broke comes back at once
        self.table.withdraw(&self.ask.scope, self.id);
        self.recording.end(None, End::Broken);
    }
}
