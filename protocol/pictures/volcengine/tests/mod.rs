mod failures;
mod orders;
mod tasks;

use serde_json::{Value, json};

use super::super::{Service, testing};

/// The service at `https://up.test/v1`.
fn volcengine() -> Box<dyn Service> {
    testing::service("volcengine", Value::Null)
}

/// An answer with that data.
fn success(data: &Value) -> testing::Line {
    testing::says(
        200,
        &json!({
            "code": 10000, "data": data, "message": "Success", "request_id": "2024", "status": 10000,
            "time_elapsed": "116.26ms",
        }),
    )
}

/// An answer with that business code.
fn refusal(status: u16, code: u32, message: &str) -> testing::Line {
    testing::says(
        status,
        &json!({
            "code": code, "message": message, "request_id": "2024", "status": code,
            "data": {
                "algorithm_base_resp": {"status_code": 0, "status_message": ""},
                "binary_data_base64": [],
            },
        }),
    )
}
