//! Orders of Gitee AI, played by hand.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    Action, Answer, Input, Order, Patience, Quota, Service, Size, Source, Ticket,
    call::{Auth, Method},
    testing::{self, Played, file, order, part, play, says, try_play},
};
use crate::{
    failure::{FailureKind, QuotaScope},
    openai::request_error::RequestError,
};

/// From ten in the morning UTC to midnight in China.
const MIDNIGHT: Duration = Duration::from_secs(6 * 3600);

fn service() -> Box<dyn Service> {
    testing::service("gitee", json!({"poll_ms": 5}))
}

fn drawn(change: impl FnOnce(&mut Order), lines: &[testing::Line]) -> Played {
    let service = service();
    let order = order(&*service, "z-image-turbo", Action::Generate, change);
    play(&*service, &order, lines)
}

fn film(model: &str, action: Action, lines: &[testing::Line]) -> Played {
    let service = service();
    let order = order(&*service, model, action, |order| {
        if action == Action::ImageToVideo {
            order.inputs.push(file("image/png"));
        }
        order.seconds = Some(3.0);
        order.steps = Some(10);
        order.size = Some(Size::new(832, 480));
        order.extra.insert("fps".into(), json!(16));
    });
    play(&*service, &order, lines)
}

fn links(urls: &[&str]) -> testing::Line {
    let list: Vec<Value> = urls.iter().map(|url| json!({"url": url})).collect();
    says(200, &json!({"data": list}))
}

#[test]
fn a_picture_of_few_words_says_no_more_than_was_said() {
    let played = drawn(|_| {}, &[links(&["https://cdn.test/1.png"])]);
    let call = &played.calls[0];
    assert_eq!(call.url, "https://up.test/v1/images/generations");
    assert_eq!((call.method, call.auth), (Method::Post, Auth::Bearer));
    assert_eq!((call.patience, call.repeats), (Patience::Long, false));
    let body = json!({"model": "z-image-turbo", "prompt": "a red apple", "response_format": "url"});
    assert_eq!(*played.json(0), body);
    let made = played.made().results[0].as_ref().unwrap();
    assert_eq!(made.source, Source::link("https://cdn.test/1.png"));
}

#[test]
fn a_picture_with_everything_said() {
    let service = service();
    let order = order(&*service, "flux-1", Action::Generate, |order| {
        order.size = Some(Size::new(1024, 576));
        order.steps = Some(20);
        order.guidance = Some(3.5);
        order.seed = Some(7);
        order.negative_prompt = Some("blur".into());
        order.count = 2;
        order.extra.insert("style".into(), json!("vivid"));
    });
    let played = play(
        &*service,
        &order,
        &[says(200, &json!({"data": [{"b64_json": part(0)}, {}]}))],
    );
    let body = json!({
        "model": "FLUX.1-dev", "prompt": "a red apple", "response_format": "url", "size": "1024x576",
        "num_inference_steps": 20, "guidance_scale": 3.5, "seed": 7, "negative_prompt": "blur",
        "num_images_per_prompt": 2,
    });
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["style"]);
    let results = &played.made().results;
    assert_eq!(results[0].as_ref().unwrap().source, Source::Part(0));
    assert_eq!(results[1].as_ref().unwrap_err().kind, FailureKind::Upstream);
}

#[test]
fn orders_beyond_a_model_are_refused_by_name() {
    let service = service();
    for (model, change, said) in [
        (
            "z-image-turbo",
            Box::new(|order: &mut Order| order.steps = Some(21)) as Box<dyn Fn(&mut Order)>,
            "`steps` is not as expected: this model takes 1 to 20",
        ),
        (
            "z-image-turbo",
            Box::new(|order| order.size = Some(Size::new(128, 4096))),
            "`size` is not as expected: this model makes sides of 256 to 2048",
        ),
        (
            "flux-1",
            Box::new(|order| order.guidance = Some(11.0)),
            "`guidance` is not as expected: this model takes 1 to 10",
        ),
    ] {
        let order = order(&*service, model, Action::Generate, change);
        let refusal = try_play(&*service, &order, &[]).unwrap_err();
        assert_eq!(refusal.to_string(), said);
    }
}

