//! Everything in Troupe that owns state: a tree of supervised actors and the handles to them.
//!
//! This crate knows nothing of serving HTTP. Arrows go `src → actors → protocol`.

pub mod accounts;
pub mod affinity;
pub mod answers;
pub mod catalog;
pub mod credentials;
pub mod egress;
pub mod images;
pub mod jobs;
pub mod media;
pub mod pictures;
pub mod providers;
pub mod responses;
pub mod restart_log;
pub mod sealing;
pub mod secrets;
pub mod storage;
pub mod supervision;
pub mod tokens;
