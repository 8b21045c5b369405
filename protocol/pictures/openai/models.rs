//! The models that OpenAI is known to have.

use super::super::{Action, ModelSpec, Order, Size, Sizes};

/// Which fields a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    GptImage,
    DallE2,
    DallE3,
    Sora,
    /// Of somebody who speaks as OpenAI does.
    Other,
}

impl Family {
    pub(super) fn of(order: &Order) -> Self {
        Self::of_name(&order.model.upstream)
    }

    fn of_name(name: &str) -> Self {
        let families = [
            ("gpt-image", Self::GptImage),
            ("chatgpt-image", Self::GptImage),
            ("dall-e-2", Self::DallE2),
            ("dall-e-3", Self::DallE3),
            ("sora", Self::Sora),
        ];
        let mut known = families.into_iter();
        known
            .find(|(begins, _)| name.starts_with(begins))
            .map_or(Self::Other, |(_, family)| family)
    }
}

/// The sides of `gpt-image-2`: multiples of 16 up to 3840, with so many pixels in all.
const FREE: Sizes = Sizes::Within {
    side: [16, 3840],
    multiple: 16,
    pixels: [655_360, 8_294_400],
};

pub(super) fn shipped() -> Vec<ModelSpec> {
    let three = || listed(&[(1024, 1024), (1536, 1024), (1024, 1536)]);
    let wide = listed(&[(1024, 1024), (1792, 1024), (1024, 1792)]);
    let square = listed(&[(256, 256), (512, 512), (1024, 1024)]);
    let film = || listed(&[(720, 1280), (1280, 720)]);
    let big_film = listed(&[(720, 1280), (1280, 720), (1024, 1792), (1792, 1024)]);
    [
        ("gpt-image-2", "GPT Image 2", FREE),
        ("gpt-image-1.5", "GPT Image 1.5", three()),
        ("gpt-image-1", "GPT Image 1", three()),
        ("gpt-image-1-mini", "GPT Image 1 Mini", three()),
        ("dall-e-3", "DALL·E 3", wide),
        ("dall-e-2", "DALL·E 2", square),
        ("sora-2", "Sora 2", film()),
        ("sora-2-pro", "Sora 2 Pro", big_film),
    ]
    .into_iter()
    .map(|(id, name, sizes)| ModelSpec {
        name: name.to_owned(),
        sizes,
        ..unknown(id)
    })
    .collect()
}

/// A model by what its name begins with.
pub(super) fn unknown(id: &str) -> ModelSpec {
    let (per_order, max_inputs) = match Family::of_name(id) {
        Family::GptImage => (10, 16),
        Family::DallE2 => (10, 1),
        Family::Other => (1, 16),
        Family::DallE3 | Family::Sora => (1, 1),
    };
    let does: &[Action] = match Family::of_name(id) {
        Family::Sora => &[Action::TextToVideo, Action::ImageToVideo],
        Family::DallE3 => &[Action::Generate],
        _ => &[Action::Generate, Action::Edit],
    };
    ModelSpec {
        id: id.to_owned(),
        upstream: id.to_owned(),
        name: id.to_owned(),
        types: does
            .iter()
            .map(|does| does.model_type().to_owned())
            .collect(),
        per_order,
        max_inputs,
        is_task: Family::of_name(id) == Family::Sora,
        ..ModelSpec::default()
    }
}

fn listed(sizes: &[(u32, u32)]) -> Sizes {
    let sizes = sizes
        .iter()
        .map(|(width, height)| Size::new(*width, *height));
    Sizes::Listed(sizes.collect())
}
