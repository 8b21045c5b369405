use serde_json::{Value, json};

use super::{super::super::testing::*, success, volcengine};
use crate::{
    openai::request_error::RequestError,
    pictures::{Action, Auth, Input, Order, Patience, Size},
};

/// The body of the first call for such an order.
fn asked(model: &str, action: Action, change: impl FnOnce(&mut Order)) -> Value {
    let service = volcengine();
    let order = order(&*service, model, action, change);
    play(&*service, &order, &[]).json(0).clone()
}

/// Why such an order is refused.
fn refused(model: &str, action: Action, change: impl FnOnce(&mut Order)) -> String {
    let service = volcengine();
    let order = order(&*service, model, action, change);
    match try_play(&*service, &order, &[]) {
        Err(error @ RequestError::Invalid { .. }) => error.to_string(),
        other => panic!("{model}: {other:?}"),
    }
}

fn sized(text: &str) -> impl FnOnce(&mut Order) + use<> {
    let size: Size = text.parse().unwrap();
    move |order| order.size = Some(size)
}

fn filed(order: &mut Order) {
    order.inputs.push(file("image/png"));
}

#[test]
fn at_once_and_signed() {
    let service = volcengine();
    let order = order(&*service, "general_v2.1", Action::Generate, |order| {
        order.seed = Some(7);
        order.steps = Some(30);
        order.guidance = Some(4.5);
        order.negative_prompt = Some("blur".into());
        order.extra.insert("use_pre_llm".into(), false.into());
        order.extra.insert("quality".into(), "hd".into());
    });
    let data = json!({
        "binary_data_base64": [part(0)], "image_urls": null, "llm_result": "a very red apple",
    });
    let played = play(&*service, &order, &[success(&data)]);
    let call = &played.calls[0];
    assert_eq!(
        call.url,
        "https://up.test/v1/?Action=CVProcess&Version=2022-08-31"
    );
    let auth = Auth::Volc {
        region: "cn-north-1",
        service: "cv",
    };
    assert_eq!(
        (call.auth, call.patience, call.repeats),
        (auth, Patience::Long, false)
    );
    assert_eq!(
        *played.json(0),
        json!({
            "req_key": "high_aes_general_v21_L", "prompt": "a red apple", "seed": 7, "scale": 4.5,
            "ddim_steps": 30, "use_pre_llm": false, "return_url": true,
        })
    );
    assert_eq!(played.losses, ["negative_prompt", "quality"]);
    let [Ok(made)] = &played.made().results[..] else {
        panic!("not one")
    };
    assert_eq!(made.source, order.source(&part(0)));
    assert_eq!(made.revised_prompt.as_deref(), Some("a very red apple"));
    assert_eq!(played.ticket, None);
    assert_eq!(service.per_token(), 1);
}

#[test]
fn each_model_is_asked_by_its_key_and_what_it_insists_on() {
    for (id, key, version) in [
        ("general_v2.0", "high_aes_general_v20", Some("general_v2.0")),
        (
            "general_v2.0_L",
            "high_aes_general_v20_L",
            Some("general_v2.0_L"),
        ),
        ("general_v3.0", "high_aes_general_v30l_zt2i", None),
        (
            "jimeng_high_aes_general_v21_L",
            "jimeng_high_aes_general_v21_L",
            None,
        ),
        ("anime_v1.0", "high_aes", Some("anime_v1.3.1")),
        ("jimeng-3.0", "jimeng_t2i_v30", None),
        ("jimeng-3.1", "jimeng_t2i_v31", None),
        ("jimeng_t2i_v40", "jimeng_t2i_v40", None),
        ("some_new_key", "some_new_key", None),
    ] {
        let body = asked(id, Action::Generate, |_| ());
        assert_eq!(body["req_key"], key);
        assert_eq!(body["model_version"].as_str(), version, "{id}");
    }
    let models = volcengine().models();
    let mut ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is there twice");
}

