//! What upstreams say, word for word, and what it means.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            Action, Answer, Failure,
            testing::{self, Line, event, now, play, says},
        },
        failure::{Place, classify},
    },
    of_model, shipped,
};
use crate::failure::{FailureKind, QuotaScope};

const OVERLOADED: FailureKind = FailureKind::Overloaded { retry_after: None };

fn quota(seconds: u64) -> FailureKind {
    FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

/// A day after the token's first use.
const DAY: FailureKind = FailureKind::QuotaExhausted {
    scope: QuotaScope::CredentialDay,
    retry_after: None,
};

/// From the answer to the first call, or from the events after it, of the default protocol or of the queue.
fn failure(protocol: &str, lines: &[Line]) -> Failure {
    let service = shipped();
    let options = json!({
        "space": "me/app", "api_name": "draw", "fn_index": 1, "template": ["{prompt}"],
        "protocol": protocol, "api_prefix": "gradio_api",
    });
    let order = of_model(&*service, Action::Generate, options, |_| {});
    play(&*service, &order, lines).failure().clone()
}

#[test]
fn quotas_of_gpus_last_as_long_as_they_say() {
    for (text, kind) in [
        (
            "You have exceeded your GPU quota (60s requested vs. 42s left). Try again in 1:02:03",
            quota(3723),
        ),
        (
            "You have exceeded your free GPU quota (60s requested vs. 42s left). Try again in 0:09:48",
            quota(588),
        ),
        (
            "You have exceeded your free ZeroGPU quota (60s requested vs. 0s left). Create a free account",
            DAY,
        ),
        (
            "'You have exceeded your ZeroGPU quota (146s requested vs. 62s left). Try again in 23:59:09. …'",
            quota(86_349),
        ),
        (
            "You have exceeded your Pro GPU quota (180s requested vs. 105s left). Try again in 0:00:00",
            quota(1),
        ),
        (
            "You have exceeded your GPU quota (46s left vs. 60s requested). Please retry in 0:09:48",
            quota(588),
        ),
        ("You have exceeded your ZeroGPU runs limit", DAY),
        ("ZeroGPU quota exceeded", DAY),
        ("ZeroGPU pending credits exceeded", DAY),
        ("Space app has reached its GPU limit.", OVERLOADED),
        ("ZeroGPU queue timeout", OVERLOADED),
        ("No GPU was available after 60s", OVERLOADED),
        ("ZeroGPU illegal duration", FailureKind::Upstream),
        ("ZeroGPU worker error", FailureKind::Upstream),
        ("GPU task aborted", FailureKind::Upstream),
        ("NSFW content detected.", FailureKind::ContentPolicy),
        (
            "'NoneType' object is not subscriptable",
            FailureKind::Upstream,
        ),
    ] {
        let object = json!({"error": text, "visible": true, "title": "ZeroGPU"});
        for error in [json!(text), object] {
            let lines = [says(200, &json!({"event_id": "e"})), event("error", &error)];
            let failed = failure("call", &lines);
            assert_eq!(failed.kind, kind, "{error}");
            assert!(failed.message.unwrap().contains(&text[..10]), "{error}");
        }
        let ended =
            json!({"msg": "process_completed", "success": false, "output": {"error": text}});
        let lines = [says(200, &json!({"event_id": "e"})), event("", &ended)];
        assert_eq!(failure("queue", &lines).kind, kind, "{text}");
    }
}

#[test]
fn a_prompt_takes_no_token_out() {
    let prompt = format!(
        "Cannot draw this prompt, it is far too long and I do not know what it should look like when it is done: {}",
        "You have exceeded your GPU quota. Try again in 23:00:00"
    );
    let lines = [
        says(200, &json!({"event_id": "e"})),
        event("error", &json!(prompt)),
    ];
    assert_eq!(failure("call", &lines).kind, FailureKind::Upstream);
}

#[test]
fn spaces_that_say_nothing() {
    let taken = says(200, &json!({"event_id": "e"}));
    let failed = failure("call", &[taken.clone(), event("error", &Value::Null)]);
    assert_eq!(failed.kind, FailureKind::Upstream);
    assert!(failed.message.unwrap().contains("without saying why"));
    let silent = json!({"msg": "process_completed", "success": false, "output": {"error": null}});
    assert_eq!(
        failure("queue", &[taken.clone(), event("", &silent)]).kind,
        FailureKind::Upstream
    );
    let titled = json!({"msg": "process_completed", "success": false, "output": {"error": null}, "title": "ZeroGPU quota exceeded"});
    assert_eq!(
        failure("queue", &[taken.clone(), event("", &titled)]).kind,
        DAY
    );
    let broken =
        json!({"msg": "unexpected_error", "message": "Session not found", "success": false});
    let failed = failure("queue", &[taken.clone(), event("", &broken)]);
    assert_eq!(failed.message.as_deref(), Some("Session not found"));
    for end in [Line::End, event("", &json!({"msg": "close_stream"}))] {
        assert_eq!(
            failure("queue", &[taken.clone(), end]).kind,
            FailureKind::Upstream
        );
    }
}

#[test]
fn spaces_that_do_not_answer_as_gradio_does() {
    let page = json!("<!DOCTYPE html><html><body>Building</body></html>");
    for (status, body, kind) in [
        (200, page.clone(), OVERLOADED),
        (503, page.clone(), OVERLOADED),
        (502, page.clone(), OVERLOADED),
        (404, page.clone(), FailureKind::Upstream),
        (500, page, FailureKind::Upstream),
        (
            503,
            json!("Your space is in error, check its status on hf.co"),
            OVERLOADED,
        ),
        (200, json!({"nothing": true}), FailureKind::Upstream),
        (200, json!({"event_id": "../../x"}), FailureKind::Upstream),
        (
            503,
            json!({"detail": "Queue is full. Please try again."}),
            OVERLOADED,
        ),
        (
            422,
            json!({"detail": [{"loc": ["body"], "msg": "field required"}]}),
            FailureKind::Upstream,
        ),
        (
            429,
            json!({"detail": "slow down"}),
            FailureKind::RateLimited { retry_after: None },
        ),
        (
            401,
            json!({"detail": "Not authenticated"}),
            FailureKind::Upstream,
        ),
        (
            401,
            json!({"error": "Invalid username or password."}),
            FailureKind::AuthInvalid,
        ),
        (403, json!({"detail": "no"}), FailureKind::Upstream),
    ] {
        let failed = failure("queue", &[says(status, &body)]);
        assert_eq!(failed.kind, kind, "{status} {body}");
        assert!(failed.message.is_some(), "{status} {body}");
        assert!(!failed.message.unwrap().contains('<'), "{status} {body}");
    }
}

#[test]
fn the_routers_words() {
    // from the 1st of March, 10:00, to the 1st of April
    let next_month = quota(30 * 86_400 + 14 * 3600);
    let credits = "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits.";
    for (status, body, kind) in [
        (402, json!({"error": credits}), next_month),
        (402, json!("pay"), next_month),
        (429, json!({"error": credits}), next_month),
        (
            401,
            json!({"error": "Invalid username or password."}),
            FailureKind::AuthInvalid,
        ),
        (
            403,
            json!({"error": "This authentication method does not have sufficient permissions"}),
            FailureKind::NotEntitled,
        ),
        (
            429,
            json!({"error": "Rate limit reached"}),
            FailureKind::RateLimited { retry_after: None },
        ),
        (
            503,
            json!({"error": "Model x is currently loading", "estimated_time": 20.0}),
            FailureKind::Overloaded {
                retry_after: Some(Duration::from_secs(20)),
            },
        ),
        (
            400,
            json!({"error": "Model not supported by provider fal-ai"}),
            FailureKind::InvalidRequest,
        ),
        (
            422,
            json!({"detail": [{"loc": ["body", "prompt"], "msg": "flagged", "type": "content_policy_violation"}]}),
            FailureKind::ContentPolicy,
        ),
        (
            200,
            json!({"status": "failed", "error": "NSFW content detected. Try a different prompt."}),
            FailureKind::ContentPolicy,
        ),
        (
            200,
            json!({"status": "failed", "error": "CUDA out of memory"}),
            FailureKind::Upstream,
        ),
        (500, json!("oh"), FailureKind::Upstream),
    ] {
        let body = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        let answer = Answer {
            status,
            headers: &[],
            body: body.as_bytes(),
            now: now(),
        };
        let failed = classify(&answer, Place::Router);
        assert_eq!(failed.kind, kind, "{status} {body}");
        assert!(failed.message.is_some(), "{status} {body}");
    }
}

#[test]
fn what_is_left_of_a_quota() {
    let service = testing::service("huggingface", json!({"hub_url": "https://hub.test"}));
    let ask = service.ask_quota().unwrap();
    assert_eq!(ask.url, "https://hub.test/api/spaces/zero-gpu/quota");
    let quota = |body: Value| {
        let body = body.to_string();
        service.read_quota(&Answer {
            status: 200,
            headers: &[],
            body: body.as_bytes(),
            now: now(),
        })
    };
    let whole = quota(json!({"base": 2400, "current": 2400, "resetsAt": null, "overquotaUsed": 0}));
    let whole = whole.unwrap();
    assert_eq!(
        (whole.remaining, whole.limit, whole.resets_in),
        (2400.0, Some(2400.0), None)
    );
    let used = quota(json!({"base": 300, "current": 12.5, "resetsAt": "2026-03-01T11:00:00.000Z"}));
    let used = used.unwrap();
    assert_eq!(
        (used.remaining, used.unit, used.resets_in),
        (12.5, "seconds", Some(3600))
    );
    assert_eq!(quota(json!({"error": "no"})), None);
}
