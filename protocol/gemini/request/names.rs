//! What the caller's dialect calls the things that Gemini cannot say.

use crate::dialect::Dialect;

/// A setting or a kind of content whose name differs between dialects.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    Stop,
    Reasoning,
    ParallelTools,
    Logprobs,
    Verbosity,
    User,
    Image,
    ImageDetail,
    Document,
    Title,
    Results,
    FormatDescription,
}

impl Named {
    pub(super) fn of(self, dialect: Dialect) -> &'static str {
        use Dialect::{Anthropic, OpenaiResponses};
        match (self, dialect) {
            (Self::Stop, Anthropic) => "stop_sequences",
            (Self::Stop, _) => "stop",
            (Self::Reasoning, Anthropic) => "thinking",
            (Self::Reasoning, OpenaiResponses) => "reasoning.effort",
            (Self::Reasoning, _) => "reasoning_effort",
            (Self::ParallelTools, Anthropic) => "tool_choice.disable_parallel_tool_use",
            (Self::ParallelTools, _) => "parallel_tool_calls",
            (Self::Logprobs, OpenaiResponses) => "include",
            (Self::Logprobs, _) => "logprobs",
            (Self::Verbosity, OpenaiResponses) => "text.verbosity",
            (Self::Verbosity, _) => "verbosity",
            (Self::User, Anthropic) => "metadata.user_id",
            (Self::User, _) => "user",
            (Self::Image, Anthropic) => "image",
            (Self::Image, OpenaiResponses) => "input_image",
            (Self::Image, _) => "image_url",
            (Self::ImageDetail, OpenaiResponses) => "input_image.detail",
            (Self::ImageDetail, _) => "image_url.detail",
            (Self::Document, Anthropic) => "document",
            (Self::Document, OpenaiResponses) => "input_file",
            (Self::Document, _) => "file",
            (Self::Title, Anthropic) => "document.title",
            (Self::Title, OpenaiResponses) => "input_file.filename",
            (Self::Title, _) => "file.filename",
            (Self::Results, Anthropic) => "tool_result.tool_use_id",
            (Self::Results, OpenaiResponses) => "function_call_output.call_id",
            (Self::Results, _) => "tool_call_id",
            (Self::FormatDescription, Anthropic) => "output_config.format.description",
            (Self::FormatDescription, OpenaiResponses) => "text.format.description",
            (Self::FormatDescription, _) => "response_format.json_schema.description",
        }
    }
}
