//! `webhook_deliveries`: what is to be told, to whom, and how that went. A row without `ended_at` is still owed.

use diesel::{dsl::exists, prelude::*};

use super::{Cursor, Page};
use crate::storage::{Connection, connection::on_each, schema::webhook_deliveries};

/// One message to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_deliveries, treat_none_as_default_value = false)]
pub struct DeliveryRow {
    /// `msg_…`, as the receiver knows it; later ones are greater.
    pub id: String,
    pub app_id: String,
    /// None = the receiver of a single job.
    pub endpoint_id: Option<String>,
    pub job_id: String,
    /// `job.completed`, ….
    pub topic: String,
    /// In whose words it is told: `standard` or `imagine`.
    pub shape: String,
    pub url: String,
    /// Scheme, host and port of the URL.
    pub receiver: String,
    pub body: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    /// Since it was queued.
    pub attempts: i32,
    /// Of the last answer, where there was one.
    pub last_status: Option<i32>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// From when on its age counts: later than `created_at` where it was queued again.
    pub queued_at: i64,
    /// It is not tried before this time.
    pub next_at: i64,
    /// When it was delivered or given up.
    pub ended_at: Option<i64>,
}

/// A delivery without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = webhook_deliveries)]
pub struct DeliveryBrief {
    pub id: String,
    pub app_id: String,
    pub endpoint_id: Option<String>,
    pub job_id: String,
    pub topic: String,
    pub url: String,
    pub receiver: String,
    pub state: String,
    pub attempts: i32,
    pub last_status: Option<i32>,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub next_at: i64,
    pub ended_at: Option<i64>,
}

/// How an attempt left a delivery.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true)]
pub struct DeliveryChange {
    pub state: String,
    pub attempts: i32,
    pub last_status: Option<i32>,
    pub last_error: Option<String>,
    pub next_at: i64,
    pub ended_at: Option<i64>,
}

/// What is under way already, or has no room for more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Busy {
    pub ids: Vec<String>,
    pub receivers: Vec<String>,
    pub apps: Vec<String>,
}

/// Stores a new delivery.
pub fn insert(conn: &mut Connection, row: &DeliveryRow) -> QueryResult<()> {
    let insert = diesel::insert_into(webhook_deliveries::table).values(row);
    on_each!(conn, c => insert.execute(c)).map(|_| ())
}

/// Deliveries whose time has come, the longest waiting first, but for those that would overtake an earlier one of
/// the same job to the same URL.
pub fn due(
    conn: &mut Connection,
    now: i64,
    busy: &Busy,
    most: usize,
) -> QueryResult<Vec<DeliveryRow>> {
    use webhook_deliveries::{app_id, ended_at, id, job_id, next_at, receiver, url};
    let earlier = diesel::alias!(webhook_deliveries as earlier_deliveries);
    on_each!(conn, c => {
        let ahead = earlier
            .filter(earlier.field(job_id).eq(job_id))
            .filter(earlier.field(url).eq(url))
            .filter(earlier.field(ended_at).is_null())
            .filter(earlier.field(id).lt(id));
        webhook_deliveries::table
            .filter(ended_at.is_null())
            .filter(next_at.le(now))
            .filter(id.ne_all(&busy.ids))
            .filter(receiver.ne_all(&busy.receivers))
            .filter(app_id.ne_all(&busy.apps))
            .filter(diesel::dsl::not(exists(ahead)))
            .order((next_at, id))
            .limit(most as i64)
            .select(DeliveryRow::as_select())
            .load(c)
    })
}

/// When the next delivery after `now` has its time.
pub fn next_after(conn: &mut Connection, now: i64) -> QueryResult<Option<i64>> {
    use webhook_deliveries::{ended_at, next_at};
    on_each!(conn, c => {
        webhook_deliveries::table
            .filter(ended_at.is_null())
            .filter(next_at.gt(now))
            .select(diesel::dsl::min(next_at))
            .first(c)
    })
}

/// Puts off a delivery that still has its time at `next_at`, so that nobody else tries it before `until`; false where
/// somebody else has.
pub fn claim(conn: &mut Connection, id: &str, next_at: i64, until: i64) -> QueryResult<bool> {
    let open = webhook_deliveries::table
        .find(id)
        .filter(webhook_deliveries::ended_at.is_null())
        .filter(webhook_deliveries::next_at.eq(next_at));
    let later = webhook_deliveries::next_at.eq(until);
    on_each!(conn, c => diesel::update(open).set(later).execute(c)).map(|changed| changed > 0)
}

/// Notes how an attempt went; false where nothing is owed any more.
pub fn change(conn: &mut Connection, id: &str, to: &DeliveryChange) -> QueryResult<bool> {
    let owed = webhook_deliveries::table
        .find(id)
        .filter(webhook_deliveries::ended_at.is_null());
    on_each!(conn, c => diesel::update(owed).set(to).execute(c)).map(|changed| changed > 0)
}

