//! The two protocols of Gradio, call by call.

use serde_json::{Value, json};

use super::{
    super::super::{
        Action, Auth, Body, Size, Source, Ticket,
        call::Method,
        testing::{event, file, order, play, run, says, try_play},
    },
    done, of_model, shipped,
};
use crate::failure::FailureKind;

const FLUX: &str = "https://black-forest-labs-flux-1-schnell.hf.space";
const EVENT: &str = "abc-1";

fn taken() -> super::Line {
    says(200, &json!({"event_id": EVENT}))
}

fn queue() -> Value {
    json!({
        "space": "me/app", "api_name": "/draw", "protocol": "queue", "trigger_id": 4,
        "template": "[\"{prompt}\", \"{seed}\"]",
    })
}

#[test]
fn a_picture_from_words() {
    let service = shipped();
    let order = order(&*service, "flux-1-schnell", Action::Generate, |order| {
        order.size = Some(Size::new(768, 1024));
        order.seed = Some(7);
        order.negative_prompt = Some("pears".to_owned());
        order.extra.insert("watermark".to_owned(), json!(true));
    });
    let link = format!("{FLUX}/gradio_api/file=/tmp/gradio/x/image.webp");
    let result = json!([{"path": "/tmp/gradio/x/image.webp", "url": link, "is_stream": false}, 7]);
    let played = play(
        &*service,
        &order,
        &[
            taken(),
            event("heartbeat", &Value::Null),
            event("generating", &json!([null, 7])),
            done(result),
        ],
    );
    let [join, listen] = played.calls.as_slice() else {
        panic!("{:?}", played.calls)
    };
    assert_eq!(join.url, format!("{FLUX}/gradio_api/call/infer"));
    assert_eq!(
        played.json(0)["data"],
        json!(["a red apple", 7, false, 768, 1024, 4])
    );
    assert_eq!(listen.url, format!("{FLUX}/gradio_api/call/infer/{EVENT}"));
    assert!(listen.events && !listen.repeats && listen.method == Method::Get);
    assert!(played.calls.iter().all(|call| call.auth == Auth::Bearer));
    let made = played.made().results[0].as_ref().unwrap();
    let source = Source::Link {
        url: link,
        credential: true,
    };
    assert_eq!(made.source, source);
    assert_eq!(played.losses, ["negative_prompt", "watermark"]);
}

#[test]
fn every_shipped_model_says_what_its_space_expects() {
    let service = shipped();
    let image = json!({"path": "/tmp/a.png", "meta": {"_type": "gradio.FileData"}});
    let gallery = json!([{"image": image, "caption": null}]);
    for (id, action, wanted) in [
        (
            "z-image-turbo",
            Action::Generate,
            json!(["a red apple", 1024, 1024, 9, 42, false]),
        ),
        (
            "z-image",
            Action::Generate,
            json!(["a red apple", "", 1024, 1024, 30, 4.0, 42, false]),
        ),
        (
            "flux-1-schnell",
            Action::Generate,
            json!(["a red apple", 42, false, 1024, 1024, 4]),
        ),
        (
            "qwen-image",
            Action::Generate,
            json!(["a red apple", 42, false, "1:1", 3.0, 8]),
        ),
        (
            "ovis-image",
            Action::Generate,
            json!(["a red apple", 1024, 1024, 42, 24, 4]),
        ),
        (
            "qwen-image-edit",
            Action::Edit,
            json!([gallery, "a red apple", 42, false, 4.0, 16, 1024, 1024, true]),
        ),
        (
            "realesrgan",
            Action::Upscale,
            json!([image, "RealESRGAN_x4plus", 0.5, false, 4]),
        ),
        (
            "wan2_2-i2v",
            Action::ImageToVideo,
            json!([image, "a red apple", 10, "", 3, 4.0, 4.0, 42, false]),
        ),
    ] {
        let order = order(&*service, id, action, |order| {
            if action != Action::Generate {
                order.inputs = vec![file("image/png")];
            }
        });
        let mut lines = vec![taken()];
        if action != Action::Generate {
            lines.insert(0, says(200, &json!(["/tmp/a.png"])));
        }
        let played = play(&*service, &order, &lines);
        let join = played.calls.len() - 2;
        assert_eq!(played.json(join)["data"], wanted, "{id}");
    }
    assert_eq!(service.models().len(), 8);
}

