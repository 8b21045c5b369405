//! The algorithms of the Visual service, by their `req_key`: what each is asked with, and what it makes.
//!
//! From the service's own pages (volcengine.com/docs/6791, 85621, 85128, 86081), and for the choice among the
//! videos of Jimeng from new-api.

use super::super::{Action, ModelSpec, Range, Sizes};

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

const ANY: u64 = u64::MAX;
const MIB: u64 = 1 << 20;
const TOLD: Range = Range::new(1.0, 10.0, 3.5);
const HALF: Range = Range::new(0.0, 1.0, 0.5);

/// A picture from words, at once; the base of the others.
const DRAWS: Algorithm = Algorithm {
    req_key: "",
    ids: &[],
    name: "",
    makes: &[Action::Generate],
    flow: Flow::Process,
    canvas: Canvas::Doubling([256, 768]),
    pictures: [0, 0],
    largest_picture: (ANY, u32::MAX),
    scale: Some(TOLD),
    steps: Some(Range::new(1.0, 50.0, 25.0)),
    hd: None,
    fields: &["seed", "scale", "ddim_steps", "use_sr", "use_pre_llm"],
    fixed: &[],
    by_pictures: &[],
    longest_prompt: usize::MAX,
};

/// Seedream 3.0.
const THIRD: Algorithm = Algorithm {
    canvas: Canvas::Sides([512, 2048], [0, ANY]),
    scale: Some(Range::new(1.0, 10.0, 2.5)),
    steps: None,
    hd: Some(1.5),
    fields: &["seed", "scale", "use_pre_llm"],
    ..DRAWS
};

/// A picture changed by words.
const EDITS: Algorithm = Algorithm {
    makes: &[Action::Edit],
    flow: Flow::Sync2Async,
    canvas: Canvas::Own,
    pictures: [1, 1],
    largest_picture: (5 * MIB, 4096),
    scale: Some(HALF),
    steps: None,
    fields: &["seed", "scale"],
    ..DRAWS
};

/// A video from words.
const FILMS: Algorithm = Algorithm {
    makes: &[Action::TextToVideo],
    flow: Flow::Sync2Async,
    canvas: Canvas::Ratio { of_pictures: false },
    // 4.7 MB in the documentation; the upstream itself judges at the edge
    largest_picture: (47 * MIB / 10, 4096),
    scale: None,
    steps: None,
    fields: &["seed", "frames"],
    longest_prompt: 800,
    ..DRAWS
};

/// The first frame, or the first and the last, made into a video.
const MOVES: Algorithm = Algorithm {
    makes: &[Action::ImageToVideo],
    canvas: Canvas::Own,
    pictures: [1, 1],
    ..FILMS
};

const EITHER: &[Action] = &[Action::TextToVideo, Action::ImageToVideo];

