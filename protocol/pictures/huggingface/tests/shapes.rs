//! What functions give back.

use serde_json::{Value, json};

use super::{
    super::super::{
        Action, Source,
        testing::{part, play, says},
    },
    done, of_model, shipped,
};
use crate::failure::FailureKind;

/// What is made of a result, and how many were ordered.
fn sources(result: Value, count: u32) -> Option<Vec<Source>> {
    let service = shipped();
    let options = json!({"space": "me/app", "api_name": "draw", "template": ["{prompt}"]});
    let order = of_model(&*service, Action::Generate, options, |order| {
        order.count = count
    });
    let played = play(
        &*service,
        &order,
        &[says(200, &json!({"event_id": "e"})), done(result)],
    );
    match played.end.unwrap() {
        Ok(outcome) => Some(
            outcome
                .results
                .into_iter()
                .map(|made| made.unwrap().source)
                .collect(),
        ),
        Err(failure) => {
            assert_eq!(failure.kind, FailureKind::Upstream);
            None
        }
    }
}

#[test]
fn files_are_found_in_every_shape() {
    let link = |name: &str| Source::link(format!("https://cdn.test/{name}"));
    let own = |path: &str| Source::Link {
        url: format!("https://me-app.hf.space/gradio_api/file={path}"),
        credential: true,
    };
    let file = |name: &str| json!({"path": format!("/tmp/{name}"), "url": format!("https://cdn.test/{name}"), "orig_name": name, "mime_type": null, "is_stream": false});
    let stream = json!({"path": "/s", "url": "https://cdn.test/s.m3u8", "is_stream": true});
    for (result, count, wanted) in [
        (json!([file("a.png"), 7]), 1, vec![link("a.png")]),
        (json!([42, "done", file("a.png")]), 1, vec![link("a.png")]),
        (json!(["https://cdn.test/a.png"]), 1, vec![link("a.png")]),
        (
            json!([{"path": "/tmp/gradio/a.png", "url": null}]),
            1,
            vec![own("/tmp/gradio/a.png")],
        ),
        (
            json!([{"path": "https://cdn.test/a.png"}]),
            1,
            vec![link("a.png")],
        ),
        (
            json!(["/tmp/gradio/ä.png"]),
            1,
            vec![own("/tmp/gradio/%C3%A4.png")],
        ),
        (
            json!([{"video": file("v.mp4"), "subtitles": null}, 7]),
            1,
            vec![link("v.mp4")],
        ),
        (
            json!([[file("before.png"), file("after.png")]]),
            1,
            vec![link("after.png")],
        ),
        (
            json!([[{"image": file("1.png"), "caption": null}, {"image": file("2.png")}, {"image": file("3.png")}], 7]),
            2,
            vec![link("1.png"), link("2.png")],
        ),
        (
            json!([[{"image": file("1.png")}, {"image": file("2.png")}]]),
            1,
            vec![link("1.png")],
        ),
        (
            json!([{"__type__": "update", "value": file("a.png")}]),
            1,
            vec![link("a.png")],
        ),
        (
            json!([{"__type__": "update", "value": [{"image": file("1.png")}]}]),
            1,
            vec![link("1.png")],
        ),
        (json!([stream, file("v.mp4")]), 1, vec![link("v.mp4")]),
        (
            json!([{"url": "https://cdn.test/s.m3u8?x"}, file("v.mp4")]),
            1,
            vec![link("v.mp4")],
        ),
        (
            json!([format!("data:image/png;base64,{}", part(0))]),
            1,
            vec![Source::Part(0)],
        ),
        (
            json!([{"url": "data:image/png;base64,QUJD"}]),
            1,
            vec![Source::Base64("QUJD".to_owned())],
        ),
    ] {
        assert_eq!(sources(result.clone(), count), Some(wanted), "{result}");
    }
    for nothing in [
        json!([]),
        json!(null),
        json!([null, 7, "no"]),
        json!([{}]),
        json!([stream]),
    ] {
        assert_eq!(sources(nothing.clone(), 1), None, "{nothing}");
    }
}
