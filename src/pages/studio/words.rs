//! What the studio's scripts say, which the page hands to them: they have no words of their own.

use std::{borrow::Cow, collections::BTreeMap};

use crate::pages::language::Language;

/// The messages; a script puts values in place of `%part%`.
const WORDS: &[&str] = &[
    "now",
    "studio-auto-size",
    "studio-own-size",
    "studio-status-pending",
    "studio-status-queued",
    "studio-status-processing",
    "studio-status-retrying",
    "studio-status-failed",
    "studio-status-cancelled",
    "studio-status-resting",
    "studio-again-in",
    "studio-left",
    "studio-done",
    "studio-part-failed",
    "studio-sending",
    "studio-sent",
    "studio-lost",
    "studio-reconnecting",
    "studio-connected",
    "studio-deleted",
    "studio-undo",
    "studio-not-deleted",
    "studio-reused",
    "studio-improving",
    "studio-improved",
    "studio-restore",
    "studio-tags-kept",
    "studio-pinned",
    "studio-unpinned",
    "studio-open",
    "studio-of",
    "studio-untitled",
    "studio-loading",
    "studio-no-match",
    "studio-all",
    "studio-remove-file",
    "studio-too-many-files",
    "studio-no-picture",
    "studio-file-too-large",
    "studio-need-prompt",
    "studio-need-image",
    "studio-need-model",
    "studio-need-size",
    "studio-need-number",
    "studio-error",
    "studio-error-network",
    "studio-error-busy",
    "studio-error-busy-until",
    "studio-error-content_policy",
    "studio-error-invalid_request",
    "studio-error-rate_limited",
    "studio-error-overloaded",
    "studio-error-timeout",
    "studio-error-upstream",
    "studio-error-operator",
    "studio-error-interrupted",
    "studio-error-storage",
    "studio-error-gone",
    "studio-action-generate",
    "studio-action-edit",
    "studio-action-upscale",
    "studio-action-video",
    "studio-model",
    "studio-size",
    "studio-seed",
    "studio-steps",
    "studio-guidance",
    "studio-negative",
    "studio-revised",
    "studio-made",
    "studio-file",
    "studio-pin",
    "studio-unpin",
];

/// Messages of other pages, whose parts are to stay open as `%part%`.
const WITH_PARTS: &[(&str, &[&str])] = &[
    ("ago", &["span"]),
    ("span-s", &["s"]),
    ("span-min", &["min", "s"]),
    ("span-h", &["h", "min"]),
    ("span-d", &["d", "h"]),
];

/// All of them in one language, as JSON.
#[must_use]
pub fn words(language: Language) -> String {
    let open = WITH_PARTS.iter().map(|(key, parts)| {
        let parts = parts
            .iter()
            .map(|part| (*part, Cow::Owned(format!("%{part}%"))));
        (*key, language.say_with(key, parts))
    });
    let said = WORDS.iter().map(|key| (*key, language.say(key)));
    let all: BTreeMap<_, _> = said.chain(open).collect();
    serde_json::json!(all).to_string()
}
