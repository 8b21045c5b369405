//! `[media]` of the configuration. Where media lie and how much of them is kept is in `[storage]`.

use serde::{Deserialize, Serialize};

/// What may be stored, and how it is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// The largest single file, in bytes.
    pub max_file_bytes: u64,
    /// The most pixels of a picture, width times height.
    pub max_pixels: u64,
    /// Links carry when they end, and a signature.
    pub signed_links: bool,
    /// Where files wait on their way into a bucket. In a folder they wait in the folder itself.
    pub spool_dir: String,
    /// The longer side of a thumbnail, in pixels.
    pub thumbnail_side: u32,
    /// How good its picture is, 1–100.
    pub thumbnail_quality: u8,
    /// How many are made at a time, each on a thread of its own.
    pub thumbnails_at_once: usize,
    /// How long one waits for its turn.
    pub thumbnail_wait_ms: u64,
    /// The most memory that decoding a picture for one may take, in bytes.
    pub thumbnail_memory: u64,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            max_file_bytes: 256 << 20,
            max_pixels: 64 << 20,
            signed_links: false,
            spool_dir: "data/media-spool".to_owned(),
            thumbnail_side: 400,
            thumbnail_quality: 85,
            thumbnails_at_once: 2,
            thumbnail_wait_ms: 10_000,
            thumbnail_memory: 256 << 20,
        }
    }
}
