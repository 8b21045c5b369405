//! Handles: typed, bounded calls to an actor that may be down, restarting or replaced.

use std::{sync::Arc, time::Duration};

use actix::{Addr, MailboxError, Message};
use arc_swap::ArcSwapOption;
use derive_more::{Display, Error};

use super::{
    cell::{Behaviour, Cell, Deliver, Receive},
    vitals::Vitals,
};

/// Why a call to an actor gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum AskError {
    /// It fell while it handled this message, or it is not there.
    #[display("{path} is not available")]
    Unavailable { path: Arc<str> },
    /// No answer inside the bounded wait. The message may still be handled.
    #[display("{path} did not answer in time")]
    Timeout { path: Arc<str> },
    /// Too many messages wait in its mailbox.
    #[display("{path} has too much to do")]
    Overloaded { path: Arc<str> },
}

/// Where the handles find the actor's present address.
pub(super) struct Slot<A: Behaviour> {
    pub vitals: Arc<Vitals>,
    pub address: ArcSwapOption<Addr<Cell<A>>>,
    pub ask_timeout: Duration,
    pub mailbox_limit: u64,
}

/// A cheap, cloneable way to call one actor, valid over all its restarts and replacements.
pub struct Handle<A: Behaviour>(pub(super) Arc<Slot<A>>);

impl<A: Behaviour> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Behaviour> std::fmt::Debug for Handle<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({})", self.0.vitals.path())
    }
}

impl<A: Behaviour> Handle<A> {
    /// Counters of the actor.
    #[must_use]
    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.0.vitals
    }

    /// Asks and waits for the answer, no longer than the configured time. If the returned future is
    /// dropped before the message is handled, the message may be skipped: what must happen goes
    /// through [`tell`](Self::tell).
    ///
    /// # Errors
    /// See [`AskError`]; a message that ends in an error may or may not have been handled.
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, AskError>
    where
        A: Receive<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.ask_within(self.0.ask_timeout, message).await
    }

    /// Like [`ask`](Self::ask) with a wait of its own, for answers that take longer by nature.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask_within<M>(&self, wait: Duration, message: M) -> Result<M::Result, AskError>
    where
        A: Receive<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        // sent here and now; the guard of the address must not live over the wait
        let request = self.admit()?.send(Deliver::new(message, &self.0.vitals));
        request.timeout(wait).await.map_err(|error| match error {
            MailboxError::Closed => self.unavailable(),
            MailboxError::Timeout => AskError::Timeout { path: self.path() },
        })
    }

    /// Sends without waiting, for what must happen even if the sender goes away: it is handled
    /// unless the actor falls with it in its mailbox, and then its restart re-reads what is durable.
    /// No limit refuses it, since a report that is lost would leave the state wrong; senders report
    /// on work that is itself bounded by permits.
    ///
    /// # Errors
    /// [`AskError::Unavailable`]; the message was then not sent.
    pub fn tell<M>(&self, message: M) -> Result<(), AskError>
    where
        A: Receive<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let address = self.0.address.load_full();
        let address = address.filter(|address| address.connected());
        let address = address.ok_or_else(|| self.unavailable())?;
        let deliver = Deliver::new(message, &self.0.vitals);
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the counted and bounded wrapper that the rule asks for"
        )]
        address.do_send(deliver);
        Ok(())
    }

    /// The present address, if there is one and its mailbox has room.
    fn admit(&self) -> Result<Arc<Addr<Cell<A>>>, AskError> {
        let slot = &*self.0;
        if slot.vitals.depth() >= slot.mailbox_limit {
            return Err(AskError::Overloaded { path: self.path() });
        }
        slot.address.load_full().ok_or_else(|| self.unavailable())
    }

    fn path(&self) -> Arc<str> {
        self.0.vitals.path().clone()
    }

    fn unavailable(&self) -> AskError {
        AskError::Unavailable { path: self.path() }
    }
}
