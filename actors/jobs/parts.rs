//! The parts of one job while it is drawn: what upstreams gave for those under way, and what came of those that are
//! done. Both are in the job's row before anything else is done.

use std::cell::RefCell;

use futures_util::future::LocalBoxFuture;

use super::{
    draw::Harvest,
    job::{Yield, parts_of, so_far_by_place},
    messages::{Begun, tell},
    transition::{HeldParts, held_of},
    worker::Worker,
};
use crate::{
    pictures::{Drawn, Held, Tickets},
    storage::queries::jobs::JobRow,
};

/// See the module's head.
pub(super) struct OpenParts<'w> {
    held: RefCell<HeldParts>,
    done: RefCell<Harvest>,
    worker: &'w Worker,
}

impl<'w> OpenParts<'w> {
    pub fn of(row: &JobRow, worker: &'w Worker) -> Self {
        let parts = Self {
            held: RefCell::new(held_of(row.tickets.as_deref())),
            done: RefCell::new(so_far_by_place(&parts_of(row))),
            worker,
        };
        parts.note_held();
        parts
    }

    /// What the drain needs not wait for.
    fn note_held(&self) {
        let is_held = !self.held.borrow().is_empty();
        self.worker
            .setup
            .workers
            .note_held(&self.worker.id, is_held);
    }

    /// What upstreams gave for parts that are under way.
    pub fn held(&self) -> Vec<Held> {
        self.held.borrow().values().cloned().collect()
    }

    /// All that is done, with what came last.
    pub fn with(&self, harvest: Harvest) -> Harvest {
        let mut all = self.done.borrow().clone();
        all.extend(harvest);
        all
    }
}

impl Tickets for OpenParts<'_> {
    fn held(&self, part: usize) -> Option<Held> {
        self.held.borrow().get(&part).cloned()
    }

    fn hold(&self, part: usize, held: Option<Held>) -> LocalBoxFuture<'_, ()> {
        match held {
            Some(held) => self.held.borrow_mut().insert(part, held),
            None => self.held.borrow_mut().remove(&part),
        };
        Box::pin(async move {
            let worker = self.worker;
            let write = async || {
                let parts = self.held.borrow().clone();
                worker.setup.store.hold(&worker.id, &parts).await
            };
            // without the table's word it goes on all the same: the upstream is at work
            if worker.until_stored(write).await.is_some() {
                self.note_held();
            }
        })
    }

    fn is_done(&self, part: usize) -> bool {
        self.done.borrow().contains_key(&part)
    }

    fn done<'a>(&'a self, part: usize, drawn: &'a Drawn) -> LocalBoxFuture<'a, ()> {
        let output = Yield::from(drawn);
        self.done.borrow_mut().insert(part, output.clone());
        self.held.borrow_mut().remove(&part);
        Box::pin(async move {
            let worker = self.worker;
            let record = async || {
                let store = &worker.setup.store;
                store.record(&worker.id, part, output.clone()).await
            };
            self.note_held();
            // the end tells it once more
            if let Some(Some(_)) = worker.until_stored(record).await {
                let (id, started_at) = (worker.id.clone(), None);
                tell(&worker.manager, Begun { id, started_at });
            }
        })
    }
}
