//! The tree as an operator sees it.

use std::sync::Arc;

use serde::Serialize;

use super::{
    fall::Fall,
    vitals::{State, Vitals},
};

/// The tree at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct TreeSnapshot {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    pub uptime_ms: u64,
    /// Groups before their children, in start order.
    pub nodes: Vec<NodeSnapshot>,
}

/// One node of the tree.
#[derive(Debug, Clone, Serialize)]
pub struct NodeSnapshot {
    /// `group/name`; groups end where their children begin.
    pub path: Arc<str>,
    pub kind: NodeKind,
    pub state: State,
    /// How long it has been in this state.
    pub state_ms: u64,
    pub restarts: u64,
    pub last_fall: Option<Arc<Fall>>,
    /// Messages that wait in the mailbox or are being answered.
    pub mailbox: u64,
    /// Messages handled over all its lives.
    pub handled: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Group,
    Actor,
}

impl NodeSnapshot {
    pub(super) fn of(vitals: &Vitals, kind: NodeKind, now_ms: u64) -> Self {
        Self {
            path: vitals.path().clone(),
            kind,
            state: vitals.state(),
            state_ms: now_ms.saturating_sub(vitals.since_ms()),
            restarts: vitals.restarts(),
            last_fall: vitals.last_fall(),
            mailbox: vitals.depth(),
            handled: vitals.handled(),
        }
    }
}
