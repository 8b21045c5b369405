//! What a model's name says about how its thinking is steered.
//!
//! Gemini 2.5 takes a number of tokens, Gemini 3 and later a level; the other of the two is refused.

use serde::Serialize;

use crate::chat::{Effort, Reasoning};

/// `thinkingLevel`, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Level {
    Minimal,
    Low,
    Medium,
    High,
}

/// How a model's thinking is steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    /// It does not think, or not so that one could steer it.
    Nothing,
    /// `thinkingBudget` within these bounds; whether 0, for off, is taken besides.
    Budget {
        min: u64,
        max: u64,
        can_be_off: bool,
    },
    /// `thinkingLevel`, one of these; none of them is quite off.
    Levels(&'static [Level]),
}

/// A model, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// Major and minor number; none for names without one, such as Gemma's.
    version: Option<(u32, u32)>,
    control: Control,
    /// Whether it may refuse calls of the current turn that have no thought signature.
    wants_signatures: bool,
}

/// `thinkingConfig`.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) include_thoughts: bool,
    /// Tokens; -1 = the model decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_budget: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_level: Option<Level>,
}

impl Model {
    /// Reads a name such as `gemini-2.5-flash`, with or without `models/` before it. The names that end
    /// in `-latest` stand for models of the third generation or a later one.
    pub(super) fn named(name: &str) -> Self {
        let name = name.strip_prefix("models/").unwrap_or(name);
        let family = name.strip_prefix("gemini-").unwrap_or_default();
        let version = version_of(family);
        let is_latest = version.is_none() && family.ends_with("-latest");
        let version = if is_latest { Some((3, 1)) } else { version };
        let control = version.map_or(Control::Nothing, |version| control_of(version, family));
        // a tuned or renamed model tells nothing by its name, and the others take signatures, too
        let is_older = version.is_some_and(|version| version < (3, 0));
        Self {
            version,
            control,
            wants_signatures: !is_older && !name.starts_with("gemma"),
        }
    }

    /// Whether it may refuse calls of the current turn that have no thought signature.
    pub(super) fn wants_signatures(self) -> bool {
        self.wants_signatures
    }

    /// Whether it is of the third generation or later: these take pictures in the results of tools.
    pub(super) fn is_third_generation(self) -> bool {
        self.version >= Some((3, 0))
    }

    /// Whether it fetches files from `https` addresses; all but the second generation and before do.
    pub(super) fn fetches_urls(self) -> bool {
        self.version >= Some((2, 5))
    }

    /// The configuration for what was asked for, and whether it could be said in full.
    pub(super) fn thinking(self, asked: &Reasoning) -> (Option<ThinkingConfig>, bool) {
        let is_off = asked.is_off();
        let include_thoughts = !is_off;
        let config = |thinking_budget, thinking_level| ThinkingConfig {
            include_thoughts,
            thinking_budget,
            thinking_level,
        };
        match self.control {
            Control::Nothing => (None, is_off),
            Control::Budget {
                min,
                max,
                can_be_off,
            } => {
                let tokens = match asked.budget() {
                    Some(0) if can_be_off => Some(0),
                    Some(asked) => i64::try_from(asked.clamp(min, max)).ok(),
                    None => asked.adaptive.then_some(-1),
                };
                (Some(config(tokens, None)), !is_off || can_be_off)
            }
            Control::Levels(levels) => {
                let wanted = asked.effort().map(level_of);
                let level =
                    wanted.and_then(|wanted| levels.iter().copied().find(|level| *level >= wanted));
                let said = !is_off || level == Some(Level::Minimal);
                (Some(config(None, level)), said)
            }
        }
    }
}

