//! Closed loop: each connection sends its next request when the last one is answered.

use std::{cell::Cell, rc::Rc, time::Instant};

use tokio::task::JoinSet;

use crate::run::Run;

/// When to stop sending. What is under way by then is still read to its end.
#[derive(Debug)]
pub enum Until {
    Deadline(Instant),
    /// So many requests may still be sent, over all connections.
    Requests(Cell<u64>),
}

impl Until {
    /// Whether one more request may be sent; counts it.
    fn take_one(&self) -> bool {
        match self {
            Self::Deadline(deadline) => Instant::now() < *deadline,
            Self::Requests(left) => {
                let before = left.get();
                left.set(before.saturating_sub(1));
                before > 0
            }
        }
    }
}

/// Runs `connections` loops to their end.
pub async fn run(run: Rc<Run>, connections: usize, until: Until) {
    let until = Rc::new(until);
    let mut loops = JoinSet::new();
    for _ in 0..connections {
        loops.spawn_local(one_loop(run.clone(), until.clone()));
    }
    loops.join_all().await;
}

async fn one_loop(run: Rc<Run>, until: Rc<Until>) {
    let mut connection = None;
    while until.take_one() {
        connection = run.request(connection, Instant::now()).await;
    }
}
