//! What a Claude model takes and what it refuses with a 400, by its version.
//!
//! From Anthropic's pages on thinking and its migration guides. Claude 4.6 brought `adaptive` thinking;
//! from 4.7 on there is nothing else, and the sampling parameters are gone. The steps are asked with
//! "since", as later models keep to them. Models of other makers, behind services that speak this
//! dialect, are taken for old: they follow the older, settled contract.

/// A model's version; none = no Claude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contract {
    version: Option<(u8, u8)>,
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Opus,
    Sonnet,
    Haiku,
    Other,
}

/// How thinking is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    /// By not asking for it.
    Silence,
    /// By this `thinking.type`.
    Say(&'static str),
    /// Not at all: the least is a low effort.
    Never,
}

/// Names without a version, such as `claude-mythos-preview`, are new ones.
const NEWEST: (u8, u8) = (5, 5);

impl Contract {
    /// Reads a model's name as Anthropic, Bedrock, Vertex and the routers write it.
    pub(super) fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        let words = model
            .split_once("claude-")
            .map(|(_, rest)| rest.split(|c: char| !c.is_ascii_alphanumeric()));
        let Some(words) = words else {
            let (version, family) = (None, Family::Other);
            return Self { version, family };
        };
        // a date is a number too, but a longer one
        let small = |word: &str| word.parse().ok().filter(|_| word.len() <= 2);
        let mut numbers = words.clone().map(small).skip_while(Option::is_none);
        let major = numbers.next().flatten();
        let minor = numbers.next().flatten().unwrap_or(0);
        Self {
            version: Some(major.map_or(NEWEST, |major| (major, minor))),
            family: Family::of(words),
        }
    }

    fn since(self, version: (u8, u8)) -> bool {
        self.version.is_some_and(|own| own >= version)
    }

    /// Whether `thinking.type: adaptive` may be asked for.
    pub(super) fn takes_adaptive(self) -> bool {
        self.version.is_none() || self.since((4, 6))
    }

    /// Whether `adaptive` is the way to ask for thinking, and `output_config.effort` to say how much.
    /// 4.6 takes a budget too, but as a thing of the past.
    pub(super) fn wants_adaptive(self) -> bool {
        self.since((4, 6))
    }

    /// Whether a fixed thinking budget may be asked for.
    pub(super) fn takes_budget(self) -> bool {
        !self.since((4, 7))
    }

    /// Whether `temperature`, `top_p` and `top_k` may be given at all.
    pub(super) fn takes_sampling(self) -> bool {
        !self.since((4, 7))
    }

    /// Whether `temperature` and `top_p` exclude each other.
    pub(super) fn one_of_temperature_and_top_p(self) -> bool {
        self.since((4, 1))
    }

    /// Whether `output_config.effort` knows `xhigh`.
    pub(super) fn takes_xhigh(self) -> bool {
        self.version.is_none() || self.since((4, 7))
    }

    /// Since 5, models think unless they are told not to, and not all can be told.
    pub(super) fn off(self) -> Off {
        match self.family {
            _ if !self.since((5, 0)) => Off::Silence,
            Family::Haiku => Off::Say("disabled"),
            Family::Opus | Family::Sonnet if !self.since((5, 5)) => Off::Say("disabled"),
            Family::Sonnet => Off::Say("between_tools"),
            Family::Opus | Family::Other => Off::Never,
        }
    }
}

impl Family {
    fn of<'a>(mut words: impl Iterator<Item = &'a str>) -> Self {
        let named = |word| match word {
            "opus" => Some(Self::Opus),
            "sonnet" => Some(Self::Sonnet),
            "haiku" => Some(Self::Haiku),
            _ => None,
        };
        words.find_map(named).unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_everyone_writes_them() {
        let cases = [
            ("claude-3-5-sonnet-20241022", Some((3, 5)), Family::Sonnet),
            ("claude-3-opus-20240229", Some((3, 0)), Family::Opus),
            ("claude-opus-4-20250514", Some((4, 0)), Family::Opus),
            ("claude-opus-4@20250514", Some((4, 0)), Family::Opus),
            ("claude-opus-4-1-20250805", Some((4, 1)), Family::Opus),
            ("anthropic/claude-opus-4.7", Some((4, 7)), Family::Opus),
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                Some((4, 5)),
                Family::Sonnet,
            ),
            ("claude-opus-4-8[1m]", Some((4, 8)), Family::Opus),
            ("Claude-Haiku-5-5", Some((5, 5)), Family::Haiku),
            ("claude-sonnet-5", Some((5, 0)), Family::Sonnet),
            ("claude-fable-5-1", Some((5, 1)), Family::Other),
            ("claude-mythos-preview", Some(NEWEST), Family::Other),
            ("deepseek-chat", None, Family::Other),
            ("glm-4.6", None, Family::Other),
        ];
        for (model, version, family) in cases {
            assert_eq!(Contract::of(model), Contract { version, family }, "{model}");
        }
    }

    #[test]
    fn the_contract_changes_with_4_6_and_4_7() {
        #[rustfmt::skip]
        let cases = [
            // model, takes adaptive, wants adaptive, takes budget, takes sampling
            ("claude-3-7-sonnet-latest", false, false, true, true),
            ("claude-sonnet-4-5", false, false, true, true),
            ("claude-sonnet-4-6", true, true, true, true),
            ("claude-opus-4-7", true, true, false, false),
            ("claude-opus-5", true, true, false, false),
            ("kimi-k2", true, false, true, true),
        ];
        for (model, takes, wants, budget, sampling) in cases {
            let contract = Contract::of(model);
            assert_eq!(contract.takes_adaptive(), takes, "{model}");
            assert_eq!(contract.wants_adaptive(), wants, "{model}");
            assert_eq!(contract.takes_budget(), budget, "{model}");
            assert_eq!(contract.takes_sampling(), sampling, "{model}");
        }
    }

    #[test]
    fn thinking_is_switched_off_in_each_models_way() {
        let cases = [
            ("claude-sonnet-4-5", Off::Silence),
            ("claude-opus-4-8", Off::Silence),
            ("claude-opus-5", Off::Say("disabled")),
            ("claude-sonnet-5", Off::Say("disabled")),
            ("claude-haiku-5-5", Off::Say("disabled")),
            ("claude-sonnet-5-5", Off::Say("between_tools")),
            ("claude-opus-5-5", Off::Never),
            ("claude-fable-5", Off::Never),
            ("deepseek-chat", Off::Silence),
        ];
        for (model, off) in cases {
            assert_eq!(Contract::of(model).off(), off, "{model}");
        }
    }
}
