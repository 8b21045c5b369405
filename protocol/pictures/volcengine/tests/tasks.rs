use std::time::Duration;

use serde_json::{Value, json};

use super::{super::super::testing::*, refusal, success, volcengine};
use crate::{
    failure::FailureKind,
    pictures::{Action, Order, Patience, Source, Ticket},
};

fn ticket() -> Ticket {
    Ticket(json!({"flow": "sync2async", "key": "jimeng_t2i_v40", "id": "7392616336519610409"}))
}

fn taken() -> Line {
    success(&json!({"task_id": "7392616336519610409"}))
}

fn state(status: &str) -> Line {
    success(&json!({"status": status, "image_urls": null}))
}

/// How an order of Jimeng 4.0 goes.
fn jimeng(change: impl FnOnce(&mut Order), lines: &[Line]) -> Played {
    let service = volcengine();
    let order = order(&*service, "jimeng-4.0", Action::Generate, change);
    play(&*service, &order, lines)
}

#[test]
fn submitted_asked_after_and_done() {
    let done = success(&json!({
        "status": "done", "image_urls": ["https://a/1.png", "https://a/2.png"],
        "binary_data_base64": [],
    }));
    let lines = [
        taken(),
        state("in_queue"),
        state("generating"),
        state("odd"),
        done,
    ];
    let played = jimeng(
        |order| {
            order.extra.insert("force_single".into(), false.into());
            order.extra.insert("area".into(), 4_194_304.into());
        },
        &lines,
    );
    assert_eq!(
        *played.json(0),
        json!({
            "req_key": "jimeng_t2i_v40", "prompt": "a red apple", "force_single": false,
            "size": 4_194_304,
        })
    );
    let urls: Vec<_> = played.calls.iter().map(|call| call.url.as_str()).collect();
    let url = |action| format!("https://up.test/v1/?Action={action}&Version=2022-08-31");
    assert_eq!(urls[0], url("CVSync2AsyncSubmitTask"));
    assert!(
        urls[1..]
            .iter()
            .all(|asked| *asked == url("CVSync2AsyncGetResult"))
    );
    assert_eq!(played.calls[0].patience, Patience::Short);
    assert!(!played.calls[0].repeats && played.calls[1..].iter().all(|call| call.repeats));
    assert_eq!(
        *played.json(4),
        json!({
            "req_key": "jimeng_t2i_v40", "task_id": "7392616336519610409",
            "req_json": "{\"return_url\":true}",
        })
    );
    let waits: Vec<_> = played.waits.iter().map(Duration::as_secs).collect();
    assert_eq!(waits, [0, 2, 2, 2, 2]);
    assert_eq!(played.ticket, Some(ticket()));
    let results: Vec<_> = played
        .made()
        .results
        .iter()
        .map(|made| made.as_ref().unwrap().source.clone())
        .collect();
    let links = ["https://a/1.png", "https://a/2.png"].map(Source::link);
    assert_eq!(results, links);
}

#[test]
fn marks_go_along_with_each_question() {
    let meta = json!({"producer_id": "p", "content_propagator": "c"});
    let logo = json!({"add_logo": true, "position": 2, "language": 1, "logo_text_content": "ai"});
    let played = jimeng(
        |order| {
            order.extra.insert("aigc_meta".into(), meta.clone());
            order.extra.insert("logo_info".into(), logo.clone());
        },
        &[taken()],
    );
    let req_json = played.json(1)["req_json"].as_str().unwrap();
    let read: Value = serde_json::from_str(req_json).unwrap();
    let all = json!({"return_url": true, "aigc_meta": meta, "logo_info": logo});
    assert_eq!(read, all);
    assert_eq!(played.json(0).get("logo_info"), None);
    let plain = |order: &mut Order| drop(order.extra.insert("watermark".into(), false.into()));
    let read = jimeng(plain, &[taken()]).json(1)["req_json"].clone();
    assert_eq!(
        read,
        r#"{"return_url":true,"logo_info":{"add_logo":false}}"#
    );
    // a video has its link without asking
    let service = volcengine();
    let film = order(&*service, "jimeng-video-3.0", Action::TextToVideo, |_| ());
    let played = play(&*service, &film, &[taken()]);
    assert_eq!(played.json(1).get("req_json"), None);
}

#[test]
fn videos_and_older_algorithms_have_their_results_elsewhere() {
    let service = volcengine();
    let film = order(&*service, "jimeng-video-3.0", Action::TextToVideo, |_| ());
    for data in [
        json!({"status": "done", "video_url": "https://a/1.mp4"}),
        json!({"status": "done", "resp_data": "{\"video_url\":\"https://a/1.mp4\"}"}),
    ] {
        let played = play(&*service, &film, &[taken(), success(&data)]);
        let made = played.made().results[0].as_ref().unwrap();
        assert_eq!(made.source, Source::link("https://a/1.mp4"));
    }
}

