//! What each `[[provider]]` must be, and the list as a whole.

use std::collections::HashMap;

use troupe_actors::{
    providers::{
        config::{ModelEntry, ProviderConfig},
        presets,
    },
    secrets::Secret,
};
use troupe_protocol::pictures::service;

use super::{Check, live_indices};
use crate::config::keys;

/// The upstream protocols of conversations that this build speaks.
const KINDS: &[&str] = &["openai", "openai_responses", "anthropic", "gemini"];

/// All upstream protocols that it speaks.
fn kinds() -> Vec<&'static str> {
    let drawing = service::KINDS.iter().map(|kind| kind.name);
    let drawing = drawing.filter(|name| !KINDS.contains(name));
    KINDS.iter().copied().chain(drawing).collect()
}

impl Check<'_> {
    pub(super) fn providers(&mut self, providers: &[ProviderConfig]) {
        let indices = live_indices(self.tree, "provider");
        let mut names = HashMap::new();
        let mut default = None;
        self.within("provider", |check| {
            for (provider, index) in providers.iter().zip(indices) {
                check.within(&index.to_string(), |check| {
                    check.provider(provider);
                    if names.insert(&provider.name, ()).is_some() {
                        check.error("name", "another provider has this name");
                    }
                    if provider.default
                        && let Some(first) = default.replace(&provider.name)
                    {
                        check.error(
                            "default",
                            format!("`{first}` is the default provider already"),
                        );
                    }
                });
            }
        });
    }

    fn provider(&mut self, provider: &ProviderConfig) {
        if !is_name(&provider.name) {
            self.error(
                "name",
                "must be lower-case letters, digits, - and _, and start with a letter or digit",
            );
        }
        self.kind(provider);
        self.preset(provider);
        self.within("tokens", |check| check.tokens(&provider.tokens));
        if let Some(models) = &provider.models {
            self.models(models);
        }
        if let Some(timeouts) = &provider.timeouts {
            self.within("timeouts", |check| check.timeouts(timeouts));
        }
        if let Some(pool) = &provider.pool {
            self.within("pool", |check| check.pool(pool));
        }
    }

    fn kind(&mut self, provider: &ProviderConfig) {
        let known = kinds().join(", ");
        match provider.kind.as_str() {
            // the preset that would say it does not exist: told there
            "" if provider.preset.is_some() => {}
            "" => self.error("kind", format!("missing; known are {known}")),
            "openai" | "openai_responses" | "anthropic" | "gemini" => match &provider.base_url {
                None => self.error(
                    "base_url",
                    "missing; give the URL with its version prefix, or name a preset",
                ),
                Some(url) => self.url("base_url", url, &["http", "https"]),
            },
            "demo" => {
                if provider.base_url.is_some() {
                    self.warning("base_url", "not used: the demo is built in");
                }
            }
            other if service::find(other).is_some() => {
                if let Some(url) = &provider.base_url {
                    self.url("base_url", url, &["http", "https"]);
                }
            }
            other => {
                let nearest = keys::nearest(other, &kinds()).unwrap_or_default();
                let message = format!("`{other}` is none of {known}; the nearest is `{nearest}`");
                self.error("kind", message);
            }
        }
    }

    fn preset(&mut self, provider: &ProviderConfig) {
        let Some(name) = &provider.preset else {
            return;
        };
        match presets::find(name) {
            Some(preset) if preset.needs_token && provider.tokens.is_empty() => {
                let variable = preset.env.first().copied().unwrap_or_default();
                let message = format!(
                    "no token; {} answers none without (or set {variable})",
                    preset.title
                );
                self.warning("tokens", message);
            }
            Some(_) => {}
            None => {
                let known: Vec<&str> = presets::all().map(|preset| preset.name).collect();
                let nearest = keys::nearest(name, &known).unwrap_or_default();
                self.error(
                    "preset",
                    format!("no preset `{name}`; the nearest is `{nearest}`"),
                );
            }
        }
    }

    /// Tokens are told apart by their position, never by their value.
    fn tokens(&mut self, tokens: &[Secret]) {
        let mut seen = HashMap::new();
        for (index, token) in tokens.iter().enumerate() {
            let key = index.to_string();
            if token.expose().is_empty() {
                self.error(&key, "must not be empty");
            } else if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                self.error(
                    &key,
                    "holds a space or a character that no HTTP header can carry",
                );
            } else if let Some(first) = seen.insert(token.expose(), index) {
                self.warning(&key, format!("the same as tokens[{first}]"));
            }
        }
    }

    fn models(&mut self, models: &[ModelEntry]) {
        if models.is_empty() {
            self.warning(
                "models",
                "empty, so it serves nothing; leave it out to ask the upstream",
            );
        }
        let mut seen = HashMap::new();
        self.within("models", |check| {
            for (index, model) in models.iter().enumerate() {
                let key = index.to_string();
                let id = match model {
                    ModelEntry::Id(id) => id,
                    ModelEntry::Full(config) => &config.id,
                };
                if id.trim().is_empty() || id.trim() != id {
                    check.error(&key, "an id must not be empty or have spaces around it");
                } else if let Some(first) = seen.insert(id, index) {
                    check.warning(&key, format!("the same id as models[{first}]"));
                }
            }
        });
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.as_bytes().first().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(&byte) || matches!(byte, b'-' | b'_'))
}
