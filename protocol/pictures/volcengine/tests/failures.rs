use std::time::Duration;

use serde_json::{Value, json};

use super::{super::super::testing::*, refusal, success, volcengine};
use crate::{
    failure::FailureKind,
    pictures::{Action, Failure},
};

/// What becomes of an order at once whose call is answered so; with its seed, it is not drawn again.
fn failed(line: Line) -> Failure {
    let service = volcengine();
    let order = order(&*service, "general_v3.0", Action::Generate, |order| {
        order.seed = Some(7);
    });
    play(&*service, &order, &[line]).failure().clone()
}

const fn rate(seconds: u64) -> FailureKind {
    FailureKind::RateLimited {
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

#[test]
fn every_business_code() {
    use FailureKind::{ContentPolicy, NotEntitled, Upstream};
    for (status, code, message, kind) in [
        (400, 50411, "Pre Img Risk Not Pass", ContentPolicy),
        (400, 50511, "Post Img Risk Not Pass", ContentPolicy),
        (400, 50412, "Text Risk Not Pass", ContentPolicy),
        (400, 50512, "Post Text Risk Not Pass", ContentPolicy),
        (400, 50413, "Post Text Risk Not Pass", ContentPolicy),
        (200, 50413, "Post Text Risk Not Pass", ContentPolicy),
        (
            400,
            50518,
            "Pre Img Risk Not Pass: Copyright",
            ContentPolicy,
        ),
        (
            400,
            50519,
            "Post Img Risk Not Pass: Copyright",
            ContentPolicy,
        ),
        (400, 50520, "Risk Internal Error", Upstream),
        (400, 50521, "Antidirt Internal Error", Upstream),
        (400, 50522, "Image Copyright Internal Error", Upstream),
        (
            429,
            50429,
            "Request Has Reached API Limit, Please Try Later",
            rate(1),
        ),
        (
            429,
            50430,
            "Request Has Reached API Concurrent Limit, Please Try Later",
            rate(3),
        ),
        (500, 50500, "Internal Error", Upstream),
        (500, 50501, "Internal RPC Error", Upstream),
        (401, 50400, "Access Denied: Internal Error", NotEntitled),
        // none that is documented: the status decides
        (400, 50999, "Parameter Error", FailureKind::InvalidRequest),
        (
            503,
            50999,
            "Busy",
            FailureKind::Overloaded { retry_after: None },
        ),
        (200, 50999, "Odd", Upstream),
    ] {
        let failure = failed(refusal(status, code, message));
        assert_eq!(failure.kind, kind, "{status} {code}");
        assert_eq!(failure.code, Some(code.to_string()));
        assert_eq!(failure.message.as_deref(), Some(message));
        assert_eq!(failure.status, Some(status));
    }
}

#[test]
fn rates_last_as_long_as_they_say_within_reason() {
    let line = || refusal(429, 50429, "Request Has Reached API Limit");
    assert_eq!(failed(line().header("retry-after", "7")).kind, rate(7));
    assert_eq!(failed(line().header("retry-after", "7000")).kind, rate(60));
}

#[test]
fn every_error_of_the_gateway() {
    use FailureKind::{AuthInvalid, InvalidRequest, NotEntitled, Upstream};
    for (status, number, code, kind) in [
        (400, 100_002, "MissingParameter", InvalidRequest),
        (401, 100_003, "MissingAuthenticationToken", AuthInvalid),
        (400, 100_004, "MissingRequestInfo", Upstream),
        (401, 100_005, "MissingSignature", AuthInvalid),
        (400, 100_006, "InvalidTimestamp", Upstream),
        (404, 100_007, "ServiceNotFound", Upstream),
        (404, 100_008, "InvalidActionOrVersion", Upstream),
        (401, 100_009, "InvalidAccessKey", AuthInvalid),
        (401, 100_010, "SignatureDoesNotMatch", AuthInvalid),
        (403, 100_012, "LackPolicy", NotEntitled),
        (403, 100_013, "AccessDenied", NotEntitled),
        (401, 100_099, "SomethingNew", AuthInvalid),
        (500, 100_099, "SomethingNew", Upstream),
    ] {
        let error = json!({"CodeN": number, "Code": code, "Message": "no, because"});
        let mut body = json!({"ResponseMetadata": {
            "RequestId": "2024", "Action": "CVProcess", "Version": "2022-08-31", "Service": "cv",
            "Region": "cn-north-1", "Error": error,
        }});
        let failure = failed(says(status, &body));
        assert_eq!(failure.kind, kind, "{code}");
        assert_eq!(failure.code.as_deref(), Some(code));
        assert_eq!(failure.message.as_deref(), Some("no, because"));
        // whatever else it says
        body["code"] = 10000.into();
        body["data"] = json!({"image_urls": ["https://a/b.png"]});
        assert_eq!(failed(says(200, &body)).code.as_deref(), Some(code));
        // by its name alone
        if number != 100_099 {
            body["ResponseMetadata"]["Error"]["CodeN"] = Value::Null;
            assert_eq!(failed(says(status, &body)).kind, kind, "{code}");
        }
    }
}

#[test]
fn answers_that_are_none() {
    for (line, kind) in [
        (success(&Value::Null), FailureKind::Upstream),
        (success(&json!({"image_urls": null})), FailureKind::Upstream),
        (says(200, &json!("<html>")), FailureKind::Upstream),
        (says(502, &json!("<html>")), FailureKind::Upstream),
        (says(401, &json!("no")), FailureKind::AuthInvalid),
    ] {
        assert_eq!(failed(line).kind, kind);
    }
    let line = success(&json!({
        "algorithm_base_resp": {"status_code": 1102, "status_message": "no face found"},
    }));
    let failure = failed(line);
    assert_eq!(failure.code.as_deref(), Some("1102"));
    assert_eq!(failure.message.as_deref(), Some("no face found"));
}
