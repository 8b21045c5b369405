//! What a model's name asks for: `sim-stream-64x20ms+cut-after-10`.

use std::time::Duration;

use crate::{
    behaviour::{Behaviour, millis, size},
    scene::Scene,
};

/// The shape of the answers to one model name, and what goes wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Events with content in a stream; words in a plain answer.
    pub events: u32,
    /// Pause between two events.
    pub pace: Duration,
    /// Bytes of text in each event.
    pub text: usize,
    /// Bytes of a whole plain answer; `None` = as short as it is.
    pub answer: Option<usize>,
    /// Bytes of an image file; `None` = as small as it is.
    pub image: Option<usize>,
    /// Whether an image is noise, a byte for each of its pixels.
    pub noise: bool,
    /// What the answer holds.
    pub scene: Scene,
    /// OpenAI chat is as strict as the real service; without it, all that names a model is answered.
    pub strict: bool,
    /// What happens.
    pub behaviour: Behaviour,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            events: 16,
            pace: Duration::ZERO,
            text: 8,
            answer: None,
            image: None,
            noise: false,
            scene: Scene::default(),
            strict: false,
            behaviour: Behaviour::Ok,
        }
    }
}

impl Plan {
    /// The plan of a model name. A name that does not begin with `sim-` is an ordinary model.
    ///
    /// # Errors
    /// The word that means nothing.
    pub fn of_model(model: &str) -> Result<Self, String> {
        match model.strip_prefix("sim-") {
            Some(words) => Self::default().with_words(words),
            None => Ok(Self::default()),
        }
    }

    /// This plan, changed by words that are joined with `+`.
    ///
    /// # Errors
    /// The word that means nothing.
    pub fn with_words(mut self, words: &str) -> Result<Self, String> {
        for word in words.split('+') {
            if let Some((events, pace)) = stream_shape(word) {
                (self.events, self.pace) = (events, pace);
            } else if let Some(bytes) = word.strip_prefix("text-").and_then(size) {
                self.text = bytes;
            } else if let Some(bytes) = size(word) {
                self.answer = Some(bytes);
            } else if word == "strict" {
                self.strict = true;
            } else if !self.scene.take(word) {
                self = self.with(word.parse()?);
            }
        }
        Ok(self)
    }

    /// Whether the answer depends on what is asked.
    pub(crate) fn acts(&self) -> bool {
        self.strict || self.scene != Scene::default()
    }

    /// This plan with another behaviour.
    #[must_use]
    pub fn with(mut self, behaviour: Behaviour) -> Self {
        match behaviour {
            Behaviour::BigAnswer(bytes) => self.answer = Some(bytes),
            Behaviour::Image(bytes) => self.image = Some(bytes),
            Behaviour::Noise => self.noise = true,
            Behaviour::SlowDrip(pace) => {
                self.pace = pace;
                self.behaviour = behaviour;
            }
            behaviour => self.behaviour = behaviour,
        }
        self
    }
}

/// `stream-64` or `stream-64x20ms`.
fn stream_shape(word: &str) -> Option<(u32, Duration)> {
    let shape = word.strip_prefix("stream-")?;
    match shape.split_once('x') {
        Some((events, pace)) => Some((events.parse().ok()?, millis(pace)?)),
        None => Some((shape.parse().ok()?, Duration::ZERO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_shape_the_answer() {
        let plan = Plan::of_model("sim-stream-64x20ms+text-100+cut-after-3").unwrap();
        assert_eq!(plan.events, 64);
        assert_eq!(plan.pace, Duration::from_millis(20));
        assert_eq!(plan.text, 100);
        assert_eq!(plan.behaviour, Behaviour::CutAfter(3));
        assert_eq!(Plan::of_model("sim-1k").unwrap().answer, Some(1024));
        assert_eq!(Plan::of_model("sim-image-1m").unwrap().image, Some(1 << 20));
        assert_eq!(Plan::of_model("gpt-4o").unwrap(), Plan::default());
        assert!(Plan::of_model("sim-nothing").is_err());
        let plan = Plan::of_model("sim-think-tools+cached+strict+cut-after-2").unwrap();
        assert!(plan.strict && plan.scene.cached && plan.scene.thinking.is_some());
        assert!(plan.scene.calls.is_some());
        assert_eq!(plan.behaviour, Behaviour::CutAfter(2));
    }
}
