//! Pings every actor from a thread of its own and reports those that do not answer.

use std::{sync::Arc, time::Duration};

use actix::Addr;
use actix_rt::{Arbiter, time};
use futures_util::future::join_all;

use super::{
    child::Control,
    tree::{News, NewsDesk, Supervisor, requests::Watched},
};

/// Starts the watchdog's thread. An actor is frozen when a ping gets no answer for `patience`.
pub(super) fn start(supervisor: Addr<Supervisor>, patience: Duration) {
    let arbiter = Arbiter::new();
    arbiter.spawn(async move {
        // at least a tick, so that a patience of zero does not spin
        let pause = (patience / 2).max(Duration::from_millis(10));
        loop {
            time::sleep(pause).await;
            let list = supervisor.send(Watched).timeout(patience.max(pause)).await;
            match list {
                Ok(watched) => {
                    let desk = NewsDesk(supervisor.clone());
                    join_all(
                        watched
                            .iter()
                            .map(|control| watch(control, &desk, patience)),
                    )
                    .await;
                }
                Err(actix::MailboxError::Timeout) => log::error!("the supervisor itself is frozen"),
                Err(actix::MailboxError::Closed) => break,
            }
        }
        Arbiter::current().stop();
    });
}

async fn watch(control: &Arc<dyn Control>, desk: &NewsDesk, patience: Duration) {
    let generation = control.vitals().generation();
    // an actor that fell meanwhile is its guardian's business
    if time::timeout(patience, control.ping()).await.is_err() {
        desk.send(News::Frozen {
            path: control.vitals().path().clone(),
            generation,
        });
    }
}
