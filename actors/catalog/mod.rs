//! The catalog: which model is served by whom, under which name.
//!
//! | | |
//! |---|---|
//! | owns | the published directory: what each provider offers, and the routes over it |
//! | durable | nothing |
//! | derivable | everything: providers offer their models again when they start |
//! | ephemeral | nothing |
//! | mailbox | offers of the provider actors; readers use the published [`Directory`] without a hop |
//! | restart | goes on from the directory that it had published |
//!
//! [`route`] holds what decides between the targets of a route.

mod candidates;
pub mod config;
mod directory;
pub mod route;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use actix::Message;
use arc_swap::{ArcSwap, Guard};

pub use candidates::{Candidates, Explanation, ResolvedBy};
pub use directory::{Directory, Listed, ROUTE_OWNER, Target};

use self::config::RouteConfig;
pub use crate::affinity::Affinity;
use crate::{
    providers::{model::Model, provider::Provider},
    supervision::{Behaviour, ChildSpec, Ctx, Handle, Receive, Tree, TreeError},
};

/// See the module's head.
pub struct Catalog {
    published: Arc<ArcSwap<Directory>>,
}

impl Behaviour for Catalog {}

/// A provider says which models it has.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Offer {
    pub provider: Arc<Provider>,
    /// None = not known (yet): any model name is passed on.
    pub models: Option<Arc<[Model]>>,
}

impl Receive<Offer> for Catalog {
    type Reply = ();

    fn receive(&mut self, offer: Offer, _: &mut Ctx<Self>) {
        let next = self.published.load().with(offer.provider, offer.models);
        self.published.store(Arc::new(next));
    }
}

/// Answered once all offers that were sent before are in force.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Settle;

impl Receive<Settle> for Catalog {
    type Reply = ();

    fn receive(&mut self, _: Settle, _: &mut Ctx<Self>) {}
}

/// Reads the catalog without a hop. Cheap to clone.
#[derive(Clone)]
pub struct CatalogReader(Arc<ArcSwap<Directory>>);

impl CatalogReader {
    /// The directory in force.
    #[must_use]
    pub fn directory(&self) -> Guard<Arc<Directory>> {
        self.0.load()
    }
}

/// Starts the catalog with the configured routes, and no models yet.
///
/// # Errors
/// [`TreeError`] when it does not come up.
pub async fn start(
    tree: &Tree,
    routes: &[RouteConfig],
) -> Result<(Handle<Catalog>, CatalogReader), TreeError> {
    let published = Arc::new(ArcSwap::from_pointee(Directory::new(routes)));
    let reader = CatalogReader(published.clone());
    let spec = ChildSpec::new("catalog", "catalog", move || {
        Ok(Catalog {
            published: published.clone(),
        })
    });
    Ok((tree.start(spec).await?, reader))
}
