//! Pictures and videos: what clients order, and how each upstream is asked for it.
//!
//! An upstream is a [`Service`]. For an [`Order`] it gives an [`Errand`]: a state machine that says which call
//! to make next and is told what came back, so that the same errand runs in an HTTP worker or in a job, and
//! tests play it without a network. Files never pass through it: what a client sent and what an upstream
//! sends stay outside, on disk, and stand as short marks in the JSON on either side ([`Order::inline`],
//! [`Source`]).
//!
//! | room | what it is for |
//! |---|---|
//! | [`order`] | what is wanted |
//! | [`spec`] | what a model can do, and whether an order keeps to it |
//! | [`call`] | one HTTP call of an errand, without its credential |
//! | [`errand`] | the conversation of an errand with whoever runs it |
//! | [`fields`], [`data`] | bodies that are JSON or a form, and OpenAI's list of pictures |
//! | [`single`], [`polled`] | errands of one call, and of a task that is asked after |
//! | [`shape`] | for upstreams that choose shapes, not sizes, or that take no mask |
//! | [`lift`] | base64 out of JSON, as it comes |
//! | [`failure`] | why an order failed |
//! | [`reset`] | when a quota is whole again |
//! | [`service`] | what every upstream says of itself, and the list of all |
//! | the others | one upstream each |

mod a4f;
mod ark;
pub mod call;
pub mod data;
mod demo;
pub mod errand;
pub mod failure;
pub mod fields;
mod gemini;
mod gitee;
mod grok;
mod huggingface;
pub mod lift;
mod modelscope;
mod modelslab;
mod openai;
pub mod order;
pub mod polled;
pub mod reset;
pub mod service;
pub mod shape;
pub mod single;
pub mod spec;
#[cfg(test)]
pub mod testing;
pub mod volcengine;

pub use call::{Auth, Body, Call, Field, Patience};
pub use errand::{Answer, Errand, Heard, Made, Outcome, Source, Step, Ticket};
pub use failure::Failure;
pub use order::{Action, Input, Order, Size};
pub use polled::{Polled, Taken, Task};
pub use service::{Kind, Quota, Service, Settings, Told};
pub use single::Single;
pub use spec::{ModelSpec, Range, Sizes};
