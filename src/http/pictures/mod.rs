//! Orders of pictures and videos, whichever surface they come by.
//!
//! | room | what it is for |
//! |---|---|
//! | [`form`] | a request's fields and files, sent as JSON or as a form |
//! | [`draft`] | what is wanted, before it is known who serves it |
//! | [`plan`] | who may do it, and the order as each of them gets it |
//! | [`draw`] | a job that somebody waits for |
//! | [`late`] | answers that wait for a picture |
//! | [`answer`] | links to what was drawn, or its base64 |

pub mod answer;
pub mod draft;
pub mod draw;
pub mod form;
pub mod late;
pub mod plan;
