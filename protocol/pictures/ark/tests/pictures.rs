use serde_json::{Value, json};

use super::{super::super::testing::*, ark};
use crate::{
    failure::FailureKind,
    pictures::{Action, Auth, Input, Order, Patience, Size, Source},
};

const LINK: &str = "https://ark-content.test/1.jpeg";

/// The body of the call for such an order, and what it loses.
fn asked(model: &str, action: Action, change: impl FnOnce(&mut Order)) -> (Value, Vec<String>) {
    let service = ark();
    let order = order(&*service, model, action, change);
    let played = play(&*service, &order, &[]);
    (played.json(0).clone(), played.losses)
}

fn refused(model: &str, action: Action, change: impl FnOnce(&mut Order)) -> String {
    let service = ark();
    let order = order(&*service, model, action, change);
    try_play(&*service, &order, &[]).unwrap_err().to_string()
}

fn size(width: u32, height: u32) -> impl FnOnce(&mut Order) {
    move |order| order.size = Some(Size::new(width, height))
}

/// An order of three pictures, answered with these events.
fn sequence(lines: &[Line]) -> Played {
    let service = ark();
    let order = order(&*service, "seedream-4.5", Action::Generate, |order| {
        order.count = 3;
    });
    play(&*service, &order, lines)
}

fn drawn(at: u64) -> Line {
    let data = json!({
        "type": "image_generation.partial_succeeded", "image_index": at,
        "url": format!("https://a/{at}.jpeg"), "size": "2048x2048",
    });
    event("image_generation.partial_succeeded", &data)
}

fn missed(at: u64, code: &str) -> Line {
    let data = json!({
        "type": "image_generation.partial_failed", "image_index": at,
        "error": {"code": code, "message": "no"},
    });
    event("image_generation.partial_failed", &data)
}

fn completed() -> Line {
    let data = json!({
        "type": "image_generation.completed",
        "usage": {"generated_images": 2, "output_tokens": 32768, "total_tokens": 32768},
    });
    event("image_generation.completed", &data)
}

fn over() -> Line {
    Line::Event {
        name: "",
        data: "[DONE]".into(),
    }
}

#[test]
fn one_picture_and_nothing_that_was_not_asked() {
    let service = ark();
    let order = order(&*service, "seedream-4.0", Action::Generate, |_| ());
    let answer = json!({
        "model": "doubao-seedream-4-0-250828", "created": 1_757_321_139,
        "data": [{"url": LINK, "size": "2048x2048"}],
        "usage": {"generated_images": 1, "output_tokens": 16384, "total_tokens": 16384},
    });
    let played = play(&*service, &order, &[says(200, &answer)]);
    let call = &played.calls[0];
    assert_eq!(call.url, "https://up.test/v1/images/generations");
    assert_eq!(
        (call.auth, call.patience, call.events),
        (Auth::Bearer, Patience::Long, false)
    );
    let body = json!({"model": "doubao-seedream-4-0-250828", "prompt": "a red apple"});
    assert_eq!(*played.json(0), body);
    let made = played.made();
    assert_eq!(made.results[0].as_ref().unwrap().source, Source::link(LINK));
    assert_eq!(made.usage.as_ref().unwrap()["generated_images"], 1);
    assert_eq!(service.per_token(), 0);
}

#[test]
fn fields_go_to_the_models_that_know_them() {
    let all = |order: &mut Order| {
        order.seed = Some(7);
        order.guidance = Some(3.0);
        order.steps = Some(9);
        order.negative_prompt = Some("blur".into());
        order.extra.insert("watermark".into(), false.into());
        order.extra.insert("resolution".into(), "2K".into());
        order.extra.insert("output_format".into(), "png".into());
        order.extra.insert("quality".into(), "hd".into());
    };
    let (body, losses) = asked("seedream-3.0", Action::Generate, all);
    assert_eq!(
        body,
        json!({
            "model": "doubao-seedream-3-0-t2i-250415", "prompt": "a red apple", "seed": 7,
            "guidance_scale": 3.0, "watermark": false,
        })
    );
    let lost = [
        "steps",
        "negative_prompt",
        "resolution",
        "output_format",
        "quality",
    ];
    assert_eq!(losses, lost);
    let (body, losses) = asked("doubao-seedream-5-0-260128", Action::Generate, all);
    assert_eq!(
        body,
        json!({
            "model": "doubao-seedream-5-0-260128", "prompt": "a red apple", "watermark": false,
            "size": "2K", "output_format": "png",
        })
    );
    let lost = ["seed", "guidance", "steps", "negative_prompt", "quality"];
    assert_eq!(losses, lost);
    let (body, _) = asked("ep-20250101-abcde", Action::Generate, all);
    assert_eq!(body["model"], "ep-20250101-abcde");
    assert_eq!(body["guidance_scale"], 3.0);
}

