//! Orders of ModelScope, played by hand.

use std::time::Duration;

use serde_json::json;

use super::super::{
    Action, Answer, Input, Order, Quota, Service, Size, Source, Ticket, Told,
    call::Method,
    testing::{self, Line, Played, file, order, part, play, says, try_play},
};
use crate::failure::{FailureKind, QuotaScope};

/// From ten in the morning UTC to midnight in China.
const MIDNIGHT: Duration = Duration::from_secs(6 * 3600);

fn service() -> Box<dyn Service> {
    testing::service("modelscope", json!(null))
}

fn drawn(change: impl FnOnce(&mut Order), lines: &[Line]) -> Played {
    let service = service();
    let order = order(&*service, "z-image-turbo", Action::Generate, change);
    play(&*service, &order, lines)
}

fn taken() -> Line {
    says(200, &json!({"task_id": "12345", "request_id": "r"}))
}

fn state(word: &str) -> Line {
    says(200, &json!({"task_id": "12345", "task_status": word}))
}

fn done() -> Line {
    let links = ["https://cdn.test/1.png"];
    says(
        200,
        &json!({"task_id": "12345", "task_status": "SUCCEED", "output_images": links}),
    )
}

#[test]
fn a_picture_is_a_task_in_all_its_states() {
    let states = ["PENDING", "RUNNING", "PROCESSING", "QUEUED"].map(state);
    let lines: Vec<Line> = [taken()]
        .into_iter()
        .chain(states)
        .chain([done()])
        .collect();
    let played = drawn(|_| {}, &lines);
    let submit = &played.calls[0];
    assert_eq!(submit.url, "https://up.test/v1/images/generations");
    assert_eq!(
        submit.headers,
        [("x-modelscope-async-mode", "true".to_owned())]
    );
    assert!(!submit.repeats);
    let body = json!({"model": "Tongyi-MAI/Z-Image-Turbo", "prompt": "a red apple"});
    assert_eq!(*played.json(0), body);
    for ask in &played.calls[1..] {
        assert_eq!(ask.url, "https://up.test/v1/tasks/12345");
        assert_eq!(
            ask.headers,
            [("x-modelscope-task-type", "image_generation".to_owned())]
        );
        assert!(ask.repeats && ask.method == Method::Get);
    }
    assert!(
        played.waits[1..]
            .iter()
            .all(|wait| *wait == Duration::from_secs(5))
    );
    assert_eq!(played.ticket, Some(Ticket(json!("12345"))));
    let made = played.made().results[0].as_ref().unwrap();
    assert_eq!(made.source, Source::link("https://cdn.test/1.png"));
}

#[test]
fn a_picture_with_everything_said() {
    let played = drawn(
        |order| {
            order.size = Some(Size::new(2048, 1152));
            order.steps = Some(9);
            order.guidance = Some(3.5);
            order.seed = Some(7);
            order.negative_prompt = Some("blur".into());
            order.extra.insert("loras".into(), json!({"a/b": 0.5}));
            order.extra.insert("quality".into(), json!("high"));
        },
        &[],
    );
    let body = json!({
        "model": "Tongyi-MAI/Z-Image-Turbo", "prompt": "a red apple", "size": "2048x1152", "steps": 9,
        "guidance": 3.5, "seed": 7, "negative_prompt": "blur", "loras": {"a/b": 0.5},
    });
    assert_eq!(*played.json(0), body);
    assert_eq!(played.losses, ["quality"]);
}

#[test]
fn an_edit_sends_links_and_data() {
    let service = service();
    let order = order(&*service, "qwen-image-edit", Action::Edit, |order| {
        order.inputs = vec![
            file("image/png"),
            Input::Link("https://a.test/b.png".into()),
        ];
    });
    let played = play(&*service, &order, &[taken(), done()]);
    let data = format!("data:image/png;base64,{}", order.inline(0));
    assert_eq!(
        played.json(0)["image_url"],
        json!([data, "https://a.test/b.png"])
    );
    assert_eq!(played.json(0)["model"], "Qwen/Qwen-Image-Edit-2509");
}