#[test]
fn pictures_are_uploaded_first_and_their_size_is_kept() {
    let service = shipped();
    let order = order(&*service, "qwen-image-edit", Action::Edit, |order| {
        order.inputs = vec![file("image/png"), file("image/jpeg")];
        if let super::super::super::Input::File { size, .. } = &mut order.inputs[0] {
            *size = Some(Size::new(640, 960));
        }
    });
    let space = "https://linoyts-qwen-image-edit-2511-fast.hf.space/gradio_api";
    let paths = json!(["/tmp/gradio/1/a.png", "/tmp/gradio/2/b.jpg"]);
    let played = play(
        &*service,
        &order,
        &[
            says(200, &paths),
            taken(),
            done(json!([[{"image": {"url": "https://cdn.test/1.webp"}, "caption": null}], 42])),
        ],
    );
    assert_eq!(played.calls[0].url, format!("{space}/upload"));
    let pair = |at: usize| ("files".to_owned(), format!("file {at}"));
    assert_eq!(played.form(0), [pair(0), pair(1)]);
    let data = &played.json(1)["data"];
    assert_eq!(data[0][1]["image"]["path"], "/tmp/gradio/2/b.jpg");
    assert_eq!((&data[6], &data[7]), (&json!(960), &json!(640)));
    let made = played.made().results[0].as_ref().unwrap();
    assert_eq!(made.source, Source::link("https://cdn.test/1.webp"));
}

#[test]
fn gradio_4_has_no_prefix() {
    let service = shipped();
    let absent = says(404, &json!({"detail": "Not Found"}));
    let upscale = order(&*service, "realesrgan", Action::Upscale, |order| {
        order.inputs = vec![file("image/png")];
    });
    let slider = json!([["/tmp/gradio/1/a.png", "/tmp/gradio/2/b c.png"]]);
    let lines = [
        absent.clone(),
        says(200, &json!(["/tmp/a.png"])),
        taken(),
        done(slider),
    ];
    let played = play(&*service, &upscale, &lines);
    let urls: Vec<_> = played.calls.iter().map(|call| call.url.as_str()).collect();
    let space = "https://tuan2308-upscaler.hf.space";
    let wanted = [
        "gradio_api/upload",
        "upload",
        "call/realesrgan",
        "call/realesrgan/abc-1",
    ];
    assert_eq!(urls, wanted.map(|path| format!("{space}/{path}")));
    let source = Source::Link {
        url: format!("{space}/file=/tmp/gradio/2/b%20c.png"),
        credential: true,
    };
    assert_eq!(played.made().results[0].as_ref().unwrap().source, source);

    let options =
        json!({"space": "me/app", "api_name": "draw", "template": ["{prompt}"], "api_prefix": ""});
    let configured = of_model(&*service, Action::Generate, options, |_| {});
    let played = play(&*service, &configured, &[absent]);
    assert_eq!(played.calls.len(), 1);
    assert_eq!(played.calls[0].url, "https://me-app.hf.space/call/draw");
    assert_eq!(played.failure().kind, FailureKind::Upstream);
}

#[test]
fn the_queue_asks_for_the_functions_number_first() {
    let service = shipped();
    let order = of_model(&*service, Action::Generate, queue(), |_| {});
    let config = json!({
        "version": "6.0.1", "protocol": "sse_v3", "api_prefix": "/gradio_api",
        "dependencies": [{"id": 0, "api_name": "other"}, {"id": 3, "api_name": "draw"}],
    });
    let message = |value: Value| event("", &value);
    let played = play(
        &*service,
        &order,
        &[
            says(200, &config),
            taken(),
            message(json!({"msg": "estimation", "event_id": EVENT, "rank": 1})),
            message(json!({"msg": "process_starts", "event_id": EVENT})),
            message(json!({"msg": "progress", "event_id": EVENT, "progress_data": []})),
            message(json!({"msg": "log", "log": "warm", "level": "info", "event_id": EVENT})),
            message(json!({"msg": "heartbeat"})),
            message(
                json!({"msg": "process_generating", "event_id": EVENT, "output": {"data": []}}),
            ),
            message(
                json!({"msg": "process_completed", "event_id": "another", "success": false, "output": {"error": "x"}}),
            ),
            message(
                json!({"msg": "process_completed", "event_id": EVENT, "success": true, "output": {"data": ["https://cdn.test/a.png"], "duration": 2.5}}),
            ),
        ],
    );
    assert_eq!(played.calls[0].url, "https://me-app.hf.space/config");
    assert_eq!(
        played.calls[1].url,
        "https://me-app.hf.space/gradio_api/queue/join"
    );
    let body = played.json(1);
    let session = body["session_hash"].as_str().unwrap();
    assert_eq!(
        *body,
        json!({"data": ["a red apple", 42], "fn_index": 3, "trigger_id": 4, "session_hash": session, "event_data": null})
    );
    let listen = format!("https://me-app.hf.space/gradio_api/queue/data?session_hash={session}");
    assert_eq!(played.calls[2].url, listen);
    assert_eq!(session.len(), 16);
    assert_ne!(session, format!("{:016x}", order.nonce));
    assert_eq!(played.made().results.len(), 1);
}

