//! Every provider behind the router.

use serde_json::{Value, json};

use super::{
    super::super::{
        Action, Auth, Service, Size, Source, Ticket,
        call::Method,
        testing::{self, file, part, run, says, try_play},
    },
    of_model, shipped,
};
use crate::failure::FailureKind;

const ROUTER: &str = "https://up.test/v1";

type Change = fn(&mut super::Order);

/// Plays an order of `upstream` at `via`.
fn play(
    via: &str,
    upstream: &str,
    action: Action,
    change: Change,
    lines: &[super::Line],
) -> testing::Played {
    let service = shipped();
    let order = ordered(&*service, via, upstream, action, change);
    testing::play(&*service, &order, lines)
}

fn ordered(
    service: &dyn Service,
    via: &str,
    upstream: &str,
    action: Action,
    change: Change,
) -> std::sync::Arc<super::Order> {
    of_model(service, action, json!({"via": via}), |order| {
        let model = std::sync::Arc::make_mut(&mut order.model);
        model.upstream = upstream.to_owned();
        model.max_inputs = 3;
        change(order);
    })
}

fn everything(order: &mut super::Order) {
    order.size = Some(Size::new(1024, 576));
    order.steps = Some(4);
    order.guidance = Some(3.5);
    order.seed = Some(7);
    order.negative_prompt = Some("pears".to_owned());
    order.extra.insert("output_format".to_owned(), json!("png"));
}

fn nothing(_: &mut super::Order) {}

fn one_picture(order: &mut super::Order) {
    order.inputs = vec![file("image/png")];
}

fn link(played: &testing::Played) -> &Source {
    &played.made().results[0].as_ref().unwrap().source
}

#[test]
fn each_provider_is_asked_in_its_own_words() {
    let fal = json!({
        "prompt": "a red apple", "image_size": {"width": 1024, "height": 576}, "num_inference_steps": 4,
        "guidance_scale": 3.5, "seed": 7, "negative_prompt": "pears", "output_format": "png",
    });
    let sides = json!({
        "width": 1024, "height": 576, "num_inference_steps": 4, "guidance_scale": 3.5, "seed": 7,
        "negative_prompt": "pears",
    });
    let mut replicate = sides.clone();
    replicate["prompt"] = json!("a red apple");
    replicate["output_format"] = json!("png");
    let together = json!({
        "model": "m/x", "prompt": "a red apple", "response_format": "base64", "width": 1024, "height": 576,
        "steps": 4, "guidance": 3.5, "seed": 7, "negative_prompt": "pears", "output_format": "png",
    });
    let nscale = json!({"model": "m/x", "prompt": "a red apple", "response_format": "b64_json", "size": "1024x576"});
    let wavespeed = json!({
        "prompt": "a red apple", "size": "1024*576", "num_inference_steps": 4, "guidance_scale": 3.5, "seed": 7,
        "negative_prompt": "pears", "output_format": "png",
    });
    let hugging = json!({"inputs": "a red apple", "parameters": sides});
    for (via, path, body, lost) in [
        ("fal-ai", "fal-ai/m/x", fal, vec![]),
        (
            "replicate",
            "replicate/v1/models/m/x/predictions",
            json!({"input": replicate}),
            vec![],
        ),
        (
            "hf-inference",
            "hf-inference/models/m/x",
            hugging,
            vec!["output_format".to_owned()],
        ),
        (
            "together",
            "together/v1/images/generations",
            together,
            vec![],
        ),
        (
            "nscale",
            "nscale/v1/images/generations",
            nscale,
            [
                "steps",
                "guidance",
                "seed",
                "negative_prompt",
                "output_format",
            ]
            .map(str::to_owned)
            .into(),
        ),
        ("wavespeed", "wavespeed/api/v3/m/x", wavespeed, vec![]),
    ] {
        let played = play(via, "m/x", Action::Generate, everything, &[]);
        let call = &played.calls[0];
        assert_eq!(call.url, format!("{ROUTER}/{path}"));
        assert_eq!((call.method, call.auth), (Method::Post, Auth::Bearer));
        assert!(call.headers.contains(&("x-hf-bill-to", "acme".to_owned())));
        assert_eq!((played.json(0), &played.losses), (&body, &lost), "{via}");
    }
    let plain = play("hf-inference", "m/x", Action::Generate, nothing, &[]);
    assert_eq!(*plain.json(0), json!({"inputs": "a red apple"}));
}

