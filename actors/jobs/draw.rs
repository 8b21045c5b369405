//! What workers ask to draw.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;

use super::{job::Yield, policy::Fault, waiting::Teller};
use crate::{
    pictures::{Held, Tickets},
    storage::queries::jobs::JobRow,
};

/// What came of the parts of a job, by their places.
pub type Harvest = BTreeMap<usize, Yield>;

/// Draws jobs. Tests bring their own.
pub trait Draw: Send + Sync + 'static {
    /// Has a job drawn and stored, but for those of its parts that are done. What is in `tickets` is asked for, not
    /// drawn again. Fails only if no part is done.
    fn draw<'a>(
        &'a self,
        job: &'a JobRow,
        tickets: &'a dyn Tickets,
        teller: &'a mut Teller,
    ) -> LocalBoxFuture<'a, Result<Harvest, Fault>>;

    /// Tells the upstream that what it has taken is not wanted any more.
    fn cancel<'a>(&'a self, job: &'a JobRow, held: Vec<Held>) -> LocalBoxFuture<'a, ()>;
}