#[test]
fn results_are_of_the_size_asked_for() {
    for (model, size, drawn) in [
        ("general_v2.1", "512x768", (512, 768, Some(false))),
        ("general_v2.1", "1024x1024", (512, 512, Some(true))),
        ("general_v2.1", "1024x576", (512, 288, Some(true))),
        ("general_v2.0", "1360x512", (680, 256, Some(true))),
        ("general_v3.0", "1472x1104", (1472, 1104, None)),
        ("jimeng-4.0", "2560x1440", (2560, 1440, None)),
        ("anime_v1.0", "1024x1024", (1024, 1024, None)),
    ] {
        let body = asked(model, Action::Generate, sized(size));
        let (width, height, doubled) = drawn;
        assert_eq!(body["width"], width, "{model} {size}");
        assert_eq!(body["height"], height);
        assert_eq!(body["use_sr"].as_bool(), doubled);
    }
    for (model, size, words) in [
        (
            "general_v2.1",
            "1024x300",
            "this model makes sides of 256 to 768, or both of them even and 512 to 1536",
        ),
        ("general_v2.1", "1023x1023", "both of them even"),
        ("general_v2.0", "1536x1536", "sides of 256 to 1360"),
        ("general_v3.0", "4096x4096", "sides of 512 to 2048"),
        ("jimeng-4.0", "512x512", "1048576 to 16777216 pixels"),
        ("anime_v1.0", "1728x1728", "1183744 pixels"),
    ] {
        let error = refused(model, Action::Generate, sized(size));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn doubling_is_as_the_client_says() {
    let with = |doubled: bool, size: &str| {
        let size = sized(size);
        move |order: &mut Order| {
            size(order);
            order.extra.insert("use_sr".into(), doubled.into());
        }
    };
    let body = asked("general_v2.1", Action::Generate, with(true, "512x512"));
    assert_eq!(
        (&body["width"], &body["use_sr"]),
        (&json!(256), &json!(true))
    );
    let error = refused("general_v2.1", Action::Generate, with(false, "1024x1024"));
    assert!(error.contains("without `use_sr`"), "{error}");
    let error = refused("general_v2.1", Action::Generate, with(true, "300x300"));
    assert!(error.contains("with `use_sr`"), "{error}");
    let body = asked("general_v2.1", Action::Generate, |order| {
        order.extra.insert("use_sr".into(), true.into());
    });
    assert_eq!(body["use_sr"], true);
    assert_eq!(body.get("width"), None);
}

#[test]
fn edits_have_pictures_as_links_or_files() {
    let body = asked("seededit-3.0", Action::Edit, |order| {
        filed(order);
        order.guidance = Some(0.8);
    });
    let service = volcengine();
    let files = order(&*service, "seededit-3.0", Action::Edit, filed);
    assert_eq!(
        body,
        json!({
            "req_key": "seededit_v3.0", "prompt": "a red apple", "scale": 0.8,
            "binary_data_base64": [files.inline(0)],
        })
    );
    let linked = |order: &mut Order| {
        order.inputs = vec![
            Input::Link("https://a/1.png".into()),
            Input::Link("https://a/2.png".into()),
        ];
    };
    let body = asked("jimeng-4.0", Action::Edit, linked);
    assert_eq!(
        body["image_urls"],
        json!(["https://a/1.png", "https://a/2.png"])
    );
    assert_eq!(body["force_single"], true);
    let links = order(&*service, "jimeng-4.0", Action::Edit, linked);
    assert!(service.takes_links(&links) && !service.takes_links(&files));
    let body = asked("byteedit_v2.0", Action::Edit, |order| {
        filed(order);
        order.negative_prompt = Some("blur".into());
    });
    assert_eq!(body["negative_prompt"], "blur");
    let body = asked("anime_v1.0", Action::Edit, |order| {
        filed(order);
        order.extra.insert("strength".into(), 0.7.into());
    });
    assert_eq!(body["strength"], 0.7);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let big = |bytes, side| {
        move |order: &mut Order| {
            order.inputs.push(Input::File {
                mime: "image/png",
                bytes,
                size: Some(Size::new(side, 100)),
            });
        }
    };
    let masked = |order: &mut Order| {
        order.inputs = vec![file("image/png"), file("image/png")];
        order.mask = Some(1);
    };
    let edit = |change: fn(&mut Order)| {
        move |order: &mut Order| {
            filed(order);
            change(order);
        }
    };
    for (error, words) in [
        (
            refused("seededit-3.0", Action::Edit, big(6 << 20, 100)),
            "5242880 bytes",
        ),
        (
            refused("seededit-3.0", Action::Edit, big(9, 5000)),
            "sides of 4096",
        ),
        (
            refused("jimeng-video-3.0", Action::ImageToVideo, big(5 << 20, 100)),
            "4928307 bytes",
        ),
        (refused("jimeng-4.0", Action::Edit, masked), "mask"),
        (
            refused(
                "seededit-3.0",
                Action::Edit,
                edit(|order| order.size = Some(Size::new(9, 9))),
            ),
            "leave `size` out",
        ),
        (
            refused(
                "seededit-3.0",
                Action::Edit,
                edit(|order| order.seed = Some(1 << 31)),
            ),
            "0 to 2147483647",
        ),
        (
            refused("jimeng-4.0", Action::Generate, |order| {
                order.prompt = "字".repeat(801)
            }),
            "800 characters",
        ),
        (
            refused("jimeng_i2v_first_tail_v30", Action::ImageToVideo, filed),
            "needs 2 pictures",
        ),
        (
            refused("general_v3.0", Action::Generate, |order| {
                order.extra.insert("logo_info".into(), 1.into());
            }),
            "logo_info",
        ),
        (
            refused("general_v3.0", Action::Generate, |order| {
                order.extra.insert("watermark".into(), "no".into());
            }),
            "true or false",
        ),
        (
            refused("general_v2.0", Action::Edit, filed),
            "text2image only",
        ),
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn videos_by_their_pictures_seconds_and_shapes() {
    for (model, pictures, key) in [
        ("jimeng-video-2.0", 0, "jimeng_vgfm_t2v_l20"),
        ("jimeng-video-2.0", 1, "jimeng_vgfm_i2v_l20"),
        ("jimeng-video-3.0", 0, "jimeng_t2v_v30"),
        ("jimeng-video-3.0", 1, "jimeng_i2v_first_v30"),
        ("jimeng-video-3.0", 2, "jimeng_i2v_first_tail_v30"),
        ("jimeng-video-3.0-1080p", 0, "jimeng_t2v_v30_1080p"),
        ("jimeng-video-3.0-1080p", 1, "jimeng_i2v_first_v30_1080"),
        (
            "jimeng-video-3.0-1080p",
            2,
            "jimeng_i2v_first_tail_v30_1080",
        ),
        ("jimeng-video-3.0-pro", 0, "jimeng_ti2v_v30_pro"),
        ("jimeng-video-3.0-pro", 1, "jimeng_ti2v_v30_pro"),
        ("jimeng_t2v_v30_1080p", 0, "jimeng_t2v_v30_1080p"),
    ] {
        let action = match pictures {
            0 => Action::TextToVideo,
            _ => Action::ImageToVideo,
        };
        let body = asked(model, action, |order| {
            (0..pictures).for_each(|_| filed(order));
        });
        assert_eq!(body["req_key"], key);
        assert_eq!(body.get("frames"), None);
    }
    let film = |seconds: f64, size: &str| {
        let size = sized(size);
        move |order: &mut Order| {
            order.seconds = Some(seconds);
            size(order);
        }
    };
    let body = asked(
        "jimeng-video-3.0",
        Action::TextToVideo,
        film(10.0, "2520x1080"),
    );
    assert_eq!(
        body,
        json!({
            "req_key": "jimeng_t2v_v30", "prompt": "a red apple", "frames": 241, "aspect_ratio": "21:9",
        })
    );
    let body = asked(
        "jimeng-video-3.0",
        Action::TextToVideo,
        film(5.0, "1280x720"),
    );
    assert_eq!(
        (&body["frames"], &body["aspect_ratio"]),
        (&json!(121), &json!("16:9"))
    );
    let body = asked(
        "jimeng-video-2.0",
        Action::TextToVideo,
        film(5.0, "720x1280"),
    );
    assert_eq!(
        (body.get("frames"), &body["aspect_ratio"]),
        (None, &json!("9:16"))
    );
    for (model, seconds, words) in [
        ("jimeng-video-3.0", 7.0, "5 or 10"),
        ("jimeng-video-2.0", 10.0, "makes 5"),
    ] {
        let error = refused(model, Action::TextToVideo, film(seconds, "1280x720"));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_shape_alone_loses_the_pixels() {
    let service = volcengine();
    for (exact, lost) in [(true, &["size"][..]), (false, &[])] {
        let order = order(
            &*service,
            "jimeng-video-3.0",
            Action::TextToVideo,
            |order| {
                sized("1280x720")(order);
                order.exact = exact;
            },
        );
        assert_eq!(play(&*service, &order, &[]).losses, lost);
    }
}

#[test]
fn the_first_frame_decides_the_shape() {
    let service = volcengine();
    let order = order(
        &*service,
        "jimeng-video-3.0",
        Action::ImageToVideo,
        |order| {
            filed(order);
            sized("1280x720")(order);
            order.extra.insert("watermark".into(), true.into());
        },
    );
    let played = play(&*service, &order, &[]);
    assert_eq!(played.json(0).get("aspect_ratio"), None);
    assert_eq!(played.losses, ["watermark", "size"]);
}
