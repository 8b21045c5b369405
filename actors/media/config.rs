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
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            max_file_bytes: 256 << 20,
            max_pixels: 64 << 20,
            signed_links: false,
            spool_dir: "data/media-spool".to_owned(),
        }
    }
}
