//! The built-in, offline provider.

pub mod chat;
pub mod draw;
pub mod embed;
