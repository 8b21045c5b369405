//! The models that Gitee AI is known to have. Sizes: it documents none; these are the sides that its users ask
//! for, with HD at most. Steps, guidance and HD are those of Imagine Server.

use serde_json::{Value, json};

use super::super::{Action, ModelSpec, Range, Sizes};

/// Eight steps are enough for Qwen-Image-Edit with it.
const LIGHTNING: &str = "https://gitee.com/realhugh/materials/raw/master/\
                         Qwen-Image-Edit-Lightning-8steps-V1.0.safetensors";

const FLUX: Range = Range::new(1.0, 10.0, 3.5);
const QWEN: Range = Range::new(1.0, 10.0, 4.0);

pub(super) fn shipped() -> Vec<ModelSpec> {
    let picture = |id, upstream, name, most, hd| ModelSpec {
        sizes: Sizes::between(256, 2048),
        steps: Some(Range::new(1.0, most, 9.0)),
        hd: Some(hd),
        ..spec(id, upstream, name, Action::Generate.model_type())
    };
    let flux = |id, upstream, name| ModelSpec {
        guidance: Some(FLUX),
        ..picture(id, upstream, name, 50.0, 1.5)
    };
    let mut models = vec![
        picture("z-image-turbo", "z-image-turbo", "Z-Image Turbo", 20.0, 2.0),
        picture("qwen-image", "Qwen-Image", "Qwen Image", 20.0, 2.0),
        flux("flux-2", "FLUX.2-dev", "FLUX.2"),
        picture(
            "flux-1-schnell",
            "flux-1-schnell",
            "FLUX.1 Schnell",
            10.0,
            1.5,
        ),
        flux("flux-1-krea", "FLUX_1-Krea-dev", "FLUX.1 Krea"),
        flux("flux-1", "FLUX.1-dev", "FLUX.1"),
        spec("deepseek-v3", "DeepSeek-V3.2", "DeepSeek V3.2", "text2text"),
        spec(
            "qwen-3",
            "Qwen3-Next-80B-A3B-Instruct",
            "Qwen 3",
            "text2text",
        ),
    ];
    models.extend(edits());
    models.extend(others());
    models
}

fn edits() -> [ModelSpec; 4] {
    let edit = |id, upstream, name| ModelSpec {
        is_task: true,
        ..spec(id, upstream, name, Action::Edit.model_type())
    };
    let qwen = ModelSpec {
        is_task: false,
        max_inputs: 3,
        steps: Some(Range::new(1.0, 20.0, 16.0)),
        guidance: Some(QWEN),
        options: options(json!({"lora_weights": {"url": LIGHTNING, "weight": 1}})),
        ..edit("qwen-image-edit", "Qwen-Image-Edit", "Qwen Image Edit")
    };
    let newer = ModelSpec {
        max_inputs: 3,
        ..edit(
            "qwen-image-edit-2511",
            "Qwen-Image-Edit-2511",
            "Qwen Image Edit 2511",
        )
    };
    [
        qwen,
        newer,
        edit(
            "longcat-image-edit",
            "LongCat-Image-Edit",
            "LongCat Image Edit",
        ),
        edit("flux-1-kontext", "FLUX.1-Kontext-dev", "FLUX.1 Kontext"),
    ]
}

fn others() -> [ModelSpec; 3] {
    let upscaler = ModelSpec {
        options: options(json!({"model_name": "4x-UltraSharp", "outscale": 4})),
        ..spec(
            "anime-sharp",
            "AnimeSharp",
            "AnimeSharp",
            Action::Upscale.model_type(),
        )
    };
    let video = |id, upstream, name, action: Action| ModelSpec {
        is_task: true,
        steps: Some(Range::new(1.0, 20.0, 10.0)),
        guidance: Some(QWEN),
        ..spec(id, upstream, name, action.model_type())
    };
    [
        upscaler,
        video(
            "wan2.2-i2v",
            "Wan2_2-I2V-A14B",
            "Wan2.2 I2V",
            Action::ImageToVideo,
        ),
        // nothing is known of the ranges of this one
        ModelSpec {
            steps: None,
            guidance: None,
            ..video(
                "wan2.1-t2v",
                "Wan2.1-T2V-14B",
                "Wan2.1 T2V",
                Action::TextToVideo,
            )
        },
    ]
}

fn spec(id: &str, upstream: &str, name: &str, kind: &str) -> ModelSpec {
    ModelSpec {
        id: id.to_owned(),
        upstream: upstream.to_owned(),
        name: name.to_owned(),
        types: vec![kind.to_owned()],
        ..ModelSpec::default()
    }
}

fn options(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(options) => options,
        _ => serde_json::Map::new(),
    }
}
