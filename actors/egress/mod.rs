//! Links of strangers: every URL that a client can influence is opened through the [`Guard`].
//!
//! A gateway stands inside a network that its clients cannot reach, so a link is a way to make it ask for
//! them. The guard reads a URL once, resolves its host once, refuses it when any of the addresses is not
//! public, and connects to an address that it has seen: a name that answers otherwise the next time gains
//! nothing. Redirects are followed by hand, each through the same door.
//!
//! | room | what it is for |
//! |---|---|
//! | [`guard`] | the door: checks, connects, follows redirects |
//! | [`target`] | what a URL must look like, before any name is asked for |
//! | [`addresses`] | which addresses are public |
//! | [`resolve`] | asking for the addresses of a name |
//! | [`config`], [`error`] | `[egress]`; what is told when a link is refused |
//!
//! No actor: nothing is owned here, and the thread that asks carries the bytes.

mod addresses;
pub mod config;
mod error;
mod guard;
mod resolve;
mod target;
#[cfg(test)]
mod tests;

pub use config::EgressConfig;
pub use error::EgressError;
pub use guard::{Fetched, Guard};
pub use resolve::Lookup;
pub use target::Exempt;
