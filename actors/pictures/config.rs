//! `[pictures]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use troupe_protocol::pictures::Patience;

/// How long pictures may take, and how large they may be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PicturesConfig {
    /// Until the answer to a question after a task begins.
    pub quick_ms: u64,
    /// Until the answer to a submitted task, an upload or a prompt begins.
    pub short_ms: u64,
    /// Until the answer begins of an upstream that draws meanwhile.
    pub long_ms: u64,
    /// A picture in all, tasks included.
    pub total_ms: u64,
    /// A video in all.
    pub video_total_ms: u64,
    /// How often in a row a question after a task, or the link to what was made, may fail before the order does.
    pub poll_failures: u32,
    /// One picture or video, in bytes, coming or going.
    pub max_file_bytes: u64,
    /// Pictures of one request.
    pub max_count: u32,
    /// Pictures that come with one request.
    pub max_inputs: usize,
    /// Characters of a prompt.
    pub max_prompt_chars: usize,
    /// What is put before a prompt that is to be improved (`/api/v1/text`).
    pub improve_prompt: String,
}

impl Default for PicturesConfig {
    fn default() -> Self {
        Self {
            quick_ms: 15_000,
            short_ms: 30_000,
            long_ms: 120_000,
            total_ms: 300_000,
            video_total_ms: 1_200_000,
            poll_failures: 5,
            max_file_bytes: 64 << 20,
            max_count: 10,
            max_inputs: 16,
            max_prompt_chars: 20_000,
            improve_prompt: IMPROVE_PROMPT.to_owned(),
        }
    }
}

const IMPROVE_PROMPT: &str = "You write prompts for image models. Rewrite the user's idea as one vivid, concrete prompt of fewer than 300 words: subject, setting, composition, light, colours, style and mood. Keep every fact that the user gave and contradict none. Answer with the prompt alone, without Markdown, quotes or remarks, in the language of the user's text.";

impl PicturesConfig {
    #[must_use]
    pub fn first_byte(&self, patience: Patience) -> Duration {
        Duration::from_millis(match patience {
            Patience::Quick => self.quick_ms,
            Patience::Short => self.short_ms,
            Patience::Long => self.long_ms,
        })
    }

    #[must_use]
    pub fn total(&self, makes_video: bool) -> Duration {
        Duration::from_millis(if makes_video {
            self.video_total_ms
        } else {
            self.total_ms
        })
    }
}
