//! The models that draw, as the studio's form needs them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Map;
use troupe_actors::{catalog::Directory, credentials::Readiness, pictures::Studio};
use troupe_protocol::{
    chat::Losses,
    pictures::{Action, Input, ModelSpec, Order, Range, Size, Sizes},
};

use crate::http::pictures::draft::SHAPES;

/// A model, and what its form offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// `provider/model`
    pub id: String,
    pub name: String,
    pub provider: String,
    /// `generate`, `edit`, `upscale`, `video`.
    pub actions: Vec<&'static str>,
    /// Whether its provider could serve now.
    pub ready: bool,
    /// Sizes to choose from.
    pub sizes: Vec<Size>,
    /// Sizes beyond those, where it makes any within limits.
    pub free: Option<Free>,
    pub steps: Option<Range>,
    pub guidance: Option<Range>,
    /// Whether it is told what not to draw.
    pub negative: bool,
    /// Whether it is told a seed.
    pub seed: bool,
    /// Whether it makes one picture of an order and no more.
    pub single: bool,
    /// Input pictures at most.
    pub inputs: usize,
}

/// Limits of the sides, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Free {
    pub least: u32,
    pub most: u32,
    pub multiple: u32,
}

/// All that are known, in the order of the configuration.
#[must_use]
pub fn models(directory: &Directory) -> Vec<Model> {
    let mut models = Vec::new();
    for provider in directory.providers() {
        let Some(studio) = &provider.studio else {
            continue;
        };
        for spec in studio.specs() {
            let ready = provider.pool.readiness(&spec.upstream) == Readiness::Ready;
            models.extend(model(&provider.name, studio, spec, ready));
        }
    }
    models
}

/// The first model that talks, which is asked to improve prompts.
#[must_use]
pub fn talker(directory: &Directory) -> Option<String> {
    let mut models = directory.list();
    let talks = models.find(|model| model.kind.as_deref().is_none_or(|kind| kind == "chat"));
    talks.map(|model| model.id.to_string())
}

/// None for a model that makes neither pictures nor videos.
fn model(provider: &str, studio: &Studio, spec: &Arc<ModelSpec>, ready: bool) -> Option<Model> {
    let actions = [
        (Action::Generate, "generate"),
        (Action::Edit, "edit"),
        (Action::Upscale, "upscale"),
        (Action::ImageToVideo, "video"),
        (Action::TextToVideo, "video"),
    ];
    let does: Vec<_> = actions
        .into_iter()
        .filter(|(action, _)| spec.does(*action))
        .collect();
    let (first, _) = *does.first()?;
    let mut names: Vec<&'static str> = does.iter().map(|(_, name)| *name).collect();
    names.dedup();
    let losses = losses(studio, spec, first, 1);
    let single = losses.is_some() && self::losses(studio, spec, first, 2).is_none();
    // an order that is refused says nothing of its fields; they are offered then
    let losses = losses.unwrap_or_default();
    let tells = |field: &str| !losses.iter().any(|lost| lost == field);
    Some(Model {
        id: format!("{provider}/{}", spec.id),
        name: spec.name.clone(),
        provider: provider.to_owned(),
        actions: names,
        ready,
        sizes: sizes(&spec.sizes),
        free: free(&spec.sizes),
        steps: spec.steps,
        guidance: spec.guidance,
        negative: tells("negative_prompt"),
        seed: tells("seed"),
        single,
        inputs: spec.max_inputs,
    })
}

/// What the upstream would not be told of an order of so many pictures with everything in it; none where it would be
/// refused. Its protocol is asked, nothing is sent.
fn losses(studio: &Studio, spec: &Arc<ModelSpec>, action: Action, count: u32) -> Option<Losses> {
    let needs_picture = !matches!(action, Action::Generate | Action::TextToVideo);
    let picture = Input::File {
        mime: "image/png",
        bytes: 1,
        size: Some(Size::new(1_024, 1_024)),
    };
    let order = Order {
        action,
        model: spec.clone(),
        prompt: "?".to_owned(),
        negative_prompt: Some("?".to_owned()),
        size: None,
        exact: false,
        count,
        seed: Some(1),
        spare_seed: 1,
        steps: None,
        guidance: None,
        seconds: None,
        inputs: needs_picture.then_some(picture).into_iter().collect(),
        mask: None,
        extra: Map::new(),
        nonce: 0,
    };
    let mut losses = Losses::default();
    let begun = studio.service.begin(&Arc::new(order), &mut losses);
    begun.is_ok().then_some(losses)
}

fn sizes(sizes: &Sizes) -> Vec<Size> {
    if let Sizes::Listed(listed) = sizes {
        return listed.clone();
    }
    let usual = SHAPES.iter().map(|(_, size)| *size);
    let near = |size| match sizes {
        Sizes::Any => Some(size),
        sizes => sizes.of_shape(size),
    };
    usual.filter_map(near).collect()
}

fn free(sizes: &Sizes) -> Option<Free> {
    match sizes {
        Sizes::Any => Some(Free {
            least: 64,
            most: 8_192,
            multiple: 1,
        }),
        Sizes::Within {
            side: [least, most],
            multiple,
            ..
        } => Some(Free {
            least: *least,
            most: *most,
            multiple: (*multiple).max(1),
        }),
        Sizes::Listed(_) | Sizes::Ratios(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use troupe_actors::providers::config::ProviderConfig;

    use super::*;

    fn described(kind: &str) -> Vec<Model> {
        let config = serde_json::json!({"name": "x", "kind": kind});
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        let studio = Studio::of(&config, "http://127.0.0.1:1").unwrap();
        let specs = studio.specs();
        specs
            .filter_map(|spec| model("x", &studio, spec, true))
            .collect()
    }

    #[test]
    fn a_form_offers_what_the_model_takes() {
        let demo = described("demo").remove(0);
        assert_eq!(
            (demo.id.as_str(), &demo.actions[..]),
            ("x/demo-image", &["generate"][..])
        );
        assert!(
            demo.seed && !demo.negative && !demo.single,
            "as its protocol says"
        );
        assert!(demo.sizes.contains(&Size::new(1_024, 576)));
        assert_eq!(
            demo.free.map(|free| (free.least, free.most)),
            Some((16, 2_048))
        );
    }

    #[test]
    fn each_kind_of_work_has_its_models() {
        let gitee = described("gitee");
        for action in ["generate", "edit", "upscale"] {
            assert!(
                gitee.iter().any(|model| model.actions.contains(&action)),
                "{action}"
            );
        }
        assert!(described("modelscope").iter().all(|model| model.single));
        assert!(gitee.iter().any(|model| model.negative));
        assert!(gitee.iter().any(|model| model.steps.is_some()));
    }

    #[test]
    fn listed_sizes_are_offered_as_they_are() {
        let listed = vec![Size::new(1_024, 1_024), Size::new(1_536, 1_024)];
        let offered = Sizes::Listed(listed.clone());
        assert_eq!((sizes(&offered), free(&offered)), (listed, None));
        let ratios = Sizes::Ratios(vec![(1, 1), (16, 9)]);
        assert_eq!(
            sizes(&ratios),
            [Size::new(1_024, 1_024), Size::new(1_024, 576)]
        );
    }
}
