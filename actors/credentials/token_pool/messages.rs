//! What a token pool takes, besides the [`Report`](crate::credentials::lease::Report) of its leases.

use std::sync::Arc;

use actix::Message;
use tokio::sync::oneshot;

use super::{outlook::Readiness, snapshot::PoolSnapshot, token::TokenIndex};
use crate::credentials::lease::{Lease, LeaseError, ReportTo, Terms};

/// Asks for a token; the answer comes later if all rest. A lease whose answer nobody takes reports
/// itself as dropped.
#[derive(Message)]
#[rtype(result = "Result<Lent, LeaseError>")]
pub struct Lend {
    pub model: Arc<str>,
    /// Tokens that this request has tried already.
    pub exclude: Vec<TokenIndex>,
    pub terms: Terms,
    pub lender: Arc<dyn ReportTo>,
}

/// The answer to [`Lend`].
#[derive(Debug)]
pub enum Lent {
    Now(Lease),
    /// The request waits in the pool, no longer than configured.
    Later(oneshot::Receiver<Result<Lease, LeaseError>>),
}

/// Asks how the chances of a request for `model` look, once what was reported before this is judged.
#[derive(Message)]
#[rtype(result = "Readiness")]
pub struct GetReadiness {
    pub model: Arc<str>,
}

/// An operator looks.
#[derive(Message)]
#[rtype(result = "PoolSnapshot")]
pub struct GetSnapshot;

/// An operator ends the rests of one token or of all. The answer: whether there is such a token.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Reset {
    pub token: Option<TokenIndex>,
}
