//! What a client wants drawn, changed or filmed.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::errand::Source;
use crate::chat::Losses;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, derive_more::Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A picture from words.
    #[display("generate")]
    Generate,
    /// A picture from pictures and words.
    #[display("edit")]
    Edit,
    /// A larger picture from a picture.
    #[display("upscale")]
    Upscale,
    /// A video from a picture and words.
    #[display("image-to-video")]
    ImageToVideo,
    /// A video from words.
    #[display("text-to-video")]
    TextToVideo,
}

impl Action {
    /// The word for it in a model's `type`, as Imagine Server has them.
    #[must_use]
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Generate => "text2image",
            Self::Edit => "image2image",
            Self::Upscale => "upscaler",
            Self::ImageToVideo => "image2video",
            Self::TextToVideo => "text2video",
        }
    }

    #[must_use]
    pub fn makes_video(self) -> bool {
        matches!(self, Self::ImageToVideo | Self::TextToVideo)
    }
}

/// Width and height in pixels, neither of them 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Width to height in the smallest whole numbers: 1280×720 is 16:9.
    #[must_use]
    pub fn ratio(self) -> (u32, u32) {
        let (mut a, mut b) = (self.width, self.height);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        (self.width / a.max(1), self.height / a.max(1))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// `1024x768`, with `x`, `X`, `*` or `×`.
impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |text: &str| text.trim().parse::<u32>().ok().filter(|side| *side > 0);
        text.split_once(['x', 'X', '*', '×'])
            .and_then(|(width, height)| Some(Self::new(side(width)?, side(height)?)))
            .ok_or("write WIDTHxHEIGHT, such as 1024x1024")
    }
}

impl TryFrom<String> for Size {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

/// A picture that the client gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Where it is; checked to lead to the open internet. Only for services that [take
    /// links](super::Service::takes_links).
    Link(String),
    /// A file in the hands of whoever runs the errand, known by its place among the inputs.
    File {
        /// `image/png`
        mime: &'static str,
        bytes: u64,
        size: Option<Size>,
    },
}

/// An order, its fields checked against the model's [spec](super::ModelSpec).
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub action: Action,
    /// The model, as it is described.
    pub model: Arc<super::ModelSpec>,
    /// May be empty for what needs no words.
    pub prompt: String,
    pub negative_prompt: Option<String>,
    /// None = the upstream's own choice.
    pub size: Option<Size>,
    /// Whether the client wants that size to the pixel, rather than a shape that the size stands for.
    pub exact: bool,
    /// How many pictures; no more than the model's `per_order`.
    pub count: u32,
    pub seed: Option<u64>,
    /// A seed for upstreams that insist on one, 0..2147483647.
    pub spare_seed: u32,
    pub steps: Option<u32>,
    pub guidance: Option<f64>,
    /// Of a video, in seconds.
    pub seconds: Option<f64>,
    pub inputs: Vec<Input>,
    /// Where a picture is to be changed, of edits: the place among the inputs. It is not one of the pictures.
    pub mask: Option<usize>,
    /// What else the client said, by name: `quality`, `watermark`, … A service takes what it knows.
    pub extra: Map<String, Value>,
    /// Sets the marks of this order's files apart from anything that a client or an upstream may write.
    pub nonce: u64,
}

impl Order {
    /// Stands in a call's JSON or text for the base64 of an input file, whose bytes are put there on the way out.
    /// A data URI is `data:image/png;base64,` and this.
    #[must_use]
    pub fn inline(&self, input: usize) -> String {
        mark(INPUT, self.nonce, input)
    }

    /// The picture's link, or a data URI of the file. For services that take either in one field.
    #[must_use]
    pub fn link_or_data(&self, input: usize) -> String {
        match &self.inputs[input] {
            Input::Link(url) => url.clone(),
            Input::File { mime, .. } => format!("data:{mime};base64,{}", self.inline(input)),
        }
    }

