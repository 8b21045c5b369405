//! Orders of OpenAI, played by hand.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    Action, Order, Patience, Service, Size, Source, Ticket,
    call::{Auth, Method},
    testing::{self, Line, Played, file, order, part, play, run, says, try_play},
};
use crate::failure::{FailureKind, QuotaScope};

fn service() -> Box<dyn Service> {
    testing::service("openai", json!({"poll_ms": 5}))
}

fn made(model: &str, action: Action, change: impl FnOnce(&mut Order), lines: &[Line]) -> Played {
    let service = service();
    play(&*service, &order(&*service, model, action, change), lines)
}

fn refusal(model: &str, action: Action, change: impl FnOnce(&mut Order)) -> String {
    let service = service();
    let order = order(&*service, model, action, change);
    try_play(&*service, &order, &[]).unwrap_err().to_string()
}

fn drawn() -> Line {
    says(200, &json!({"created": 1, "data": [{"b64_json": part(0)}]}))
}

fn pairs(form: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    form.iter().map(pair).collect()
}

#[test]
fn each_family_is_told_what_it_takes() {
    let extra = json!({
        "quality": "high", "background": "transparent", "style": "vivid", "user": "u", "moderation": "low",
        "output_format": "webp", "output_compression": 80, "input_fidelity": "high", "watermark": true, "n": null,
    });
    let all = |order: &mut Order| {
        order.extra = extra.as_object().unwrap().clone();
        order.size = Some(Size::new(1024, 1024));
        (order.seed, order.steps) = (Some(7), Some(20));
    };
    let gpt = json!({
        "quality": "high", "background": "transparent", "output_format": "webp", "output_compression": 80,
        "moderation": "low", "user": "u",
    });
    let (dall_e_3, dall_e_2) = (
        json!({"quality": "high", "style": "vivid", "user": "u", "response_format": "b64_json"}),
        json!({"user": "u", "response_format": "b64_json"}),
    );
    for (model, told, lost) in [
        (
            "gpt-image-1",
            &gpt,
            "seed steps input_fidelity style watermark",
        ),
        (
            "flux-of-somebody",
            &gpt,
            "seed steps input_fidelity style watermark",
        ),
        (
            "dall-e-3",
            &dall_e_3,
            "seed steps background input_fidelity moderation output_compression output_format watermark",
        ),
        (
            "dall-e-2",
            &dall_e_2,
            "seed steps background input_fidelity moderation output_compression output_format quality style watermark",
        ),
    ] {
        let played = made(model, Action::Generate, all, &[drawn()]);
        let mut body = json!({"model": model, "prompt": "a red apple", "size": "1024x1024"});
        let told = told.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(told);
        assert_eq!(*played.json(0), body);
        let mut losses = played.losses.clone();
        losses[2..].sort();
        assert_eq!(losses.join(" "), lost, "{model}");
    }
}

#[test]
fn a_picture_says_no_more_than_was_said() {
    let answer = json!({
        "data": [{"b64_json": part(0), "revised_prompt": "an apple, red"}, {"url": "https://a/b.png"}],
        "usage": {"total_tokens": 283},
    });
    let count = |order: &mut Order| order.count = 2;
    let lines = [says(200, &answer)];
    let played = made("gpt-image-1.5", Action::Generate, count, &lines);
    let call = &played.calls[0];
    assert_eq!(call.url, "https://up.test/v1/images/generations");
    assert_eq!((call.method, call.auth), (Method::Post, Auth::Bearer));
    assert_eq!((call.patience, call.repeats), (Patience::Long, false));
    let body = json!({"model": "gpt-image-1.5", "prompt": "a red apple", "n": 2});
    assert_eq!(*played.json(0), body);
    let results = &played.made().results;
    let first = results[0].as_ref().unwrap();
    assert_eq!(first.source, Source::Part(0));
    assert_eq!(first.revised_prompt.as_deref(), Some("an apple, red"));
    assert_eq!(
        results[1].as_ref().unwrap().source,
        Source::link("https://a/b.png")
    );
    assert_eq!(played.made().usage, Some(json!({"total_tokens": 283})));
    for empty in [json!({"data": []}), json!({}), json!("<html>")] {
        let played = made(
            "gpt-image-1",
            Action::Generate,
            |_| {},
            &[says(200, &empty)],
        );
        assert_eq!(played.failure().kind, FailureKind::Upstream);
    }
}