/// Gives up all that is owed to an endpoint, for a reason; returns how many there were.
pub fn bury(conn: &mut Connection, endpoint: &str, why: &str, now: i64) -> QueryResult<usize> {
    use webhook_deliveries::{ended_at, endpoint_id, last_error, state};
    let owed = webhook_deliveries::table
        .filter(endpoint_id.eq(endpoint))
        .filter(ended_at.is_null());
    let dead = (state.eq("dead"), last_error.eq(why), ended_at.eq(Some(now)));
    on_each!(conn, c => diesel::update(owed).set(dead).execute(c))
}

/// Whose delivery that is.
pub fn app_of(conn: &mut Connection, id: &str) -> QueryResult<Option<String>> {
    let app_id = webhook_deliveries::table
        .find(id)
        .select(webhook_deliveries::app_id);
    on_each!(conn, c => app_id.first(c).optional())
}

/// The app's delivery of that id.
pub fn get(conn: &mut Connection, app_id: &str, id: &str) -> QueryResult<Option<DeliveryBrief>> {
    let own = webhook_deliveries::table
        .find(id)
        .filter(webhook_deliveries::app_id.eq(app_id));
    on_each!(conn, c => own.select(DeliveryBrief::as_select()).first(c).optional())
}

/// Queues the app's delivery of that id as if it were new; returns it as it is then.
pub fn queue_again(
    conn: &mut Connection,
    app_id: &str,
    id: &str,
    now: i64,
) -> QueryResult<Option<DeliveryBrief>> {
    use webhook_deliveries::{attempts, ended_at, next_at, queued_at, state};
    let own = webhook_deliveries::table
        .find(id)
        .filter(webhook_deliveries::app_id.eq(app_id));
    let fresh = (
        state.eq("pending"),
        attempts.eq(0),
        queued_at.eq(now),
        next_at.eq(now),
        ended_at.eq(None::<i64>),
    );
    on_each!(conn, c => diesel::update(own).set(fresh).execute(c))?;
    get(conn, app_id, id)
}

/// Which deliveries to list. `None` = any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Of this app.
    pub app_id: Option<String>,
    /// In this state.
    pub state: Option<String>,
}

/// The filter's deliveries, boxed for the database at hand.
macro_rules! filtered {
    ($filter:expr) => {{
        let filter: &DeliveryFilter = $filter;
        let mut query = webhook_deliveries::table.into_boxed();
        if let Some(app_id) = &filter.app_id {
            query = query.filter(webhook_deliveries::app_id.eq(app_id));
        }
        if let Some(state) = &filter.state {
            query = query.filter(webhook_deliveries::state.eq(state));
        }
        query
    }};
}

/// Deliveries newest first, those before the id `before` only, at most `most`.
pub fn list(
    conn: &mut Connection,
    filter: &DeliveryFilter,
    before: Option<&str>,
    most: usize,
) -> QueryResult<Vec<DeliveryBrief>> {
    on_each!(conn, c => {
        let mut query = filtered!(filter);
        if let Some(before) = before {
            query = query.filter(webhook_deliveries::id.lt(before));
        }
        query
            .order(webhook_deliveries::id.desc())
            .limit(most as i64)
            .select(DeliveryBrief::as_select())
            .load(c)
    })
}

/// A page of them with the number of all.
pub fn page(
    conn: &mut Connection,
    filter: &DeliveryFilter,
    before: Option<&Cursor>,
    limit: usize,
) -> QueryResult<Page<DeliveryBrief>> {
    let count = on_each!(conn, c => filtered!(filter).count().get_result(c))?;
    let rows = list(conn, filter, before.map(|before| &*before.id), limit + 1)?;
    Ok(Page::new(count, rows, limit, |row| Cursor {
        at: row.created_at,
        id: row.id.clone(),
    }))
}

/// How many are owed.
pub fn pending(conn: &mut Connection) -> QueryResult<i64> {
    let owed = webhook_deliveries::table.filter(webhook_deliveries::ended_at.is_null());
    on_each!(conn, c => owed.count().get_result(c))
}

