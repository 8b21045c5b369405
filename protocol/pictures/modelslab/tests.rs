//! Orders of ModelsLab, played by hand.

use serde_json::json;

use super::{
    super::{
        Size, Source,
        testing::{self, Line, Played, says},
    },
    *,
};

fn play(model: &str, action: Action, change: impl FnOnce(&mut Order), lines: &[Line]) -> Played {
    let service = testing::service("modelslab", json!({"poll_ms": 5}));
    let order = testing::order(&*service, model, action, change);
    testing::play(&*service, &order, lines)
}

fn drawn(lines: &[Line]) -> Played {
    play("flux", Action::Generate, |_| {}, lines)
}

fn processing() -> Line {
    says(
        200,
        &json!({"status": "processing", "id": 99, "eta": 3, "output": [],
            "fetch_result": "https://elsewhere.test/fetch/99"}),
    )
}

#[test]
fn a_picture_at_once() {
    let made = json!({"status": "success", "id": 99, "output": ["https://cdn.test/1.png", testing::part(0)]});
    let played = play(
        "realistic-vision",
        Action::Generate,
        |order| {
            order.size = Some(Size::new(1024, 576));
            order.steps = Some(30);
            order.guidance = Some(7.5);
            order.count = 2;
            order.negative_prompt = Some("blur".into());
            order.extra.insert("scheduler".into(), json!("DDIM"));
            order.extra.insert("style".into(), json!("vivid"));
        },
        &[says(200, &made)],
    );
    let call = &played.calls[0];
    assert_eq!(call.url, "https://up.test/v1/images/text2img");
    assert_eq!(call.auth, Auth::JsonField("key"));
    let body = json!({
        "model_id": "realistic-vision-v6", "prompt": "a red apple", "width": "1024", "height": "576",
        "samples": "2", "num_inference_steps": "30", "guidance_scale": 7.5, "negative_prompt": "blur",
        "scheduler": "DDIM",
    });
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["style"]);
    let results = &played.made().results;
    assert_eq!(results[1].as_ref().unwrap().source, Source::Part(0));
}

#[test]
fn under_load_a_picture_is_fetched_from_the_operators_host() {
    let made = json!({"status": "success", "output": ["https://cdn.test/1.png"]});
    let played = drawn(&[processing(), processing(), says(200, &made)]);
    for fetch in &played.calls[1..] {
        assert_eq!(fetch.url, "https://up.test/v1/images/fetch/99");
        assert!(fetch.repeats && fetch.auth == Auth::JsonField("key"));
    }
    assert_eq!(played.ticket, Some(Ticket(json!("99"))));
    assert_eq!(played.made().results.len(), 1);
}

#[test]
fn a_video_goes_its_own_way() {
    let made = json!({"status": "success", "output": ["https://cdn.test/1.mp4"]});
    let change = |order: &mut Order| {
        order.seconds = Some(3.0);
        order.extra.insert("fps".into(), json!(8));
    };
    let lines = [processing(), says(200, &made)];
    let played = play("cogvideox-5b", Action::TextToVideo, change, &lines);
    assert_eq!(played.calls[0].url, "https://up.test/v1/video/text2video");
    assert_eq!(played.calls[1].url, "https://up.test/v1/video/fetch/99");
    let body = json!({"model_id": "cogvideox-5b", "prompt": "a red apple", "fps": 8});
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["duration"]);
}

#[test]
fn tasks_go_on_by_their_ticket() {
    let service = testing::service("modelslab", json!(null));
    let order = testing::order(&*service, "flux", Action::Generate, |_| {});
    let errand = service.resume(&order, &Ticket(json!("99"))).unwrap();
    let failed = json!({"status": "failed", "messege": "out of memory"});
    let played = testing::run(errand, &[says(200, &failed)]);
    assert_eq!(played.calls[0].url, "https://up.test/v1/images/fetch/99");
    assert_eq!(played.failure().kind, FailureKind::Upstream);
    assert_eq!(played.failure().message.as_deref(), Some("out of memory"));
    assert!(service.resume(&order, &Ticket(json!("a/b"))).is_none());
}

#[test]
fn refusals_mean_the_same_with_200() {
    let spent = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };
    let limited = FailureKind::RateLimited {
        retry_after: Some(Duration::from_secs(30)),
    };
    for (status, text, kind, with_200) in [
        (
            400,
            "prompt is required",
            FailureKind::InvalidRequest,
            FailureKind::InvalidRequest,
        ),
        (
            401,
            "Invalid API key",
            FailureKind::AuthInvalid,
            FailureKind::AuthInvalid,
        ),
        (
            402,
            "Insufficient credits. Please add more credits to continue.",
            spent,
            spent,
        ),
        (
            403,
            "This feature requires a premium subscription",
            FailureKind::NotEntitled,
            FailureKind::NotEntitled,
        ),
        (
            429,
            "Rate limit exceeded. Maximum 5 queued requests allowed.",
            limited,
            limited,
        ),
        (429, "Slow down", limited, FailureKind::Upstream),
        (
            500,
            "Internal server error. Please try again.",
            FailureKind::Upstream,
            FailureKind::Upstream,
        ),
    ] {
        for field in ["message", "messege"] {
            let body = json!({"status": "error", field: text, "retry_after": 30});
            let played = drawn(&[says(status, &body)]);
            assert_eq!(played.failure().kind, kind, "{status} {text}");
            assert_eq!(played.failure().message.as_deref(), Some(text));
            let quiet = drawn(&[says(200, &body)]);
            assert_eq!(quiet.failure().kind, with_200, "{text}");
        }
    }
    let objection = json!({"status": "error", "message": {"width": ["The width is too large."]}});
    let refused = drawn(&[says(200, &objection)]);
    assert_eq!(refused.failure().kind, FailureKind::InvalidRequest);
    assert_eq!(
        refused.failure().message.as_deref(),
        Some("The width is too large.")
    );
    let empty = json!({"status": "success", "output": []});
    assert_eq!(
        drawn(&[says(200, &empty)]).failure().kind,
        FailureKind::Upstream
    );
}
