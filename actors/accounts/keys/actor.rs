//! The keys actor: makes and revokes keys, and keeps every thread's table of them fresh.

use std::time::Duration;

use actix::{ActorFutureExt as _, AsyncContext as _, Message, ResponseFuture, fut::wrap_future};
use serde::Serialize;

use super::{
    check::KeyCheck,
    new::{CreatedKey, KeysError, NewKey},
};
use crate::{
    accounts::config::{KeysConfig, LimitsConfig},
    secrets::Secret,
    storage::{Database, StorageError, queries::keys},
    supervision::{Behaviour, Cell, ChildSpec, Clock, Ctx, Receive, StartError},
};

/// See the module's head.
pub struct Keys {
    config: KeysConfig,
    clock: Clock,
    source: Source,
    /// Whether the periodic reload is under way.
    refreshing: bool,
    /// Whether the last one failed.
    stale: bool,
}

/// Where keys are read from and where they are put in force.
#[derive(Clone)]
struct Source {
    database: Database,
    check: KeyCheck,
    default_limit: usize,
}

impl Source {
    /// Reads the active keys and puts them in force, unless a later reading has been faster.
    async fn reload(&self) -> Result<(), StorageError> {
        let turn = self.check.next_turn();
        let rows = self.database.read(keys::load_active).await?;
        self.check.publish(turn, rows, self.default_limit);
        Ok(())
    }

    /// Reloads after a change that is stored, and so is not undone by a failure here.
    async fn reload_for(&self, id: &str) {
        if let Err(error) = self.reload().await {
            log::warn!("the change of API key {id} is stored and takes effect later: {error}");
        }
    }
}

impl Keys {
    /// How to start it, after the storage. `check` is what the edge asks; it is ready when the actor is.
    #[must_use]
    pub fn spec(
        config: &KeysConfig,
        limits: &LimitsConfig,
        clock: &Clock,
        database: &Database,
        check: &KeyCheck,
    ) -> ChildSpec<Self> {
        let (config, clock) = (config.clone(), clock.clone());
        let source = Source {
            database: database.clone(),
            check: check.clone(),
            default_limit: limits.max_in_flight_per_app,
        };
        ChildSpec::new("accounts/keys", "accounts", move || {
            Ok(Self {
                config: config.clone(),
                clock: clock.clone(),
                source: source.clone(),
                refreshing: false,
                stale: false,
            })
        })
    }

    fn refresh(&mut self, ctx: &mut Ctx<Self>) {
        if !self.refreshing {
            let reload = self.reload();
            ctx.spawn(reload);
        }
    }

    fn reload(&mut self) -> impl actix::ActorFuture<Cell<Self>, Output = ()> + 'static {
        self.refreshing = true;
        let source = self.source.clone();
        let reload = async move { source.reload().await };
        wrap_future::<_, Cell<Self>>(reload).map(|result, cell, _ctx| {
            cell.refreshing = false;
            cell.note(result);
        })
    }

    /// Logs the first failure in a row and the end of the row.
    fn note(&mut self, result: Result<(), StorageError>) {
        match result {
            Err(error) if !self.stale => {
                log::warn!("the API keys in force are those read last: {error}");
                self.stale = true;
            }
            Ok(()) if self.stale => {
                log::info!("the API keys are read again");
                self.stale = false;
            }
            _ => {}
        }
    }
}

impl Behaviour for Keys {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        let reload = self.reload();
        ctx.wait(reload);
        let refresh = Duration::from_millis(self.config.refresh_ms.max(1));
        ctx.run_interval(refresh, |cell, ctx| cell.refresh(ctx));
        Ok(())
    }
}

/// Makes a key; it is in force when the reply comes (should the database fail between the two, then soon after). If the reply is lost the key exists but nobody knows it:
/// revoke it by its name and make another.
#[derive(Debug, Message)]
#[rtype(result = "Result<CreatedKey, KeysError>")]
pub struct CreateKey {
    /// The app's name; an app of a new name is made.
    pub app: String,
    /// What to call the key.
    pub name: String,
    /// The operator's own key; `None` = a random one.
    pub given: Option<Secret>,
}

impl Receive<CreateKey> for Keys {
    type Reply = ResponseFuture<Result<CreatedKey, KeysError>>;

    fn receive(&mut self, message: CreateKey, _: &mut Ctx<Self>) -> Self::Reply {
        let CreateKey { app, name, given } = message;
        let source = self.source.clone();
        let full = source.check.count() >= self.config.max_keys;
        let now = self.clock.wall_ms();
        Box::pin(async move {
            if full {
                return Err(KeysError::TooMany);
            }
            let key = NewKey::make(source.check.hash(), &app, &name, given, now)?;
            let stored = key.clone();
            source
                .database
                .write(move |conn| stored.store(conn))
                .await?;
            let created = key.created();
            source.reload_for(&created.id).await;
            Ok(created)
        })
    }
}

/// Revokes the key with this id; it opens nothing any more when the reply comes, as with [`CreateKey`]. `false` if there was none in force.
#[derive(Debug, Message)]
#[rtype(result = "Result<bool, KeysError>")]
pub struct RevokeKey {
    /// The key's id.
    pub id: String,
}

impl Receive<RevokeKey> for Keys {
    type Reply = ResponseFuture<Result<bool, KeysError>>;

    fn receive(&mut self, RevokeKey { id }: RevokeKey, _: &mut Ctx<Self>) -> Self::Reply {
        let source = self.source.clone();
        let now = i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX);
        Box::pin(async move {
            let revoked = id.clone();
            let job = move |conn: &mut _| keys::revoke(conn, &revoked, now);
            let found = source.database.write(job).await?;
            source.reload_for(&id).await;
            Ok(found)
        })
    }
}

/// Lists all keys, revoked ones included, oldest first.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<KeyInfo>, KeysError>")]
pub struct ListKeys;

/// A key as it is shown: all but itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// By which it is revoked.
    pub id: String,
    /// The app's name.
    pub app: String,
    /// What the operator calls it.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970; `None` = in force.
    pub revoked_at: Option<i64>,
}

impl Receive<ListKeys> for Keys {
    type Reply = ResponseFuture<Result<Vec<KeyInfo>, KeysError>>;

    fn receive(&mut self, _: ListKeys, _: &mut Ctx<Self>) -> Self::Reply {
        let database = self.source.database.clone();
        Box::pin(async move {
            let rows = database.read(keys::list).await?;
            let shown = rows.into_iter().map(|(key, app)| KeyInfo {
                id: key.id,
                app: app.name,
                name: key.name,
                hint: key.hint,
                created_at: key.created_at,
                revoked_at: key.revoked_at,
            });
            Ok(shown.collect())
        })
    }
}
