mod failures;
mod films;
mod pictures;

use serde_json::Value;

use super::super::{Service, testing};

/// The service at `https://up.test/v1`.
fn ark() -> Box<dyn Service> {
    testing::service("ark", Value::Null)
}
