//! How the answer is to be made.

use serde_json::{Map, Value};

/// Numbers and words that steer sampling. None = the upstream's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    pub max_tokens: Option<u64>,
    /// 0 to 2 as OpenAI counts; Anthropic's writer clamps it to 1.
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub stop: Vec<String>,
    pub seed: Option<i64>,
    pub presence_penalty: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub logit_bias: Option<Map<String, Value>>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u64>,
    /// How many answers; only `openai_chat` gives more than one.
    pub n: Option<u64>,
}

/// How much to think.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning {
    pub effort: Option<Effort>,
    /// Anthropic's `budget_tokens`, Gemini's `thinkingBudget`.
    pub budget: Option<u64>,
    /// Anthropic's `adaptive`: the model decides.
    pub adaptive: bool,
    /// OpenAI's `reasoning.summary`: `auto`, `concise` or `detailed`.
    pub summary: Option<String>,
}

/// OpenAI's and Anthropic's words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

/// Budgets that stand for an effort where only one of the two can be said: the steps that gateways
/// and Google's OpenAI-compatible surface use (1,024 / 8,192 / 24,576 tokens).
const BUDGETS: [(Effort, u64); 7] = [
    (Effort::None, 0),
    (Effort::Minimal, 1_024),
    (Effort::Low, 1_024),
    (Effort::Medium, 8_192),
    (Effort::High, 24_576),
    (Effort::XHigh, 32_768),
    (Effort::Max, 65_536),
];

impl Effort {
    /// Reads a word of the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The thinking tokens that stand for it.
    #[must_use]
    pub fn budget(self) -> u64 {
        BUDGETS
            .iter()
            .find(|(effort, _)| *effort == self)
            .map_or(0, |(_, budget)| *budget)
    }

    /// The effort that stands for so many thinking tokens: the highest step within them.
    #[must_use]
    pub fn of_budget(budget: u64) -> Self {
        match budget {
            0 => Self::None,
            1..=4_096 => Self::Low,
            4_097..=16_384 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Reasoning {
    /// The effort asked for, read from the budget where only that was given. None = the upstream's own.
    #[must_use]
    pub fn effort(&self) -> Option<Effort> {
        self.effort.or_else(|| self.budget.map(Effort::of_budget))
    }

    /// The thinking tokens asked for, read from the effort where only that was given.
    #[must_use]
    pub fn budget(&self) -> Option<u64> {
        self.budget.or_else(|| self.effort.map(Effort::budget))
    }

    /// Whether thinking was switched off in so many words.
    #[must_use]
    pub fn is_off(&self) -> bool {
        !self.adaptive && self.budget() == Some(0)
    }
}

/// The form of the answer's text.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    Text,
    /// Any JSON object.
    Json,
    /// JSON of this schema.
    Schema {
        name: Option<String>,
        description: Option<String>,
        schema: Value,
        strict: Option<bool>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_and_efforts_agree() {
        for effort in [Effort::None, Effort::Low, Effort::Medium, Effort::High] {
            assert_eq!(Effort::of_budget(effort.budget()), effort);
            assert_eq!(Effort::parse(effort.as_str()), Some(effort));
        }
        let asked = |budget| Reasoning {
            budget: Some(budget),
            ..Reasoning::default()
        };
        assert!(asked(0).is_off());
        assert_eq!(asked(1_024).effort(), Some(Effort::Low));
        assert_eq!(asked(10_000).effort(), Some(Effort::Medium));
        assert_eq!(asked(31_999).effort(), Some(Effort::High));
        assert_eq!(Reasoning::default().effort(), None);
    }
}
