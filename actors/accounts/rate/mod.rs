//! Requests per minute and key, over all nodes.
//!
//! Each node counts in memory and decides by that, so a request does not wait for the key-value store. Counts are told to
//! the store in the background, all of a key in one increment, and the store's sum tells what the other nodes have had.
//! Only the first request of a key in a minute waits for that answer, for [`PATIENCE`] at the most, and for nothing while
//! the store is away: then every node counts for itself. So nodes that are asked at the same time may together exceed the
//! limit by what arrives within one round, a few milliseconds; leases of counts fetched ahead would be exact instead,
//! but strand what one node has fetched while another refuses.
//!
//! Windows are the minutes of the wall clock; nodes whose clocks differ share less of them.
//!
//! | | |
//! |---|---|
//! | owns | the way of the counts to the store: one round at a time |
//! | durable | nothing |
//! | derivable | what other nodes have had, from the store |
//! | ephemeral | this minute's windows; they live beside the actor and outlast its restarts |
//! | mailbox | [`Round`], at most one that has not begun |
//! | restart | alone; counts that were under way may be told twice or never, in this minute |

mod actor;
#[cfg(test)]
mod tests;
mod window;
mod windows;

use std::{sync::Arc, time::Duration};

use derive_more::{Display, Error};
use tokio::time::timeout;

use self::{
    actor::{Rate, Round},
    windows::Windows,
};
use super::config::LimitsConfig;
use crate::{
    storage::kv::KvStore,
    supervision::{Clock, Handle, Tree, TreeError},
};

/// The longest that a request waits to hear what other nodes have counted.
const PATIENCE: Duration = Duration::from_millis(20);

/// Counts the requests of each key. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct RateLimit {
    windows: Arc<Windows>,
    rounds: Handle<Rate>,
}

/// Where a key stands in its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests per minute.
    pub limit: u32,
    /// What is left of them.
    pub remaining: u32,
    /// When the next minute begins, in milliseconds since 1970.
    pub reset_ms: u64,
    /// Until then.
    pub reset_in: Duration,
}

/// The key has had its requests of this minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("this API key may send {} requests per minute and has done so", _0.limit)]
pub struct RateExceeded(#[error(not(source))] pub Standing);

impl RateLimit {
    /// A limit as configured, and the actor that tells its counts to `kv`.
    ///
    /// # Errors
    /// When the actor cannot be started.
    pub async fn start(
        tree: &Tree,
        config: &LimitsConfig,
        clock: &Clock,
        kv: &KvStore,
    ) -> Result<Self, TreeError> {
        let windows = Arc::new(Windows::new(config.requests_per_minute, clock.clone()));
        let rounds = tree.start(Rate::spec(&windows, kv)).await?;
        Ok(Self { windows, rounds })
    }

    /// Counts a request of the key with this id; None where there is no limit. A refused one does not count.
    ///
    /// # Errors
    /// [`RateExceeded`].
    pub async fn take(&self, key_id: &str) -> Result<Option<Standing>, RateExceeded> {
        if self.windows.limit == 0 {
            return Ok(None);
        }
        let standing = self.windows.count(key_id)?;
        self.tell();
        if !self.windows.is_waited_for(key_id) {
            return Ok(Some(standing));
        }
        // heard of or not, the window decides
        let _ = timeout(PATIENCE, self.windows.heard(key_id)).await;
        self.windows.review(key_id).map(Some)
    }

    /// Has the counts told to the store, unless that is about to happen.
    fn tell(&self) {
        if self.windows.begins_round() && self.rounds.tell(Round).is_err() {
            // the actor is being restarted and begins with a round of its own
            self.windows.ends_round();
        }
    }
}
