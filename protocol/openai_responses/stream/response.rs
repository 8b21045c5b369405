//! The response object: what the first events of a stream hold, the last one, and a whole answer.

use super::object::Object;
use crate::{
    chat::{Reply, Stop},
    usage::Usage,
};

/// Everything that a response object says besides what [`Reply`] has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Response<'a> {
    pub(super) reply: &'a Reply,
    /// As the upstream names it.
    pub(super) model: Option<&'a str>,
    /// As the upstream says it; the request's otherwise.
    pub(super) service_tier: Option<&'a str>,
    pub(super) state: State<'a>,
    /// The items of a JSON list.
    pub(super) output: &'a [u8],
    pub(super) usage: Option<Usage>,
}

/// Where the answer stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum State<'a> {
    InProgress,
    Completed,
    Incomplete {
        reason: &'static str,
    },
    Failed {
        code: &'static str,
        message: &'a str,
    },
}

impl State<'_> {
    /// How an answer ended, in the dialect's words.
    pub(super) fn of(stop: &Stop) -> Self {
        match stop {
            Stop::End | Stop::Sequence(_) | Stop::ToolCalls | Stop::Pause => Self::Completed,
            Stop::MaxTokens | Stop::ContextWindow => CUT,
            Stop::Refusal => Self::Incomplete {
                reason: "content_filter",
            },
        }
    }

    /// The value of `status`, and the last part of the name of the event that tells it.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete { .. } => "incomplete",
            Self::Failed { .. } => "failed",
        }
    }
}

/// The answer is longer than it may be.
pub(super) const CUT: State<'static> = State::Incomplete {
    reason: "max_output_tokens",
};

impl Response<'_> {
    /// Appends it as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let object = Object::begin(out)
            .field("id", &self.reply.id)
            .field("object", "response")
            .field("created_at", &self.reply.created)
            .field("status", self.state.status());
        let object = self
            .outcome(object)
            .field("model", self.model.unwrap_or(&self.reply.model))
            .list("output", self.output);
        self.repeated(usage(self.usage, object)).end();
    }

    fn outcome<'o>(&self, object: Object<'o>) -> Object<'o> {
        let (error, details) = match self.state {
            State::InProgress | State::Completed => (None, None),
            State::Incomplete { reason } => (None, Some(reason)),
            State::Failed { code, message } => (Some((code, message)), None),
        };
        let error = error.map(|(code, message)| Error { code, message });
        object.field("error", &error).field(
            "incomplete_details",
            &details.map(|reason| Details { reason }),
        )
    }

    /// What the answer repeats of the request.
    fn repeated<'o>(&self, mut object: Object<'o>) -> Object<'o> {
        let tier = self.service_tier;
        for (name, value) in &*self.reply.echo {
            object = match tier.filter(|_| name == "service_tier") {
                Some(tier) => object.field(name, tier),
                None => object.field(name, value),
            };
        }
        match tier.filter(|_| !self.reply.echo.contains_key("service_tier")) {
            Some(tier) => object.field("service_tier", tier),
            None => object,
        }
    }
}

#[derive(serde::Serialize)]
struct Error<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(serde::Serialize)]
struct Details {
    reason: &'static str,
}

fn usage(usage: Option<Usage>, object: Object<'_>) -> Object<'_> {
    let Some(usage) = usage else {
        return object.field("usage", &());
    };
    let input = super::events::object(|details| {
        let details = details.field("cached_tokens", &usage.cached);
        match usage.cache_write {
            0 => details,
            tokens => details.field("cache_write_tokens", &tokens),
        }
    });
    let output =
        super::events::object(|details| details.field("reasoning_tokens", &usage.reasoning));
    let total = usage.prompt.saturating_add(usage.completion);
    let counts = super::events::object(|counts| {
        counts
            .field("input_tokens", &usage.prompt)
            .json("input_tokens_details", &input)
            .field("output_tokens", &usage.completion)
            .json("output_tokens_details", &output)
            .field("total_tokens", &total)
    });
    object.json("usage", &counts)
}
