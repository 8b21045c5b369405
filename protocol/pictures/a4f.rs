//! A4F: many providers' models in OpenAI's dialect, called `provider-4/imagen-4` and the like.
//!
//! | what | call, relative to the base URL |
//! |---|---|
//! | a picture | `POST /images/generations` → `{"data": [{"url", "revised_prompt"?}]}` |
//!
//! A model that is not listed here is configured by its whole name, `models = ["provider-9/new"]`. Errors
//! have OpenAI's words.
//!
//! | `extra` of an order | what it is |
//! |---|---|
//! | `quality`, `style` | as with OpenAI |

use std::sync::Arc;

use super::{
    Action, Call, Errand, Failure, ModelSpec, Order, Patience, Service, Settings, Single, data,
    fields::Fields, service::Kind, spec::refused,
};
use crate::{chat::Losses, openai::request_error::RequestError};

pub(super) const KIND: Kind = Kind {
    name: "a4f",
    title: "A4F",
    base_url: "https://api.a4f.co/v1",
    env: &["A4F_TOKENS"],
    needs_token: true,
    chat: Some("/chat/completions"),
    make: |settings| Box::new(A4f { settings }),
};

/// `id`, what A4F calls it, what people call it.
const PICTURES: &[(&str, &str, &str)] = &[
    ("z-image", "provider-8/z-image", "Z-Image Turbo"),
    ("imagen-4", "provider-4/imagen-4", "Imagen 4"),
    ("imagen-3.5", "provider-4/imagen-3.5", "Imagen 3.5"),
    ("flux-schnell", "provider-4/flux-schnell", "FLUX.1 Schnell"),
];

const TEXTS: &[(&str, &str, &str)] = &[
    (
        "gemini-2.5-flash-lite",
        "provider-5/gemini-2.5-flash-lite",
        "Gemini 2.5 Flash-Lite",
    ),
    (
        "gemini-2.0-flash",
        "provider-8/gemini-2.0-flash",
        "Gemini 2.0 Flash",
    ),
    ("deepseek-v3.1", "provider-2/deepseek-v3.1", "DeepSeek V3.1"),
    (
        "deepseek-r1-0528",
        "provider-3/deepseek-r1-0528",
        "DeepSeek R1",
    ),
    ("qwen3-235b", "provider-8/qwen3-235b", "Qwen 3"),
    (
        "kimi-k2-thinking",
        "provider-8/kimi-k2-thinking",
        "Kimi K2 Thinking",
    ),
    ("glm-4.5", "provider-8/glm-4.5", "GLM 4.5"),
];

/// Fields that go along as the client wrote them.
const KNOWN: &[&str] = &["quality", "style"];

struct A4f {
    settings: Settings,
}

impl Service for A4f {
    fn models(&self) -> Vec<ModelSpec> {
        let spec = |kind: &str, (id, upstream, name): &(&str, &str, &str)| ModelSpec {
            id: (*id).to_owned(),
            upstream: (*upstream).to_owned(),
            name: (*name).to_owned(),
            types: vec![kind.to_owned()],
            per_order: 4,
            ..ModelSpec::default()
        };
        let pictures = PICTURES.iter().map(|row| spec("text2image", row));
        pictures
            .chain(TEXTS.iter().map(|row| spec("text2text", row)))
            .collect()
    }

    fn begin(
        &self,
        order: &Arc<Order>,
        losses: &mut Losses,
    ) -> Result<Box<dyn Errand>, RequestError> {
        if order.action != Action::Generate {
            return Err(refused(
                "model",
                "this provider makes pictures from words, no more",
            ));
        }
        losses.note_if(order.negative_prompt.as_ref(), "negative_prompt");
        losses.note_if(order.seed.as_ref(), "seed");
        losses.note_if(order.steps.as_ref(), "steps");
        losses.note_if(order.guidance.as_ref(), "guidance");
        let mut body = Fields::default()
            .with("model", &*order.model.upstream)
            .with("prompt", &*order.prompt)
            .with_some("n", (order.count > 1).then_some(order.count))
            .with_some("size", order.size.map(|size| size.to_string()));
        for name in order.extra.keys().filter(|name| !KNOWN.contains(&&***name)) {
            losses.note(name);
        }
        for name in KNOWN {
            body = body.with_some(name, order.extra.get(*name).cloned());
        }
        let url = format!("{}/images/generations", self.settings.base_url);
        let call = Call::post(url, body.json(), Patience::Long);
        let order = Arc::clone(order);
        Ok(Single::errand(call, move |answer| {
            if !answer.is_success() {
                return Err(Failure::of(answer));
            }
            data::read(&order, &answer.json())
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{Size, Source, testing},
        *,
    };
    use crate::failure::{FailureKind, QuotaScope};

    fn play(
        model: &str,
        change: impl FnOnce(&mut Order),
        lines: &[testing::Line],
    ) -> testing::Played {
        let service = testing::service("a4f", json!(null));
        let order = testing::order(&*service, model, Action::Generate, change);
        testing::play(&*service, &order, lines)
    }

    #[test]
    fn pictures_come_with_the_words_they_were_drawn_from() {
        let answer = json!({"data": [
            {"url": "https://cdn.test/1.png", "revised_prompt": "a shiny red apple"},
            {"b64_json": testing::part(0)},
        ]});
        let played = play(
            "imagen-4",
            |order| {
                order.count = 2;
                order.size = Some(Size::new(1024, 576));
                order.seed = Some(7);
                order.extra.insert("quality".into(), json!("hd"));
                order.extra.insert("background".into(), json!("none"));
            },
            &[testing::says(200, &answer)],
        );
        assert_eq!(played.calls[0].url, "https://up.test/v1/images/generations");
        let body = json!({
            "model": "provider-4/imagen-4", "prompt": "a red apple", "n": 2, "size": "1024x576",
            "quality": "hd",
        });
        assert_eq!(*played.json(0), body);
        assert_eq!(played.losses, ["seed", "background"]);
        let results = &played.made().results;
        let first = results[0].as_ref().unwrap();
        assert_eq!(first.revised_prompt.as_deref(), Some("a shiny red apple"));
        assert_eq!(results[1].as_ref().unwrap().source, Source::Part(0));
    }

    #[test]
    fn a_model_that_is_not_listed_goes_by_its_own_name() {
        let played = play("provider-9/new", |_| {}, &[]);
        let body = json!({"model": "provider-9/new", "prompt": "a red apple"});
        assert_eq!(*played.json(0), body);
    }

    #[test]
    fn refusals_are_openais() {
        let spent = FailureKind::QuotaExhausted {
            scope: QuotaScope::Credential,
            retry_after: None,
        };
        for (status, error, kind) in [
            (
                401,
                json!({"message": "Invalid API key"}),
                FailureKind::AuthInvalid,
            ),
            (429, json!({"code": "insufficient_quota"}), spent),
            (
                429,
                json!({"message": "slow"}),
                FailureKind::RateLimited { retry_after: None },
            ),
            (
                400,
                json!({"code": "content_policy_violation"}),
                FailureKind::ContentPolicy,
            ),
            (
                404,
                json!({"message": "no such model"}),
                FailureKind::InvalidRequest,
            ),
            (500, json!({}), FailureKind::Upstream),
        ] {
            let played = play(
                "imagen-4",
                |_| {},
                &[testing::says(status, &json!({"error": error}))],
            );
            assert_eq!(played.failure().kind, kind, "{status} {error}");
        }
        let odd = play("imagen-4", |_| {}, &[testing::says(200, &json!("<html>"))]);
        assert_eq!(odd.failure().kind, FailureKind::Upstream);
    }
}