    /// The places of the pictures among the inputs, without the mask.
    pub fn pictures(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.inputs.len()).filter(|at| Some(*at) != self.mask)
    }

    /// What an upstream's text means: a link, a data URI, or base64, long ones of which were put aside.
    #[must_use]
    pub fn source(&self, text: &str) -> Source {
        Source::read(text, self.nonce)
    }

    /// What the client said of this field of `extra`; null is as good as nothing.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.extra.get(name).filter(|value| !value.is_null())
    }

    /// Notes every optional field, of `extra` too, that was given and is not among those that the upstream is
    /// told. Size, inputs and mask are not among them: without these it would be another picture.
    pub fn lose_all_but(&self, said: &[&str], losses: &mut Losses) {
        let own = [
            ("negative_prompt", self.negative_prompt.is_some()),
            ("seed", self.seed.is_some()),
            ("steps", self.steps.is_some()),
            ("guidance", self.guidance.is_some()),
            ("seconds", self.seconds.is_some()),
        ];
        let extra = self
            .extra
            .iter()
            .map(|(name, value)| (name.as_str(), !value.is_null()));
        for (name, given) in own.into_iter().chain(extra) {
            if given && !said.contains(&name) {
                losses.note(name);
            }
        }
    }

    /// The seed to send to an upstream that insists on one.
    #[must_use]
    pub fn some_seed(&self) -> u64 {
        self.seed.unwrap_or(u64::from(self.spare_seed))
    }
}

const INPUT: &str = "troupe-input";
const PART: &str = "troupe-part";

fn mark(word: &str, nonce: u64, at: usize) -> String {
    format!("{word}-{nonce:016x}-{at:04}")
}

/// The mark of the part at that place: base64 of an answer that was put aside.
#[must_use]
pub fn part_mark(nonce: u64, at: usize) -> String {
    mark(PART, nonce, at)
}

/// What a text means beside marks of that nonce; see [`Order::source`].
#[must_use]
pub fn source(text: &str, nonce: u64) -> Source {
    Source::read(text, nonce)
}

/// The place of the part that `text` is the mark of.
pub(super) fn part_at(text: &str, nonce: u64) -> Option<usize> {
    let at: usize = text.get(text.len().checked_sub(4)?..)?.parse().ok()?;
    (part_mark(nonce, at) == text).then_some(at)
}

/// A text cut at the marks of input files: every second piece is the place of an input.
pub fn split_at_inputs(text: &str, nonce: u64) -> Vec<Segment<'_>> {
    let begins = format!("{INPUT}-{nonce:016x}-");
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(&begins) {
        let end = start + begins.len() + 4;
        let Some(at) = rest.get(start + begins.len()..end) else {
            break;
        };
        let Ok(at) = at.parse() else { break };
        segments.push(Segment::Text(&rest[..start]));
        segments.push(Segment::Input(at));
        rest = &rest[end..];
    }
    segments.push(Segment::Text(rest));
    segments
}

/// A piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    Text(&'a str),
    /// The base64 of the input at that place.
    Input(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_their_ratios() {
        for (text, size, ratio) in [
            ("1280x720", Size::new(1280, 720), (16, 9)),
            ("1024*1024", Size::new(1024, 1024), (1, 1)),
            ("640 × 960", Size::new(640, 960), (2, 3)),
        ] {
            let read: Size = text.parse().unwrap();
            assert_eq!((read, read.ratio()), (size, ratio));
        }
        for text in ["", "1x", "0x5", "-1x5", "1x2x3", "big", "99999999999x1"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn marks_are_found_again_and_no_others() {
        let (own, other) = (mark(INPUT, 7, 12), mark(INPUT, 8, 12));
        let text = format!("{{\"a\":\"{own}\",\"b\":\"{other}\"}}");
        let segments = split_at_inputs(&text, 7);
        assert_eq!(segments[0], Segment::Text("{\"a\":\""));
        assert_eq!(segments[1], Segment::Input(12));
        let rest = format!("\",\"b\":\"{other}\"}}");
        assert_eq!(segments[2..], [Segment::Text(rest.as_str())]);
        assert_eq!(part_at(&part_mark(7, 3), 7), Some(3));
        assert_eq!(part_at(&part_mark(8, 3), 7), None);
        assert_eq!(part_at("é", 7), None);
    }
}
