//! `generationConfig`, and the settings that Gemini lacks.

use super::{Writer, names::Named, wire::GenerationConfig};
use crate::chat::{ConvertError, Format};

/// The most stop sequences that are taken.
const MAX_STOPS: usize = 5;

const JSON: &str = "application/json";

impl<'a> Writer<'a> {
    pub(super) fn generation_config(&mut self) -> Result<GenerationConfig<'a>, ConvertError> {
        let asked = &self.request.sampling;
        if asked.n.is_some_and(|n| n > 1) {
            let reason =
                "it gives one answer only; leave `n` out and send the request several times";
            return Err(ConvertError::new("n", reason));
        }
        self.note_lacking();
        let (response_mime_type, response_json_schema) = self.format();
        let seed = asked.seed.and_then(|seed| i32::try_from(seed).ok());
        if seed.is_none() {
            self.losses.note_if(asked.seed.as_ref(), "seed");
        }
        let stops = asked.stop.len().min(MAX_STOPS);
        self.lose_if(asked.stop.len() > MAX_STOPS, Named::Stop);
        let thinking = self
            .request
            .reasoning
            .as_ref()
            .map(|asked| self.model.thinking(asked));
        let (thinking_config, in_full) = thinking.unwrap_or((None, true));
        self.lose_if(!in_full, Named::Reasoning);
        Ok(GenerationConfig {
            max_output_tokens: asked.max_tokens,
            temperature: asked.temperature,
            top_p: asked.top_p,
            top_k: asked.top_k,
            stop_sequences: &asked.stop[..stops],
            seed,
            presence_penalty: asked.presence_penalty,
            frequency_penalty: asked.frequency_penalty,
            response_mime_type,
            response_json_schema,
            thinking_config,
        })
    }

    fn format(&mut self) -> (Option<&'static str>, Option<&'a serde_json::Value>) {
        match &self.request.format {
            None | Some(Format::Text) => (None, None),
            Some(Format::Json) => (Some(JSON), None),
            Some(Format::Schema {
                description,
                schema,
                ..
            }) => {
                self.lose_if(description.is_some(), Named::FormatDescription);
                (Some(JSON), Some(schema))
            }
        }
    }

    /// What can be asked of other providers and not of this one.
    fn note_lacking(&mut self) {
        let request = self.request;
        let sampling = &request.sampling;
        self.lose_if(request.parallel_tools == Some(false), Named::ParallelTools);
        self.lose_if(sampling.logprobs == Some(true), Named::Logprobs);
        self.lose_if(request.verbosity.is_some(), Named::Verbosity);
        self.lose_if(request.user.is_some(), Named::User);
        let losses = &mut self.losses;
        losses.note_if(sampling.logit_bias.as_ref(), "logit_bias");
        losses.note_if(sampling.top_logprobs.as_ref(), "top_logprobs");
        losses.note_if(request.service_tier.as_ref(), "service_tier");
        losses.note_if(request.metadata.as_ref(), "metadata");
        losses.note_if(request.prompt_cache_key.as_ref(), "prompt_cache_key");
    }
}