#[test]
fn code_is_judged_before_status() {
    let seeded = |order: &mut Order| order.seed = Some(7);
    let failed = |lines: &[Line]| jimeng(seeded, lines).failure().clone();
    let mut risky = json!({"code": 50511, "message": "Post Img Risk Not Pass", "status": 50511});
    risky["data"] = json!({"status": "done", "image_urls": ["https://a/1.png"]});
    for (line, kind, code) in [
        (says(200, &risky), FailureKind::ContentPolicy, "50511"),
        (says(400, &risky), FailureKind::ContentPolicy, "50511"),
        (
            refusal(500, 50500, "Internal Error"),
            FailureKind::Upstream,
            "50500",
        ),
        (
            refusal(200, 50501, "Internal RPC Error"),
            FailureKind::Upstream,
            "50501",
        ),
        (state("not_found"), FailureKind::Upstream, "not_found"),
        (state("expired"), FailureKind::Upstream, "expired"),
    ] {
        let failure = failed(&[taken(), line]);
        assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code)));
    }
    let failure = failed(&[refusal(429, 50430, "Concurrent Limit")]);
    assert!(matches!(failure.kind, FailureKind::RateLimited { .. }));
    assert_eq!(failed(&[success(&json!({}))]).kind, FailureKind::Upstream);
}

#[test]
fn what_is_withheld_once_drawn_is_drawn_once_more() {
    for (code, message) in [
        (50511, "Post Img Risk Not Pass"),
        (50519, "Post Img Risk Not Pass: Copyright"),
    ] {
        let withheld = refusal(400, code, message);
        let second = success(&json!({"task_id": "2"}));
        let lines = [taken(), withheld.clone(), second.clone()];
        let played = jimeng(|_| (), &lines);
        assert_eq!(played.calls[0].body, played.calls[2].body);
        assert_eq!(
            played.ticket.unwrap().0["id"],
            "2",
            "the second is asked after"
        );
        let played = jimeng(
            |_| (),
            &[taken(), withheld.clone(), second, withheld.clone()],
        );
        assert_eq!(played.failure().kind, FailureKind::ContentPolicy);
        let service = volcengine();
        let at_once = order(&*service, "general_v3.0", Action::Generate, |_| ());
        let drawn = success(&json!({"image_urls": ["https://a/1.png"]}));
        let played = play(&*service, &at_once, &[withheld, drawn]);
        assert_eq!(played.made().results.len(), 1);
    }
    let words = refusal(400, 50412, "Text Risk Not Pass");
    let played = jimeng(|_| (), &[words]);
    assert_eq!(played.failure().kind, FailureKind::ContentPolicy);
}

#[test]
fn a_question_that_came_too_fast_is_asked_again() {
    let limit = || {
        refusal(
            429,
            50429,
            "Request Has Reached API Limit, Please Try Later",
        )
    };
    let played = jimeng(|_| (), &[taken(), limit(), says(502, &json!("<html>"))]);
    assert!(played.end.is_none());
    assert_eq!(played.calls.len(), 4);
}

#[test]
fn goes_on_from_its_ticket_and_is_cancelled() {
    let service = volcengine();
    let order = order(&*service, "jimeng-4.0", Action::Generate, |_| ());
    let done = success(&json!({"status": "done", "binary_data_base64": [part(0)]}));
    let errand = service.resume(&order, &ticket()).unwrap();
    let played = run(errand, &[state("generating"), done]);
    assert_eq!(played.calls.len(), 2);
    assert_eq!(played.json(0)["task_id"], "7392616336519610409");
    assert_eq!(played.json(0)["req_key"], "jimeng_t2i_v40");
    assert_eq!(played.made().results.len(), 1);
    let cancel = service.cancel(&ticket()).unwrap();
    assert!(
        cancel
            .url
            .ends_with("/?Action=CVCancelTask&Version=2022-08-31")
    );
    let foreign = Ticket(json!({"id": "1"}));
    assert!(service.resume(&order, &foreign).is_none() && service.cancel(&foreign).is_none());
}

#[test]
fn the_flow_of_a_model_can_be_configured() {
    let service = volcengine();
    let with = |flow: Value| {
        order(&*service, "general_v3.0", Action::Generate, move |order| {
            let mut model = (*order.model).clone();
            model.options.insert("flow".into(), flow);
            order.model = model.into();
        })
    };
    for (flow, submit, ask) in [
        (
            "sync2async",
            "CVSync2AsyncSubmitTask",
            "CVSync2AsyncGetResult",
        ),
        ("submit", "CVSubmitTask", "CVGetResult"),
    ] {
        let played = play(&*service, &with(flow.into()), &[taken()]);
        assert!(played.calls[0].url.contains(&format!("Action={submit}&")));
        assert!(played.calls[1].url.contains(&format!("Action={ask}&")));
        assert_eq!(played.ticket.unwrap().0["flow"], flow);
    }
    let error = try_play(&*service, &with("quick".into()), &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`process`, `sync2async` or `submit`")
    );
}
