//! The models of Ark that make pictures and videos, and what each can be told
//! (volcengine.com/docs/82379/1541523 and 1520757).

use super::super::{Action, ModelSpec, Range, Sizes};

/// One model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    pub upstream: &'static str,
    /// What clients may call it besides.
    pub id: &'static str,
    pub name: &'static str,
    pub makes: &'static [Action],
    pub canvas: Canvas,
    /// Input pictures at most.
    pub pictures: usize,
    /// Of `guidance_scale`.
    pub guidance: Option<Range>,
    /// By how much it can draw larger than usual.
    pub hd: f64,
    /// Pictures of one sequence, those that it is given among them; 1 = it makes no sequences.
    pub sequence: u32,
    /// Whether it takes a `seed`.
    pub seeds: bool,
    /// Fields that clients say by their own name.
    pub fields: &'static [&'static str],
    /// Seconds of a video.
    pub seconds: [u32; 2],
}

/// How it is told a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Canvas {
    /// Not at all: it adapts to the picture.
    Adaptive,
    /// Sides within these lengths, and so many pixels in all.
    Pixels([u32; 2], [u64; 2]),
    /// A shape, and one of a few resolutions.
    Shape,
    /// It is not known.
    Any,
}

/// The longest side is at most so many times the shortest.
pub(super) const LONGEST_SHAPE: u32 = 16;

/// Shapes of videos: in smallest numbers, and as they are written.
pub(super) const SHAPES: &[((u32, u32), &str)] = &[
    ((16, 9), "16:9"),
    ((4, 3), "4:3"),
    ((1, 1), "1:1"),
    ((3, 4), "3:4"),
    ((9, 16), "9:16"),
    ((7, 3), "21:9"),
];

const BOTH: &[Action] = &[Action::Generate, Action::Edit];
const FILMS: &[Action] = &[Action::TextToVideo, Action::ImageToVideo];
const LARGEST: u64 = 4096 * 4096;

/// Seedream 4.0, the base of the others.
const FOURTH: Model = Model {
    upstream: "doubao-seedream-4-0-250828",
    id: "seedream-4.0",
    name: "Seedream 4.0",
    makes: BOTH,
    canvas: Canvas::Pixels([240, 16_384], [1280 * 720, LARGEST]),
    pictures: 10,
    guidance: None,
    hd: 2.0,
    sequence: 15,
    seeds: false,
    fields: &[
        "watermark",
        "resolution",
        "optimize_prompt",
        "optimize_prompt_options",
        "sequential_image_generation",
        "sequential_image_generation_options",
    ],
    seconds: [0, 0],
};

/// Of the fifth generation, which of these a model heeds is for the upstream to say.
const FIFTH_FIELDS: &[&str] = &[
    "watermark",
    "resolution",
    "output_format",
    "optimize_prompt",
    "optimize_prompt_options",
    "sequential_image_generation",
    "sequential_image_generation_options",
    "tools",
    "layer_decomposition",
];

const FILM: Model = Model {
    upstream: "doubao-seedance-1-0-pro-250528",
    id: "seedance-1.0-pro",
    name: "Seedance 1.0 Pro",
    makes: FILMS,
    canvas: Canvas::Shape,
    pictures: 2,
    sequence: 1,
    seeds: true,
    fields: &["watermark", "resolution", "camera_fixed"],
    seconds: [2, 12],
    ..FOURTH
};

