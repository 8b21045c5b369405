//! What workers ask to draw.

use futures_util::future::LocalBoxFuture;

use super::{job::Yield, policy::Fault};
use crate::{
    pictures::{Held, Tickets},
    storage::queries::jobs::JobRow,
};

/// Draws jobs. Tests bring their own.
pub trait Draw: Send + Sync + 'static {
    /// Has a job drawn and stored. What is in `tickets` is asked for, not drawn again.
    fn draw<'a>(
        &'a self,
        job: &'a JobRow,
        tickets: &'a dyn Tickets,
    ) -> LocalBoxFuture<'a, Result<Yield, Fault>>;

    /// Tells the upstream that what it has taken is not wanted any more.
    fn cancel<'a>(&'a self, job: &'a JobRow, held: Vec<Held>) -> LocalBoxFuture<'a, ()>;
}
