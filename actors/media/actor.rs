//! The media actor.

use std::{collections::HashSet, time::Duration};

use actix::{
    ActorFutureExt as _, AsyncContext as _, Message, ResponseActFuture, ResponseFuture,
    fut::{ready, wrap_future},
};

use super::{
    compare::Comparison,
    effects::Store,
    error::MediaError,
    formats::Plan,
    name::MediaName,
    policy::{Rules, check},
    removals::{Reason, Tally},
    spool::{Kept, Owner, Spooled},
};
use crate::{
    storage::queries::media::MediaRow,
    supervision::{Behaviour, Cell, Clock, Ctx, Receive, StartError, clock::millis},
};

/// See the module's head for what it owns and how it restarts.
pub struct MediaStore {
    store: Store,
    clock: Clock,
    rules: Rules,
    /// Bytes stored; read from the table now and then, counted in between.
    total: u64,
    /// What is being stored, and its bytes in all.
    storing: HashSet<MediaName>,
    coming: u64,
}

/// How often what was left half-way is looked for, and what is stored counted anew.
const SETTLE_EVERY: Duration = Duration::from_secs(600);
/// When to try again after the database did not answer.
const RETRY: Duration = Duration::from_secs(5);

/// A file that may be stored.
struct Admitted {
    name: MediaName,
    row: MediaRow,
    plan: Plan,
    pixels: Option<(u32, u32)>,
}

impl MediaStore {
    pub(super) fn new(store: Store, rules: Rules, clock: Clock) -> Self {
        Self {
            store,
            clock,
            rules,
            total: 0,
            storing: HashSet::new(),
            coming: 0,
        }
    }

    /// A database that is down is no failed start: links work, and storing says what is wrong.
    fn settle(&self, ctx: &mut Ctx<Self>) {
        let settled = self.store.clone().settle(self.storing.clone());
        ctx.spawn(
            wrap_future::<_, Cell<Self>>(settled).map(|settled, cell, ctx| match settled {
                Ok(total) => cell.count(total),
                Err(error) => {
                    log::warn!("the media store is compared with the database later: {error}");
                    ctx.run_later(RETRY, |cell, ctx| cell.settle(ctx));
                }
            }),
        );
    }

    /// So many bytes are stored.
    fn count(&mut self, total: u64) {
        self.total = total;
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        self.store.stored.set(total);
    }

    /// So long before now, in milliseconds since 1970.
    fn ago(&self, time: Duration) -> i64 {
        let then = self.clock.wall_ms().saturating_sub(millis(time));
        i64::try_from(then).unwrap_or(i64::MAX)
    }

    /// A name and a row for a file that may be stored.
    fn admit(&self, put: &Put) -> Result<Admitted, MediaError> {
        let format = put.spooled.format().ok_or(MediaError::Format)?;
        let survey = put.spooled.survey()?;
        check(format, survey, put.spooled.bytes(), &self.rules)?;
        let name = MediaName::fresh(format)?;
        let row = MediaRow {
            name: name.as_str().to_owned(),
            mime: format.mime().to_owned(),
            bytes: i64::try_from(survey.plan.bytes()).unwrap_or(i64::MAX),
            created_at: self.ago(Duration::ZERO),
            app_id: put.owner.app_id.clone(),
            call_id: put.owner.call_id.clone(),
            object: name.as_str().to_owned(),
            sha256: String::new(),
        };
        Ok(Admitted {
            name,
            row,
            plan: survey.plan.clone(),
            pixels: survey.pixels,
        })
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
        let admitted = match self.admit(&put) {
            Ok(admitted) => admitted,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        let Admitted {
            name,
            row,
            plan,
            pixels,
        } = admitted;
        let bytes = plan.bytes();
        self.storing.insert(name.clone());
        self.coming += bytes;
        let (store, limit, need) = (self.store.clone(), self.rules.max_bytes, self.coming);
        let young = self.ago(self.rules.retention);
        let is_full = self.total.saturating_add(need) > limit;
        let stored_name = name.clone();
        let stored = async move {
            if is_full {
                let (total, _) = store.make_room(limit, need, young).await?;
                if total.saturating_add(bytes) > limit {
                    return Err(MediaError::Full);
                }
                let more = store.put(stored_name, put.spooled, plan, row).await?;
                return Ok((Some(total), more));
            }
            let more = store.put(stored_name, put.spooled, plan, row).await?;
            Ok((None, more))
        };
        Box::pin(
            wrap_future::<_, Cell<Self>>(stored).map(move |stored, cell, _| {
                cell.storing.remove(&name);
                cell.coming = cell.coming.saturating_sub(bytes);
                let (found, more) = stored?;
                let total = found.unwrap_or(cell.total);
                cell.count(total.saturating_add(more));
                Ok(Kept {
                    mime: name.format().mime(),
                    name,
                    bytes,
                    width: pixels.map(|(width, _)| width),
                    height: pixels.map(|(_, height)| height),
                })
            }),
        )
    }
}

/// Sent by [`Media::remove_between`](super::Media::remove_between): removes files by when they were stored,
/// in milliseconds since 1970. The reply is how many.
#[derive(Debug, Message)]
#[rtype(result = "Result<u64, MediaError>")]
pub struct Remove {
    pub from: i64,
    pub to: i64,
}

/// Removes what the sender found, or more where it is to be looked for. The reply is what went. The total counts it
/// until it is read again; who runs out of room reads it first.
#[derive(Debug, Message)]
#[rtype(result = "Result<Tally, MediaError>")]
pub enum Tidy {
    /// Files by name.
    Named(Vec<String>, Reason),
    /// The oldest, where all are more than there may be.
    OverLimit,
    /// Files without a row.
    Strays(Comparison),
    /// Rows without a file.
    Lost(Comparison),
    /// Files of jobs that do not speak of them.
    Abandoned(Comparison),
}

impl Receive<Tidy> for MediaStore {
    type Reply = ResponseFuture<Result<Tally, MediaError>>;

    fn receive(&mut self, tidy: Tidy, _: &mut Ctx<Self>) -> Self::Reply {
        let (store, limit) = (self.store.clone(), self.rules.max_bytes);
        let young = self.ago(self.rules.retention);
        Box::pin(async move {
            match tidy {
                Tidy::Named(names, reason) => store.remove_named(names, reason).await,
                Tidy::OverLimit => Ok(store.make_room(limit, 0, young).await?.1),
                Tidy::Strays(how) => store.remove_strays(how).await,
                Tidy::Lost(how) => store.remove_lost(how).await,
                Tidy::Abandoned(how) => store.remove_abandoned(how).await,
            }
        })
    }
}

impl Receive<Remove> for MediaStore {
    type Reply = ResponseActFuture<Cell<Self>, Result<u64, MediaError>>;

    fn receive(&mut self, remove: Remove, _: &mut Ctx<Self>) -> Self::Reply {
        let store = self.store.clone();
        let removed = async move { store.remove_between(remove.from, remove.to).await };
        Box::pin(
            wrap_future::<_, Cell<Self>>(removed).map(|removed, cell, ctx| {
                // counts what is left
                cell.settle(ctx);
                removed
            }),
        )
    }
}
