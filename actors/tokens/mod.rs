//! Token counts where the upstream does not say: estimates, made with a real tokenizer.
//!
//! The caller gathers what a request holds in a [`Prompt`], finds the model's [`Family`] and asks the
//! [`TokenCounter`]. Counts are exact in the texts of OpenAI's models; for all others the nearest of OpenAI's
//! encodings is corrected by a factor ([`family`] has the table). What stands around the texts, and images, is
//! estimated for everybody, so the result must always be shown as an estimate.
//!
//! There is no actor here: nothing is durable, and the only state is a bounded cache of counts.

pub mod config;
mod counter;
mod encoding;
pub mod family;
mod prompt;

pub use counter::TokenCounter;
pub use encoding::Encoding;
pub use family::Family;
pub use prompt::Prompt;
