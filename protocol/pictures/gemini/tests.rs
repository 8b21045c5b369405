//! Orders of Google, played by hand.

mod failures;

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    Action, Order, Patience, Service, Size, Source, Ticket,
    call::{Auth, Method},
    testing::{self, Line, Played, file, order, part, play, run, says, try_play},
};
use crate::failure::FailureKind;

const FLASH: &str = "gemini-2.5-flash-image";
const IMAGEN: &str = "imagen-4.0-generate-001";
const VEO: &str = "veo-3.1-generate-preview";
const KEY: Auth = Auth::Header("x-goog-api-key");

fn service() -> Box<dyn Service> {
    testing::service("gemini", json!({"poll_ms": 5}))
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

fn content(parts: &Value) -> Line {
    let candidate = json!({"content": {"role": "model", "parts": parts}, "finishReason": "STOP"});
    says(
        200,
        &json!({"candidates": [candidate], "usageMetadata": {"totalTokenCount": 9}}),
    )
}

fn inline(at: usize) -> Value {
    json!({"inlineData": {"mimeType": "image/png", "data": part(at)}})
}

#[test]
fn gemini_draws_and_edits() {
    let thought =
        json!({"thought": true, "inlineData": {"mimeType": "image/png", "data": part(0)}});
    let answer = content(&json!([thought, {"text": "here"}, inline(1)]));
    let played = made(
        FLASH,
        Action::Generate,
        |_| {},
        std::slice::from_ref(&answer),
    );
    let call = &played.calls[0];
    assert_eq!(
        call.url,
        format!("https://up.test/v1/models/{FLASH}:generateContent")
    );
    assert_eq!((call.method, call.auth), (Method::Post, KEY));
    assert_eq!((call.patience, call.repeats), (Patience::Long, false));
    let body = json!({
        "contents": [{"role": "user", "parts": [{"text": "a red apple"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"]},
    });
    assert_eq!(*played.json(0), body);
    // the picture of the thoughts is left out
    assert_eq!(played.made().results.len(), 1);
    assert_eq!(
        played.made().results[0].as_ref().unwrap().source,
        Source::Part(1)
    );
    assert_eq!(played.made().usage, Some(json!({"totalTokenCount": 9})));
    let change = |order: &mut Order| {
        order.inputs = vec![file("image/jpeg"), file("image/png")];
        order.size = Some(Size::new(1680, 720));
        (order.seed, order.steps) = (Some(3), Some(4));
        order.extra.insert("resolution".into(), json!("2K"));
        order.extra.insert("quality".into(), json!("hd"));
    };
    let played = made(
        "gemini-3-pro-image-preview",
        Action::Edit,
        change,
        &[answer],
    );
    let parts = &played.json(0)["contents"][0]["parts"];
    assert_eq!(parts[1]["inlineData"]["mimeType"], "image/jpeg");
    let data = parts[2]["inlineData"]["data"].as_str().unwrap();
    assert!(data.starts_with("troupe-input-"), "{data}");
    let config = json!({
        "responseModalities": ["IMAGE"], "seed": 3, "imageConfig": {"aspectRatio": "21:9", "imageSize": "2K"},
    });
    assert_eq!(played.json(0)["generationConfig"], config);
    assert_eq!(played.losses, ["steps", "quality", "size"]);
}

#[test]
fn what_filters_keep_back_says_why() {
    let finish = |reason: &str, message: Value| json!({"candidates": [{"content": {}, "finishReason": reason, "finishMessage": message}]});
    let blocked = |reason: &str| json!({"promptFeedback": {"blockReason": reason}});
    let words = json!([{"text": "I can't draw that"}]);
    let spoken = json!({"candidates": [{"content": {"parts": words}, "finishReason": "STOP"}]});
    let policy = FailureKind::ContentPolicy;
    for (answer, code, kind, message) in [
        (
            blocked("PROHIBITED_CONTENT"),
            Some("PROHIBITED_CONTENT"),
            policy,
            "the upstream made no picture: PROHIBITED_CONTENT",
        ),
        (
            blocked("SAFETY"),
            Some("SAFETY"),
            policy,
            "the upstream made no picture: SAFETY",
        ),
        (
            json!({"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "why"}}),
            Some("OTHER"),
            policy,
            "why",
        ),
        (
            finish("IMAGE_SAFETY", json!("Unable to show the generated image.")),
            Some("IMAGE_SAFETY"),
            policy,
            "Unable to show the generated image.",
        ),
        (
            finish("PROHIBITED_CONTENT", json!(null)),
            Some("PROHIBITED_CONTENT"),
            policy,
            "the upstream made no picture: PROHIBITED_CONTENT",
        ),
        (
            finish("NO_IMAGE", json!(null)),
            Some("NO_IMAGE"),
            policy,
            "the upstream made no picture: NO_IMAGE",
        ),
        (spoken, Some("STOP"), policy, "I can't draw that"),
        (
            finish("STOP", json!(null)),
            Some("STOP"),
            FailureKind::Upstream,
            "the upstream made no picture: STOP",
        ),
        (
            json!({"candidates": []}),
            None,
            FailureKind::Upstream,
            "the upstream's answer has no picture",
        ),
        (
            json!("<html>"),
            None,
            FailureKind::Upstream,
            "the upstream's answer has no picture",
        ),
    ] {
        let played = made(FLASH, Action::Generate, |_| {}, &[says(200, &answer)]);
        let failure = played.failure();
        assert_eq!(
            (failure.kind, failure.code.as_deref()),
            (kind, code),
            "{answer}"
        );
        assert_eq!(failure.message.as_deref(), Some(message));
    }
}

#[test]
fn imagen_predicts() {
    let change = |order: &mut Order| {
        order.count = 3;
        order.size = Some(Size::new(1024, 768));
        order.seed = Some(1);
        order
            .extra
            .insert("person_generation".into(), json!("allow_adult"));
        order.extra.insert("resolution".into(), json!("2K"));
    };
    let answer = json!({"predictions": [
        {"mimeType": "image/png", "bytesBase64Encoded": part(0)},
        {"raiFilteredReason": "Your current safety filter threshold filtered out a picture."},
        {"safetyAttributes": {"contentType": "Positive Prompt"}},
    ]});
    let played = made(IMAGEN, Action::Generate, change, &[says(200, &answer)]);
    assert_eq!(
        played.calls[0].url,
        format!("https://up.test/v1/models/{IMAGEN}:predict")
    );
    assert_eq!(played.calls[0].auth, KEY);
    let body = json!({
        "instances": [{"prompt": "a red apple"}],
        "parameters": {
            "sampleCount": 3, "aspectRatio": "4:3", "sampleImageSize": "2K", "personGeneration": "allow_adult",
            "includeRaiReason": true,
        },
    });
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["seed", "size"]);
    let results = &played.made().results;
    assert_eq!(results.len(), 2);
    assert_eq!(results[0].as_ref().unwrap().source, Source::Part(0));
    assert_eq!(
        results[1].as_ref().unwrap_err().kind,
        FailureKind::ContentPolicy
    );
    let played = made(IMAGEN, Action::Generate, |_| {}, &[says(200, &json!({}))]);
    assert_eq!(played.failure().kind, FailureKind::ContentPolicy);
    assert!(refusal(IMAGEN, Action::Edit, |_| {}).contains("text2image only"));
}

#[test]
fn shapes_are_those_of_the_model() {
    let size = |width, height| move |order: &mut Order| order.size = Some(Size::new(width, height));
    for (model, width, height) in [(FLASH, 1024, 256), (IMAGEN, 960, 640), (VEO, 640, 640)] {
        let action = match model {
            VEO => Action::TextToVideo,
            _ => Action::Generate,
        };
        let words = refusal(model, action, size(width, height));
        assert!(words.contains("a size of the shape"), "{words}");
    }
    let answer = content(&json!([inline(0)]));
    let model = "gemini-3.1-flash-image-preview";
    let played = made(model, Action::Generate, size(1024, 256), &[answer]);
    let config = &played.json(0)["generationConfig"]["imageConfig"];
    assert_eq!(*config, json!({"aspectRatio": "4:1"}));
    let masked = |order: &mut Order| {
        order.inputs = vec![file("image/png"), file("image/png")];
        order.mask = Some(1);
    };
    assert!(refusal(FLASH, Action::Edit, masked).contains("say it in the prompt"));
}

#[test]
fn a_size_that_comes_out_otherwise_is_told() {
    let picture = content(&json!([inline(0)]));
    for (model, (width, height), resolution, lost) in [
        (FLASH, (1024, 1024), json!(null), false),
        (FLASH, (2048, 2048), json!(null), true),
        (FLASH, (2048, 2048), json!("2K"), false),
        (FLASH, (4096, 4096), json!("4K"), false),
        (FLASH, (1024, 1024), json!("1K"), false),
        (FLASH, (1024, 1024), json!("512"), true),
        (FLASH, (1280, 720), json!(null), true),
        (VEO, (1280, 720), json!(null), false),
        (VEO, (1280, 720), json!("1080p"), true),
        (VEO, (640, 360), json!(null), true),
    ] {
        let (action, line) = match model {
            VEO => (Action::TextToVideo, taken()),
            _ => (Action::Generate, picture.clone()),
        };
        let wanted = Size::new(width, height);
        let sized = |order: &mut Order| {
            order.size = Some(wanted);
            order.extra.insert("resolution".into(), resolution.clone());
        };
        let played = made(model, action, sized, std::slice::from_ref(&line));
        let told = played.losses == ["size"];
        assert_eq!(told, lost, "{model} {wanted} {resolution}");
        let shaped = |order: &mut Order| {
            sized(order);
            order.exact = false;
        };
        let played = made(model, action, shaped, &[line]);
        assert_eq!(played.losses, [""; 0], "a shape leaves the size open");
    }
}

fn taken() -> Line {
    says(
        200,
        &json!({"name": format!("models/{VEO}/operations/abc123")}),
    )
}

fn operation(fields: Value) -> Line {
    says(200, &fields)
}

fn filmed() -> Line {
    let uri = "https://up.test/v1/files/f1:download?alt=media";
    let samples = json!({"generatedSamples": [{"video": {"uri": uri}}]});
    operation(json!({"done": true, "response": {"generateVideoResponse": samples}}))
}

#[test]
fn veo_films_as_an_operation() {
    let change = |order: &mut Order| {
        order.inputs = vec![file("image/png")];
        order.size = Some(Size::new(1080, 1920));
        (order.seconds, order.seed) = (Some(8.0), Some(5));
        order.negative_prompt = Some("rain".into());
        order.guidance = Some(2.0);
    };
    let going = operation(json!({"name": "models/x/operations/abc123"}));
    let lines = [taken(), going.clone(), going, filmed()];
    let played = made(VEO, Action::ImageToVideo, change, &lines);
    let submit = &played.calls[0];
    assert_eq!(
        submit.url,
        format!("https://up.test/v1/models/{VEO}:predictLongRunning")
    );
    assert_eq!((submit.auth, submit.patience), (KEY, Patience::Short));
    let instance = &played.json(0)["instances"][0];
    assert_eq!(instance["image"]["mimeType"], "image/png");
    assert!(instance["image"]["bytesBase64Encoded"].is_string());
    let parameters = json!({
        "aspectRatio": "9:16", "resolution": "1080p", "durationSeconds": 8, "negativePrompt": "rain", "seed": 5,
    });
    assert_eq!(played.json(0)["parameters"], parameters);
    assert_eq!(played.losses, ["guidance"]);
    for ask in &played.calls[1..] {
        assert_eq!(
            ask.url,
            format!("https://up.test/v1/models/{VEO}/operations/abc123")
        );
        assert_eq!(
            (ask.method, ask.auth, ask.repeats),
            (Method::Get, KEY, true)
        );
    }
    assert_eq!(played.waits[1..], [Duration::from_millis(5); 3]);
    assert_eq!(played.ticket, Some(Ticket(json!("abc123"))));
    let source = Source::Link {
        url: "https://up.test/v1/files/f1:download?alt=media".into(),
        credential: true,
    };
    assert_eq!(played.made().results[0].as_ref().unwrap().source, source);
    assert_eq!(service().link_auth(), KEY);
    let several = |order: &mut Order| order.inputs = vec![file("image/png"); 2];
    let played = made(VEO, Action::ImageToVideo, several, &[taken(), filmed()]);
    let instance = &played.json(0)["instances"][0];
    assert_eq!(instance["referenceImages"][1]["referenceType"], "asset");
    assert!(instance.get("image").is_none());
    let words = refusal(VEO, Action::TextToVideo, |order| order.seconds = Some(3.0));
    assert!(words.contains("films 4 to 8 seconds"), "{words}");
}

#[test]
fn an_operation_fails_for_a_reason() {
    let response =
        |fields: Value| json!({"done": true, "response": {"generateVideoResponse": fields}});
    let error = |code: u32, message: &str| json!({"done": true, "error": {"code": code, "message": message}});
    let audio = "We encountered an issue with the audio for your prompt, which means we could not create your video.";
    for (end, kind) in [
        (
            response(json!({"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [audio]})),
            FailureKind::ContentPolicy,
        ),
        (
            response(json!({"raiMediaFilteredCount": 1})),
            FailureKind::ContentPolicy,
        ),
        (response(json!({})), FailureKind::Upstream),
        (
            error(
                3,
                "The prompt could not be submitted. This prompt contains words that violate Google's Responsible AI practices.",
            ),
            FailureKind::ContentPolicy,
        ),
        (
            error(3, "The number of seconds is not supported."),
            FailureKind::InvalidRequest,
        ),
        (
            error(
                13,
                "Video generation failed due to an internal server issue.",
            ),
            FailureKind::Upstream,
        ),
        (
            error(14, "The service is currently unavailable."),
            FailureKind::Overloaded { retry_after: None },
        ),
        (
            error(8, "Resource exhausted"),
            FailureKind::RateLimited { retry_after: None },
        ),
        (error(99, "?"), FailureKind::Upstream),
    ] {
        let lines = [taken(), operation(end.clone())];
        let played = made(VEO, Action::TextToVideo, |_| {}, &lines);
        assert_eq!(played.failure().kind, kind, "{end}");
    }
    for name in [
        "",
        "models/x",
        "models/x/operations/",
        "models/x/operations/a/../b",
    ] {
        let bad = operation(json!({"name": name}));
        let played = made(VEO, Action::TextToVideo, |_| {}, &[bad]);
        assert_eq!(played.failure().kind, FailureKind::Upstream);
    }
}

#[test]
fn an_operation_goes_on_from_its_ticket() {
    let service = service();
    let order = order(&*service, VEO, Action::TextToVideo, |_| {});
    let errand = service.resume(&order, &Ticket(json!("abc123"))).unwrap();
    let played = run(errand, &[filmed()]);
    assert_eq!(played.calls.len(), 1);
    assert_eq!(played.calls[0].method, Method::Get);
    assert_eq!(played.calls[0].auth, KEY);
    assert!(service.resume(&order, &Ticket(json!("models/x"))).is_none());
}
