//! The actor that tells the counts to the store.

use std::{sync::Arc, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, Message, fut::wrap_future};
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::windows::{Link, Owed, Windows};
use crate::{
    storage::kv::KvStore,
    supervision::{Behaviour, Cell, ChildSpec, Ctx, Receive, StartError},
};

/// Keys that the store is told of at a time.
const AT_ONCE: usize = 64;
/// The pause after a round: what comes in meanwhile goes in one.
const PAUSE: Duration = Duration::from_millis(5);
/// Longer than a window, for nodes whose clocks differ.
const TTL: Duration = Duration::from_secs(180);

/// See the module's head.
pub struct Rate {
    windows: Arc<Windows>,
    kv: KvStore,
}

/// Sent where something was counted: tell the store.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Round;

impl Rate {
    /// How to start it, after the key-value store.
    pub fn spec(windows: &Arc<Windows>, kv: &KvStore) -> ChildSpec<Self> {
        let (windows, kv) = (windows.clone(), kv.clone());
        ChildSpec::new("accounts/rate", "accounts", move || {
            Ok(Self {
                windows: windows.clone(),
                kv: kv.clone(),
            })
        })
    }

    /// One round, and another at once where there is more to tell.
    fn round(&mut self, ctx: &mut Ctx<Self>) {
        let round = tell(self.windows.clone(), self.kv.clone());
        ctx.spawn(wrap_future::<_, Cell<Self>>(round).map(|(), cell, ctx| {
            cell.windows.ends_round();
            if cell.windows.has_news() && cell.windows.begins_round() {
                cell.round(ctx);
            }
        }));
    }
}

impl Behaviour for Rate {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        // one that fell may have left a round behind that never ends
        self.windows.ends_round();
        if self.windows.limit > 0 && self.windows.begins_round() {
            self.round(ctx);
        }
        Ok(())
    }
}

impl Receive<Round> for Rate {
    type Reply = ();

    fn receive(&mut self, Round: Round, ctx: &mut Ctx<Self>) {
        self.round(ctx);
    }
}

async fn tell(windows: Arc<Windows>, kv: KvStore) {
    if windows.link() == Link::Away {
        windows.set_link(link(&kv).await);
    }
    if windows.link() == Link::Shared {
        let told = stream::iter(windows.owed()).map(async |owed| {
            let by = i64::from(owed.count);
            let said = kv.increment(name(&owed), by, TTL).await;
            windows.settle(owed, said);
        });
        told.buffer_unordered(AT_ONCE).for_each(async |()| ()).await;
    }
    tokio::time::sleep(PAUSE).await;
}

/// Whether the store is there, and adds up over nodes.
async fn link(kv: &KvStore) -> Link {
    match kv.abilities().await {
        Ok(abilities) if !(abilities.counters && abilities.shared) => Link::Alone,
        Ok(_) if kv.ping().await.is_ok() => {
            log::info!("rate limits are shared between nodes");
            Link::Shared
        }
        _ => Link::Away,
    }
}

/// `rl:HASH:MINUTE`: the key's id as a hash, so that all names have one form.
fn name(owed: &Owed) -> String {
    let hash = Sha256::digest(owed.key_id.as_bytes());
    let hash = u128::from_be_bytes(std::array::from_fn(|at| hash[at]));
    format!("rl:{hash:032x}:{}", owed.minute)
}
