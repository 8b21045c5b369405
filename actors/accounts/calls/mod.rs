//! (head follows)

mod guard;
mod outcome;
pub mod spool;

pub use self::{
    guard::{CallGuard, Tokens},
    outcome::Outcome,
    spool::{CallRecorder, Spool, SpoolError},
};