/// The number at the beginning of `2.5-flash` or `3-pro-preview`.
fn version_of(family: &str) -> Option<(u32, u32)> {
    let number = family.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The bounds and levels of the guide to thinking. `minimal` is written only for models that are known
/// to take it; the first Gemini 3 Pro knows no `medium`.
fn control_of(version: (u32, u32), family: &str) -> Control {
    use Level::{High, Low, Medium, Minimal};
    let budget = |min, max, can_be_off| Control::Budget {
        min,
        max,
        can_be_off,
    };
    let has = |word| family.split('-').any(|part| part == word);
    match version {
        version if version < (2, 5) => Control::Nothing,
        (2, 5) if has("pro") => budget(128, 32_768, false),
        (2, 5) if has("lite") => budget(512, 24_576, true),
        (2, _) => budget(1, 24_576, true),
        (3, 0) if has("pro") => Control::Levels(&[Low, High]),
        (3, ..=5) if has("flash") && !family.ends_with("-latest") => {
            Control::Levels(&[Minimal, Low, Medium, High])
        }
        _ => Control::Levels(&[Low, Medium, High]),
    }
}

fn level_of(effort: Effort) -> Level {
    match effort {
        Effort::None | Effort::Minimal => Level::Minimal,
        Effort::Low => Level::Low,
        Effort::Medium => Level::Medium,
        Effort::High | Effort::XHigh | Effort::Max => Level::High,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn effort(effort: Effort) -> Reasoning {
        Reasoning {
            effort: Some(effort),
            ..Reasoning::default()
        }
    }

    fn budget(tokens: u64) -> Reasoning {
        Reasoning {
            budget: Some(tokens),
            ..Reasoning::default()
        }
    }

    #[test]
    fn each_generation_is_asked_in_its_own_way() {
        let adaptive = Reasoning {
            adaptive: true,
            ..Reasoning::default()
        };
        let summary = Reasoning {
            summary: Some("auto".to_owned()),
            ..Reasoning::default()
        };
        let cases = [
            (
                "gemini-2.5-flash",
                effort(Effort::None),
                json!({"thinkingBudget": 0}),
                true,
            ),
            (
                "gemini-2.5-flash",
                effort(Effort::Medium),
                json!({"includeThoughts": true, "thinkingBudget": 8192}),
                true,
            ),
            (
                "gemini-2.5-flash",
                budget(60_000),
                json!({"includeThoughts": true, "thinkingBudget": 24576}),
                true,
            ),
            (
                "gemini-2.5-flash",
                adaptive.clone(),
                json!({"includeThoughts": true, "thinkingBudget": -1}),
                true,
            ),
            (
                "gemini-2.5-flash",
                summary,
                json!({"includeThoughts": true}),
                true,
            ),
            (
                "gemini-2.5-flash-lite",
                budget(100),
                json!({"includeThoughts": true, "thinkingBudget": 512}),
                true,
            ),
            (
                "models/gemini-2.5-pro",
                effort(Effort::None),
                json!({"thinkingBudget": 128}),
                false,
            ),
            (
                "gemini-2.5-pro",
                effort(Effort::Max),
                json!({"includeThoughts": true, "thinkingBudget": 32768}),
                true,
            ),
            (
                "gemini-3-pro-preview",
                effort(Effort::Medium),
                json!({"includeThoughts": true, "thinkingLevel": "HIGH"}),
                true,
            ),
            (
                "gemini-3-pro-preview",
                effort(Effort::None),
                json!({"thinkingLevel": "LOW"}),
                false,
            ),
            (
                "gemini-3.1-pro-preview",
                effort(Effort::Medium),
                json!({"includeThoughts": true, "thinkingLevel": "MEDIUM"}),
                true,
            ),
            (
                "gemini-3-flash-preview",
                effort(Effort::None),
                json!({"thinkingLevel": "MINIMAL"}),
                true,
            ),
            (
                "gemini-3-flash-preview",
                budget(2_000),
                json!({"includeThoughts": true, "thinkingLevel": "LOW"}),
                true,
            ),
            (
                "gemini-3.8-flash",
                effort(Effort::Minimal),
                json!({"includeThoughts": true, "thinkingLevel": "LOW"}),
                true,
            ),
            (
                "gemini-4-argon",
                effort(Effort::XHigh),
                json!({"includeThoughts": true, "thinkingLevel": "HIGH"}),
                true,
            ),
            (
                "gemini-flash-latest",
                effort(Effort::Low),
                json!({"includeThoughts": true, "thinkingLevel": "LOW"}),
                true,
            ),
            (
                "gemini-3-flash-preview",
                adaptive,
                json!({"includeThoughts": true}),
                true,
            ),
            ("gemini-2.0-flash", effort(Effort::High), Value::Null, false),
            ("gemma-3-27b-it", effort(Effort::None), Value::Null, true),
        ];
        for (model, asked, expected, in_full) in cases {
            let (config, said) = Model::named(model).thinking(&asked);
            assert_eq!(json!(config), expected, "{model} {asked:?}");
            assert_eq!(said, in_full, "{model} {asked:?}");
        }
    }

    #[test]
    fn the_third_generation_is_known_by_its_number() {
        let third = |name| Model::named(name).is_third_generation();
        for name in [
            "gemini-3-pro-preview",
            "gemini-3.5-flash",
            "gemini-4-argon",
            "gemini-pro-latest",
        ] {
            assert!(third(name), "{name}");
        }
        for name in [
            "gemini-2.5-pro",
            "gemini-1.5-flash-latest",
            "gemma-3-27b-it",
            "gemini-exp-1206",
            "",
        ] {
            assert!(!third(name), "{name}");
        }
        assert!(Model::named("gemini-2.5-flash").fetches_urls());
        assert!(!Model::named("gemini-2.0-flash").fetches_urls());
    }
}