#[test]
fn answers_with_the_picture() {
    let url = "https://cdn.test/a.png";
    for (via, answer, source) in [
        (
            "fal-ai",
            json!({"images": [{"url": url}], "seed": 7}),
            Source::link(url),
        ),
        (
            "replicate",
            json!({"id": "p1", "status": "succeeded", "output": [url]}),
            Source::link(url),
        ),
        (
            "replicate",
            json!({"id": "p1", "status": "succeeded", "output": url}),
            Source::link(url),
        ),
        ("hf-inference", json!(part(0)), Source::Part(0)),
        (
            "together",
            json!({"data": [{"index": 0, "b64_json": part(0)}]}),
            Source::Part(0),
        ),
        (
            "nscale",
            json!({"data": [{"b64_json": part(0)}]}),
            Source::Part(0),
        ),
    ] {
        let played = play(via, "m/x", Action::Generate, nothing, &[says(200, &answer)]);
        assert_eq!(*link(&played), source, "{via}");
    }
    let empty = json!({"data": [], "images": [], "status": "succeeded", "output": []});
    for via in ["fal-ai", "replicate", "hf-inference", "together", "nscale"] {
        let played = play(via, "m/x", Action::Generate, nothing, &[says(200, &empty)]);
        assert_eq!(played.failure().kind, FailureKind::Upstream, "{via}");
    }
    let black = json!({"images": [{"url": url}, {"url": url}], "has_nsfw_concepts": [true, false]});
    let played = play(
        "fal-ai",
        "m/x",
        Action::Generate,
        nothing,
        &[says(200, &black)],
    );
    let results = &played.made().results;
    assert_eq!(
        results[0].as_ref().unwrap_err().kind,
        FailureKind::ContentPolicy
    );
    assert!(results[1].is_ok());
}

#[test]
fn a_film_in_the_queue_of_fal() {
    let model = "fal-ai/wan/v2.2-5b/image-to-video";
    let service = shipped();
    let change: Change = |order| {
        one_picture(order);
        order.seconds = Some(5.0);
    };
    let order = ordered(&*service, "fal-ai", model, Action::ImageToVideo, change);
    let taken =
        json!({"request_id": "r-1", "status": "IN_QUEUE", "response_url": "https://evil.test/x"});
    let video = says(
        200,
        &json!({"video": {"url": "https://cdn.test/v.mp4", "content_type": "video/mp4"}}),
    );
    let state = |state: &str| says(200, &json!({"status": state}));
    let lines = [
        says(200, &taken),
        state("IN_QUEUE"),
        state("NEW"),
        state("COMPLETED"),
        video.clone(),
    ];
    let played = testing::play(&*service, &order, &lines);
    let body = played.json(0);
    assert_eq!(
        (&body["duration"], &body["image_url"]),
        (&json!(5.0), &json!(order.link_or_data(0)))
    );
    let urls: Vec<_> = played.calls.iter().map(|call| call.url.as_str()).collect();
    let task = format!("{ROUTER}/fal-ai/fal-ai/wan/requests/r-1");
    let status = format!("{task}/status?_subdomain=queue");
    let result = format!("{task}?_subdomain=queue");
    let submit = format!("{ROUTER}/fal-ai/{model}?_subdomain=queue");
    assert_eq!(urls, [&submit, &status, &status, &status, &result]);
    assert_eq!(*link(&played), Source::link("https://cdn.test/v.mp4"));
    assert_eq!(played.waits[1].as_millis(), 5);

    let ticket = played.ticket.unwrap();
    let resumed = run(
        service.resume(&order, &ticket).unwrap(),
        &[state("COMPLETED"), video],
    );
    assert_eq!(resumed.calls[0].url, status);
    let cancel = service.cancel(&ticket).unwrap();
    assert_eq!(
        (cancel.method, cancel.url),
        (Method::Put, format!("{task}/cancel?_subdomain=queue"))
    );
    let failed = says(
        200,
        &json!({"status": "COMPLETED", "error": "out of memory"}),
    );
    let failed = run(service.resume(&order, &ticket).unwrap(), &[failed]);
    assert_eq!(failed.failure().message.as_deref(), Some("out of memory"));
}

#[test]
fn a_prediction_that_takes_longer() {
    let service = shipped();
    let change: Change = |order| {
        order.inputs = vec![file("image/png"), file("image/png")];
        order.mask = Some(1);
    };
    let order = ordered(
        &*service,
        "replicate",
        "me/model:5c7d",
        Action::Edit,
        change,
    );
    let state = |state: &str| says(201, &json!({"id": "p1", "status": state}));
    let done = says(
        200,
        &json!({"id": "p1", "status": "succeeded", "output": "https://cdn.test/a.png"}),
    );
    let played = testing::play(
        &*service,
        &order,
        &[state("starting"), state("processing"), done],
    );
    assert_eq!(
        played.calls[0].url,
        format!("{ROUTER}/replicate/v1/predictions")
    );
    assert!(
        played.calls[0]
            .headers
            .contains(&("prefer", "wait".to_owned()))
    );
    let body = played.json(0);
    assert_eq!(body["version"], "5c7d");
    assert_eq!(body["input"]["image"], json!(order.link_or_data(0)));
    assert_eq!(body["input"]["mask"], json!(order.link_or_data(1)));
    let task = format!("{ROUTER}/replicate/v1/predictions/p1");
    assert_eq!(played.calls[2].url, task);
    let ticket = played.ticket.unwrap();
    let cancel = service.cancel(&ticket).unwrap();
    assert_eq!(
        (cancel.method, cancel.url),
        (Method::Post, format!("{task}/cancel"))
    );
    let failed = says(
        200,
        &json!({"id": "p1", "status": "failed", "error": "NSFW content detected. Try running it again, or try a different prompt."}),
    );
    let failed = run(service.resume(&order, &ticket).unwrap(), &[failed]);
    assert_eq!(failed.failure().kind, FailureKind::ContentPolicy);
}

