//! (head follows)

mod table;
mod text;

pub use self::{
    table::{KeyCheck, KeyError, Principal},
    text::KeyTextError,
};
