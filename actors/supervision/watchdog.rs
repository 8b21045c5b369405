//! Pings every actor from a thread of its own and reports those that do not answer. It looks after the
//! supervisor too, which nobody else can.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::Addr;
use actix_rt::{Arbiter, time};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{
    child::Control,
    tree::{
        GiveUp, News, NewsDesk, Supervisor,
        requests::{Watch, Watched},
    },
    vitals::State,
};

/// How the watch may end.
pub(super) struct Ends {
    /// Everything is being stopped, as it was told to.
    pub ordered: CancellationToken,
    /// For a supervisor that is gone without having been told to.
    pub give_up: GiveUp,
}

/// Starts the watchdog's thread. An actor is frozen when a ping gets no answer for `patience`, or when
/// it has been starting for longer than it may.
pub(super) fn start(supervisor: Addr<Supervisor>, patience: Duration, ends: Ends) {
    let arbiter = Arbiter::new();
    arbiter.spawn(async move {
        run(&supervisor, patience).await;
        if !ends.ordered.is_cancelled() {
            log::error!("the supervisor itself fell, the process ends");
            (ends.give_up)();
        }
        Arbiter::current().stop();
    });
}

/// Ends when there is no supervisor any more.
async fn run(supervisor: &Addr<Supervisor>, patience: Duration) {
    // at least a tick, so that a patience of zero does not spin
    let pause = (patience / 2).max(Duration::from_millis(10));
    let desk = NewsDesk(supervisor.clone());
    let mut starts = Starts::default();
    loop {
        time::sleep(pause).await;
        match supervisor.send(Watched).timeout(patience.max(pause)).await {
            Ok(watched) => {
                for late in starts.overdue(&watched, Instant::now()) {
                    report(&late.control, late.control.vitals().generation(), &desk);
                }
                let is_up = |watch: &&Watch| watch.control.vitals().state() == State::Up;
                let up = watched.iter().filter(is_up);
                join_all(up.map(|watch| ask(&watch.control, &desk, patience))).await;
            }
            Err(actix::MailboxError::Timeout) => log::error!("the supervisor itself is frozen"),
            Err(actix::MailboxError::Closed) => return,
        }
    }
}

async fn ask(control: &Arc<dyn Control>, desk: &NewsDesk, patience: Duration) {
    let generation = control.vitals().generation();
    // an actor that fell meanwhile is its guardian's business
    if time::timeout(patience, control.ping()).await.is_err() {
        report(control, generation, desk);
    }
}

fn report(control: &Arc<dyn Control>, generation: u64, desk: &NewsDesk) {
    desk.send(News::Frozen {
        path: control.vitals().path().clone(),
        generation,
    });
}

/// Who is starting, and since when it was seen to: one that blocks its thread in there has no mailbox
/// yet that could be asked.
#[derive(Default)]
struct Starts(HashMap<Arc<str>, (Life, Instant)>);

/// Generation and falls: another one is another start.
type Life = (u64, u64);

impl Starts {
    /// Those that have been starting for longer than they may.
    fn overdue<'a>(&mut self, watched: &'a [Watch], now: Instant) -> Vec<&'a Watch> {
        let earlier = std::mem::take(&mut self.0);
        let mut late = Vec::new();
        for watch in watched {
            let vitals = watch.control.vitals();
            if vitals.state() != State::Starting {
                continue;
            }
            let life = (vitals.generation(), vitals.restarts());
            let known = earlier.get(vitals.path());
            let since = known.filter(|(known, _)| *known == life);
            let since = since.map_or(now, |(_, since)| *since);
            self.0.insert(vitals.path().clone(), (life, since));
            if now.saturating_duration_since(since) >= watch.start_wait {
                late.push(watch);
            }
        }
        late
    }
}