#[test]
fn sizes_are_the_models_own() {
    let (body, _) = asked("seedream-4.0", Action::Generate, size(2560, 1440));
    assert_eq!(body["size"], "2560x1440");
    for (model, (width, height), words) in [
        ("seedream-4.0", (1024, 576), "921600 to 16777216 pixels"),
        ("seedream-4.5", (1024, 1024), "3686400 to 16777216 pixels"),
        (
            "seedream-5.0-lite",
            (4096, 4096),
            "3686400 to 10404496 pixels",
        ),
        ("seedream-5.0-pro", (4096, 4096), "921600 to 4624220 pixels"),
        ("seedream-3.0", (256, 512), "sides of 512 to 2048"),
        ("seedream-4.0", (250, 4096), "1:16 to 16:1"),
    ] {
        let error = refused(model, Action::Generate, size(width, height));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn edits_of_one_picture_and_of_several() {
    let (body, _) = asked("seededit-3.0", Action::Edit, |order| {
        order.inputs.push(file("image/jpeg"));
        order.guidance = Some(5.5);
    });
    let data = body["image"].as_str().unwrap();
    assert!(data.starts_with("data:image/jpeg;base64,"), "{data}");
    assert_eq!(body["guidance_scale"], 5.5);
    let several = |order: &mut Order| {
        order.inputs = vec![Input::Link("https://a/1.png".into()), file("image/png")];
    };
    let (body, _) = asked("seedream-4.0", Action::Edit, several);
    let images = body["image"].as_array().unwrap();
    assert_eq!(images[0], "https://a/1.png");
    assert_eq!(images.len(), 2);
    let service = ark();
    let mixed = order(&*service, "seedream-4.0", Action::Edit, several);
    assert!(
        !service.takes_links(&mixed),
        "links and files do not go together"
    );
    let links = order(&*service, "seedream-4.0", Action::Edit, |order| {
        order.inputs = vec![Input::Link("https://a/1.png".into())];
    });
    assert!(service.takes_links(&links));
    let error = refused("seededit-3.0", Action::Edit, |order| {
        order.inputs.push(file("image/png"));
        order.size = Some(Size::new(1024, 1024));
    });
    assert!(error.contains("leave `size` out"), "{error}");
    let error = refused("seedream-4.0", Action::Edit, |order| {
        several(order);
        order.mask = Some(1);
    });
    assert!(error.contains("mask"), "{error}");
    let error = refused("seedream-4.0", Action::Edit, |order| {
        several(order);
        order.count = 14;
    });
    assert!(error.contains("15 pictures at most"), "{error}");
}

#[test]
fn a_sequence_comes_as_events() {
    let blocked = "OutputImageSensitiveContentDetected";
    let lines = [drawn(0), missed(1, blocked), drawn(2), completed(), over()];
    let played = sequence(&lines);
    assert!(played.calls[0].events);
    assert_eq!(
        *played.json(0),
        json!({
            "model": "doubao-seedream-4-5-251128", "prompt": "a red apple", "stream": true,
            "sequential_image_generation": "auto",
            "sequential_image_generation_options": {"max_images": 3},
        })
    );
    let made = played.made();
    let [Ok(first), Err(second), Ok(third)] = &made.results[..] else {
        panic!("{made:?}")
    };
    assert_eq!(first.source, Source::link("https://a/0.jpeg"));
    assert_eq!(second.kind, FailureKind::ContentPolicy);
    assert_eq!(second.code.as_deref(), Some(blocked));
    assert_eq!(third.source, Source::link("https://a/2.jpeg"));
    assert_eq!(made.usage.as_ref().unwrap()["generated_images"], 2);
}

#[test]
fn what_a_sequence_lacks_has_failed() {
    let broken = Line::Event {
        name: "error",
        data: json!({"error": {"code": "InternalServiceError", "message": "no"}}).to_string(),
    };
    for (lines, kinds) in [
        (vec![drawn(0), completed(), over()], 1),
        (vec![drawn(1), drawn(0), Line::End], 2),
        (vec![drawn(0), broken.clone()], 1),
    ] {
        let results = sequence(&lines).made().results.clone();
        assert_eq!(results.len(), 3);
        assert_eq!(
            results.iter().filter(|result| result.is_ok()).count(),
            kinds
        );
        assert!(results[0].is_ok());
    }
    let blocked = "OutputImageSensitiveContentDetected";
    let lines = [
        missed(0, blocked),
        missed(1, "InternalServiceError"),
        completed(),
        over(),
    ];
    assert_eq!(sequence(&lines).failure().kind, FailureKind::ContentPolicy);
    assert_eq!(sequence(&[broken]).failure().kind, FailureKind::Upstream);
    let refusal = json!({"error": {"code": "SetLimitExceeded", "message": "paused"}});
    let failure = sequence(&[says(429, &refusal)]).failure().clone();
    assert!(matches!(failure.kind, FailureKind::QuotaExhausted { .. }));
}

#[test]
fn whole_answers_have_entries_that_failed() {
    let answer = json!({"data": [
        {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}},
        {"url": LINK},
        {"b64_json": part(0)},
    ]});
    let results = sequence(&[says(200, &answer)]).made().results.clone();
    assert!(results[0].is_err());
    assert_eq!(results[2].as_ref().unwrap().source, Source::Part(0));
    let alone = json!({"data": [answer["data"][0]]});
    assert_eq!(
        sequence(&[says(200, &alone)]).failure().kind,
        FailureKind::ContentPolicy
    );
}

#[test]
fn single_pictures_come_as_events_where_the_operator_says_so() {
    let service = service("ark", json!({"stream": true}));
    let order_of = |model| order(&*service, model, Action::Generate, |_| ());
    let played = play(&*service, &order_of("seedream-4.0"), &[drawn(0), over()]);
    assert!(played.calls[0].events);
    assert_eq!(played.json(0).get("sequential_image_generation"), None);
    assert_eq!(played.made().results.len(), 1);
    let played = play(&*service, &order_of("seedream-3.0"), &[]);
    assert!(!played.calls[0].events && played.json(0).get("stream").is_none());
}
