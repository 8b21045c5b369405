//! Endpoints, secrets and deliveries, as their app sees them.

use std::sync::Arc;

use derive_more::{Display, Error, From};
use prometheus_client::registry::Registry;
use tokio::sync::OnceCell;

use super::{
    actor::{Setup, Webhooks},
    carry::Carry,
    config::WebhooksConfig,
    keys::{Keys, NewSecret},
    message::{Tell, Topic},
    messages::Wake,
    metrics::WebhookMetrics,
    outbox::Outbox,
};
use crate::{
    egress::EgressError,
    jobs::Node,
    sealing::{SealError, Sealer},
    storage::{
        Database, StorageError,
        queries::{
            Cursor, Page,
            webhook_deliveries::{self, DeliveryBrief, DeliveryFilter},
            webhook_endpoints::{self, EndpointRow},
            webhook_secrets,
        },
    },
    supervision::{ChildSpec, Clock, Handle, Tree, TreeError, tasks::Tasks},
};

/// Why something about webhooks could not be done. What is merely not there is no error.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error, From)]
pub enum WebhookError {
    /// The URL may not be a receiver's.
    #[display("{_0}")]
    Url(EgressError),
    #[display(
        "the app has {limit} endpoints, as many as webhooks.max_endpoints allows; delete one that is not needed"
    )]
    #[from(ignore)]
    TooMany { limit: usize },
    /// The tables were not reached, see [`StorageError::is_temporary`].
    #[display("webhooks cannot be reached: {_0}")]
    Database(StorageError),
    #[display("{_0}")]
    Secret(SealError),
}

/// All that webhooks need of the rest.
pub struct Office {
    pub config: WebhooksConfig,
    pub clock: Clock,
    pub database: Database,
    /// Of several that share the database, each message is brought by one.
    pub node: Node,
    pub sealer: Sealer,
    pub carry: Arc<dyn Carry>,
    pub tell: Arc<dyn Tell>,
}

/// An app's receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    /// What it is told of.
    pub topics: Vec<Topic>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Since when it is told nothing any more, because it answered with 410.
    pub disabled_at: Option<i64>,
}

impl From<EndpointRow> for Endpoint {
    fn from(row: EndpointRow) -> Self {
        Self {
            topics: Topic::split(&row.topics),
            id: row.id,
            url: row.url,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        }
    }
}

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretState {
    pub id: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Until when the one before signs as well.
    pub earlier_until: Option<i64>,
}

/// Keeps the receivers of apps, and tells what was delivered. Cheap to clone, valid over restarts of the actor.
#[derive(Clone)]
pub struct WebhooksHandle {
    setup: Arc<Setup>,
    webhooks: Handle<Webhooks>,
    tell: Arc<dyn Tell>,
}

