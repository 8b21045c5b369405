//! Providers: the upstream services behind the gateway.
//!
//! | room | what it is for |
//! |---|---|
//! | [`upstream`] | what every upstream protocol must say; one file per protocol beside it |
//! | [`openai`], [`anthropic`], [`gemini`], [`demo`] | the protocols |
//! | [`base_url`] | what an upstream's paths are relative to |
//! | [`provider`] | one configured provider: protocol, credentials, limits, time-outs |
//! | [`actor`], [`model`] | the provider actor: knows which models there are |
//! | [`turns`] | one attempt after the other, with one credential after the other |
//! | [`exchange`] | an attempt over HTTP, until the first byte |
//! | [`opening`] | the first event of a stream, which may tell of a failure |
//! | [`body`], [`client`] | the answer's body under its time-outs; each thread's HTTP client |
//! | [`presets`] | services known by name |
//! | [`price`] | what a picture costs |
//!
//! The provider decides (which URL, which credential, what a failure means); the thread that asked
//! carries the bytes and reports.

pub mod actor;
pub mod anthropic;
pub mod base_url;
pub mod body;
pub mod client;
pub mod config;
pub mod demo;
pub mod exchange;
pub mod gemini;
pub mod model;
pub mod openai;
pub mod opening;
pub mod presets;
pub mod price;
pub mod provider;
pub mod speechless;
pub(crate) mod turns;
pub mod upstream;
