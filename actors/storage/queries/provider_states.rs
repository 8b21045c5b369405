//! `provider_states`: what a provider actor wants to find again after a restart, as its own JSON.

use diesel::prelude::*;

use crate::storage::{Connection, connection::on_each, schema::provider_states};

/// Writes the state of `provider` at `now`, over what was there.
pub fn put(conn: &mut Connection, provider: &str, state: &str, now: i64) -> QueryResult<()> {
    let changes = (
        provider_states::state.eq(state),
        provider_states::updated_at.eq(now),
    );
    on_each!(conn, c => {
        diesel::insert_into(provider_states::table)
            .values((provider_states::provider.eq(provider), changes))
            .on_conflict(provider_states::provider)
            .do_update()
            .set(changes)
            .execute(c)
    })
    .map(|_| ())
}

/// The state that was put last.
pub fn get(conn: &mut Connection, provider: &str) -> QueryResult<Option<String>> {
    on_each!(conn, c => {
        provider_states::table.find(provider).select(provider_states::state).first(c).optional()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    #[test]
    fn the_last_state_is_found_again() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert_eq!(get(conn, "acme"), Ok(None));
            put(conn, "acme", "{}", 1).unwrap();
            put(conn, "acme", r#"{"open":true}"#, 2).unwrap();
            assert_eq!(get(conn, "acme"), Ok(Some(r#"{"open":true}"#.to_owned())));
        });
    }
}
