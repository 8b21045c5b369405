//! Error answers in the words of VolcEngine's Visual service, and of the gateway before it.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How the Visual service refuses.
pub(super) struct Visual;

impl Voice for Visual {
    fn no_credential(&self) -> Problem {
        gateway(401, 100_003, "MissingAuthenticationToken")
    }

    fn bad_request(&self, message: &str) -> Problem {
        business(400, 50207, message)
    }

    /// A quota that is used up is said as a service that is not open, since it has no other word for it.
    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let problem = match (&refusal.reason, refusal.status) {
            (Reason::Quota, _) | (_, 402) => business(401, 50400, "Access Denied: Internal Error"),
            (Reason::Policy, _) => business(400, 50412, "Text Risk Not Pass"),
            (Reason::LeaksCredential, status) => {
                let text = format!("The access key {token} is not valid.");
                said(status, 100_009, "InvalidAccessKey", &text)
            }
            (Reason::WrongCredential, _) | (_, 401) => {
                gateway(401, 100_010, "SignatureDoesNotMatch")
            }
            (_, 403) => gateway(403, 100_013, "AccessDenied"),
            (_, 404) => business(400, 50207, &format!("req_key {model} is not valid")),
            (_, 429) => business(
                429,
                50429,
                "Request Has Reached API Limit, Please Try Later",
            ),
            (_, 500) => business(500, 50500, "Internal Error"),
            (_, status @ 501..) => business(status, 50501, "Internal RPC Error"),
            (_, status) => business(status, 50207, "Parameter Error"),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..problem
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        vec![("x-tt-logid", "sim".to_owned())]
    }
}

/// More tasks at a time than the account has.
pub(super) fn too_many() -> Problem {
    let text = "Request Has Reached API Concurrent Limit, Please Try Later";
    business(429, 50430, text)
}

/// A result that is not fit to be seen.
pub(super) fn risky() -> Problem {
    business(400, 50511, "Post Img Risk Not Pass")
}

/// An error of the gateway.
pub(super) fn gateway(status: u16, number: u32, code: &str) -> Problem {
    said(
        status,
        number,
        code,
        &format!("{code}: see the documentation"),
    )
}

fn said(status: u16, number: u32, code: &str, message: &str) -> Problem {
    let error = json!({"CodeN": number, "Code": code, "Message": message});
    let metadata = json!({
        "RequestId": "sim", "Action": "", "Version": "2022-08-31", "Service": "cv",
        "Region": "cn-north-1", "Error": error,
    });
    Problem::new(status, json!({ "ResponseMetadata": metadata }))
}

fn business(status: u16, code: u32, message: &str) -> Problem {
    let nothing = json!({
        "algorithm_base_resp": {"status_code": 0, "status_message": ""},
        "binary_data_base64": [],
    });
    Problem::new(status, envelope(code, message, &nothing))
}

/// What every answer of the service itself looks like.
pub(super) fn envelope(code: u32, message: &str, data: &Value) -> Value {
    json!({
        "code": code, "data": data, "message": message, "request_id": "sim", "status": code,
        "time_elapsed": "116.260108ms",
    })
}
