//! Orders of xAI, played by hand.

use std::time::Duration;

use serde_json::json;

use super::super::{
    Action, Input, Order, Patience, Service, Size, Source, Ticket,
    call::{Auth, Method},
    testing::{self, Line, Played, file, order, part, play, run, says, try_play},
};
use crate::failure::{FailureKind, QuotaScope};

const PICTURE: &str = "grok-imagine-image";
const VIDEO: &str = "grok-imagine-video";

fn service() -> Box<dyn Service> {
    testing::service("grok", json!({"poll_ms": 5}))
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
    says(
        200,
        &json!({"data": [{"url": "https://imgen.x.ai/1.jpg", "revised_prompt": "r"}]}),
    )
}

#[test]
fn sizes_become_shapes() {
    for (width, height, shape) in [
        (1024, 1024, "1:1"),
        (1280, 720, "16:9"),
        (1024, 768, "4:3"),
        (960, 640, "3:2"),
        (1950, 900, "19.5:9"),
        (900, 1950, "9:19.5"),
        (2000, 900, "20:9"),
    ] {
        let size = |order: &mut Order| order.size = Some(Size::new(width, height));
        let played = made(PICTURE, Action::Generate, size, &[drawn()]);
        assert_eq!(played.json(0)["aspect_ratio"], shape);
        assert_eq!(played.losses, ["size"], "the pixels are not told");
    }
    let odd = |order: &mut Order| order.size = Some(Size::new(1000, 999));
    assert!(refusal(PICTURE, Action::Generate, odd).contains("a size of the shape 1:1, 16:9"));
    let both = |order: &mut Order| {
        order.size = Some(Size::new(64, 64));
        order.extra.insert("aspect_ratio".into(), json!("auto"));
    };
    assert!(refusal(PICTURE, Action::Generate, both).contains("without a size"));
}

#[test]
fn a_picture_says_no_more_than_was_said() {
    let played = made(PICTURE, Action::Generate, |_| {}, &[drawn()]);
    let call = &played.calls[0];
    assert_eq!(call.url, "https://up.test/v1/images/generations");
    assert_eq!((call.method, call.auth), (Method::Post, Auth::Bearer));
    assert_eq!((call.patience, call.repeats), (Patience::Long, false));
    let body = json!({"model": PICTURE, "prompt": "a red apple"});
    assert_eq!(*played.json(0), body);
    let one = played.made().results[0].as_ref().unwrap();
    assert_eq!(one.source, Source::link("https://imgen.x.ai/1.jpg"));
    assert_eq!(one.revised_prompt.as_deref(), Some("r"));
    let all = |order: &mut Order| {
        let extra = json!({"aspect_ratio": "auto", "resolution": "2k", "quality": "low", "user": "u", "style": "x"});
        order.extra = extra.as_object().unwrap().clone();
        (order.count, order.seed, order.seconds) = (4, Some(1), Some(2.0));
    };
    let played = made(PICTURE, Action::Generate, all, &[drawn()]);
    let body = json!({
        "model": PICTURE, "prompt": "a red apple", "n": 4, "aspect_ratio": "auto", "resolution": "2k",
        "quality": "low", "user": "u",
    });
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["seed", "seconds", "style"]);
}

#[test]
fn edits_are_json_with_links_or_data() {
    let link = "https://a/b.png";
    let one = |order: &mut Order| order.inputs = vec![file("image/jpeg")];
    let played = made(PICTURE, Action::Edit, one, &[drawn()]);
    assert_eq!(played.calls[0].url, "https://up.test/v1/images/edits");
    let url = played.json(0)["image"]["url"].as_str().unwrap();
    assert!(
        url.starts_with("data:image/jpeg;base64,troupe-input-"),
        "{url}"
    );
    assert_eq!(played.json(0)["image"]["type"], "image_url");
    let two = |order: &mut Order| {
        order.inputs = vec![file("image/png"), Input::Link(link.into())];
    };
    let played = made(PICTURE, Action::Edit, two, &[drawn()]);
    assert!(played.json(0).get("image").is_none());
    assert_eq!(played.json(0)["images"][1]["url"], link);
    let masked = |order: &mut Order| {
        order.inputs = vec![file("image/png"), file("image/png")];
        order.mask = Some(1);
    };
    assert!(refusal(PICTURE, Action::Edit, masked).contains("say it in the prompt"));
    let many = |order: &mut Order| order.inputs = vec![file("image/png"); 4];
    assert!(refusal(PICTURE, Action::Edit, many).contains("3 pictures at most"));
}

