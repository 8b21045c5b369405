//! Closed loop: each connection sends its next request when the last one is answered.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

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

/// Runs `connections` loops to their end. Their starts are spread evenly over `stagger`, so that streams of a fixed
/// pace do not all send at the same moment.
pub async fn run(run: Rc<Run>, connections: usize, stagger: Duration, until: Until) {
    let until = Rc::new(until);
    let mut loops = JoinSet::new();
    for index in 0..connections {
        let (run, until) = (run.clone(), until.clone());
        let wait = stagger.mul_f64(index as f64 / connections as f64);
        loops.spawn_local(async move {
            if !wait.is_zero() {
                sleep(wait).await;
            }
            one_loop(run, until).await;
        });
    }
    loops.join_all().await;
}

async fn one_loop(run: Rc<Run>, until: Rc<Until>) {
    let mut connection = None;
    while until.take_one() {
        connection = run.request(connection, Instant::now()).await;
    }
}
