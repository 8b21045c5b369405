//! Orders of pictures and videos, whichever surface they come by.
//!
//! | room | what it is for |
//! |---|---|
//! | [`form`] | a request's fields and files, sent as JSON or as a form |
//! | [`draft`] | what is wanted, before it is known who serves it |
//! | [`draw`] | one candidate after the other, until it is drawn |
//! | [`answer`] | links to what was drawn, or its base64 |

pub mod answer;
pub mod draft;
pub mod draw;
pub mod form;
