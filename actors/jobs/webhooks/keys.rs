//! The secrets of endpoints and apps: made, sealed, replaced.

use super::{config::WebhooksConfig, handle::WebhookError, sign};
use crate::{
    sealing::{SealError, Sealer},
    secrets::Secret,
    storage::{
        Database,
        queries::webhook_secrets::{self, SecretRow},
    },
    supervision::Clock,
};

/// A secret that was just made. It is not shown again.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// Names it, and tells nothing of it.
    pub id: String,
    pub secret: Secret,
    /// Until when the one before signs as well, in milliseconds since 1970; none where there was none.
    pub earlier_until: Option<i64>,
}

/// Makes and reads secrets. Cheap to clone.
#[derive(Clone)]
pub(super) struct Keys {
    pub database: Database,
    pub clock: Clock,
    pub sealer: Sealer,
}

const HOUR_MS: i64 = 3_600_000;

impl Keys {
    /// What the owner's deliveries are signed with at present, the newest first. Who has none gets one.
    pub async fn of(&self, owner: &str) -> Result<Vec<Secret>, WebhookError> {
        let id = owner.to_owned();
        let known = self
            .database
            .read(move |conn| webhook_secrets::get(conn, &id));
        let row = match known.await? {
            Some(row) => row,
            None => {
                let (row, _) = self.make(owner)?;
                let insert = move |conn: &mut _| webhook_secrets::get_or_insert(conn, &row);
                self.database.write(insert).await?
            }
        };
        let mut secrets = vec![self.sealer.open(&row.sealed, owner)?];
        let is_in_force = row.earlier_until.is_some_and(|until| self.now() < until);
        if let Some(earlier) = row.earlier.filter(|_| is_in_force) {
            secrets.push(self.sealer.open(&earlier, owner)?);
        }
        Ok(secrets)
    }

    /// A new secret and its row, which is not stored yet.
    pub fn make(&self, owner: &str) -> Result<(SecretRow, Secret), SealError> {
        let secret = sign::fresh()?;
        let row = SecretRow {
            owner: owner.to_owned(),
            id: super::fresh_id("wks"),
            sealed: self.sealer.seal(&secret, owner)?,
            earlier: None,
            earlier_until: None,
            created_at: self.now(),
        };
        Ok((row, secret))
    }

    /// Puts a new secret in the place of the owner's.
    pub async fn rotate(
        &self,
        owner: &str,
        config: &WebhooksConfig,
    ) -> Result<NewSecret, WebhookError> {
        let (row, secret) = self.make(owner)?;
        let grace = HOUR_MS * i64::from(config.secret_grace_hours);
        let row = SecretRow {
            earlier_until: Some(row.created_at + grace),
            ..row
        };
        let rotate = move |conn: &mut _| webhook_secrets::rotate(conn, row);
        let row = self.database.write(rotate).await?;
        Ok(NewSecret {
            id: row.id,
            secret,
            earlier_until: row.earlier_until,
        })
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX)
    }
}
