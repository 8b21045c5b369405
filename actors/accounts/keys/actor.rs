//! The keys actor: keeps every thread's table of the keys fresh.

use std::time::Duration;

use actix::{ActorFutureExt as _, AsyncContext as _, fut::wrap_future};

use super::check::KeyCheck;
use crate::{
    accounts::config::{KeysConfig, LimitsConfig},
    storage::{Database, StorageError, queries::keys},
    supervision::{Behaviour, Cell, ChildSpec, Ctx, StartError},
};

/// See the module's head.
pub struct Keys {
    config: KeysConfig,
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
}

impl Keys {
    /// How to start it, after the storage. `check` is what the edge asks; it is ready when the actor is.
    #[must_use]
    pub fn spec(
        config: &KeysConfig,
        limits: &LimitsConfig,
        database: &Database,
        check: &KeyCheck,
    ) -> ChildSpec<Self> {
        let config = config.clone();
        let source = Source {
            database: database.clone(),
            check: check.clone(),
            default_limit: limits.max_in_flight_per_app,
        };
        ChildSpec::new("accounts/keys", "accounts", move || {
            Ok(Self {
                config: config.clone(),
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
