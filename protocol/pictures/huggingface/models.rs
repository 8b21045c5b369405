//! The Spaces that models are on unless the configuration says otherwise.

use serde_json::{Value, json};

use super::super::{Action, ModelSpec, Range, Sizes};

/// The models of Imagine Server.
pub(super) fn shipped() -> Vec<ModelSpec> {
    let mut models = drawing();
    models.extend(changing());
    models
}

/// A model on a Space: `{"space", "api_name", "template"}`.
fn model(id: &str, name: &str, action: Action, options: Value) -> ModelSpec {
    ModelSpec {
        id: id.to_owned(),
        upstream: id.to_owned(),
        name: name.to_owned(),
        types: vec![action.model_type().to_owned()],
        options: match options {
            Value::Object(options) => options,
            _ => serde_json::Map::new(),
        },
        ..ModelSpec::default()
    }
}

fn within(least: u32, most: u32, multiple: u32) -> Sizes {
    Sizes::Within {
        side: [least, most],
        multiple,
        pixels: [0, u64::MAX],
    }
}

fn drawing() -> Vec<ModelSpec> {
    let draws = |id, name, options| model(id, name, Action::Generate, options);
    vec![
        ModelSpec {
            sizes: within(512, 2048, 64),
            steps: Some(Range::new(1.0, 20.0, 9.0)),
            hd: Some(2.0),
            ..draws(
                "z-image-turbo",
                "Z-Image Turbo",
                json!({
                    "space": "mrfakename/z-image-turbo", "api_name": "generate_image",
                    "template": ["{prompt}", "{height}", "{width}", "{steps}", "{seed}", false],
                }),
            )
        },
        ModelSpec {
            sizes: within(512, 2048, 64),
            steps: Some(Range::new(1.0, 50.0, 30.0)),
            guidance: Some(Range::new(1.0, 10.0, 4.0)),
            ..draws(
                "z-image",
                "Z-Image",
                json!({
                    "space": "mrfakename/z-image", "api_name": "generate_image",
                    "template": ["{prompt}", "{negative_prompt}", "{height}", "{width}", "{steps}", "{guidance}", "{seed}", false],
                }),
            )
        },
        ModelSpec {
            sizes: within(256, 2048, 32),
            steps: Some(Range::new(1.0, 50.0, 4.0)),
            hd: Some(1.5),
            ..draws(
                "flux-1-schnell",
                "FLUX.1 [schnell]",
                json!({
                    "space": "black-forest-labs/flux-1-schnell", "api_name": "infer",
                    "template": ["{prompt}", "{seed}", false, "{width}", "{height}", "{steps}"],
                }),
            )
        },
        ModelSpec {
            sizes: Sizes::Ratios(vec![
                (1, 1),
                (16, 9),
                (9, 16),
                (4, 3),
                (3, 4),
                (3, 2),
                (2, 3),
            ]),
            steps: Some(Range::new(1.0, 50.0, 8.0)),
            guidance: Some(Range::new(1.0, 10.0, 3.0)),
            ..draws(
                "qwen-image",
                "Qwen-Image",
                json!({
                    "space": "mcp-tools/qwen-image-fast", "api_name": "generate_image",
                    "template": ["{prompt}", "{seed}", false, "{ar}", "{guidance}", "{steps}"],
                }),
            )
        },
        ModelSpec {
            sizes: within(256, 2048, 32),
            steps: Some(Range::new(1.0, 50.0, 24.0)),
            hd: Some(2.0),
            ..draws(
                "ovis-image",
                "Ovis-Image",
                json!({
                    "space": "aidc-ai/ovis-image-7b", "api_name": "generate",
                    "template": ["{prompt}", "{height}", "{width}", "{seed}", "{steps}", 4],
                }),
            )
        },
    ]
}

fn changing() -> Vec<ModelSpec> {
    vec![
        ModelSpec {
            sizes: within(256, 2048, 8),
            steps: Some(Range::new(1.0, 40.0, 16.0)),
            guidance: Some(Range::new(1.0, 10.0, 4.0)),
            max_inputs: 3,
            ..model(
                "qwen-image-edit",
                "Qwen-Image-Edit",
                Action::Edit,
                json!({
                    "space": "linoyts/qwen-image-edit-2511-fast", "api_name": "infer",
                    "template": ["{images}", "{prompt}", "{seed}", false, "{guidance}", "{steps}", "{height}", "{width}", true],
                }),
            )
        },
        model(
            "realesrgan",
            "RealESRGAN",
            Action::Upscale,
            json!({
                "space": "tuan2308/upscaler", "api_name": "realesrgan",
                "template": ["{image}", "RealESRGAN_x4plus", 0.5, false, 4],
            }),
        ),
        ModelSpec {
            steps: Some(Range::new(1.0, 30.0, 10.0)),
            guidance: Some(Range::new(0.0, 10.0, 4.0)),
            is_task: true,
            ..model(
                "wan2_2-i2v",
                "Wan2.2 I2V",
                Action::ImageToVideo,
                json!({
                    "space": "fradeck619/wan2-2-fp8da-aoti-faster", "api_name": "generate_video",
                    "template": ["{image}", "{prompt}", "{steps}", "{negative_prompt}", "{duration}", "{guidance}", "{guidance}", "{seed}", false],
                }),
            )
        },
    ]
}
