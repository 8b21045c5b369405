//! Who calls.

use std::sync::Arc;

use super::dedupe::Dedupe;
use crate::accounts::limits::Gate;

/// Who calls: an app, through one of its keys.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(super) app: Arc<App>,
    pub(super) key_id: Box<str>,
    pub(super) key_name: Box<str>,
    pub(super) dedupe: Dedupe,
}

/// An app, shared by the principals of its keys.
#[derive(Debug)]
pub(super) struct App {
    pub id: Box<str>,
    pub name: Box<str>,
    pub gate: Gate,
}

impl Principal {
    /// The app's id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app.id
    }

    /// The app's name.
    #[must_use]
    pub fn app_name(&self) -> &str {
        &self.app.name
    }

    /// The key's id, which is no secret.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What the operator calls the key.
    #[must_use]
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// What becomes of a repeated request of this key.
    #[must_use]
    pub fn dedupe(&self) -> Dedupe {
        self.dedupe
    }

    /// Where the app's requests wait for their turn. All keys of an app share it, over all reloads.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.app.gate
    }

    /// A caller for tests: the app `id` with its own limit.
    #[cfg(test)]
    pub(crate) fn sample(id: &str, max_in_flight: usize) -> Self {
        let app = App {
            id: id.into(),
            name: id.into(),
            gate: Gate::new(max_in_flight),
        };
        Self {
            app: Arc::new(app),
            key_id: "key".into(),
            key_name: "key".into(),
            dedupe: Dedupe::Off,
        }
    }
}
