//! What the actor of webhooks takes.

use actix::Message;

/// Something new is in the outbox, or may be tried at once.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Wake;

/// An attempt is over, and its place is free.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Ended;
