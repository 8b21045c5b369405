use std::time::Duration;

use serde_json::json;

use super::{super::super::testing::*, ark};
use crate::{
    failure::FailureKind,
    pictures::{Action, Order, Size, Source, Ticket, call::Method},
};

const TASK: &str = "https://up.test/v1/contents/generations/tasks/cgt-20250331175019-68d9t";

fn ticket() -> Ticket {
    Ticket("cgt-20250331175019-68d9t".into())
}

fn taken() -> Line {
    says(200, &json!({"id": "cgt-20250331175019-68d9t"}))
}

fn state(status: &str) -> Line {
    says(
        200,
        &json!({"id": "cgt-20250331175019-68d9t", "status": status}),
    )
}

fn done() -> Line {
    says(
        200,
        &json!({
            "status": "succeeded", "content": {"video_url": "https://a/1.mp4"}, "seed": 10,
            "usage": {"completion_tokens": 108_900, "total_tokens": 108_900},
        }),
    )
}

fn film(change: impl FnOnce(&mut Order), lines: &[Line]) -> Played {
    let service = ark();
    let order = order(&*service, "seedance-1.0-pro", Action::TextToVideo, change);
    play(&*service, &order, lines)
}

#[test]
fn a_size_without_a_name_is_told_to_be_lost() {
    for ((width, height), resolution, lost) in [
        ((1280, 720), None, false),
        ((1280, 720), Some("1080p"), true),
        ((1600, 900), None, true),
    ] {
        let sized = |order: &mut Order| {
            order.size = Some(Size::new(width, height));
            let said = resolution.map(|said| ("resolution".to_owned(), said.into()));
            order.extra.extend(said);
        };
        let told = film(sized, &[]).losses == ["size"];
        assert_eq!(told, lost, "{width}x{height} {resolution:?}");
    }
}

#[test]
fn submitted_asked_after_and_done() {
    let lines = [
        taken(),
        state("queued"),
        state("running"),
        state("odd"),
        done(),
    ];
    let played = film(
        |order| {
            order.seconds = Some(6.0);
            order.seed = Some(7);
            order.size = Some(Size::new(1280, 720));
            order.guidance = Some(1.0);
            order.extra.insert("watermark".into(), false.into());
            order.extra.insert("quality".into(), "hd".into());
        },
        &lines,
    );
    assert_eq!(
        played.calls[0].url,
        "https://up.test/v1/contents/generations/tasks"
    );
    assert_eq!(
        *played.json(0),
        json!({
            "model": "doubao-seedance-1-0-pro-250528",
            "content": [{"type": "text", "text": "a red apple"}],
            "ratio": "16:9", "resolution": "720p", "duration": 6, "seed": 7, "watermark": false,
        })
    );
    assert_eq!(played.losses, ["quality", "guidance"]);
    assert!(
        played.calls[1..]
            .iter()
            .all(|call| call.url == TASK && call.repeats)
    );
    let waits: Vec<_> = played.waits.iter().map(Duration::as_secs).collect();
    assert_eq!(waits, [0, 5, 5, 5, 5]);
    assert_eq!(played.ticket, Some(ticket()));
    let made = played.made();
    let source = &made.results[0].as_ref().unwrap().source;
    assert_eq!(*source, Source::link("https://a/1.mp4"));
    assert_eq!(made.usage.as_ref().unwrap()["total_tokens"], 108_900);
}

#[test]
fn from_the_first_frame_and_the_last() {
    let service = ark();
    let order = order(
        &*service,
        "seedance-1.0-pro",
        Action::ImageToVideo,
        |order| {
            order.prompt = String::new();
            order.inputs = vec![file("image/png"), file("image/png")];
        },
    );
    let played = play(&*service, &order, &[]);
    let content = played.json(0)["content"].as_array().unwrap();
    let roles: Vec<_> = content.iter().map(|part| part["role"].as_str()).collect();
    assert_eq!(roles, [Some("first_frame"), Some("last_frame")]);
    assert_eq!(content[0]["image_url"]["url"], order.link_or_data(0));
}

#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |model: &str, change: fn(&mut Order)| {
        let service = ark();
        let order = order(&*service, model, Action::TextToVideo, change);
        try_play(&*service, &order, &[]).unwrap_err().to_string()
    };
    for (error, words) in [
        (
            refused("seedance-1.0-pro", |order| order.seconds = Some(13.0)),
            "2 to 12",
        ),
        (
            refused("seedance-1.5-pro", |order| order.seconds = Some(4.5)),
            "whole seconds",
        ),
        (
            refused("seedance-1.0-pro", |order| {
                order.size = Some(Size::new(1000, 999))
            }),
            "16:9",
        ),
        (
            refused("seedance-1.0-pro", |order| order.seed = Some(1 << 32)),
            "4294967295",
        ),
        (refused("seedance-1.0-lite-i2v", |_| ()), "image2video only"),
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn every_way_to_fail() {
    let blocked = says(
        200,
        &json!({
            "status": "failed",
            "error": {"code": "OutputVideoSensitiveContentDetected", "message": "no"},
        }),
    );
    let refusal =
        |status, code: &str| says(status, &json!({"error": {"code": code, "message": "no"}}));
    for (line, kind) in [
        (blocked, FailureKind::ContentPolicy),
        (state("failed"), FailureKind::Upstream),
        (state("cancelled"), FailureKind::Cancelled),
        (state("expired"), FailureKind::Timeout),
        (state("succeeded"), FailureKind::Upstream),
        (
            refusal(401, "AuthenticationError"),
            FailureKind::AuthInvalid,
        ),
    ] {
        assert_eq!(film(|_| (), &[taken(), line]).failure().kind, kind);
    }
    let odd = film(|_| (), &[says(200, &json!({"id": "../../models"}))]);
    assert_eq!(odd.failure().kind, FailureKind::Upstream);
    assert_eq!(odd.ticket, None);
    let busy = [
        taken(),
        refusal(429, "ServerOverloaded"),
        refusal(500, "InternalServiceError"),
    ];
    assert!(film(|_| (), &busy).end.is_none());
}

#[test]
fn goes_on_from_its_ticket_and_is_cancelled() {
    let service = ark();
    let order = order(&*service, "seedance-1.0-pro", Action::TextToVideo, |_| ());
    let errand = service.resume(&order, &ticket()).unwrap();
    let played = run(errand, &[state("running"), done()]);
    assert!(played.calls.iter().all(|call| call.url == TASK));
    assert_eq!(played.made().results.len(), 1);
    let cancel = service.cancel(&ticket()).unwrap();
    assert_eq!((cancel.method, cancel.url.as_str()), (Method::Delete, TASK));
    for odd in [json!("a/b"), json!(""), json!(7)] {
        assert!(service.resume(&order, &Ticket(odd)).is_none());
    }
}
