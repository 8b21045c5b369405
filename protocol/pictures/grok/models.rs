//! The models that xAI is known to have.

use super::super::{Action, ModelSpec, Sizes};

/// `19.5:9` is 13:6 in whole numbers, `9:19.5` is 6:13.
const PICTURE: &[(u32, u32)] = &[
    (1, 1),
    (16, 9),
    (9, 16),
    (4, 3),
    (3, 4),
    (3, 2),
    (2, 3),
    (2, 1),
    (1, 2),
    (13, 6),
    (6, 13),
    (20, 9),
    (9, 20),
];

const VIDEO: &[(u32, u32)] = &[(1, 1), (16, 9), (9, 16), (4, 3), (3, 4), (3, 2), (2, 3)];

/// Pictures of one answer, of one edit, and of one video.
const PER_ORDER: u32 = 10;
const SOURCES: usize = 3;
const REFERENCES: usize = 7;

pub(super) fn shipped() -> Vec<ModelSpec> {
    [
        ("grok-imagine-image", "Grok Imagine"),
        ("grok-imagine-image-quality", "Grok Imagine Quality"),
        ("grok-imagine-video", "Grok Imagine Video"),
        ("grok-imagine-video-1.5", "Grok Imagine Video 1.5"),
    ]
    .into_iter()
    .map(|(id, name)| ModelSpec {
        name: name.to_owned(),
        ..unknown(id)
    })
    .collect()
}

/// A model by its name, which says whether it films.
pub(super) fn unknown(id: &str) -> ModelSpec {
    let films = id.contains("video");
    let (does, ratios) = match films {
        true => ([Action::TextToVideo, Action::ImageToVideo], VIDEO),
        false => ([Action::Generate, Action::Edit], PICTURE),
    };
    ModelSpec {
        id: id.to_owned(),
        upstream: id.to_owned(),
        name: id.to_owned(),
        types: does.map(|does| does.model_type().to_owned()).into(),
        sizes: Sizes::Ratios(ratios.to_vec()),
        per_order: if films { 1 } else { PER_ORDER },
        max_inputs: if films { REFERENCES } else { SOURCES },
        is_task: films,
        ..ModelSpec::default()
    }
}