#[test]
fn edits_are_forms_with_files_and_links() {
    let service = service();
    let order = order(&*service, "qwen-image-edit", Action::Edit, |order| {
        order.inputs = vec![
            file("image/png"),
            Input::Link("https://a.test/b.png".into()),
        ];
        order.guidance = Some(4.0);
        order.size = Some(Size::new(512, 512));
    });
    let played = play(&*service, &order, &[links(&["https://cdn.test/1.png"])]);
    assert_eq!(played.calls[0].url, "https://up.test/v1/images/edits");
    let form = played.form(0);
    let pairs: Vec<_> = form
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let lora: Value = serde_json::from_str(pairs[4].1).unwrap();
    assert_eq!((pairs[4].0, &lora["weight"]), ("lora_weights", &json!(1)));
    assert!(
        lora["url"]
            .as_str()
            .unwrap()
            .ends_with("8steps-V1.0.safetensors")
    );
    assert_eq!(
        (&pairs[..4], &pairs[5..]),
        (
            &[
                ("model", "Qwen-Image-Edit"),
                ("prompt", "a red apple"),
                ("response_format", "url"),
                ("cfg_scale", "4.0"),
            ][..],
            &[("image", "file 0"), ("image", "https://a.test/b.png")][..],
        )
    );
    assert_eq!(played.losses, ["size"]);
}

#[test]
fn a_mask_and_a_film_without_end_are_refused() {
    let service = service();
    let masked = order(&*service, "qwen-image-edit", Action::Edit, |order| {
        order.inputs = vec![file("image/png"), file("image/png")];
        order.mask = Some(1);
    });
    let refusal = try_play(&*service, &masked, &[]).unwrap_err();
    assert_eq!(refusal.param(), Some("mask"));
    for seconds in [0.0, -3.0, 61.0, f64::NAN] {
        let order = order(&*service, "wan2.1-t2v", Action::TextToVideo, |order| {
            order.seconds = Some(seconds);
        });
        let refusal: RequestError = try_play(&*service, &order, &[]).unwrap_err();
        assert_eq!(refusal.param(), Some("duration"), "{seconds}");
    }
}

#[test]
fn some_edits_run_as_tasks() {
    let service = service();
    let order = order(&*service, "flux-1-kontext", Action::Edit, |order| {
        order.inputs.push(file("image/jpeg"));
    });
    let played = play(
        &*service,
        &order,
        &[
            says(200, &json!({"task_id": "AB12", "status": "waiting"})),
            says(
                200,
                &json!({"status": "success", "output": {"file_url": "https://cdn.test/1.png"}}),
            ),
        ],
    );
    assert_eq!(played.calls[0].url, "https://up.test/v1/async/images/edits");
    assert_eq!(played.calls[0].patience, Patience::Short);
    assert_eq!(played.made().results.len(), 1);
}

#[test]
fn upscaling_gives_the_bare_picture() {
    let service = service();
    let order = order(&*service, "anime-sharp", Action::Upscale, |order| {
        order.prompt = String::new();
        order
            .inputs
            .push(Input::Link("https://a.test/b.png".into()));
        order.extra.insert("outscale".into(), json!(2));
    });
    let played = play(&*service, &order, &[says(200, &json!(part(0)))]);
    assert_eq!(played.calls[0].url, "https://up.test/v1/images/upscaling");
    let expected = [
        ("model", "AnimeSharp"),
        ("model_name", "4x-UltraSharp"),
        ("outscale", "2"),
        ("output_format", "png"),
        ("image_url", "https://a.test/b.png"),
    ];
    assert_eq!(
        played.form(0),
        expected.map(|(name, value)| (name.into(), value.into()))
    );
    assert_eq!(
        played.made().results[0].as_ref().unwrap().source,
        Source::Part(0)
    );
    let page = play(
        &*service,
        &order,
        &[says(200, &json!("<html>later</html>"))],
    );
    assert_eq!(page.failure().kind, FailureKind::Upstream);
}

