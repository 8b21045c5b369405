//! `webhook_endpoints` and `webhook_callbacks`: where the ends of jobs are told, for an app and for a single job.

use diesel::prelude::*;

use crate::storage::{
    Connection,
    connection::on_each,
    schema::{webhook_callbacks, webhook_deliveries, webhook_endpoints, webhook_secrets},
};

/// An app's receiver.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_endpoints, treat_none_as_default_value = false)]
pub struct EndpointRow {
    /// `we_…`; later ones are greater.
    pub id: String,
    /// Whose it is.
    pub app_id: String,
    pub url: String,
    /// What it is told of, with commas: `job.completed,job.failed`.
    pub topics: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Since when it is told nothing any more.
    pub disabled_at: Option<i64>,
}

/// A single job's receiver.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_callbacks)]
pub struct CallbackRow {
    pub job_id: String,
    pub url: String,
    /// In whose words it is told: `standard` or `imagine`.
    pub shape: String,
}

/// Stores a new endpoint.
pub fn insert(conn: &mut Connection, row: &EndpointRow) -> QueryResult<()> {
    let insert = diesel::insert_into(webhook_endpoints::table).values(row);
    on_each!(conn, c => insert.execute(c)).map(|_| ())
}

/// An app's endpoints, oldest first.
pub fn of_app(conn: &mut Connection, app_id: &str) -> QueryResult<Vec<EndpointRow>> {
    on_each!(conn, c => {
        webhook_endpoints::table
            .filter(webhook_endpoints::app_id.eq(app_id))
            .order(webhook_endpoints::id)
            .select(EndpointRow::as_select())
            .load(c)
    })
}

/// The app's endpoint of that id.
pub fn get(conn: &mut Connection, app_id: &str, id: &str) -> QueryResult<Option<EndpointRow>> {
    let own = webhook_endpoints::table
        .find(id)
        .filter(webhook_endpoints::app_id.eq(app_id));
    on_each!(conn, c => own.select(EndpointRow::as_select()).first(c).optional())
}

/// Deletes the app's endpoint with its secret and all its deliveries; false where there is none.
pub fn delete(conn: &mut Connection, app_id: &str, id: &str) -> QueryResult<bool> {
    let own = webhook_endpoints::table
        .find(id)
        .filter(webhook_endpoints::app_id.eq(app_id));
    if on_each!(conn, c => diesel::delete(own).execute(c))? == 0 {
        return Ok(false);
    }
    let deliveries = webhook_deliveries::table.filter(webhook_deliveries::endpoint_id.eq(id));
    on_each!(conn, c => diesel::delete(deliveries).execute(c))?;
    let secret = webhook_secrets::table.find(id);
    on_each!(conn, c => diesel::delete(secret).execute(c)).map(|_| true)
}

/// Turns the endpoint of that id off at a time, or on again.
pub fn disable(conn: &mut Connection, id: &str, at: Option<i64>) -> QueryResult<()> {
    let own = webhook_endpoints::table.find(id);
    let set = webhook_endpoints::disabled_at.eq(at);
    on_each!(conn, c => diesel::update(own).set(set).execute(c)).map(|_| ())
}

/// Stores where a job's end is to be told.
pub fn insert_callback(conn: &mut Connection, row: &CallbackRow) -> QueryResult<()> {
    let insert = diesel::insert_into(webhook_callbacks::table).values(row);
    on_each!(conn, c => insert.execute(c)).map(|_| ())
}

/// Takes out where a job's end is to be told.
pub fn take_callback(conn: &mut Connection, job_id: &str) -> QueryResult<Option<CallbackRow>> {
    let own = webhook_callbacks::table.find(job_id);
    let found = on_each!(conn, c => own.select(CallbackRow::as_select()).first(c).optional())?;
    if found.is_some() {
        on_each!(conn, c => diesel::delete(own).execute(c))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn endpoint(id: &str, app: &str) -> EndpointRow {
        EndpointRow {
            id: id.to_owned(),
            app_id: app.to_owned(),
            url: "https://example.org/".to_owned(),
            topics: "job.completed".to_owned(),
            created_at: 1,
            disabled_at: None,
        }
    }

    #[test]
    fn an_endpoint_is_its_apps_alone() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, app) in [("a", "x"), ("b", "y"), ("c", "x")] {
                insert(conn, &endpoint(id, app)).unwrap();
            }
            let ids: Vec<_> = of_app(conn, "x")
                .unwrap()
                .into_iter()
                .map(|row| row.id)
                .collect();
            assert_eq!(ids, ["a", "c"]);
            assert_eq!(get(conn, "x", "b"), Ok(None));
            assert_eq!(delete(conn, "x", "b"), Ok(false));
            assert_eq!(delete(conn, "y", "b"), Ok(true));
            disable(conn, "a", Some(7)).unwrap();
            assert_eq!(get(conn, "x", "a").unwrap().unwrap().disabled_at, Some(7));
            disable(conn, "a", None).unwrap();
            assert_eq!(get(conn, "x", "a"), Ok(Some(endpoint("a", "x"))));
        });
    }

    #[test]
    fn a_callback_is_taken_once() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let row = CallbackRow {
                job_id: "j".to_owned(),
                url: "https://example.org/".to_owned(),
                shape: "standard".to_owned(),
            };
            insert_callback(conn, &row).unwrap();
            assert_eq!(take_callback(conn, "other"), Ok(None));
            assert_eq!(take_callback(conn, "j"), Ok(Some(row)));
            assert_eq!(take_callback(conn, "j"), Ok(None));
        });
    }
}
