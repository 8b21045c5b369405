//! Requests in the words of the seed, and everything that may be wrong with them.

use serde_json::{Map, json};
use troupe_protocol::pictures::{Range, Sizes};

use super::*;

fn drawing() -> ModelSpec {
    ModelSpec {
        id: "general_v2.0".to_owned(),
        sizes: Sizes::Within {
            side: [256, 1536],
            multiple: 8,
            pixels: [0, 1 << 20],
        },
        steps: Some(Range::new(1.0, 50.0, 25.0)),
        guidance: Some(Range::new(1.0, 10.0, 3.5)),
        ..ModelSpec::default()
    }
}

/// The wish, or the faults as `field: message`.
fn judged(body: Value, spec: &ModelSpec, language: Language) -> Result<Wish, Vec<String>> {
    let fields = body.as_object().cloned().unwrap_or_default();
    let (pictures, studio) = (PicturesConfig::default(), StudioConfig::default());
    let rules = Rules {
        pictures: &pictures,
        studio: &studio,
    };
    let mut faults = Faults::new(language);
    let wish = read(Form::of(fields, 7), &rules, &mut faults);
    check::against(&wish.draft, spec, &mut faults);
    faults.none(wish).map_err(|refusal| match refusal {
        Refusal::Fields(faults) => faults
            .into_iter()
            .map(|fault| format!("{}: {}", fault.field, fault.message))
            .collect(),
        other => panic!("{other:?}"),
    })
}

fn faults(body: Value) -> Vec<String> {
    let judged = judged(body, &drawing(), Language::English);
    judged.map(|_| ()).unwrap_err()
}

#[test]
fn the_seeds_own_example_is_understood() {
    let body = json!({
        "prompt": "一只可爱的猫咪", "negative_prompt": "模糊, 低质量", "model": "general_v2.0",
        "width": 1024, "height": 1024, "num_images": 1, "steps": 20, "scale": 7.5, "seed": null,
        "tags": ["cat", " cat ", "", "红"], "watermark": true,
    });
    let Wish { draft, tags } = judged(body, &drawing(), Language::English).unwrap();
    assert_eq!(
        (draft.count, draft.steps, draft.guidance),
        (1, Some(20), Some(7.5))
    );
    assert_eq!(draft.shape, Shape::Exact(Size::new(1024, 1024)));
    assert_eq!((draft.action, draft.seed), (Action::Generate, None));
    assert_eq!(draft.negative_prompt.as_deref(), Some("模糊, 低质量"));
    assert_eq!(tags, ["cat", "红"]);
    let left = Map::from_iter([("watermark".to_owned(), json!(true))]);
    assert_eq!(draft.extra, left);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let body = json!({
        "prompt": " ", "model": "m", "width": 100, "height": 1001, "num_images": 11, "steps": 51,
        "scale": 0.5, "seed": "many", "action": "dance", "tags": [1], "image": 7,
    });
    let told = faults(body);
    let fields: Vec<_> = told
        .iter()
        .map(|fault| fault.split(':').next().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "seed",
            "tags",
            "image",
            "action",
            "num_images",
            "prompt",
            "width",
            "height",
            "steps",
            "scale"
        ]
    );
    assert!(
        told.contains(&"num_images: Choose a number from 1 to 10".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"steps: Choose a number from 1 to 50".to_owned()),
        "{told:?}"
    );
}

#[test]
fn sizes_are_told_in_either_language() {
    let body = json!({"prompt": "p", "width": 1536, "height": 1536});
    let told = faults(body.clone());
    let sizes = "sides of 256 to 1536 in multiples of 8 with 0 to 1048576 pixels in all";
    assert_eq!(told, [format!("width: This model makes {sizes}")]);
    let told = judged(body, &drawing(), Language::Chinese)
        .map(|_| ())
        .unwrap_err();
    let sizes = "边长 256 到 1536，且为 8 的倍数，总像素 0 到 1048576";
    assert_eq!(told, [format!("width: 此模型支持的尺寸：{sizes}")]);
    let half = faults(json!({"prompt": "p", "width": 512}));
    assert_eq!(half, ["height: This field is required"]);
}

#[test]
fn forms_whose_values_are_texts_are_the_same() {
    let body = json!({
        "prompt": "p", "width": "512", "height": "512", "num_images": "2", "scale": "7.5",
        "seed": "-1", "tags": "fox, snow，红",
    });
    let Wish { draft, tags } = judged(body, &drawing(), Language::English).unwrap();
    assert_eq!(
        (draft.count, draft.guidance, draft.seed),
        (2, Some(7.5), None)
    );
    assert_eq!(tags, ["fox", "snow", "红"]);
}

#[test]
fn what_is_to_be_done_follows_from_the_pictures_where_nobody_says() {
    let acts = |body: Value| {
        let spec = ModelSpec {
            types: [
                "text2image",
                "image2image",
                "upscaler",
                "text2video",
                "image2video",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..ModelSpec::default()
        };
        judged(body, &spec, Language::English).map(|wish| wish.draft.action)
    };
    let link = "https://example.org/a.png";
    for (body, action) in [
        (json!({"prompt": "p"}), Action::Generate),
        (json!({"prompt": "p", "image": link}), Action::Edit),
        (
            json!({"action": "upscale", "image": [link]}),
            Action::Upscale,
        ),
        (
            json!({"prompt": "p", "action": "video"}),
            Action::TextToVideo,
        ),
        (
            json!({"action": "video", "image": link}),
            Action::ImageToVideo,
        ),
    ] {
        assert_eq!(acts(body), Ok(action));
    }
    let needs = acts(json!({"prompt": "p", "action": "edit"}));
    assert_eq!(needs, Err(vec!["image: Give a picture".to_owned()]));
}

#[test]
fn a_model_does_what_it_can_and_tags_have_limits() {
    let told =
        faults(json!({"prompt": "p", "action": "upscale", "image": "https://example.org/a"}));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("model: This model does text2image only"),
        "{told:?}"
    );
    let long = "字".repeat(51);
    let told = faults(json!({"prompt": "p", "tags": [long]}));
    assert_eq!(told, ["tags: Give 20 tags at most, of 50 characters each"]);
    let told = faults(json!({"prompt": "字".repeat(20_001)}));
    assert_eq!(told, ["prompt: Write 20000 characters at most"]);
}