#[test]
fn everything_at_wavespeed_is_a_task() {
    let service = shipped();
    let order = ordered(
        &*service,
        "wavespeed",
        "wavespeed-ai/flux",
        Action::Edit,
        one_picture,
    );
    let get = "https://api.wavespeed.ai/api/v3/predictions/w1/result";
    let data = |data: Value| {
        says(
            200,
            &json!({"code": 200, "message": "success", "data": data}),
        )
    };
    let lines = [
        data(json!({"id": "w1", "status": "created", "urls": {"get": get}})),
        data(json!({"id": "w1", "status": "processing"})),
        data(
            json!({"id": "w1", "status": "completed", "outputs": ["https://cdn.test/1.png", "https://cdn.test/2.png"], "has_nsfw_contents": [false, true]}),
        ),
    ];
    let played = testing::play(&*service, &order, &lines);
    assert_eq!(played.json(0)["image"], json!(order.link_or_data(0)));
    assert_eq!(
        played.calls[1].url,
        format!("{ROUTER}/wavespeed/api/v3/predictions/w1/result")
    );
    let results = &played.made().results;
    assert!(results[0].is_ok());
    assert_eq!(
        results[1].as_ref().unwrap_err().kind,
        FailureKind::ContentPolicy
    );
    let ticket = played.ticket.unwrap();
    let failed =
        data(json!({"id": "w1", "status": "failed", "error": "worker gone", "outputs": []}));
    let failed = run(service.resume(&order, &ticket).unwrap(), &[failed]);
    assert_eq!(failed.failure().message.as_deref(), Some("worker gone"));
    assert!(service.cancel(&ticket).is_none());
}

#[test]
fn pictures_go_where_the_model_wants_them() {
    let service = shipped();
    let edit = |options: Value, pictures: usize| {
        let order = of_model(&*service, Action::Edit, options, |order| {
            std::sync::Arc::make_mut(&mut order.model).max_inputs = 3;
            order.inputs = vec![file("image/png"); pictures];
        });
        try_play(&*service, &order, &[]).map(|played| played.json(0).clone())
    };
    let two = edit(json!({"via": "fal-ai"}), 2).unwrap();
    assert_eq!(two["image_urls"].as_array().unwrap().len(), 2);
    let own = edit(json!({"via": "fal-ai", "image_field": "input_images"}), 1).unwrap();
    assert_eq!(own["input_images"].as_array().unwrap().len(), 1);
    let replicate = edit(json!({"via": "replicate", "image_field": "input_image"}), 1).unwrap();
    assert!(replicate["input"]["input_image"].is_string());
    assert!(edit(json!({"via": "replicate", "image_field": "input_image"}), 2).is_err());
    let hugging = edit(json!({"via": "hf-inference"}), 1).unwrap();
    assert_eq!(hugging["parameters"]["prompt"], "a red apple");
    assert!(edit(json!({"via": "hf-inference"}), 2).is_err());
    let together = edit(json!({"via": "together"}), 1).unwrap();
    assert!(
        together["image_url"]
            .as_str()
            .unwrap()
            .starts_with("data:image/png;base64,")
    );
    let refused = edit(json!({"via": "nscale"}), 1).unwrap_err().to_string();
    assert!(refused.contains("generate only"), "{refused}");
    assert!(
        edit(json!({"via": "elsewhere"}), 1)
            .unwrap_err()
            .to_string()
            .contains("`via`")
    );
}

#[test]
fn models_without_a_place_are_hugging_faces_own() {
    let service = shipped();
    let order = testing::order(
        &*service,
        "stabilityai/sdxl-turbo",
        Action::Generate,
        |_| {},
    );
    let played = testing::play(&*service, &order, &[]);
    assert_eq!(
        played.calls[0].url,
        format!("{ROUTER}/hf-inference/models/stabilityai/sdxl-turbo")
    );
    for upstream in ["../../x", "a?b", "a//b", "", "a/./b", "a#b"] {
        let order = ordered(&*service, "fal-ai", upstream, Action::Generate, nothing);
        assert!(try_play(&*service, &order, &[]).is_err(), "{upstream}");
    }
    let bad = Ticket(json!({"via": "fal-ai", "id": "../x", "model": "m"}));
    assert!(service.resume(&order, &bad).is_none() && service.cancel(&bad).is_none());
}