#[test]
fn edits_are_forms_with_pictures_and_a_mask() {
    let two = |order: &mut Order| {
        order.inputs = vec![file("image/png"), file("image/jpeg"), file("image/png")];
        order.mask = Some(2);
        order.extra.insert("input_fidelity".into(), json!("high"));
        order.extra.insert("output_compression".into(), json!(50));
    };
    let played = made("gpt-image-2", Action::Edit, two, &[drawn()]);
    assert_eq!(played.calls[0].url, "https://up.test/v1/images/edits");
    let form = [
        ("model", "gpt-image-2"),
        ("prompt", "a red apple"),
        ("output_compression", "50"),
        ("input_fidelity", "high"),
        ("image[]", "file 0"),
        ("image[]", "file 1"),
        ("mask", "file 2"),
    ];
    assert_eq!(played.form(0), pairs(&form));
    let one = |order: &mut Order| order.inputs = vec![file("image/png")];
    let played = made("dall-e-2", Action::Edit, one, &[drawn()]);
    let form = [
        ("model", "dall-e-2"),
        ("prompt", "a red apple"),
        ("response_format", "b64_json"),
        ("image", "file 0"),
    ];
    assert_eq!(played.form(0), pairs(&form));
}

#[test]
fn what_cannot_be_drawn_is_refused_with_what_can() {
    let size = |width, height| move |order: &mut Order| order.size = Some(Size::new(width, height));
    for (model, width, height, words) in [
        ("gpt-image-1", 512, 512, "1024x1024, 1536x1024 or 1024x1536"),
        ("dall-e-3", 512, 512, "1024x1024, 1792x1024 or 1024x1792"),
        ("gpt-image-2", 1000, 1000, "in multiples of 16"),
        ("gpt-image-2", 512, 512, "with 655360 to 8294400 pixels"),
        (
            "gpt-image-2",
            3840,
            1024,
            "three times as long as the other",
        ),
    ] {
        let words_of = refusal(model, Action::Generate, size(width, height));
        assert!(words_of.contains(words), "{model}: {words_of}");
    }
    made(
        "gpt-image-2",
        Action::Generate,
        size(3072, 1024),
        &[drawn()],
    );
    let words = refusal("dall-e-3", Action::Edit, |_| {});
    assert!(words.contains("text2image only"), "{words}");
}

fn film(status: &str) -> Line {
    says(
        200,
        &json!({"id": "video_1", "object": "video", "status": status, "progress": 0}),
    )
}

#[test]
fn a_video_is_submitted_and_asked_after() {
    let change = |order: &mut Order| {
        order.inputs = vec![file("image/png")];
        order.size = Some(Size::new(1280, 720));
        order.seconds = Some(8.0);
        order.negative_prompt = Some("rain".into());
    };
    let lines = ["queued", "in_progress", "thinking", "completed"].map(film);
    let played = made("sora-2", Action::ImageToVideo, change, &lines);
    let submit = &played.calls[0];
    assert_eq!(submit.url, "https://up.test/v1/videos");
    assert_eq!((submit.patience, submit.repeats), (Patience::Short, false));
    let form = [
        ("model", "sora-2"),
        ("prompt", "a red apple"),
        ("size", "1280x720"),
        ("seconds", "8"),
        ("input_reference", "file 0"),
    ];
    assert_eq!(played.form(0), pairs(&form));
    assert_eq!(played.losses, ["negative_prompt"]);
    for ask in &played.calls[1..] {
        assert_eq!(ask.url, "https://up.test/v1/videos/video_1");
        assert_eq!((ask.method, ask.repeats), (Method::Get, true));
    }
    assert_eq!(played.waits[1..], [Duration::from_millis(5); 3]);
    assert_eq!(played.ticket, Some(Ticket(json!("video_1"))));
    let made = played.made().results[0].as_ref().unwrap();
    let content = Source::Link {
        url: "https://up.test/v1/videos/video_1/content".into(),
        credential: true,
    };
    assert_eq!(made.source, content);
}

#[test]
fn a_video_goes_on_from_its_ticket() {
    let service = service();
    let order = order(&*service, "sora-2", Action::TextToVideo, |_| {});
    let ticket = Ticket(json!("video_1"));
    let errand = service.resume(&order, &ticket).unwrap();
    let played = run(errand, &[film("queued"), film("completed")]);
    assert_eq!(played.calls.len(), 2);
    assert!(played.calls.iter().all(|call| call.method == Method::Get));
    assert_eq!(played.made().results.len(), 1);
    assert!(service.cancel(&ticket).is_none());
    for foreign in [json!({"req_key": "x"}), json!("../models"), json!(null)] {
        assert!(service.resume(&order, &Ticket(foreign)).is_none());
    }
}

