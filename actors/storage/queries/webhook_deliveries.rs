//! `webhook_deliveries`: what is to be told, to whom, and how that went. A row without `ended_at` is still owed.

use diesel::{dsl::exists, prelude::*};

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
    pub endpoint_id: Option<String>,
    pub job_id: String,
    pub topic: String,
    pub url: String,
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

/// An app's deliveries newest first, those of a state and before the id `before` only, at most `most`.
pub fn list(
    conn: &mut Connection,
    app_id: &str,
    state: Option<&str>,
    before: Option<&str>,
    most: usize,
) -> QueryResult<Vec<DeliveryBrief>> {
    on_each!(conn, c => {
        let mut query = webhook_deliveries::table
            .filter(webhook_deliveries::app_id.eq(app_id))
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(webhook_deliveries::state.eq(state));
        }
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
