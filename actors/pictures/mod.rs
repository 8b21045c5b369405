//! Orders of pictures and videos, carried out: one errand after the other, with one credential after the
//! other, until the files are in the store.
//!
//! Nothing is owned here: the thread that asked carries the bytes, as with chats. A file is on disk from its
//! first byte on, whichever way it goes, so that many large ones at a time cost no memory.
//!
//! | room | what it is for |
//! |---|---|
//! | [`config`] | `[pictures]` |
//! | [`studio`] | what a provider can draw: its service and its models |
//! | `commission` | what is to be drawn, and what came of it |
//! | [`atelier`] | an order on its way: attempts, fan-out, the store |
//! | [`harvest`] | from what an upstream made to the store |
//! | [`follow`] | the links in an upstream's answer |
//! | [`run`] | one errand with one credential |
//! | [`carry`] | one call of it: out with the files, back with what came |
//! | [`events`] | an answer that comes as events |
//! | [`quotas`] | what is left of the quotas of tokens |
//! | [`outgoing`] | the body of a call, its files streamed |
//! | [`tickets`] | what upstreams gave for orders that they have taken |
//! | [`receive`] | the answer of a call, its files put aside |

pub mod atelier;
pub mod carry;
mod commission;
pub mod config;
mod events;
pub mod follow;
mod harvest;
mod outgoing;
pub mod quotas;
pub mod receive;
mod run;
pub mod studio;
pub mod tickets;

pub use atelier::Atelier;
pub use commission::{Commission, Drawn, Gallery, Picture};
pub use config::PicturesConfig;
pub use outgoing::base64;
pub use quotas::Remains;
pub use studio::Studio;
pub use tickets::{Held, Tickets};
