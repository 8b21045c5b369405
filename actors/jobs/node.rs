//! Which node is at a job. Where several gateways share a database, each begins a job only after it has written its
//! name into the job's row; the name counts for as long as its lease, which the node renews while it lives.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

/// A gateway among those that share its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    name: Arc<str>,
    /// How long it is taken to live after it was last heard of; none where there is no other.
    lease: Option<Duration>,
}

impl Node {
    /// The only one: what is in its database was begun by itself, also before a restart.
    #[must_use]
    pub fn only() -> Self {
        Self {
            name: "only".into(),
            lease: None,
        }
    }

    /// One of several, under a name that no other has, nor itself after a restart.
    #[must_use]
    pub fn among_others(lease: Duration) -> Self {
        Self {
            name: Uuid::now_v7().simple().to_string().into(),
            lease: Some(lease),
        }
    }

    /// As it stands in rows.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long leases are; none where there is no other node.
    #[must_use]
    pub fn lease(&self) -> Option<Duration> {
        self.lease
    }

    /// Until when a lease runs that is given at `now`, in milliseconds since 1970.
    #[must_use]
    pub fn leased_until(&self, now: i64) -> Option<i64> {
        let lease = i64::try_from(self.lease?.as_millis()).unwrap_or(i64::MAX);
        Some(now.saturating_add(lease))
    }

    /// Whether it may begin, or go on with, what stands in that owner's name.
    #[must_use]
    pub fn may_take(&self, owner: Option<&str>, leased_until: Option<i64>, now: i64) -> bool {
        let lives = leased_until.is_some_and(|until| until > now);
        owner.is_none_or(|owner| owner == &*self.name) || !lives
    }

    /// Whether that is itself.
    #[must_use]
    pub fn is(&self, owner: Option<&str>) -> bool {
        owner == Some(&*self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_node_keeps_what_it_has() {
        let (one, other) = (
            Node::among_others(Duration::from_secs(1)),
            Node::among_others(Duration::from_secs(1)),
        );
        let until = one.leased_until(1_000);
        assert_eq!(until, Some(2_000));
        let owner = Some(one.name());
        assert!(one.is(owner) && !other.is(owner));
        assert!(one.may_take(owner, until, 5_000));
        assert!(!other.may_take(owner, until, 1_999));
        assert!(other.may_take(owner, until, 2_000));
        assert!(other.may_take(None, None, 0));
        assert_eq!(Node::only().leased_until(1), None);
    }
}