#[test]
fn a_video_is_a_task_in_all_its_states() {
    let task = |status: &str| says(200, &json!({"task_id": "AB12", "status": status}));
    let done = json!({
        "status": "success", "output": {"file_url": "https://cdn.test/1.mp4"},
        "usage_info": {"unit": "second", "quantity": 3},
    });
    let played = film(
        "wan2.2-i2v",
        Action::ImageToVideo,
        &[
            task("waiting"),
            task("waiting"),
            task("in_progress"),
            task("is_process"),
            says(200, &done),
        ],
    );
    assert_eq!(
        played.calls[0].url,
        "https://up.test/v1/async/videos/image-to-video"
    );
    let form = played.form(0);
    for field in [
        ("num_frames", "48"),
        ("num_inference_steps", "10"),
        ("num_inferenece_steps", "10"),
        ("height", "480"),
        ("width", "832"),
        ("fps", "16"),
        ("image", "file 0"),
    ] {
        assert!(
            form.contains(&(field.0.into(), field.1.into())),
            "{field:?}"
        );
    }
    assert!(played.calls[1..].iter().all(|call| {
        call.url == "https://up.test/api/v1/task/AB12" && call.method == Method::Get && call.repeats
    }));
    assert_eq!(played.waits[1], Duration::from_millis(5));
    assert_eq!(played.ticket, Some(Ticket(json!("AB12"))));
    assert_eq!(
        played.made().usage,
        Some(json!({"unit": "second", "quantity": 3}))
    );

    let words = film("wan2.1-t2v", Action::TextToVideo, &[task("waiting")]);
    assert_eq!(
        words.calls[0].url,
        "https://up.test/v1/async/videos/generations"
    );
    assert_eq!(words.json(0)["num_frames"], 48);
    assert!(words.end.is_none());
}

#[test]
fn tasks_fail_in_the_upstreams_words() {
    for (status, output, kind, text) in [
        (
            "failure",
            json!({"error": "no face"}),
            FailureKind::Upstream,
            "no face",
        ),
        (
            "failed",
            json!({"error": {"code": 500, "message": "out of memory"}}),
            FailureKind::Upstream,
            "out of memory",
        ),
        (
            "failure",
            json!({"error": {"code": 400, "message": "too small"}}),
            FailureKind::InvalidRequest,
            "too small",
        ),
        (
            "failure",
            json!({"message": "Today the free API access limit exceeded."}),
            FailureKind::QuotaExhausted {
                scope: QuotaScope::Credential,
                retry_after: Some(MIDNIGHT),
            },
            "Today the free API access limit exceeded.",
        ),
        (
            "failure",
            json!({}),
            FailureKind::Upstream,
            "the task failed",
        ),
        (
            "cancelled",
            json!({}),
            FailureKind::Cancelled,
            "the task was cancelled",
        ),
    ] {
        let end = json!({"status": status, "output": output});
        let taken = says(200, &json!({"task_id": "AB12"}));
        let played = film(
            "wan2.2-i2v",
            Action::ImageToVideo,
            &[taken, says(200, &end)],
        );
        assert_eq!(played.failure().kind, kind, "{end}");
        assert_eq!(played.failure().message.as_deref(), Some(text));
    }
}