const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        req_key: "high_aes_general_v20",
        ids: &["general_v2.0"],
        name: "General 2.0S",
        flow: Flow::Sync2Async,
        canvas: Canvas::Doubling([256, 680]),
        steps: Some(Range::new(1.0, 50.0, 16.0)),
        fields: &["seed", "scale", "ddim_steps", "use_sr"],
        fixed: &[("model_version", "general_v2.0")],
        ..DRAWS
    },
    Algorithm {
        req_key: "high_aes_general_v20_L",
        ids: &["general_v2.0_L"],
        name: "General 2.0 Pro",
        steps: Some(Range::new(1.0, 50.0, 16.0)),
        fields: &[
            "seed",
            "scale",
            "ddim_steps",
            "use_sr",
            "use_pre_llm",
            "req_schedule_conf",
        ],
        fixed: &[("model_version", "general_v2.0_L")],
        ..DRAWS
    },
    Algorithm {
        req_key: "high_aes_general_v21_L",
        ids: &["general_v2.1"],
        name: "General 2.1",
        ..DRAWS
    },
    Algorithm {
        req_key: "jimeng_high_aes_general_v21_L",
        ids: &["jimeng-2.1"],
        name: "Jimeng 2.1",
        ..DRAWS
    },
    Algorithm {
        req_key: "high_aes",
        // the first anime model is no longer offered; this is the one that is
        ids: &["anime_v1.3.1", "anime_v1.0"],
        name: "Anime 1.3.1",
        makes: &[Action::Generate, Action::Edit],
        canvas: Canvas::Sides([576, 1728], [0, 1088 * 1088]),
        pictures: [0, 1],
        scale: Some(Range::new(1.0, 30.0, 7.0)),
        steps: Some(Range::new(1.0, 50.0, 20.0)),
        fields: &["seed", "scale", "ddim_steps", "strength"],
        fixed: &[("model_version", "anime_v1.3.1")],
        ..DRAWS
    },
    Algorithm {
        req_key: "high_aes_general_v30l_zt2i",
        ids: &["general_v3.0"],
        name: "General 3.0",
        ..THIRD
    },
    Algorithm {
        req_key: "jimeng_t2i_v30",
        ids: &["jimeng-3.0"],
        name: "Jimeng 3.0",
        flow: Flow::Sync2Async,
        ..THIRD
    },
    Algorithm {
        req_key: "jimeng_t2i_v31",
        ids: &["jimeng-3.1"],
        name: "Jimeng 3.1",
        flow: Flow::Sync2Async,
        ..THIRD
    },
    Algorithm {
        req_key: "jimeng_t2i_v40",
        ids: &["jimeng-4.0"],
        name: "Jimeng 4.0",
        makes: &[Action::Generate, Action::Edit],
        flow: Flow::Sync2Async,
        canvas: Canvas::Sides([256, 16384], [1024 * 1024, 4096 * 4096]),
        pictures: [0, 10],
        scale: Some(HALF),
        steps: None,
        hd: Some(2.0),
        fields: &["scale", "force_single", "min_ratio", "max_ratio", "area"],
        longest_prompt: 800,
        ..DRAWS
    },
    Algorithm {
        req_key: "jimeng_i2i_v30",
        ids: &["jimeng-i2i-3.0"],
        name: "Jimeng edit 3.0",
        canvas: Canvas::Sides([512, 2016], [0, ANY]),
        ..EDITS
    },
    Algorithm {
        req_key: "seededit_v3.0",
        ids: &["seededit-3.0"],
        name: "SeedEdit 3.0",
        ..EDITS
    },
    Algorithm {
        req_key: "byteedit_v2.0",
        ids: &["seededit-2.0"],
        name: "SeedEdit 2.0",
        flow: Flow::Process,
        fields: &["seed", "scale", "negative_prompt"],
        ..EDITS
    },
    Algorithm {
        req_key: "seed3l_multi_ip",
        ids: &["seedream-multi-3.0"],
        name: "Seedream 3.0, several references",
        pictures: [1, 5],
        ..EDITS
    },
    Algorithm {
        req_key: "jimeng_vgfm_l20",
        ids: &["jimeng-video-2.0"],
        name: "Jimeng video 2.0",
        makes: EITHER,
        pictures: [0, 1],
        fields: &["seed"],
        by_pictures: &["jimeng_vgfm_t2v_l20", "jimeng_vgfm_i2v_l20"],
        ..FILMS
    },
    Algorithm {
        req_key: "jimeng_vgfm_t2v_l20",
        name: "Jimeng video 2.0 from words",
        fields: &["seed"],
        ..FILMS
    },
    Algorithm {
        req_key: "jimeng_vgfm_i2v_l20",
        name: "Jimeng video 2.0 from a picture",
        canvas: Canvas::Ratio { of_pictures: true },
        fields: &["seed"],
        ..MOVES
    },
    Algorithm {
        req_key: "jimeng_v30",
        ids: &["jimeng-video-3.0"],
        name: "Jimeng video 3.0",
        makes: EITHER,
        pictures: [0, 2],
        by_pictures: &[
            "jimeng_t2v_v30",
            "jimeng_i2v_first_v30",
            "jimeng_i2v_first_tail_v30",
        ],
        ..FILMS
    },
    Algorithm {
        req_key: "jimeng_v30_1080p",
        ids: &["jimeng-video-3.0-1080p"],
        name: "Jimeng video 3.0, 1080p",
        makes: EITHER,
        pictures: [0, 2],
        // those from pictures are without the `p`
        by_pictures: &[
            "jimeng_t2v_v30_1080p",
            "jimeng_i2v_first_v30_1080",
            "jimeng_i2v_first_tail_v30_1080",
        ],
        ..FILMS
    },
    Algorithm {
        req_key: "jimeng_t2v_v30",
        name: "Jimeng video 3.0 from words",
        ..FILMS
    },
    Algorithm {
        req_key: "jimeng_t2v_v30_1080p",
        name: "Jimeng video 3.0 from words, 1080p",
        ..FILMS
    },
    Algorithm {
        req_key: "jimeng_i2v_first_v30",
        name: "Jimeng video 3.0 from the first frame",
        ..MOVES
    },
    Algorithm {
        req_key: "jimeng_i2v_first_v30_1080",
        name: "Jimeng video 3.0 from the first frame, 1080p",
        ..MOVES
    },
    Algorithm {
        req_key: "jimeng_i2v_first_tail_v30",
        name: "Jimeng video 3.0 from both ends",
        pictures: [2, 2],
        ..MOVES
    },
    Algorithm {
        req_key: "jimeng_i2v_first_tail_v30_1080",
        name: "Jimeng video 3.0 from both ends, 1080p",
        pictures: [2, 2],
        ..MOVES
    },
    Algorithm {
        req_key: "jimeng_ti2v_v30_pro",
        ids: &["jimeng-video-3.0-pro"],
        name: "Jimeng video 3.0 Pro",
        makes: EITHER,
        pictures: [0, 1],
        ..FILMS
    },
];

/// What is assumed of a `req_key` that is not known here: that it knows every field.
const UNKNOWN: Algorithm = Algorithm {
    makes: &[Action::Generate, Action::Edit],
    flow: Flow::Sync2Async,
    canvas: Canvas::Sides([1, u32::MAX], [0, ANY]),
    pictures: [0, 14],
    fields: &[
        "seed",
        "scale",
        "ddim_steps",
        "negative_prompt",
        "frames",
        "strength",
        "use_sr",
        "use_pre_llm",
        "req_schedule_conf",
        "min_ratio",
        "max_ratio",
    ],
    ..DRAWS
};

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