#[test]
fn a_video_fails_for_a_reason() {
    for (error, kind) in [
        (
            json!({"code": "moderation_blocked", "message": "Your request was blocked by our moderation system."}),
            FailureKind::ContentPolicy,
        ),
        (
            json!({"code": "server_error", "message": "The server had an error."}),
            FailureKind::Upstream,
        ),
        (json!(null), FailureKind::Upstream),
    ] {
        let failed = json!({"id": "video_1", "status": "failed", "error": error});
        let lines = [film("queued"), says(200, &failed)];
        let played = made("sora-2", Action::TextToVideo, |_| {}, &lines);
        assert_eq!(played.failure().kind, kind, "{error}");
        assert_eq!(played.failure().code.as_deref(), error["code"].as_str());
    }
    let lines = [says(200, &json!({"id": "../secrets", "status": "queued"}))];
    let played = made("sora-2", Action::TextToVideo, |_| {}, &lines);
    assert_eq!(played.failure().kind, FailureKind::Upstream);
    let words = refusal("sora-2", Action::TextToVideo, |order| {
        order.seconds = Some(5.0)
    });
    assert!(words.contains("4, 8 or 12 seconds"), "{words}");
    let wordless = |order: &mut Order| {
        order.inputs = vec![file("image/png")];
        order.prompt.clear();
    };
    assert!(refusal("sora-2", Action::ImageToVideo, wordless).contains("`prompt` is required"));
}

/// The texts of its error pages and of users' reports.
#[test]
fn failed_answers_mean_what_they_say() {
    let limited = |seconds: Option<u64>| FailureKind::RateLimited {
        retry_after: seconds.map(Duration::from_secs),
    };
    let quota = |retry_after| FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after,
    };
    // from 2026-03-01T10:00 to the first of April
    let month = Duration::from_secs((31 * 24 - 10) * 3600);
    let cases: &[(u16, &str, &str, &str, FailureKind)] = &[
        (
            401,
            "invalid_request_error",
            "invalid_api_key",
            "Incorrect API key provided: sk-abc***xyz.",
            FailureKind::AuthInvalid,
        ),
        (
            429,
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details.",
            quota(None),
        ),
        (
            400,
            "billing_limit_user_error",
            "billing_hard_limit_reached",
            "Billing hard limit has been reached.",
            quota(Some(month)),
        ),
        (
            429,
            "requests",
            "rate_limit_exceeded",
            "Rate limit reached for gpt-image-1 in organization org-x on input-images per min: Limit 5, Used 5, Requested 1. Please try again in 12s.",
            limited(Some(12)),
        ),
        (
            429,
            "requests",
            "rate_limit_exceeded",
            "Too many requests",
            limited(None),
        ),
        (
            400,
            "image_generation_user_error",
            "moderation_blocked",
            "Your request was rejected by the safety system.",
            FailureKind::ContentPolicy,
        ),
        (
            400,
            "invalid_request_error",
            "content_policy_violation",
            "Your request was rejected as a result of our safety system.",
            FailureKind::ContentPolicy,
        ),
        (
            403,
            "invalid_request_error",
            "",
            "Your organization must be verified to use the model `gpt-image-1`.",
            FailureKind::NotEntitled,
        ),
        (
            404,
            "invalid_request_error",
            "model_not_found",
            "The model `gpt-image-9` does not exist or you do not have access to it.",
            FailureKind::NotEntitled,
        ),
        (
            400,
            "image_generation_user_error",
            "invalid_value",
            "Transparent background is not supported for this model.",
            FailureKind::InvalidRequest,
        ),
        (
            400,
            "invalid_request_error",
            "unknown_parameter",
            "Unknown parameter: 'response_format'.",
            FailureKind::InvalidRequest,
        ),
        (
            500,
            "server_error",
            "",
            "The server had an error while processing your request. Sorry about that!",
            FailureKind::Upstream,
        ),
        (
            503,
            "server_error",
            "",
            "The engine is currently overloaded, please try again later.",
            FailureKind::Overloaded { retry_after: None },
        ),
    ];
    for (status, kind, code, message, expected) in cases {
        let code = Some(*code).filter(|code| !code.is_empty());
        let body =
            json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
        let played = made(
            "gpt-image-1",
            Action::Generate,
            |_| {},
            &[says(*status, &body)],
        );
        assert_eq!(played.failure().kind, *expected, "{message}");
        assert_eq!(played.failure().code.as_deref(), code);
        assert_eq!(played.failure().status, Some(*status));
        assert!(
            !played
                .failure()
                .message
                .as_deref()
                .unwrap()
                .contains("sk-abc")
        );
    }
    let body: Value = json!({"error": {"message": "slow", "code": "rate_limit_exceeded"}});
    let slow = says(429, &body).header("retry-after-ms", "1500");
    let played = made("gpt-image-1", Action::Generate, |_| {}, &[slow]);
    let wait = Some(Duration::from_millis(1500));
    assert_eq!(
        played.failure().kind,
        FailureKind::RateLimited { retry_after: wait }
    );
}
