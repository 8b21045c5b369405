//! What is wanted, so that it can be kept and ordered again after a restart.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use troupe_protocol::pictures::{Action, Input, ModelSpec, Order, Size};

/// An [`Order`] without its model's description, which is the configuration's, and without its files, which are
/// in the media store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobOrder {
    pub action: Action,
    pub prompt: String,
    pub negative_prompt: Option<String>,
    pub size: Option<Size>,
    /// As in [`Order`].
    #[serde(default)]
    pub exact: bool,
    pub count: u32,
    pub seed: Option<u64>,
    pub spare_seed: u32,
    pub steps: Option<u32>,
    pub guidance: Option<f64>,
    pub seconds: Option<f64>,
    pub inputs: Vec<JobInput>,
    pub mask: Option<usize>,
    pub extra: Map<String, Value>,
    pub nonce: u64,
}

/// A picture that the client gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobInput {
    /// The upstream fetches it.
    Link(String),
    /// By its name in the media store.
    File(String),
}

impl JobOrder {
    /// What is to be kept of an order whose inputs are these.
    #[must_use]
    pub fn of(order: &Order, inputs: Vec<JobInput>) -> Self {
        Self {
            action: order.action,
            prompt: order.prompt.clone(),
            negative_prompt: order.negative_prompt.clone(),
            size: order.size,
            exact: order.exact,
            count: order.count,
            seed: order.seed,
            spare_seed: order.spare_seed,
            steps: order.steps,
            guidance: order.guidance,
            seconds: order.seconds,
            inputs,
            mask: order.mask,
            extra: order.extra.clone(),
            nonce: order.nonce,
        }
    }

    /// The order again.
    #[must_use]
    pub fn order(&self, model: Arc<ModelSpec>, inputs: Vec<Input>) -> Order {
        Order {
            action: self.action,
            model,
            prompt: self.prompt.clone(),
            negative_prompt: self.negative_prompt.clone(),
            size: self.size,
            exact: self.exact,
            count: self.count,
            seed: self.seed,
            spare_seed: self.spare_seed,
            steps: self.steps,
            guidance: self.guidance,
            seconds: self.seconds,
            inputs,
            mask: self.mask,
            extra: self.extra.clone(),
            nonce: self.nonce,
        }
    }
}