const MODELS: &[Model] = &[
    Model {
        upstream: "doubao-seedream-3-0-t2i-250415",
        id: "seedream-3.0",
        name: "Seedream 3.0",
        makes: &[Action::Generate],
        canvas: Canvas::Pixels([512, 2048], [0, u64::MAX]),
        pictures: 0,
        guidance: Some(Range::new(1.0, 10.0, 2.5)),
        hd: 1.5,
        sequence: 1,
        seeds: true,
        fields: &["watermark"],
        ..FOURTH
    },
    Model {
        upstream: "doubao-seededit-3-0-i2i-250628",
        id: "seededit-3.0",
        name: "SeedEdit 3.0",
        makes: &[Action::Edit],
        canvas: Canvas::Adaptive,
        pictures: 1,
        guidance: Some(Range::new(1.0, 10.0, 5.5)),
        sequence: 1,
        seeds: true,
        fields: &["watermark"],
        ..FOURTH
    },
    FOURTH,
    Model {
        upstream: "doubao-seedream-4-5-251128",
        id: "seedream-4.5",
        name: "Seedream 4.5",
        canvas: Canvas::Pixels([480, 16_384], [2560 * 1440, LARGEST]),
        pictures: 14,
        ..FOURTH
    },
    Model {
        upstream: "doubao-seedream-5-0-260128",
        id: "seedream-5.0-lite",
        name: "Seedream 5.0 lite",
        // to 3072x3072 and a little more
        canvas: Canvas::Pixels([480, 16_384], [2560 * 1440, 10_404_496]),
        pictures: 14,
        fields: FIFTH_FIELDS,
        ..FOURTH
    },
    Model {
        upstream: "doubao-seedream-5-0-pro-260628",
        id: "seedream-5.0-pro",
        name: "Seedream 5.0 Pro",
        canvas: Canvas::Pixels([240, 16_384], [1280 * 720, 4_624_220]),
        sequence: 1,
        fields: FIFTH_FIELDS,
        ..FOURTH
    },
    Model {
        upstream: "doubao-seedream-5-0-flash-260915",
        id: "seedream-5.0-flash",
        name: "Seedream 5.0 flash",
        sequence: 1,
        fields: FIFTH_FIELDS,
        ..FOURTH
    },
    FILM,
    Model {
        upstream: "doubao-seedance-1-0-pro-fast-251015",
        id: "seedance-1.0-pro-fast",
        name: "Seedance 1.0 Pro fast",
        pictures: 1,
        ..FILM
    },
    Model {
        upstream: "doubao-seedance-1-0-lite-t2v-250428",
        id: "seedance-1.0-lite-t2v",
        name: "Seedance 1.0 lite from words",
        makes: &[Action::TextToVideo],
        pictures: 0,
        ..FILM
    },
    Model {
        upstream: "doubao-seedance-1-0-lite-i2v-250428",
        id: "seedance-1.0-lite-i2v",
        name: "Seedance 1.0 lite from pictures",
        makes: &[Action::ImageToVideo],
        ..FILM
    },
    Model {
        upstream: "doubao-seedance-1-5-pro-251215",
        id: "seedance-1.5-pro",
        name: "Seedance 1.5 Pro",
        fields: &["watermark", "resolution", "camera_fixed", "generate_audio"],
        seconds: [4, 12],
        ..FILM
    },
];

/// What is assumed of a model that is not known here, such as one behind an endpoint id (`ep-…`).
const UNKNOWN: Model = Model {
    canvas: Canvas::Any,
    pictures: 14,
    sequence: 1,
    seeds: true,
    guidance: Some(Range::new(1.0, 10.0, 2.5)),
    fields: FIFTH_FIELDS,
    seconds: [1, 60],
    ..FOURTH
};

/// The model that the upstream calls so.
pub(super) fn find(upstream: &str) -> &'static Model {
    let mut models = MODELS.iter();
    models
        .find(|model| model.upstream == upstream)
        .unwrap_or(&UNKNOWN)
}

/// All of them, under both of their names.
pub(super) fn models() -> Vec<ModelSpec> {
    let names = |model: &Model| [model.spec(model.id), model.spec(model.upstream)];
    MODELS.iter().flat_map(names).collect()
}

/// What is assumed of a model that is none of them.
pub(super) fn unknown(id: &str) -> ModelSpec {
    ModelSpec {
        upstream: id.to_owned(),
        name: id.to_owned(),
        guidance: None,
        ..UNKNOWN.spec(id)
    }
}

impl Model {
    pub fn knows(&self, field: &str) -> bool {
        self.fields.contains(&field)
    }

    fn spec(&self, id: &str) -> ModelSpec {
        let types = self.makes.iter().map(|action| action.model_type());
        ModelSpec {
            id: id.to_owned(),
            upstream: self.upstream.to_owned(),
            name: self.name.to_owned(),
            types: types.map(str::to_owned).collect(),
            sizes: match self.canvas {
                Canvas::Adaptive | Canvas::Any => Sizes::Any,
                Canvas::Pixels(side, pixels) => Sizes::Within {
                    side,
                    multiple: 1,
                    pixels,
                },
                Canvas::Shape => {
                    Sizes::Ratios(SHAPES.iter().map(|(reduced, _)| *reduced).collect())
                }
            },
            guidance: self.guidance,
            hd: matches!(self.canvas, Canvas::Pixels(..)).then_some(self.hd),
            per_order: self.sequence,
            max_inputs: self.pictures,
            is_task: self.makes.iter().any(|action| action.makes_video()),
            ..ModelSpec::default()
        }
    }
}
