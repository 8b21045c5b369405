//! What a model can do, and whether an order keeps to it: nothing is changed silently.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::order::{Action, Order, Size};
use crate::openai::request_error::RequestError;

/// A model of pictures or videos.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// What clients call it, without the provider's prefix.
    pub id: String,
    /// What the upstream calls it.
    pub upstream: String,
    /// What people call it.
    pub name: String,
    /// `text2image`, `image2image`, `text2text`, `image2video`, `text2video`, `upscaler`.
    pub types: Vec<String>,
    pub sizes: Sizes,
    pub steps: Option<Range>,
    pub guidance: Option<Range>,
    /// By how much the sides grow with `enableHD`; none where it has no such thing.
    pub hd: Option<f64>,
    /// Pictures that the upstream makes of one order. More are several orders.
    pub per_order: u32,
    /// Input pictures that it takes at most.
    pub max_inputs: usize,
    /// Whether it takes long, and the upstream runs it as a task.
    pub is_task: bool,
    /// What only its own service reads, from the configuration: `space`, `template`, `via`, ….
    pub options: Map<String, Value>,
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self {
            id: String::new(),
            upstream: String::new(),
            name: String::new(),
            types: vec![Action::Generate.model_type().to_owned()],
            sizes: Sizes::Any,
            steps: None,
            guidance: None,
            hd: None,
            per_order: 1,
            max_inputs: 1,
            is_task: false,
            options: Map::new(),
        }
    }
}

/// What a number may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The smallest and the largest.
    pub range: [f64; 2],
    pub default: f64,
}

impl Range {
    #[must_use]
    pub const fn new(least: f64, most: f64, default: f64) -> Self {
        Self {
            range: [least, most],
            default,
        }
    }

    fn check(self, param: &'static str, value: f64) -> Result<(), RequestError> {
        let [least, most] = self.range;
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(refused(
            param,
            format!("this model takes {least} to {most}"),
        ))
    }
}

/// Which sizes a model makes.
#[derive(Debug, Clone, PartialEq)]
pub enum Sizes {
    /// The upstream decides.
    Any,
    /// These alone.
    Listed(Vec<Size>),
    /// Every width and height within limits.
    Within {
        /// The shortest and the longest side.
        side: [u32; 2],
        /// Both sides are multiples of it.
        multiple: u32,
        /// The fewest and the most pixels in all.
        pixels: [u64; 2],
    },
    /// A shape is chosen, not a size: width to height in smallest whole numbers.
    Ratios(Vec<(u32, u32)>),
}

impl Sizes {
    /// Every width and height between two lengths.
    #[must_use]
    pub fn between(least: u32, most: u32) -> Self {
        Self::Within {
            side: [least, most],
            multiple: 1,
            pixels: [0, u64::MAX],
        }
    }

    /// A size of that shape: the one wished for where it is allowed, else the nearest of the same shape that
    /// is. A client that names a shape leaves the size open, so nothing that it said is changed.
    #[must_use]
    pub fn of_shape(&self, wished: Size) -> Option<Size> {
        if self.allow(wished) {
            return Some(wished);
        }
        let distance = |size: &Size| size.pixels().abs_diff(wished.pixels());
        match self {
            Self::Any | Self::Ratios(_) => None,
            Self::Listed(listed) => {
                let same = listed.iter().filter(|size| size.ratio() == wished.ratio());
                same.min_by_key(|size| distance(size)).copied()
            }
            Self::Within {
                side: [_, most], ..
            } => {
                let (width, height) = wished.ratio();
                let scales = 1..=most / width.max(height).max(1);
                let sizes = scales.map(|scale| Size::new(width * scale, height * scale));
                sizes.filter(|size| self.allow(*size)).min_by_key(distance)
            }
        }
    }

    #[must_use]
    pub fn allow(&self, size: Size) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.contains(&size),
            Self::Ratios(ratios) => ratios.contains(&size.ratio()),
            Self::Within {
                side: [least, most],
                multiple,
                pixels: [fewest, largest],
            } => {
                let fits = |side: u32| {
                    (*least..=*most).contains(&side) && side.is_multiple_of((*multiple).max(1))
                };
                let pixels = (*fewest..=*largest).contains(&size.pixels());
                fits(size.width) && fits(size.height) && pixels
            }
        }
    }
}

