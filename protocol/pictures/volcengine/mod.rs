//! x
pub mod sign;
