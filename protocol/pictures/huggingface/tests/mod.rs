//! Orders at Hugging Face, played by hand.

mod failures;
mod routed;
mod shapes;
mod spaces;

use std::sync::Arc;

use serde_json::Value;

use super::super::{
    Action, Order, Service,
    testing::{self, Line},
};

/// The service as it is shipped, its tasks asked after every 5 ms.
fn shipped() -> Box<dyn Service> {
    let options = serde_json::json!({"poll_ms": 5, "bill_to": "acme"});
    testing::service("huggingface", options)
}

/// An order of a model with these options; `change` says the rest.
fn of_model(
    service: &dyn Service,
    action: Action,
    options: Value,
    change: impl FnOnce(&mut Order),
) -> Arc<Order> {
    testing::order(service, "mine", action, |order| {
        let model = Arc::make_mut(&mut order.model);
        model.types = vec![action.model_type().to_owned()];
        if let Value::Object(options) = options {
            model.options = options;
        }
        change(order);
    })
}

fn done(data: Value) -> Line {
    testing::event("complete", &data)
}