#[test]
fn a_task_goes_on_from_its_ticket_and_can_be_stopped() {
    let service = shipped();
    let mut options = queue();
    options["fn_index"] = json!(2);
    let order = of_model(&*service, Action::Generate, options, |_| {});
    let begun = play(&*service, &order, &[taken()]);
    let ticket = begun.ticket.unwrap();
    let last = begun.calls.last().unwrap();
    let end = json!({"msg": "process_completed", "success": true, "output": {"data": [{"video": {"path": "/tmp/v.mp4"}}]}});
    let resumed = run(service.resume(&order, &ticket).unwrap(), &[event("", &end)]);
    assert_eq!(&resumed.calls[0], last);
    assert!(resumed.made().results[0].is_ok());

    let cancel = service.cancel(&ticket).unwrap();
    assert_eq!(cancel.url, "https://me-app.hf.space/gradio_api/cancel");
    assert_eq!((cancel.method, cancel.auth), (Method::Post, Auth::Bearer));
    let Body::Json(body) = cancel.body else {
        panic!()
    };
    assert_eq!(
        (&body["fn_index"], &body["event_id"]),
        (&json!(2), &json!(EVENT))
    );

    let mut elsewhere = ticket.clone();
    elsewhere.0["space"] = json!("https://evil.test");
    assert!(service.resume(&order, &elsewhere).is_none());
    for bad in [json!({}), json!({"event": "../x"}), json!("abc")] {
        assert!(service.resume(&order, &Ticket(bad.clone())).is_none());
        assert!(service.cancel(&Ticket(bad)).is_none());
    }
}

#[test]
fn the_token_stays_away_from_other_hosts() {
    let service = shipped();
    let template = json!(["{prompt}"]);
    for (space, auth) in [
        ("https://gradio.example.org", Auth::None),
        ("https://me-app.hf.space", Auth::Bearer),
    ] {
        let options = json!({"space": space, "api_name": "draw", "template": template});
        let order = of_model(&*service, Action::Generate, options, |_| {});
        let link = format!("{space}/gradio_api/file=/tmp/a.png");
        let played = play(&*service, &order, &[taken(), done(json!([{"url": link}]))]);
        assert!(played.calls.iter().all(|call| call.auth == auth));
        let source = Source::Link {
            url: link,
            credential: auth == Auth::Bearer,
        };
        assert_eq!(played.made().results[0].as_ref().unwrap().source, source);
    }
    let hosts = service.hosts();
    assert_eq!(
        hosts[..2],
        [
            "https://huggingface.co",
            "https://mrfakename-z-image-turbo.hf.space"
        ]
    );
    assert_eq!(hosts.len(), 1 + service.models().len());
}

#[test]
fn what_cannot_be_said_is_refused() {
    let service = shipped();
    let fixed = json!({"space": "me/app", "api_name": "draw", "template": ["{prompt}"]});
    let steps = json!({"space": "me/app", "api_name": "draw", "template": ["{steps}"]});
    let refusal = |options: &Value, change: fn(&mut super::Order)| {
        let order = of_model(&*service, Action::Generate, options.clone(), change);
        try_play(&*service, &order, &[]).unwrap_err().to_string()
    };
    let sized = of_model(&*service, Action::Generate, fixed, |order| {
        order.size = Some(Size::new(512, 512));
    });
    assert_eq!(play(&*service, &sized, &[]).losses, ["size"]);
    assert!(refusal(&steps, |_| {}).contains("give a number"));
    for (options, words) in [
        (json!({"space": "me"}), "owner/name"),
        (json!({"space": "me/app"}), "`api_name`"),
        (json!({"space": "me/app", "api_name": "../x"}), "letters"),
        (json!({"space": "me/app", "api_name": "draw"}), "`template`"),
        (
            json!({"space": "me/app", "api_name": "draw", "template": "{"}),
            "`template`",
        ),
        (
            json!({"space": "me/app", "protocol": "queue"}),
            "`fn_index`",
        ),
        (
            json!({"space": "me/app", "api_name": "a", "protocol": "ws"}),
            "`queue`",
        ),
    ] {
        let refused = refusal(&options, |_| {});
        assert!(refused.contains(words), "{refused}");
    }
    let picture = |template: Value, pictures: usize| {
        let options = json!({"space": "me/app", "api_name": "draw", "template": template});
        let order = of_model(&*service, Action::Edit, options, |order| {
            order.inputs = vec![file("image/png"); pictures];
        });
        try_play(&*service, &order, &[])
    };
    assert!(picture(json!(["{prompt}"]), 1).is_err());
    assert!(picture(json!(["{image}"]), 2).is_err());
    assert!(picture(json!(["{image}"]), 1).is_ok());
    assert!(picture(json!(["{images}"]), 4).is_ok());
    let odd = order(&*service, "flux-1-schnell", Action::Generate, |order| {
        order.size = Some(Size::new(1000, 1000));
    });
    let refused = try_play(&*service, &odd, &[]).unwrap_err().to_string();
    assert!(refused.contains("multiples of 32"), "{refused}");
}

#[test]
fn a_space_that_is_told_a_shape_draws_its_own_size() {
    let service = shipped();
    for (model, exact, lost) in [
        ("qwen-image", true, &["size"][..]),
        ("qwen-image", false, &[]),
        ("z-image-turbo", true, &[]),
    ] {
        let order = order(&*service, model, Action::Generate, |order| {
            (order.size, order.exact) = (Some(Size::new(1024, 1024)), exact);
        });
        assert_eq!(play(&*service, &order, &[]).losses, lost, "{model}");
    }
}
