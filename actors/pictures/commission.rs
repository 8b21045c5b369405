//! What is to be drawn, and what came of it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use troupe_protocol::pictures::{Failure, Order};

use crate::{
    media::{Kept, Owner, Spooled},
    providers::exchange::ExchangeError,
};

/// An order with the files that belong to it.
#[derive(Clone)]
pub struct Commission {
    /// Keeps to its model's description, but for `count`, which may be larger than `per_order`.
    pub order: Arc<Order>,
    /// In the places that the order's inputs have.
    pub inputs: Vec<Spooled>,
    pub owner: Owner,
}

/// What came of the orders that a commission was split into, by their places; those that were done before are not
/// among them.
pub type Gallery = BTreeMap<usize, Result<Drawn, ExchangeError>>;

/// What came of one order.
#[derive(Debug)]
pub struct Drawn {
    /// At least one is a picture.
    pub pictures: Vec<Result<Picture, Failure>>,
    /// The upstream's own `usage`.
    pub usage: Option<Value>,
}

/// A picture or video in the store.
#[derive(Debug, Clone)]
pub struct Picture {
    pub kept: Kept,
    pub revised_prompt: Option<String>,
    /// With which it was asked for, where one was.
    pub seed: Option<u64>,
}

/// One order for as many pictures as the upstream makes at a time; with a seed, each has another.
pub(super) fn split(order: &Arc<Order>) -> Vec<Arc<Order>> {
    let at_a_time = order.model.per_order.max(1);
    if order.count <= at_a_time {
        return vec![order.clone()];
    }
    let starts = (0..order.count).step_by(at_a_time as usize);
    let part = |start: u32| {
        Arc::new(Order {
            count: at_a_time.min(order.count - start),
            seed: order.seed.map(|seed| seed.wrapping_add(u64::from(start))),
            spare_seed: order.spare_seed.wrapping_add(start) & 0x7fff_ffff,
            nonce: order.nonce.wrapping_add(u64::from(start)),
            ..(**order).clone()
        })
    };
    starts.map(part).collect()
}