/// What is allowed, for a client that asked for something else.
impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any size"),
            Self::Listed(sizes) => list(f, sizes.iter()),
            Self::Ratios(ratios) => {
                f.write_str("a size of the shape ")?;
                list(
                    f,
                    ratios
                        .iter()
                        .map(|(width, height)| format!("{width}:{height}")),
                )
            }
            Self::Within {
                side: [least, most],
                multiple,
                pixels: [fewest, largest],
            } => {
                write!(f, "sides of {least} to {most}")?;
                if *multiple > 1 {
                    write!(f, " in multiples of {multiple}")?;
                }
                match (*fewest, *largest) {
                    (0, u64::MAX) => Ok(()),
                    (0, largest) => write!(f, " with at most {largest} pixels in all"),
                    (fewest, largest) => write!(f, " with {fewest} to {largest} pixels in all"),
                }
            }
        }
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    items: impl ExactSizeIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    let last = items.len().saturating_sub(1);
    for (at, item) in items.enumerate() {
        let before = match at {
            0 => "",
            at if at == last => " or ",
            _ => ", ",
        };
        write!(f, "{before}{item}")?;
    }
    Ok(())
}

impl ModelSpec {
    #[must_use]
    pub fn does(&self, action: Action) -> bool {
        self.types.iter().any(|kind| kind == action.model_type())
    }

    /// Whether the order is one that the model takes.
    ///
    /// # Errors
    /// Names the field, and what is allowed.
    pub fn check(&self, order: &Order) -> Result<(), RequestError> {
        if !self.does(order.action) {
            let does = self.types.join(", ");
            return Err(refused("model", format!("`{}` does {does} only", self.id)));
        }
        if let Some(size) = order.size
            && !self.sizes.allow(size)
        {
            return Err(refused("size", format!("this model makes {}", self.sizes)));
        }
        if let (Some(range), Some(steps)) = (self.steps, order.steps) {
            range.check("steps", f64::from(steps))?;
        }
        if let (Some(range), Some(guidance)) = (self.guidance, order.guidance) {
            range.check("guidance", guidance)?;
        }
        self.check_inputs(order)
    }

    fn check_inputs(&self, order: &Order) -> Result<(), RequestError> {
        let given = order.pictures().count();
        let needs = matches!(
            order.action,
            Action::Edit | Action::Upscale | Action::ImageToVideo
        );
        if needs && given == 0 {
            return Err(RequestError::Missing {
                param: "image".into(),
            });
        }
        if given > self.max_inputs {
            let most = self.max_inputs;
            return Err(refused(
                "image",
                format!("this model takes {most} pictures at most"),
            ));
        }
        if order.prompt.trim().is_empty()
            && matches!(
                order.action,
                Action::Generate | Action::TextToVideo | Action::Edit
            )
        {
            return Err(RequestError::Missing {
                param: "prompt".into(),
            });
        }
        Ok(())
    }
}

/// A field that is not as the model takes it.
pub fn refused(param: &'static str, expected: impl Into<String>) -> RequestError {
    RequestError::Invalid {
        param: param.into(),
        expected: expected.into().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_allow_and_tell() {
        let listed = Sizes::Listed(vec![Size::new(1024, 1024), Size::new(1536, 1024)]);
        assert!(listed.allow(Size::new(1536, 1024)) && !listed.allow(Size::new(1024, 1536)));
        assert_eq!(listed.to_string(), "1024x1024 or 1536x1024");
        let ratios = Sizes::Ratios(vec![(1, 1), (16, 9), (9, 16)]);
        assert!(ratios.allow(Size::new(1280, 720)) && !ratios.allow(Size::new(1280, 721)));
        assert_eq!(ratios.to_string(), "a size of the shape 1:1, 16:9 or 9:16");
        let within = Sizes::Within {
            side: [256, 768],
            multiple: 8,
            pixels: [0, 400_000],
        };
        assert!(within.allow(Size::new(512, 768)));
        for (width, height) in [(512, 776), (513, 512), (768, 768), (248, 512)] {
            assert!(!within.allow(Size::new(width, height)), "{width}x{height}");
        }
        assert_eq!(
            within.of_shape(Size::new(1024, 1024)),
            Some(Size::new(632, 632))
        );
        assert_eq!(
            within.of_shape(Size::new(1024, 576)),
            Some(Size::new(768, 432))
        );
        assert_eq!(
            listed.of_shape(Size::new(960, 640)),
            Some(Size::new(1536, 1024))
        );
        assert_eq!(listed.of_shape(Size::new(640, 960)), None);
        let words = "sides of 256 to 768 in multiples of 8 with at most 400000 pixels in all";
        assert_eq!(within.to_string(), words);
    }
}
