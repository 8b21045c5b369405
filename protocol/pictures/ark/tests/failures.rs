use std::time::Duration;

use serde_json::json;

use super::{super::super::testing::*, ark};
use crate::{
    failure::{FailureKind, QuotaScope},
    pictures::{Action, Failure},
};

fn failed(line: Line) -> Failure {
    let service = ark();
    let order = order(&*service, "seedream-4.0", Action::Generate, |_| ());
    play(&*service, &order, &[line]).failure().clone()
}

fn refusal(status: u16, code: &str) -> Line {
    let message = format!("{code} it is. Request id: 0217");
    says(
        status,
        &json!({"error": {"code": code, "message": message, "param": "", "type": "BadRequest"}}),
    )
}

const fn quota(scope: QuotaScope) -> FailureKind {
    FailureKind::QuotaExhausted {
        scope,
        retry_after: None,
    }
}

const RATE: FailureKind = FailureKind::RateLimited { retry_after: None };

#[test]
fn every_code() {
    use FailureKind::{AuthInvalid, ContentPolicy, InvalidRequest, NotEntitled, Upstream};
    let account = quota(QuotaScope::Credential);
    let model = quota(QuotaScope::CredentialModel);
    for (status, code, kind) in [
        (400, "MissingParameter", InvalidRequest),
        (400, "InvalidParameter", InvalidRequest),
        (400, "InvalidParameter.UnsupportedSize", InvalidRequest),
        (400, "InputTextSensitiveContentDetected", ContentPolicy),
        (400, "InputImageSensitiveContentDetected", ContentPolicy),
        (400, "OutputImageSensitiveContentDetected", ContentPolicy),
        (
            400,
            "OutputImageSensitiveContentDetected.PolicyViolation",
            ContentPolicy,
        ),
        (
            400,
            "InputImageSensitiveContentDetected.PrivacyInformation",
            ContentPolicy,
        ),
        (401, "AuthenticationError", AuthInvalid),
        (403, "AccountOverdueError", account),
        (403, "OperationDenied.ServiceOverdue", account),
        (403, "OperationDenied.ServiceNotOpen", NotEntitled),
        (403, "AccessDenied", NotEntitled),
        (404, "InvalidEndpointOrModel.NotFound", NotEntitled),
        (404, "ModelNotOpen", NotEntitled),
        (429, "RateLimitExceeded.EndpointRPMExceeded", RATE),
        (429, "RateLimitExceeded.EndpointTPMExceeded", RATE),
        (429, "ModelAccountRpmRateLimitExceeded", RATE),
        (429, "ModelAccountTpmRateLimitExceeded", RATE),
        (429, "ModelAccountIpmRateLimitExceeded", RATE),
        (429, "APIAccountRpmRateLimitExceeded", RATE),
        (429, "AccountRateLimitExceeded", RATE),
        (429, "RequestBurstTooFast", RATE),
        (429, "InflightBatchsizeExceeded", RATE),
        (
            429,
            "ServerOverloaded",
            FailureKind::Overloaded { retry_after: None },
        ),
        (429, "QuotaExceeded", model),
        (429, "SetLimitExceeded", model),
        (500, "InternalServiceError", Upstream),
        // none that is documented: the status decides
        (429, "SomethingNew", RATE),
        (400, "SomethingNew", InvalidRequest),
    ] {
        let failure = failed(refusal(status, code));
        assert_eq!(failure.kind, kind, "{code}");
        assert_eq!(failure.code.as_deref(), Some(code));
        assert_eq!(failure.status, Some(status));
        assert!(failure.message.unwrap().starts_with(code));
    }
}

#[test]
fn its_own_word_on_waiting_counts() {
    let line = refusal(429, "ModelAccountIpmRateLimitExceeded").header("retry-after", "9");
    let retry_after = Some(Duration::from_secs(9));
    assert_eq!(failed(line).kind, FailureKind::RateLimited { retry_after });
}

#[test]
fn answers_that_are_none() {
    for (line, kind) in [
        (says(200, &json!({"data": []})), FailureKind::Upstream),
        (says(200, &json!({"data": [{}]})), FailureKind::Upstream),
        (says(200, &json!("<html>")), FailureKind::Upstream),
        (says(401, &json!("<html>")), FailureKind::AuthInvalid),
        (Line::End, FailureKind::Upstream),
    ] {
        assert_eq!(failed(line).kind, kind);
    }
}
