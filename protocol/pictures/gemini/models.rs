//! The models of pictures and videos that Google is known to have.

use super::super::{Action, ModelSpec, Order, Sizes};

/// What a model speaks, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Gemini,
    Imagen,
    Veo,
}

impl Family {
    pub(super) fn of(order: &Order) -> Self {
        Self::of_name(&order.model.upstream)
    }

    fn of_name(name: &str) -> Self {
        match name {
            name if name.starts_with("imagen") => Self::Imagen,
            name if name.starts_with("veo") => Self::Veo,
            _ => Self::Gemini,
        }
    }
}

/// `21:9` is 7:3 in whole numbers.
const GEMINI: &[(u32, u32)] = &[
    (1, 1),
    (2, 3),
    (3, 2),
    (3, 4),
    (4, 3),
    (4, 5),
    (5, 4),
    (9, 16),
    (16, 9),
    (7, 3),
];

/// What Gemini 3.1 Flash draws besides.
const LONG: &[(u32, u32)] = &[(1, 4), (4, 1), (1, 8), (8, 1)];

const IMAGEN: &[(u32, u32)] = &[(1, 1), (3, 4), (4, 3), (9, 16), (16, 9)];

const VEO: &[(u32, u32)] = &[(16, 9), (9, 16)];

pub(super) fn shipped() -> Vec<ModelSpec> {
    [
        ("gemini-3.1-flash-image-preview", "Gemini 3.1 Flash Image"),
        ("gemini-3-pro-image-preview", "Gemini 3 Pro Image"),
        ("gemini-2.5-flash-image", "Gemini 2.5 Flash Image"),
        ("imagen-4.0-generate-001", "Imagen 4"),
        ("imagen-4.0-ultra-generate-001", "Imagen 4 Ultra"),
        ("imagen-4.0-fast-generate-001", "Imagen 4 Fast"),
        ("veo-3.1-generate-preview", "Veo 3.1"),
        ("veo-3.1-fast-generate-preview", "Veo 3.1 Fast"),
        ("veo-2.0-generate-001", "Veo 2"),
    ]
    .into_iter()
    .map(|(id, name)| ModelSpec {
        name: name.to_owned(),
        ..unknown(id)
    })
    .collect()
}

/// A model by what its name begins with.
pub(super) fn unknown(id: &str) -> ModelSpec {
    let family = Family::of_name(id);
    let (does, ratios, per_order): (&[Action], _, _) = match family {
        Family::Gemini => (&[Action::Generate, Action::Edit], gemini_ratios(id), 1),
        Family::Imagen => (&[Action::Generate], IMAGEN.to_vec(), 4),
        Family::Veo => (
            &[Action::TextToVideo, Action::ImageToVideo],
            VEO.to_vec(),
            1,
        ),
    };
    ModelSpec {
        id: id.to_owned(),
        upstream: id.to_owned(),
        name: id.to_owned(),
        types: does
            .iter()
            .map(|does| does.model_type().to_owned())
            .collect(),
        sizes: Sizes::Ratios(ratios),
        per_order,
        max_inputs: max_inputs(id),
        is_task: family == Family::Veo,
        ..ModelSpec::default()
    }
}

fn gemini_ratios(id: &str) -> Vec<(u32, u32)> {
    match id.starts_with("gemini-3.1-flash") {
        true => [GEMINI, LONG].concat(),
        false => GEMINI.to_vec(),
    }
}

fn max_inputs(id: &str) -> usize {
    match Family::of_name(id) {
        Family::Gemini if id.starts_with("gemini-3") => 14,
        Family::Gemini => 3,
        Family::Veo if id.starts_with("veo-3.1") => 3,
        Family::Imagen | Family::Veo => 1,
    }
}
