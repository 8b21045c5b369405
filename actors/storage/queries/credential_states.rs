//! `credential_states`: what a pool knows of its tokens, so that a restart forgets no cooldown.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::storage::{Connection, connection::on_each, schema::credential_states};

/// The state of one token, for one model or as a whole.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Serialize,
    Deserialize,
)]
#[diesel(table_name = credential_states, primary_key(provider, token_hash, model))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct CredentialStateRow {
    /// The provider's name.
    pub provider: String,
    /// Keyed hash of the token, 64 hex digits.
    pub token_hash: String,
    /// The upstream's model, or empty for the token as a whole.
    pub model: String,
    /// Not lent before this time, milliseconds since 1970 by the wall clock.
    pub cold_until: Option<i64>,
    /// Since when it is disabled, milliseconds since 1970.
    pub disabled_at: Option<i64>,
    /// The last failure's kind, or empty.
    pub reason: String,
    /// Failures in a row.
    pub failures: i32,
    /// When this was written, milliseconds since 1970.
    pub updated_at: i64,
}

/// Writes each row over what was known of the same token and model.
pub fn upsert(conn: &mut Connection, rows: &[CredentialStateRow]) -> QueryResult<()> {
    use credential_states::{model, provider, token_hash};
    for row in rows {
        on_each!(conn, c => {
            diesel::insert_into(credential_states::table)
                .values(row)
                .on_conflict((provider, token_hash, model))
                .do_update()
                .set(row)
                .execute(c)
        })?;
    }
    Ok(())
}

/// All that is known of a provider's tokens.
pub fn load(conn: &mut Connection, provider: &str) -> QueryResult<Vec<CredentialStateRow>> {
    on_each!(conn, c => {
        credential_states::table
            .filter(credential_states::provider.eq(provider))
            .order((credential_states::token_hash, credential_states::model))
            .select(CredentialStateRow::as_select())
            .load(c)
    })
}

/// Forgets a token: one model of it, or with `None` all of it. Returns how many rows went.
pub fn delete(
    conn: &mut Connection,
    provider: &str,
    token_hash: &str,
    model: Option<&str>,
) -> QueryResult<usize> {
    on_each!(conn, c => {
        let mut rows = diesel::delete(credential_states::table)
            .filter(credential_states::provider.eq(provider))
            .filter(credential_states::token_hash.eq(token_hash))
            .into_boxed();
        if let Some(model) = model {
            rows = rows.filter(credential_states::model.eq(model));
        }
        rows.execute(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn state(token: &str, model: &str) -> CredentialStateRow {
        CredentialStateRow {
            provider: "acme".to_owned(),
            token_hash: token.to_owned(),
            model: model.to_owned(),
            cold_until: Some(1_000),
            disabled_at: None,
            reason: "rate_limited".to_owned(),
            failures: 2,
            updated_at: 900,
        }
    }

    #[test]
    fn the_last_state_of_each_token_and_model_is_kept() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let foreign = CredentialStateRow {
                provider: "other".to_owned(),
                ..state("t1", "")
            };
            upsert(
                conn,
                &[state("t1", ""), state("t1", "m"), state("t2", ""), foreign],
            )
            .unwrap();
            let thawed = CredentialStateRow {
                cold_until: None,
                failures: 0,
                ..state("t1", "m")
            };
            upsert(conn, std::slice::from_ref(&thawed)).unwrap();
            assert_eq!(
                load(conn, "acme"),
                Ok(vec![state("t1", ""), thawed, state("t2", "")])
            );
            assert_eq!(delete(conn, "acme", "t1", Some("m")), Ok(1));
            assert_eq!(delete(conn, "acme", "t2", None), Ok(1));
            assert_eq!(load(conn, "acme"), Ok(vec![state("t1", "")]));
            assert_eq!(load(conn, "other").map(|rows| rows.len()), Ok(1));
        });
    }
}