impl WebhooksHandle {
    /// Starts the actor as `jobs/webhooks`, before the job manager.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(tree: &Tree, office: Office) -> Result<Self, TreeError> {
        let setup = Arc::new(Setup {
            config: office.config,
            keys: Keys {
                database: office.database,
                clock: office.clock,
                sealer: office.sealer,
            },
            node: office.node,
            carry: office.carry,
            tasks: Tasks::default(),
            traffic: std::sync::Mutex::default(),
            metrics: WebhookMetrics::default(),
            webhooks: OnceCell::new(),
        });
        let built = setup.clone();
        let spec = ChildSpec::new("jobs/webhooks", "webhooks", move || {
            Ok(Webhooks::new(built.clone()))
        });
        let webhooks = tree.start(spec).await?;
        // nobody else sets it
        let _ = setup.webhooks.set(webhooks.clone());
        Ok(Self {
            setup,
            webhooks,
            tell: office.tell,
        })
    }

    /// Makes the counters part of what `registry` exposes.
    pub fn register(&self, registry: &mut Registry) {
        self.setup.metrics.register(registry);
    }

    /// The end where jobs put in what is to be told.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox {
            tell: self.tell.clone(),
            webhooks: self.webhooks.clone(),
        }
    }

    /// Lets a URL through that may be a receiver's.
    ///
    /// # Errors
    /// [`WebhookError::Url`].
    pub async fn vet(&self, url: &str) -> Result<(), WebhookError> {
        Ok(self.setup.carry.vet(url).await?)
    }

    /// Adds a receiver for an app's jobs; its secret is shown here and nowhere else.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn create(
        &self,
        app_id: &str,
        url: &str,
        topics: &[Topic],
    ) -> Result<(Endpoint, NewSecret), WebhookError> {
        self.vet(url).await?;
        let row = EndpointRow {
            id: super::fresh_id("we"),
            app_id: app_id.to_owned(),
            url: url.to_owned(),
            topics: Topic::join(topics),
            created_at: self.setup.keys.now(),
            disabled_at: None,
        };
        let (key, secret) = self.setup.keys.make(&row.id)?;
        let new = NewSecret {
            id: key.id.clone(),
            secret,
            earlier_until: None,
        };
        let limit = self.setup.config.max_endpoints;
        let insert = move |conn: &mut _| {
            if webhook_endpoints::of_app(conn, &row.app_id)?.len() >= limit {
                return Ok(None);
            }
            webhook_endpoints::insert(conn, &row)?;
            webhook_secrets::get_or_insert(conn, &key)?;
            Ok(Some(row))
        };
        let inserted = self.setup.keys.database.write(insert).await?;
        let row = inserted.ok_or(WebhookError::TooMany { limit })?;
        Ok((row.into(), new))
    }

    /// An app's endpoints, oldest first.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn endpoints(&self, app_id: &str) -> Result<Vec<Endpoint>, WebhookError> {
        let app_id = app_id.to_owned();
        let read = move |conn: &mut _| webhook_endpoints::of_app(conn, &app_id);
        let rows = self.setup.keys.database.read(read).await?;
        Ok(rows.into_iter().map(Endpoint::from).collect())
    }

    /// The endpoint of that id; none if this app has no such endpoint.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn endpoint(&self, app_id: &str, id: &str) -> Result<Option<Endpoint>, WebhookError> {
        let (app_id, id) = (app_id.to_owned(), id.to_owned());
        let read = move |conn: &mut _| webhook_endpoints::get(conn, &app_id, &id);
        let row = self.setup.keys.database.read(read).await?;
        Ok(row.map(Endpoint::from))
    }

    /// Removes an endpoint with all its deliveries; false if this app has no such endpoint.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn delete(&self, app_id: &str, id: &str) -> Result<bool, WebhookError> {
        let (app_id, id) = (app_id.to_owned(), id.to_owned());
        let delete = move |conn: &mut _| webhook_endpoints::delete(conn, &app_id, &id);
        Ok(self.setup.keys.database.write(delete).await?)
    }

    /// Tells an endpoint of jobs again that had answered with 410; none if this app has no such endpoint.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn enable(&self, app_id: &str, id: &str) -> Result<Option<Endpoint>, WebhookError> {
        if self.endpoint(app_id, id).await?.is_some() {
            let id = id.to_owned();
            let enable = move |conn: &mut _| webhook_endpoints::disable(conn, &id, None);
            self.setup.keys.database.write(enable).await?;
        }
        self.endpoint(app_id, id).await
    }

    /// Gives an endpoint a new secret; none if this app has no such endpoint. The one before signs as well for
    /// `webhooks.secret_grace_hours`.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn rotate(&self, app_id: &str, id: &str) -> Result<Option<NewSecret>, WebhookError> {
        match self.endpoint(app_id, id).await? {
            Some(endpoint) => self.rotated(&endpoint.id).await.map(Some),
            None => Ok(None),
        }
    }

    /// The secret that signs for the URLs of an app's single jobs; none where it was not needed yet.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn secret(&self, app_id: &str) -> Result<Option<SecretState>, WebhookError> {
        let (owner, now) = (app_id.to_owned(), self.setup.keys.now());
        let read = move |conn: &mut _| webhook_secrets::get(conn, &owner);
        let row = self.setup.keys.database.read(read).await?;
        Ok(row.map(|row| SecretState {
            id: row.id,
            created_at: row.created_at,
            earlier_until: row.earlier_until.filter(|until| now < *until),
        }))
    }

    /// Gives the app a new one, as [`rotate`](Self::rotate) does.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn rotate_own(&self, app_id: &str) -> Result<NewSecret, WebhookError> {
        self.rotated(app_id).await
    }

    async fn rotated(&self, owner: &str) -> Result<NewSecret, WebhookError> {
        self.setup.keys.rotate(owner, &self.setup.config).await
    }

    /// An app's deliveries newest first, those in a state and before the id `before` only, at most `limit`.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn deliveries(
        &self,
        app_id: &str,
        state: Option<&'static str>,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<DeliveryBrief>, WebhookError> {
        let filter = DeliveryFilter {
            app_id: Some(app_id.to_owned()),
            state: state.map(str::to_owned),
        };
        let read =
            move |conn: &mut _| webhook_deliveries::list(conn, &filter, before.as_deref(), limit);
        Ok(self.setup.keys.database.read(read).await?)
    }

    /// A page of the deliveries of all apps, newest first, with the number of all; for operators.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn oversee(
        &self,
        filter: DeliveryFilter,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<DeliveryBrief>, WebhookError> {
        let read =
            move |conn: &mut _| webhook_deliveries::page(conn, &filter, before.as_ref(), limit);
        Ok(self.setup.keys.database.read(read).await?)
    }

    /// The same as [`redeliver`](Self::redeliver), whichever app's it is; for operators.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn redeliver_any(&self, id: &str) -> Result<Option<DeliveryBrief>, WebhookError> {
        let asked = id.to_owned();
        let read = move |conn: &mut _| webhook_deliveries::app_of(conn, &asked);
        match self.setup.keys.database.read(read).await? {
            Some(app_id) => self.redeliver(&app_id, id).await,
            None => Ok(None),
        }
    }

    /// Has a delivery tried again as if it were new, whatever became of it; none if this app has no such delivery.
    ///
    /// # Errors
    /// [`WebhookError::Database`].
    pub async fn redeliver(
        &self,
        app_id: &str,
        id: &str,
    ) -> Result<Option<DeliveryBrief>, WebhookError> {
        let (app_id, id, now) = (app_id.to_owned(), id.to_owned(), self.setup.keys.now());
        let queue = move |conn: &mut _| webhook_deliveries::queue_again(conn, &app_id, &id, now);
        let queued = self.setup.keys.database.write(queue).await?;
        if let Err(error) = self.webhooks.tell(Wake) {
            // its restart reads the table
            log::debug!("nobody was told of a delivery to be repeated: {error}");
        }
        Ok(queued)
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &WebhooksConfig {
        &self.setup.config
    }

    /// The actor's handle, for tests that make it fall.
    #[cfg(test)]
    pub(super) fn actor(&self) -> &Handle<Webhooks> {
        &self.webhooks
    }
}
