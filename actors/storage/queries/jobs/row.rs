//! The rows of `jobs`: whole, in brief, and what changes of one.

use diesel::prelude::*;

use crate::storage::schema::jobs;

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub struct JobRow {
    /// `job_…`, as the client knows it; later ones are greater.
    pub id: String,
    /// Whose it is.
    pub app_id: String,
    /// The call that submitted it.
    pub call_id: String,
    /// As the client named it.
    pub model: String,
    /// Who draws it.
    pub provider: String,
    /// The model's id at that provider.
    pub target: String,
    /// What the upstream calls it.
    pub upstream_model: String,
    /// `generate`, `edit`, ….
    pub action: String,
    /// Higher ones go first.
    pub priority: i32,
    /// `pending`, `processing`, `retrying`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Grows with every change of the state.
    pub revision: i32,
    /// How often it was begun.
    pub attempts: i32,
    /// How often a begun attempt was lost with the process.
    pub interruptions: i32,
    /// What is wanted, JSON.
    pub draft: String,
    /// What upstreams gave for it, JSON: see `jobs::ticket`.
    pub tickets: Option<String>,
    /// What came of it, JSON.
    pub results: Option<String>,
    /// Why it failed, JSON.
    pub error: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When its last attempt began.
    pub started_at: Option<i64>,
    /// It is not begun before this time.
    pub wake_at: Option<i64>,
    /// When it reached its last state.
    pub finished_at: Option<i64>,
    /// Credits for one picture, times a million, as they were when it was ordered.
    pub price: i64,
    /// What came of the parts that are done, JSON: see `jobs::job`.
    pub made: Option<String>,
    /// Who else may do it, JSON: see `jobs::route`.
    pub others: Option<String>,
    /// The node that is at it, or was last.
    pub owner: Option<String>,
    /// Until when that node is taken to live; none = for ever.
    pub leased_until: Option<i64>,
    /// The order's own, to be searched; empty in rows of releases before.
    pub prompt: String,
    /// What its pictures are tagged with, a JSON list.
    pub tags: Option<String>,
    /// The key that it was submitted with, hashed; no other job has it.
    pub submission: Option<String>,
    /// What came with that key, hashed.
    pub fingerprint: Option<String>,
}

/// What is needed of a job to put it into its place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobBrief {
    pub id: String,
    pub app_id: String,
    pub model: String,
    pub provider: String,
    pub priority: i32,
    pub state: String,
    pub attempts: i32,
    pub interruptions: i32,
    pub tickets: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub wake_at: Option<i64>,
    pub owner: Option<String>,
    pub leased_until: Option<i64>,
}

/// A change of the state, all of it at once.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_null = true)]
pub struct JobChange {
    pub provider: String,
    pub target: String,
    pub upstream_model: String,
    pub draft: String,
    pub state: String,
    pub attempts: i32,
    pub interruptions: i32,
    pub tickets: Option<String>,
    pub results: Option<String>,
    pub error: Option<String>,
    pub started_at: Option<i64>,
    pub wake_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub price: i64,
    pub made: Option<String>,
    pub others: Option<String>,
    pub owner: Option<String>,
    pub leased_until: Option<i64>,
}
