//! The media actor.

use std::{collections::HashSet, time::Duration};

use super::{
    effects::Store,
    error::MediaError,
    name::MediaName,
    policy,
    spool::{Kept, Owner, Spooled},
};
use crate::{
    storage::queries::media::MediaRow,
    supervision::{Behaviour, Cell, Clock, Ctx, Receive, StartError},
};
use actix::{
    ActorFutureExt as _, AsyncContext as _, Message, ResponseActFuture,
    fut::{ready, wrap_future},
};

/// See the module's head for what it owns and how it restarts.
pub struct MediaStore {
    store: Store,
    clock: Clock,
    limit: u64,
    /// Bytes stored; read from the table now and then, counted in between.
    total: u64,
    storing: HashSet<MediaName>,
    evicting: bool,
}

/// How often the folder and the table are compared.
const SETTLE_EVERY: Duration = Duration::from_secs(600);
/// When to try again after the database did not answer.
const RETRY: Duration = Duration::from_secs(5);

impl MediaStore {
    pub(super) fn new(store: Store, limit: u64, clock: Clock) -> Self {
        Self {
            store,
            clock,
            limit,
            total: 0,
            storing: HashSet::new(),
            evicting: false,
        }
    }

    /// A database that is down is no failed start: links work, and storing says what is wrong.
    fn settle(&self, ctx: &mut Ctx<Self>) {
        let settled = self.store.clone().settle(self.storing.clone());
        ctx.spawn(
            wrap_future::<_, Cell<Self>>(settled).map(|settled, cell, ctx| match settled {
                Ok(total) => {
                    cell.total = total;
                    cell.make_room(ctx);
                }
                Err(error) => {
                    log::warn!("the media folder is compared with the database later: {error}");
                    ctx.run_later(RETRY, |cell, ctx| cell.settle(ctx));
                }
            }),
        );
    }

    fn make_room(&mut self, ctx: &mut Ctx<Self>) {
        let wanted = policy::to_free(self.total, self.limit);
        if wanted == 0 || self.evicting {
            return;
        }
        self.evicting = true;
        let evicted = self.store.clone().evict(wanted);
        ctx.spawn(
            wrap_future::<_, Cell<Self>>(evicted).map(|evicted, cell, _| {
                cell.evicting = false;
                match evicted {
                    Ok(total) => cell.total = total,
                    // the next file that is stored tries again
                    Err(error) => log::warn!("old media files could not be removed: {error}"),
                }
            }),
        );
    }

    /// A name and a row for a file that may be stored.
    fn admit(&self, put: &Put) -> Result<(MediaName, MediaRow), MediaError> {
        let bytes = put.spooled.bytes();
        if bytes > self.limit {
            let limit = self.limit;
            return Err(MediaError::TooLarge { bytes, limit });
        }
        let format = put.spooled.format().ok_or(MediaError::Format)?;
        let name = MediaName::fresh(format)?;
        let row = MediaRow {
            name: name.as_str().to_owned(),
            mime: format.mime().to_owned(),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            created_at: i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX),
            app_id: put.owner.app_id.clone(),
            call_id: put.owner.call_id.clone(),
        };
        Ok((name, row))
    }
}

impl Behaviour for MediaStore {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        self.settle(ctx);
        ctx.run_interval(SETTLE_EVERY, |cell, ctx| cell.settle(ctx));
        Ok(())
    }
}

/// Sent by [`Media::keep`](super::Media::keep). The reply means that the file and its row are on
/// disk; if it is lost, the file stays until it is evicted.
#[derive(Debug, Message)]
#[rtype(result = "Result<Kept, MediaError>")]
pub struct Put {
    pub spooled: Spooled,
    pub owner: Owner,
}

impl Receive<Put> for MediaStore {
    type Reply = ResponseActFuture<Cell<Self>, Result<Kept, MediaError>>;

    fn receive(&mut self, put: Put, _: &mut Ctx<Self>) -> Self::Reply {
        let (name, row) = match self.admit(&put) {
            Ok(admitted) => admitted,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        self.storing.insert(name.clone());
        let pixels = put.spooled.pixels();
        let size = put.spooled.bytes();
        let stored = self.store.clone().put(name.clone(), put.spooled, row);
        Box::pin(
            wrap_future::<_, Cell<Self>>(stored).map(move |stored, cell, ctx| {
                cell.storing.remove(&name);
                stored?;
                cell.total = cell.total.saturating_add(size);
                cell.make_room(ctx);
                Ok(Kept {
                    mime: name.format().mime(),
                    name,
                    bytes: size,
                    width: pixels.map(|(width, _)| width),
                    height: pixels.map(|(_, height)| height),
                })
            }),
        )
    }
}
