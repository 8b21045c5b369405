//! Why an answer ended, in OpenAI's words.

use crate::chat::Stop;

/// Reads `finish_reason`. `sequence` is the stop sequence that came, where the upstream says (vLLM's
/// `stop_reason`).
pub(super) fn read_stop(reason: &str, sequence: &str) -> Stop {
    match reason {
        "length" => Stop::MaxTokens,
        "tool_calls" | "function_call" => Stop::ToolCalls,
        "content_filter" => Stop::Refusal,
        "stop" if !sequence.is_empty() => Stop::Sequence(Some(sequence.to_owned())),
        _ => Stop::End,
    }
}

/// The `finish_reason` of an answer with or without calls.
pub(super) fn write_stop(stop: Stop, has_calls: bool) -> &'static str {
    match stop.with_calls(has_calls) {
        Stop::End | Stop::Sequence(_) | Stop::Pause => "stop",
        Stop::MaxTokens | Stop::ContextWindow => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::Refusal => "content_filter",
    }
}
