//! What is wanted, before it is known who serves it.

use std::sync::Arc;

use serde_json::{Map, Value};
use troupe_actors::{pictures::PicturesConfig, providers::provider::Provider};
use troupe_protocol::{
    openai::request_error::RequestError,
    pictures::{Action, Input, ModelSpec, Order, Size, spec::refused},
};

use super::form::Given;
use crate::http::services::Services;

/// A client's wish.
pub struct Draft {
    pub action: Action,
    /// As the client named it.
    pub model: String,
    pub prompt: String,
    pub negative_prompt: Option<String>,
    pub shape: Shape,
    pub count: u32,
    pub seed: Option<u64>,
    pub steps: Option<u32>,
    pub guidance: Option<f64>,
    pub seconds: Option<f64>,
    pub inputs: Vec<Given>,
    /// Its place among the inputs.
    pub mask: Option<usize>,
    pub extra: Map<String, Value>,
    pub nonce: u64,
}

/// How large it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As the upstream likes.
    Open,
    Exact(Size),
    /// Of the shape of that size, about so large; `hd` = larger, where the model can.
    Like {
        size: Size,
        hd: bool,
    },
}

/// The sizes that stand for shapes, as Imagine Server and its client have them.
pub const SHAPES: [(&str, Size); 9] = [
    ("1:1", Size::new(1024, 1024)),
    ("16:9", Size::new(1024, 576)),
    ("4:3", Size::new(1024, 768)),
    ("3:2", Size::new(960, 640)),
    ("5:4", Size::new(1040, 832)),
    ("4:5", Size::new(832, 1040)),
    ("9:16", Size::new(576, 1024)),
    ("3:4", Size::new(768, 1024)),
    ("2:3", Size::new(640, 960)),
];

impl Shape {
    /// The shape of an aspect ratio such as `16:9`.
    ///
    /// # Errors
    /// Names the known ones.
    pub fn of_ratio(ratio: &str, hd: bool) -> Result<Self, RequestError> {
        let mut shapes = SHAPES.iter();
        match shapes.find(|(name, _)| *name == ratio.trim()) {
            Some((_, size)) => Ok(Self::Like { size: *size, hd }),
            None => {
                let known = SHAPES.map(|(name, _)| name).join(", ");
                Err(refused("ar", format!("write one of {known}")))
            }
        }
    }

    fn size(self, spec: &ModelSpec) -> Result<Option<Size>, RequestError> {
        let (wished, hd) = match self {
            Self::Open => return Ok(None),
            Self::Exact(size) => return Ok(Some(size)),
            Self::Like { size, hd } => (size, hd),
        };
        let scale = spec.hd.filter(|_| hd).unwrap_or(1.0);
        let scaled = |side: u32| (f64::from(side) * scale).round() as u32;
        let wished = Size::new(scaled(wished.width), scaled(wished.height));
        let size = spec.sizes.of_shape(wished);
        size.map(Some).ok_or_else(|| {
            let (width, height) = wished.ratio();
            let message = format!("{width}:{height} is none; this model makes {}", spec.sizes);
            refused("ar", message)
        })
    }
}

impl Draft {
    /// Whether it keeps to what the operator allows.
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn check(&self, config: &PicturesConfig) -> Result<(), RequestError> {
        if self.count == 0 || self.count > config.max_count {
            return Err(refused("n", format!("write 1 to {}", config.max_count)));
        }
        if self.prompt.chars().count() > config.max_prompt_chars {
            let most = config.max_prompt_chars;
            return Err(refused(
                "prompt",
                format!("write {most} characters at most"),
            ));
        }
        if self.inputs.len() > config.max_inputs {
            let most = config.max_inputs;
            return Err(refused("image", format!("give {most} pictures at most")));
        }
        Ok(())
    }

    /// The order for a model, which it may not keep to yet.
    ///
    /// # Errors
    /// A shape that the model does not make.
    pub fn order(&self, model: Arc<ModelSpec>) -> Result<Order, RequestError> {
        Ok(Order {
            action: self.action,
            prompt: self.prompt.clone(),
            negative_prompt: self.negative_prompt.clone(),
            size: self.shape.size(&model)?,
            exact: matches!(self.shape, Shape::Exact(_)),
            count: self.count,
            seed: self.seed,
            spare_seed: (self.nonce >> 33) as u32,
            steps: self.steps,
            guidance: self.guidance,
            seconds: self.seconds,
            inputs: self.inputs.iter().map(input).collect(),
            mask: self.mask,
            extra: self.extra.clone(),
            nonce: self.nonce,
            model,
        })
    }
}

fn input(given: &Given) -> Input {
    match given {
        Given::Link(url) => Input::Link(url.clone()),
        Given::Bytes(bytes) => Input::File {
            mime: "application/octet-stream",
            bytes: bytes.len() as u64,
            size: None,
        },
        Given::File(file) => Input::File {
            mime: file
                .format()
                .map_or("application/octet-stream", |format| format.mime()),
            bytes: file.bytes(),
            size: file
                .pixels()
                .map(|(width, height)| Size::new(width, height)),
        },
    }
}

/// The providers that draw.
pub fn drawing(services: &Services) -> Vec<Arc<Provider>> {
    let directory = services.catalog.directory();
    let providers = directory
        .providers()
        .filter(|provider| provider.studio.is_some());
    providers.cloned().collect()
}

/// The description of the model that a target's id names.
pub fn spec_of(provider: &Provider, id: &str) -> Option<Arc<ModelSpec>> {
    let id = id.split_once('/').map_or(id, |(_, id)| id);
    provider.studio.as_ref().map(|studio| studio.spec(id))
}