#[test]
fn refusals_mean_what_the_documentation_says() {
    let quota = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: Some(MIDNIGHT),
    };
    let rate = FailureKind::RateLimited { retry_after: None };
    let busy = FailureKind::Overloaded { retry_after: None };
    let unauthorized = "The access token cannot access any resources, purchase or authorize \
                        resources to use the access token";
    let unpaid = "Resources are not purchased or authorized. Purchase or authorize resources \
                  before using them.";
    let free = "Today the free API access limit exceeded.";
    for (status, body, kind) in [
        (400, json!({"message": free}), quota),
        (400, json!({"error_message": free}), quota),
        (400, json!({"error": {"message": free}}), quota),
        (429, json!({"message": free}), quota),
        (
            400,
            json!({"message": unauthorized}),
            FailureKind::AuthInvalid,
        ),
        (400, json!({"message": unpaid}), FailureKind::NotEntitled),
        (
            400,
            json!({"message": "Service not found"}),
            FailureKind::InvalidRequest,
        ),
        (
            400,
            json!({"message": format!("bad prompt: {free}")}),
            FailureKind::InvalidRequest,
        ),
        (
            401,
            json!({"message": "Unauthorized"}),
            FailureKind::AuthInvalid,
        ),
        (429, json!({"message": "Too Many Requests"}), rate),
        (
            503,
            json!({"message": "Service Temporarily Unavailable"}),
            busy,
        ),
        (500, json!({"message": free}), FailureKind::Upstream),
        (
            502,
            json!("<html>bad gateway</html>"),
            FailureKind::Upstream,
        ),
    ] {
        let played = drawn(|_| {}, &[says(status, &body)]);
        assert_eq!(played.failure().kind, kind, "{status} {body}");
        assert_eq!(played.failure().status, Some(status));
    }
    let slow = says(429, &json!({"message": "slow down"})).header("retry-after", "9");
    let wait = drawn(|_| {}, &[slow]).failure().kind.retry_after();
    assert_eq!(wait, Some(Duration::from_secs(9)));
    let empty = drawn(|_| {}, &[says(200, &json!({"data": []}))]);
    assert_eq!(empty.failure().kind, FailureKind::Upstream);
}

#[test]
fn tasks_go_on_and_are_cancelled_by_their_ticket() {
    let service = service();
    let order = order(&*service, "wan2.1-t2v", Action::TextToVideo, |_| {});
    let ticket = Ticket(json!("AB12"));
    let errand = service.resume(&order, &ticket).unwrap();
    let done = json!({"status": "success", "output": {"file_url": "https://cdn.test/1.mp4"}});
    let played = testing::run(errand, &[says(200, &done)]);
    assert_eq!(played.calls.len(), 1);
    assert_eq!(played.made().results.len(), 1);
    let cancel = service.cancel(&ticket).unwrap();
    assert_eq!(cancel.url, "https://up.test/api/v1/task/AB12/cancel");
    assert_eq!(cancel.method, Method::Post);
    let foreign = Ticket(json!("../../keys"));
    assert!(service.resume(&order, &foreign).is_none() && service.cancel(&foreign).is_none());
}

#[test]
fn the_quota_is_of_tasks() {
    let service = service();
    let ask = service.ask_quota().unwrap();
    assert_eq!(ask.url, "https://up.test/v1/tasks/available-quota");
    let answer = |body: &'static [u8]| Answer {
        status: 200,
        headers: &[],
        body,
        now: testing::now(),
    };
    let quota = service.read_quota(&answer(br#"{"available":3,"max_concurrency":5}"#));
    let expected = Quota {
        remaining: 3.0,
        limit: Some(5.0),
        unit: "concurrent tasks",
        resets_in: None,
    };
    assert_eq!(quota, Some(expected));
    assert_eq!(service.read_quota(&answer(b"{}")), None);
}

#[test]
fn failover_is_said_only_where_the_operator_does() {
    for (options, header) in [
        (json!({}), None),
        (
            json!({"failover": false}),
            Some(("x-failover-enabled", "false".to_owned())),
        ),
    ] {
        let service = testing::service("gitee", options);
        let order = order(&*service, "z-image-turbo", Action::Generate, |_| {});
        let played = play(&*service, &order, &[]);
        assert_eq!(played.calls[0].headers.first(), header.as_ref());
    }
}
