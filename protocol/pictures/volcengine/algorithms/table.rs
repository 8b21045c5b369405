//! The table itself. Ranges and defaults are the service's.

use super::{
    super::super::{Action, Range},
    Algorithm, Canvas, Flow,
};

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

pub(super) const ALGORITHMS: &[Algorithm] = &[
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
pub(super) const UNKNOWN: Algorithm = Algorithm {
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
