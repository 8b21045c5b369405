//! The algorithms of the Visual service, by their `req_key`: what each is asked with, and what it makes.
//!
//! From the service's own pages (volcengine.com/docs/6791, 85621, 85128, 86081), and for the choice among the
//! videos of Jimeng from new-api.

mod table;

use super::super::{Action, ModelSpec, Range, Sizes};
use table::{ALGORITHMS, UNKNOWN};

/// One algorithm. The fields' names are the service's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Algorithm {
    pub req_key: &'static str,
    /// What clients may call it besides.
    pub ids: &'static [&'static str],
    pub name: &'static str,
    pub makes: &'static [Action],
    pub flow: Flow,
    pub canvas: Canvas,
    /// Input pictures, the fewest and the most.
    pub pictures: [usize; 2],
    /// Bytes of one input picture, and the longest of its sides.
    pub largest_picture: (u64, u32),
    /// Of `scale`.
    pub scale: Option<Range>,
    /// Of `ddim_steps`.
    pub steps: Option<Range>,
    /// By how much it can draw larger than usual.
    pub hd: Option<f64>,
    /// The optional fields that it knows.
    pub fields: &'static [&'static str],
    /// Sent with every order.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The `req_key` for no, one and two pictures, where that decides.
    pub by_pictures: &'static [&'static str],
    /// Characters of the prompt.
    pub longest_prompt: usize,
}

/// How it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// `CVProcess`: the answer has the pictures.
    Process,
    /// `CVSync2AsyncSubmitTask` and `CVSync2AsyncGetResult`.
    Sync2Async,
    /// `CVSubmitTask` and `CVGetResult`.
    Submit,
}

impl Flow {
    const ALL: [(&'static str, Self); 3] = [
        ("process", Self::Process),
        ("sync2async", Self::Sync2Async),
        ("submit", Self::Submit),
    ];

    /// As it is called in a model's option `flow` and in tickets.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(_, flow)| *flow == self);
        found.map_or("", |(name, _)| name)
    }

    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, flow)| flow)
    }
}

/// How it is told a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Canvas {
    /// Not at all: the result is as large as the input picture.
    Own,
    /// `width` and `height` within a shortest and a longest side, and a number of pixels.
    Sides([u32; 2], [u64; 2]),
    /// Two such sides, and with `use_sr` the result is twice as large.
    Doubling([u32; 2]),
    /// `aspect_ratio`; whether that counts beside a picture, too.
    Ratio { of_pictures: bool },
}

impl Canvas {
    fn sizes(self) -> Sizes {
        match self {
            Self::Own => Sizes::Any,
            Self::Sides(side, pixels) => Sizes::Within {
                side,
                multiple: 1,
                pixels,
            },
            Self::Doubling([least, most]) => Sizes::between(least, 2 * most),
            Self::Ratio { .. } => {
                Sizes::Ratios(RATIOS.iter().map(|(reduced, _)| *reduced).collect())
            }
        }
    }
}

/// Shapes of videos: in smallest numbers, and as they are written.
pub(super) const RATIOS: &[((u32, u32), &str)] = &[
    ((16, 9), "16:9"),
    ((4, 3), "4:3"),
    ((1, 1), "1:1"),
    ((3, 4), "3:4"),
    ((9, 16), "9:16"),
    ((7, 3), "21:9"),
];

/// The algorithm of that `req_key`, for so many pictures; and the `req_key` to ask it with.
pub(super) fn find(req_key: &str, pictures: usize) -> (&str, &'static Algorithm) {
    let known = |key: &str| ALGORITHMS.iter().find(|algorithm| algorithm.req_key == key);
    let Some(algorithm) = known(req_key) else {
        return (req_key, &UNKNOWN);
    };
    let chosen = algorithm.by_pictures.get(pictures).copied();
    match chosen.and_then(known) {
        Some(chosen) => (chosen.req_key, chosen),
        None => (algorithm.req_key, algorithm),
    }
}

/// What is assumed of a model that is none of them.
pub(super) fn unknown(id: &str) -> ModelSpec {
    ModelSpec {
        steps: None,
        guidance: None,
        upstream: id.to_owned(),
        name: id.to_owned(),
        ..UNKNOWN.spec(id)
    }
}

/// All of them as models, under each of their names.
pub(super) fn models() -> Vec<ModelSpec> {
    let names = |algorithm: &'static Algorithm| {
        let ids = algorithm.ids.iter().chain([&algorithm.req_key]);
        ids.map(|id| algorithm.spec(id))
    };
    ALGORITHMS.iter().flat_map(names).collect()
}

impl Algorithm {
    pub fn knows(&self, field: &str) -> bool {
        self.fields.contains(&field)
    }

    fn spec(&self, id: &str) -> ModelSpec {
        let types = self.makes.iter().map(|action| action.model_type());
        ModelSpec {
            id: id.to_owned(),
            upstream: self.req_key.to_owned(),
            name: self.name.to_owned(),
            types: types.map(str::to_owned).collect(),
            sizes: self.canvas.sizes(),
            steps: self.steps,
            guidance: self.scale,
            hd: self.hd,
            max_inputs: self.pictures[1],
            is_task: self.makes.iter().any(|action| action.makes_video()),
            ..ModelSpec::default()
        }
    }
}