#[test]
fn what_the_models_do_not_take_is_refused_by_name() {
    let service = service();
    type Change = Box<dyn Fn(&mut Order)>;
    let cases: [(&str, Change, &str, &str); 6] = [
        (
            "z-image",
            Box::new(|order| order.count = 2),
            "n",
            "one picture at a time",
        ),
        (
            "flux-1",
            Box::new(|order| order.size = Some(Size::new(1536, 1024))),
            "size",
            "sides of 64 to 1024",
        ),
        (
            "z-image",
            Box::new(|order| order.steps = Some(101)),
            "steps",
            "1 to 100",
        ),
        (
            "z-image",
            Box::new(|order| order.guidance = Some(1.0)),
            "guidance",
            "1.5 to 20",
        ),
        (
            "z-image",
            Box::new(|order| order.seed = Some(1 << 31)),
            "seed",
            "0 to 2147483647",
        ),
        (
            "z-image",
            Box::new(|order| order.prompt = "语".repeat(2000)),
            "prompt",
            "fewer than 2000 characters",
        ),
    ];
    for (model, change, param, words) in cases {
        let order = order(&*service, model, Action::Generate, change);
        let refusal = try_play(&*service, &order, &[]).unwrap_err();
        assert_eq!(refusal.param(), Some(param));
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
    let masked = order(&*service, "qwen-image-edit", Action::Edit, |order| {
        order.inputs = vec![file("image/png"), file("image/png")];
        order.mask = Some(1);
    });
    assert!(try_play(&*service, &masked, &[]).is_err());
}

#[test]
fn the_old_form_answers_at_once() {
    let both = json!({"images": [{"url": "https://cdn.test/1.png"}, {"url": part(0)}]});
    let played = drawn(|_| {}, &[says(200, &both)]);
    assert_eq!(played.made().results.len(), 2);
    let none = drawn(|_| {}, &[says(200, &json!({"images": []}))]);
    assert_eq!(none.failure().kind, FailureKind::Upstream);
}

#[test]
fn tasks_fail_in_the_upstreams_words() {
    for (body, kind, text) in [
        (
            json!({"errors": {"message": "bad lora"}}),
            FailureKind::Upstream,
            "bad lora",
        ),
        (
            json!({"message": "out of memory"}),
            FailureKind::Upstream,
            "out of memory",
        ),
        (
            json!({"error_message": "oom"}),
            FailureKind::Upstream,
            "oom",
        ),
        (json!({}), FailureKind::Upstream, "the task failed"),
        (
            json!({"errors": {"message": "Server is busy, please try again later"}}),
            FailureKind::Overloaded { retry_after: None },
            "Server is busy, please try again later",
        ),
    ] {
        let mut end = body.clone();
        end["task_status"] = json!("FAILED");
        let played = drawn(|_| {}, &[taken(), says(200, &end)]);
        assert_eq!(played.failure().kind, kind, "{body}");
        assert_eq!(played.failure().message.as_deref(), Some(text));
    }
    let nothing = says(200, &json!({"task_status": "SUCCEED", "output_images": []}));
    assert_eq!(
        drawn(|_| {}, &[taken(), nothing]).failure().kind,
        FailureKind::Upstream
    );
}

#[test]
fn refusals_mean_what_their_texts_and_headers_say() {
    let spent = |scope| FailureKind::QuotaExhausted {
        scope,
        retry_after: Some(MIDNIGHT),
    };
    let account = spent(QuotaScope::Credential);
    let model = spent(QuotaScope::CredentialModel);
    let moment = FailureKind::RateLimited { retry_after: None };
    let busy = FailureKind::Overloaded { retry_after: None };
    let invalid = FailureKind::InvalidRequest;
    let auth = FailureKind::AuthInvalid;
    let current = "You exceeded your current quota, please check your plan and billing details.";
    let today =
        "You have exceeded today's quota for model Qwen/Qwen-Image, please try again tomorrow";
    for (status, message, left, kind) in [
        (
            401,
            "Authentication failed, please make sure that a valid ModelScope token is supplied.",
            None,
            auth,
        ),
        (
            401,
            "Please bind your Alibaba Cloud account before use.",
            None,
            auth,
        ),
        (
            403,
            "Please complete real-name verification first.",
            None,
            auth,
        ),
        (403, "请先完成实名认证", None, auth),
        (403, "forbidden", None, FailureKind::NotEntitled),
        (400, "Invalid model id: a/b", None, invalid),
        (404, "Model a/b does not exist", None, invalid),
        (429, "Too many requests", Some(("0", "40")), account),
        (429, "Too many requests", Some(("0", "0")), account),
        (429, "Too many requests", Some(("1500", "0")), model),
        (429, "Too many requests", Some(("1500", "40")), moment),
        (429, current, Some(("1500", "40")), moment),
        (429, current, None, moment),
        (429, today, None, model),
        (
            429,
            "You have exceeded today's quota, please try again tomorrow",
            None,
            account,
        ),
        (429, "Arrearage: access denied", None, account),
        (403, "Bill is overdue", None, account),
        (
            400,
            "Arrearage: Access denied, please make sure your account is in good standing.",
            None,
            account,
        ),
        (400, "Server is busy, please try again later", None, busy),
        (500, "Server is busy, please try again later", None, busy),
        (500, "Arrearage in the plot", None, FailureKind::Upstream),
    ] {
        for shape in ["error", "errors"] {
            let mut line = says(
                status,
                &json!({shape: {"message": message}, "request_id": "r"}),
            );
            if let Some((account, model)) = left {
                line = line
                    .header("modelscope-ratelimit-requests-remaining", account)
                    .header("modelscope-ratelimit-model-requests-remaining", model);
            }
            let played = drawn(|_| {}, &[line]);
            assert_eq!(played.failure().kind, kind, "{status} {message}");
        }
    }
    let slow = says(429, &json!({"message": "slow"})).header("retry-after", "9");
    let wait = drawn(|_| {}, &[slow]).failure().kind.retry_after();
    assert_eq!(wait, Some(Duration::from_secs(9)));
}

#[test]
fn what_is_left_stands_in_any_answer() {
    let service = service();
    let headers = |pairs: &[(&str, &str)]| {
        let pair = |(name, value): &(&str, &str)| {
            (format!("modelscope-ratelimit-{name}"), (*value).to_owned())
        };
        pairs.iter().map(pair).collect::<Vec<_>>()
    };
    let told = |headers: &[(String, String)]| {
        service.told_quota(&Answer {
            status: 200,
            headers,
            body: &[],
            now: testing::now(),
        })
    };
    let quota = |remaining, limit| {
        Some(Quota {
            remaining,
            limit,
            unit: "requests",
            resets_in: Some(MIDNIGHT.as_secs()),
        })
    };
    let both = headers(&[
        ("requests-limit", "2000"),
        ("requests-remaining", "1500"),
        ("model-requests-remaining", " 7 "),
    ]);
    let all = Told {
        all: quota(1500.0, Some(2000.0)),
        of_model: quota(7.0, None),
    };
    assert_eq!(told(&both), all);
    let odd = headers(&[("requests-remaining", "-1"), ("model-requests-limit", "5")]);
    assert_eq!(told(&odd), Told::default());
}

#[test]
fn tasks_go_on_by_their_ticket() {
    let service = service();
    let order = order(&*service, "z-image", Action::Generate, |_| {});
    let errand = service.resume(&order, &Ticket(json!("12345"))).unwrap();
    let played = testing::run(errand, &[state("RUNNING"), done()]);
    assert_eq!(played.calls.len(), 2);
    assert_eq!(played.made().results.len(), 1);
    assert!(service.resume(&order, &Ticket(json!({"id": 1}))).is_none());
    assert!(service.cancel(&Ticket(json!("12345"))).is_none());
}