#[test]
fn what_moderation_keeps_back_is_no_picture() {
    let answer = json!({"data": [
        {"b64_json": part(0), "respect_moderation": true},
        {"url": "", "respect_moderation": false},
    ]});
    let played = made(PICTURE, Action::Generate, |_| {}, &[says(200, &answer)]);
    let results = &played.made().results;
    assert_eq!(results[0].as_ref().unwrap().source, Source::Part(0));
    assert_eq!(
        results[1].as_ref().unwrap_err().kind,
        FailureKind::ContentPolicy
    );
}

fn state(state: serde_json::Value) -> Line {
    says(200, &state)
}

fn taken() -> Line {
    state(json!({"request_id": "d97415a1-5796"}))
}

fn done() -> Line {
    state(json!({
        "status": "done", "model": VIDEO, "usage": {"cost_in_usd_ticks": 5},
        "video": {"url": "https://vidgen.x.ai/1.mp4", "duration": 5, "respect_moderation": true},
    }))
}

#[test]
fn a_video_is_submitted_and_asked_after() {
    let change = |order: &mut Order| {
        order.inputs = vec![Input::Link("https://a/b.png".into())];
        order.size = Some(Size::new(1280, 720));
        order.seconds = Some(5.0);
        order.extra.insert("resolution".into(), json!("720p"));
        order.extra.insert("quality".into(), json!("low"));
    };
    let pending = state(json!({"status": "pending", "progress": 5}));
    let odd = state(json!({"status": "moderating", "video": {"url": "https://too/early"}}));
    let lines = [taken(), pending, odd, state(json!({})), done()];
    let played = made(VIDEO, Action::ImageToVideo, change, &lines);
    assert_eq!(played.calls[0].url, "https://up.test/v1/videos/generations");
    assert_eq!(played.calls[0].patience, Patience::Short);
    let body = json!({
        "model": VIDEO, "prompt": "a red apple", "aspect_ratio": "16:9", "duration": 5, "resolution": "720p",
        "image": {"url": "https://a/b.png"},
    });
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["quality", "size"]);
    for ask in &played.calls[1..] {
        assert_eq!(ask.url, "https://up.test/v1/videos/d97415a1-5796");
        assert_eq!((ask.method, ask.repeats), (Method::Get, true));
    }
    assert_eq!(played.waits[1..], [Duration::from_millis(5); 4]);
    assert_eq!(played.ticket, Some(Ticket(json!("d97415a1-5796"))));
    let source = Source::link("https://vidgen.x.ai/1.mp4");
    assert_eq!(played.made().results[0].as_ref().unwrap().source, source);
    assert_eq!(played.made().usage, Some(json!({"cost_in_usd_ticks": 5})));
    let several = |order: &mut Order| order.inputs = vec![file("image/png"); 2];
    let played = made(VIDEO, Action::ImageToVideo, several, &[taken(), done()]);
    assert_eq!(
        played.json(0)["reference_images"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_video_ends_one_way_or_the_other() {
    for (end, kind) in [
        (
            json!({"status": "failed", "error": {"code": "internal_error", "message": "oops"}}),
            FailureKind::Upstream,
        ),
        (json!({"status": "failed"}), FailureKind::Upstream),
        (
            json!({"status": "error", "error": "Generated video rejected by content moderation."}),
            FailureKind::ContentPolicy,
        ),
        (
            json!({"status": "failed", "error": {"code": "invalid_argument", "message": "bad image"}}),
            FailureKind::InvalidRequest,
        ),
        (json!({"status": "expired"}), FailureKind::Upstream),
        (json!({"status": "done"}), FailureKind::Upstream),
        (
            json!({"status": "done", "video": {"url": "", "respect_moderation": false}}),
            FailureKind::ContentPolicy,
        ),
    ] {
        let lines = [taken(), state(end.clone())];
        let played = made(VIDEO, Action::TextToVideo, |_| {}, &lines);
        assert_eq!(played.failure().kind, kind, "{end}");
    }
    // the status may be missing where there is a video
    let bare = state(json!({"video": {"url": "https://vidgen.x.ai/2.mp4"}}));
    let played = made(VIDEO, Action::TextToVideo, |_| {}, &[taken(), bare]);
    assert_eq!(played.made().results.len(), 1);
    let bad = state(json!({"request_id": "a/../b"}));
    let played = made(VIDEO, Action::TextToVideo, |_| {}, &[bad]);
    assert_eq!(played.failure().kind, FailureKind::Upstream);
    for seconds in [0.0, 0.5, 5.5, 16.0, f64::NAN] {
        let words = refusal(VIDEO, Action::TextToVideo, |order| {
            order.seconds = Some(seconds)
        });
        assert!(words.contains("films 1 to 15 seconds"), "{words}");
    }
}

#[test]
fn a_video_goes_on_from_its_ticket() {
    let service = service();
    let order = order(&*service, VIDEO, Action::TextToVideo, |_| {});
    let ticket = Ticket(json!("d97415a1-5796"));
    let errand = service.resume(&order, &ticket).unwrap();
    let played = run(errand, &[done()]);
    assert_eq!(played.calls.len(), 1);
    assert_eq!(
        played.calls[0].url,
        "https://up.test/v1/videos/d97415a1-5796"
    );
    assert!(service.resume(&order, &Ticket(json!("a?b"))).is_none());
}

/// The texts of its error answers, in both of their shapes.
#[test]
fn failed_answers_mean_what_they_say() {
    let quota = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };
    let invalid = "Client specified an invalid argument";
    let forbidden = "The caller does not have permission to execute the specified operation";
    let exhausted = "Some resource has been exhausted";
    let cases = [
        (
            400,
            invalid,
            "Incorrect API key provided: xa***bc. You can obtain an API key from https://console.x.ai.",
            FailureKind::AuthInvalid,
        ),
        (
            401,
            "Unauthenticated",
            "Invalid or missing credentials.",
            FailureKind::AuthInvalid,
        ),
        (
            403,
            forbidden,
            "Your newly created team doesn't have any credits yet. You can purchase credits on https://console.x.ai.",
            quota,
        ),
        (
            403,
            forbidden,
            "Your API key does not have permission for this endpoint.",
            FailureKind::NotEntitled,
        ),
        (
            403,
            forbidden,
            "Content violates usage guidelines. Team: t, API key ID: k, Model: m, Failed check: SAFETY_CHECK_TYPE",
            FailureKind::ContentPolicy,
        ),
        (
            429,
            exhausted,
            "Your team t has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.",
            quota,
        ),
        (
            429,
            exhausted,
            "Too many requests for team t and model grok-imagine-image. Your team's rate limit is - Requests per Second (actual/limit): 2/1.",
            FailureKind::RateLimited { retry_after: None },
        ),
        (
            400,
            invalid,
            "Generated image rejected by content moderation.",
            FailureKind::ContentPolicy,
        ),
        (
            400,
            invalid,
            "The prompt says Generated image rejected by content moderation",
            FailureKind::InvalidRequest,
        ),
        (
            404,
            "Some requested entity was not found",
            "The model x does not exist or your team t does not have access to it.",
            FailureKind::NotEntitled,
        ),
        (
            503,
            "The service is currently unavailable",
            "Service temporarily unavailable. The model is at capacity.",
            FailureKind::Overloaded { retry_after: None },
        ),
        (500, "Internal error", "oops", FailureKind::Upstream),
    ];
    for (status, code, text, kind) in cases {
        let flat = json!({"code": code, "error": text});
        let nested = json!({"error": {"message": text, "type": "t", "param": null, "code": null}});
        for body in [flat, nested] {
            let played = made(PICTURE, Action::Generate, |_| {}, &[says(status, &body)]);
            assert_eq!(played.failure().kind, kind, "{body}");
            assert_eq!(played.failure().status, Some(status));
        }
    }
}
