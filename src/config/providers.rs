//! Completes the list of providers: presets, providers that the environment switches on or moves, the built-in
//! demo, and what a provider inherits from `[timeouts]` and `[pool]`.

use troupe_actors::providers::presets::{self, Preset};

use super::{
    environment::{Environment, place},
    tree::{Node, Place, Value},
};

const KEY: &str = "provider";

/// Variables that say where a service is reached instead, version prefix included, and its presets.
const BASES: &[(&str, &[&str])] = &[
    ("OPENAI_API_BASE", &["openai"]),
    ("GEMINI_API_BASE", &["gemini"]),
    ("GROK_API_BASE", &["xai", "grok"]),
];

/// Adds tokens and providers of the environment, the demo where there is no provider at all, and what
/// presets know. To be called before decoding.
pub fn complete(tree: &mut Node, environment: &Environment) {
    let Some(list) = list_mut(tree) else {
        // not a list: decoding will say so
        return;
    };
    for preset in presets::all() {
        if let Some((name, tokens)) = environment.first_of(preset.env) {
            switch_on(list, &preset, &tokens, &place(name));
        }
    }
    if list.is_empty() {
        list.push(demo());
    }
    for provider in list {
        if let Some(preset) = preset_of(provider) {
            move_base(provider, &preset, environment);
            fill_from_preset(provider, &preset);
        }
    }
}

/// Copies what a provider's own `timeouts` and `pool` leave out from the sections of that name. To be
/// called after faulty values were found, so that none is reported once per provider.
pub fn inherit(tree: &mut Node) {
    for section in ["timeouts", "pool"] {
        let Some(shared) = tree.child(section).and_then(Node::entries).cloned() else {
            continue;
        };
        for provider in list_mut(tree).into_iter().flatten() {
            let own = provider
                .entries_mut()
                .and_then(|keys| keys.get_mut(section));
            let Some(own) = own.and_then(Node::entries_mut) else {
                continue;
            };
            for (key, value) in &shared {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
}

/// The list of providers, made where it is absent.
fn list_mut(tree: &mut Node) -> Option<&mut Vec<Node>> {
    let list = tree.entries_mut()?.entry(KEY.to_owned()).or_insert(Node {
        value: Value::List(Vec::new()),
        place: Place::BuiltIn,
    });
    match &mut list.value {
        Value::List(items) => Some(items),
        _ => None,
    }
}

/// Hands tokens to the configured providers of this service that have none, or adds one.
fn switch_on(list: &mut Vec<Node>, preset: &Preset, tokens: &str, place: &Place) {
    let tokens = Node {
        value: Value::Untyped(tokens.to_owned()),
        place: place.clone(),
    };
    let mut configured = false;
    for provider in list.iter_mut().filter(|provider| is_of(provider, preset)) {
        configured = true;
        let has_tokens = match provider.child("tokens").map(|tokens| &tokens.value) {
            None => false,
            Some(Value::List(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if !has_tokens {
            provider.insert(&["tokens"], tokens.clone());
        }
    }
    if !configured {
        let mut provider = Node::table(place.clone());
        provider.insert(&["name"], Node::text(preset.name, place.clone()));
        provider.insert(&["preset"], Node::text(preset.name, place.clone()));
        provider.insert(&["tokens"], tokens);
        list.push(provider);
    }
}

fn text_of<'a>(provider: &'a Node, key: &str) -> Option<&'a str> {
    provider.child(key)?.as_text()
}

fn is_of(provider: &Node, preset: &Preset) -> bool {
    text_of(provider, "name") == Some(preset.name)
        || text_of(provider, "preset").and_then(presets::find) == Some(*preset)
}

/// The preset that a provider names, or that goes by its name where it says nothing else of its upstream.
fn preset_of(provider: &Node) -> Option<Preset> {
    if let Some(named) = text_of(provider, "preset") {
        return presets::find(named);
    }
    let kind = text_of(provider, "kind").filter(|kind| !is_widespread(kind));
    if let Some(kind) = kind {
        return presets::all().find(|preset| preset.kind == kind);
    }
    let says_nothing = provider.child("base_url").is_none()
        && text_of(provider, "kind").is_none_or(|kind| kind == "openai");
    presets::find(text_of(provider, "name")?).filter(|_| says_nothing)
}

/// Whether many services speak a protocol, so that its name does not say where they are.
fn is_widespread(kind: &str) -> bool {
    ["openai", "openai_responses", "anthropic", "gemini"].contains(&kind)
}

/// Sets the address that the environment names, unless the file names one.
fn move_base(provider: &mut Node, preset: &Preset, environment: &Environment) {
    let mut bases = BASES.iter();
    let Some((name, _)) = bases.find(|(_, presets)| presets.contains(&preset.name)) else {
        return;
    };
    let Some((name, url)) = environment.first_of(&[name]) else {
        return;
    };
    if provider.child("base_url").is_none() {
        provider.insert(&["base_url"], Node::text(&url, place(name)));
    }
}

fn fill_from_preset(provider: &mut Node, preset: &Preset) {
    let place = provider.place.clone();
    let known = [
        ("kind", Value::Text(preset.kind.to_owned())),
        ("base_url", Value::Text(preset.base_url.to_owned())),
        ("ask_stream_usage", Value::Bool(preset.ask_stream_usage)),
        ("openai_fields", Value::Bool(preset.openai_fields)),
    ];
    for (key, value) in known {
        if provider.child(key).is_none() {
            let place = place.clone();
            provider.insert(&[key], Node { value, place });
        }
    }
}

fn demo() -> Node {
    let mut provider = Node::table(Place::BuiltIn);
    for key in ["name", "kind"] {
        provider.insert(&[key], Node::text("demo", Place::BuiltIn));
    }
    provider
}

#[cfg(test)]
mod tests;