/// Deletes up to `most` of the deliveries that came into a last state before `at`, the oldest first; returns how many
/// there were.
pub fn delete_ended(
    conn: &mut Connection,
    state: &str,
    at: i64,
    most: usize,
) -> QueryResult<usize> {
    use webhook_deliveries::{ended_at, id};
    // diesel refuses a subquery on the very table that it deletes from
    let old = diesel::alias!(webhook_deliveries as old_deliveries);
    on_each!(conn, c => {
        let oldest = old
            .filter(old.field(webhook_deliveries::state).eq(state))
            .filter(old.field(ended_at).lt(at))
            .order((old.field(ended_at), old.field(id)))
            .limit(most as i64)
            .select(old.field(id));
        diesel::delete(webhook_deliveries::table.filter(id.eq_any(oldest))).execute(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jobs::webhooks::testing::owed, storage::testing::for_each_database};

    fn ids(rows: &[DeliveryRow]) -> Vec<&str> {
        rows.iter().map(|row| row.id.as_str()).collect()
    }

    fn to(state: &str, next_at: i64, ended_at: Option<i64>) -> DeliveryChange {
        DeliveryChange {
            state: state.to_owned(),
            attempts: 1,
            last_status: Some(500),
            last_error: Some("no".to_owned()),
            next_at,
            ended_at,
        }
    }

    fn due_at(conn: &mut Connection, now: i64) -> Vec<String> {
        let due = due(conn, now, &Busy::default(), 9).unwrap();
        due.into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn none_overtakes_another_of_its_job_and_url() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, job, url) in [
                ("a", "one", "x"),
                ("b", "one", "x"),
                ("c", "one", "y"),
                ("d", "two", "x"),
            ] {
                let url = url.to_owned();
                insert(
                    conn,
                    &DeliveryRow {
                        url,
                        ..owed(id, job)
                    },
                )
                .unwrap();
            }
            assert_eq!(due_at(conn, 0), [""; 0]);
            assert_eq!(due_at(conn, 1), ["a", "c", "d"]);
            assert_eq!(change(conn, "a", &to("pending", 50, None)), Ok(true));
            assert_eq!(due_at(conn, 1), ["c", "d"]);
            assert_eq!(next_after(conn, 1), Ok(Some(50)));
            assert_eq!(
                due_at(conn, 50),
                ["c", "d", "a"],
                "the longest waiting first"
            );
            assert_eq!(change(conn, "a", &to("dead", 50, Some(51))), Ok(true));
            assert_eq!(change(conn, "a", &to("delivered", 0, Some(52))), Ok(false));
            assert_eq!(due_at(conn, 50), ["b", "c", "d"]);
            assert_eq!((next_after(conn, 50), pending(conn)), (Ok(None), Ok(3)));
            let claims = [1, 1].map(|at| claim(conn, "b", at, 80));
            assert_eq!(claims, [Ok(true), Ok(false)]);
            assert_eq!(due_at(conn, 79), ["c", "d"]);
            assert_eq!(claim(conn, "a", 50, 80), Ok(false));
        });
    }

    #[test]
    fn who_is_busy_is_left_out() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, app, receiver) in [("a", "x", "one"), ("b", "x", "two"), ("c", "y", "one")] {
                let row = DeliveryRow {
                    app_id: app.to_owned(),
                    receiver: receiver.to_owned(),
                    ..owed(id, id)
                };
                insert(conn, &row).unwrap();
            }
            let mut without = |ids: &[&str], receivers: &[&str], apps: &[&str]| {
                let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
                let busy = Busy {
                    ids: owned(ids),
                    receivers: owned(receivers),
                    apps: owned(apps),
                };
                let rows = due(conn, 1, &busy, 9).unwrap();
                self::ids(&rows).join("")
            };
            assert_eq!(without(&["a"], &[], &[]), "bc");
            assert_eq!(without(&[], &["one"], &[]), "b");
            assert_eq!(without(&[], &["two"], &["y"]), "a");
        });
    }

    #[test]
    fn an_apps_deliveries_are_listed_queued_again_and_go() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for id in ["a", "b", "c"] {
                let endpoint_id = Some("e".to_owned());
                insert(
                    conn,
                    &DeliveryRow {
                        endpoint_id,
                        ..owed(id, id)
                    },
                )
                .unwrap();
            }
            change(conn, "a", &to("delivered", 0, Some(5))).unwrap();
            assert_eq!(bury(conn, "e", "gone", 6), Ok(2));
            let of = |app: &str, state: Option<&str>| DeliveryFilter {
                app_id: Some(app.to_owned()),
                state: state.map(str::to_owned),
            };
            let mut listed = |state: Option<&str>, before: Option<&str>| {
                let rows = list(conn, &of("app", state), before, 2).unwrap();
                rows.into_iter().map(|row| row.id).collect::<String>()
            };
            assert_eq!(listed(None, None), "cb");
            assert_eq!(listed(None, Some("b")), "a");
            assert_eq!(listed(Some("dead"), None), "cb");
            assert_eq!(list(conn, &of("other", None), None, 9), Ok(Vec::new()));
            let all = page(conn, &DeliveryFilter::default(), None, 2).unwrap();
            assert_eq!((all.count, all.list.len()), (3, 2));
            let rest = page(conn, &DeliveryFilter::default(), all.next.as_ref(), 2).unwrap();
            assert_eq!((rest.list[0].id.as_str(), rest.next), ("a", None));
            assert_eq!(app_of(conn, "b"), Ok(Some("app".to_owned())));
            let dead = get(conn, "app", "b").unwrap().unwrap();
            assert_eq!(
                (dead.last_error.as_deref(), dead.ended_at),
                (Some("gone"), Some(6))
            );
            assert_eq!(get(conn, "other", "b"), Ok(None));
            assert_eq!(queue_again(conn, "other", "b", 9), Ok(None));
            let queued = queue_again(conn, "app", "b", 9).unwrap().unwrap();
            assert_eq!((queued.state.as_str(), queued.attempts), ("pending", 0));
            assert_eq!(due_at(conn, 9), ["b"]);
            assert_eq!(delete_ended(conn, "delivered", 5, 9), Ok(0));
            assert_eq!(delete_ended(conn, "delivered", 6, 9), Ok(1));
            assert_eq!(delete_ended(conn, "dead", 7, 9), Ok(1));
            assert_eq!(pending(conn), Ok(1));
        });
    }
}
