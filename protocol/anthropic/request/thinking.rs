//! How thinking is asked for, which each generation of models wants in its own way.

use serde::Serialize;

use super::{turns::lacks_thoughts, write::Writer};
use crate::{
    anthropic::{block::Turn, contract::Off},
    chat::{Effort, Reasoning},
    dialect::Dialect,
};

/// The least budget that Anthropic takes.
const MIN_BUDGET: u64 = 1_024;

/// `thinking` of a request.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct WireThinking {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<&'static str>,
}

/// What a request says of thinking.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) thinking: Option<WireThinking>,
    /// `output_config.effort`.
    pub(super) effort: Option<&'static str>,
}

impl Asked {
    fn just(r#type: &'static str) -> Self {
        let thinking = WireThinking {
            r#type,
            budget_tokens: None,
            display: None,
        };
        let (thinking, effort) = (Some(thinking), None);
        Self { thinking, effort }
    }

    /// Whether the sampling parameters are bound.
    pub(super) fn thinks(&self) -> bool {
        let on = |thinking: &WireThinking| matches!(thinking.r#type, "enabled" | "adaptive");
        self.thinking.as_ref().is_some_and(on)
    }
}

impl Writer<'_> {
    /// Decides on `thinking` and the effort; may raise `max_tokens` where the client left it open.
    /// `forced` says that a tool must be called.
    pub(super) fn write_reasoning(&mut self, turns: &[Turn<'_>], forced: bool) -> Asked {
        let Some(reasoning) = &self.request.reasoning else {
            return Asked::default();
        };
        if reasoning.is_off() {
            return self.write_off();
        }
        let by_effort = reasoning.budget.is_none() && self.contract.wants_adaptive();
        let asked_adaptive = reasoning.adaptive && self.contract.takes_adaptive();
        if self.is_effort_alone(reasoning) {
            let effort = self.write_effort(reasoning);
            return Asked {
                effort,
                ..Asked::default()
            };
        }
        if asked_adaptive || by_effort || !self.contract.takes_budget() {
            return Asked {
                effort: self.write_effort(reasoning),
                thinking: Some(WireThinking {
                    r#type: "adaptive",
                    budget_tokens: None,
                    display: self.write_display(reasoning),
                }),
            };
        }
        self.write_budget(reasoning, turns, forced)
    }

    /// An Anthropic client may speak of the effort alone, which says nothing about thinking.
    fn is_effort_alone(&self, reasoning: &Reasoning) -> bool {
        let anthropic = self.request.dialect == Dialect::Anthropic;
        anthropic && !reasoning.adaptive && reasoning.budget.is_none()
    }

    fn write_off(&mut self) -> Asked {
        match self.contract.off() {
            Off::Silence => Asked::default(),
            Off::Say(word) => Asked::just(word),
            Off::Never => {
                self.lose_reasoning();
                Asked {
                    effort: Some(Effort::Low.as_str()),
                    ..Asked::default()
                }
            }
        }
    }

    /// The effort in Anthropic's words, where one was asked for.
    fn write_effort(&self, reasoning: &Reasoning) -> Option<&'static str> {
        let effort = match reasoning.effort()? {
            Effort::None | Effort::Minimal => Effort::Low,
            Effort::XHigh if !self.contract.takes_xhigh() => Effort::High,
            effort => effort,
        };
        Some(effort.as_str())
    }

    /// Newer models show no thoughts unless they are asked to. `openai_chat` has no word for that, and
    /// its clients expect to see what there is.
    fn write_display(&self, reasoning: &Reasoning) -> Option<&'static str> {
        let wanted = reasoning.summary.is_some() || self.request.dialect == Dialect::OpenaiChat;
        wanted.then_some("summarized")
    }

    fn write_budget(&mut self, reasoning: &Reasoning, turns: &[Turn<'_>], forced: bool) -> Asked {
        // no loss worth a word: the conversation came from a model that did not think, or whose
        // thoughts no longer count, and the next turn of the user's thinks again
        if lacks_thoughts(turns) {
            return Asked::default();
        }
        let Some(budget) = self.budget(reasoning).filter(|_| !forced) else {
            self.lose_reasoning();
            return Asked::default();
        };
        // an effort beside the budget is an Anthropic client's own word
        let own = self.request.dialect == Dialect::Anthropic && reasoning.effort.is_some();
        Asked {
            effort: own.then(|| self.write_effort(reasoning)).flatten(),
            thinking: Some(WireThinking {
                r#type: "enabled",
                budget_tokens: Some(budget),
                display: None,
            }),
        }
    }

    /// The budget, below `max_tokens`, of which it is a part here as in OpenAI's dialects; none where no
    /// budget fits. Where the client left `max_tokens` open, the thoughts come on top.
    fn budget(&mut self, reasoning: &Reasoning) -> Option<u64> {
        // what adaptive models, and OpenAI's, take for granted
        let usual = if reasoning.adaptive {
            Effort::High
        } else {
            Effort::Medium
        };
        let asked = reasoning.budget().unwrap_or(usual.budget()).max(MIN_BUDGET);
        if self.request.sampling.max_tokens.is_none() {
            // more than the models that want a budget give in all
            let budget = asked.min(Effort::High.budget());
            self.max_tokens = self.max_tokens.saturating_add(budget);
            return Some(budget);
        }
        let budget = asked.min(self.max_tokens.saturating_sub(1));
        (budget >= MIN_BUDGET).then_some(budget)
    }

    fn lose_reasoning(&mut self) {
        let name = self.named("reasoning_effort", "reasoning", "thinking");
        self.losses.note(name);
    }
}
