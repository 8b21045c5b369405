//! Providers of the environment, by the names that everybody uses.

use troupe_actors::providers::config::ProviderConfig;

use crate::config::load::{Loaded, Sources, load};

fn loaded(text: &str, pairs: &[(&str, &str)]) -> Loaded {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let loaded = load(Sources {
        file: Some(("config.toml".to_owned(), text.to_owned())),
        environment: pairs.iter().map(pair).collect(),
        flags: Vec::new(),
    });
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    loaded
}

/// The only provider of these variables.
fn switched_on(pairs: &[(&str, &str)]) -> ProviderConfig {
    let mut providers = loaded("", pairs).config.providers;
    assert_eq!(providers.len(), 1, "{providers:?}");
    providers.remove(0)
}

fn tokens(provider: &ProviderConfig) -> Vec<&str> {
    let tokens = provider.tokens.iter();
    tokens.map(|token| token.expose()).collect()
}

#[test]
fn every_usual_name_switches_its_provider_on() {
    for (variable, name, kind) in [
        ("OPENAI_API_KEY", "openai", "openai"),
        ("OPENAI_TOKENS", "openai", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic", "anthropic"),
        ("GEMINI_API_KEY", "gemini", "gemini"),
        ("GEMINI_TOKENS", "gemini", "gemini"),
        ("XAI_API_KEY", "xai", "grok"),
        ("GROK_TOKENS", "grok", "grok"),
        ("GITEE_TOKENS", "gitee", "gitee"),
        ("HUGGINGFACE_TOKENS", "huggingface", "huggingface"),
        ("MODELSCOPE_TOKENS", "modelscope", "modelscope"),
        ("ARK_API_KEY", "ark", "ark"),
        ("A4F_TOKENS", "a4f", "a4f"),
        ("MODELSLAB_TOKENS", "modelslab", "modelslab"),
    ] {
        let provider = switched_on(&[(variable, "first-token, second-token")]);
        assert_eq!(
            (provider.name.as_str(), provider.kind.as_str()),
            (name, kind),
            "{variable}"
        );
        assert_eq!(
            tokens(&provider),
            ["first-token", "second-token"],
            "{variable}"
        );
        assert!(provider.base_url.is_some(), "{variable}");
    }
}

#[test]
fn the_two_keys_of_volcengine_make_one_token() {
    let both = [("VOLC_ACCESS_KEY", "AKLT-1"), ("VOLC_SECRET_KEY", "s3cret")];
    let provider = switched_on(&both);
    assert_eq!(provider.kind, "volcengine");
    assert_eq!(tokens(&provider), ["AKLT-1|s3cret"]);
    for alone in both {
        assert_eq!(switched_on(&[alone]).kind, "demo", "{alone:?}");
    }
}

#[test]
fn the_environment_says_where_a_service_is_reached() {
    const BASE: &str = "https://relay.example/v1";
    for (base, token) in [
        ("OPENAI_API_BASE", "OPENAI_TOKENS"),
        ("GEMINI_API_BASE", "GEMINI_API_KEY"),
        ("GROK_API_BASE", "GROK_TOKENS"),
        ("GROK_API_BASE", "XAI_API_KEY"),
    ] {
        let provider = switched_on(&[(base, BASE), (token, "a-token")]);
        assert_eq!(provider.base_url.as_deref(), Some(BASE), "{base}");
        let blank = switched_on(&[(base, " "), (token, "a-token")]);
        assert_ne!(blank.base_url.as_deref(), Some(BASE), "{base}");
    }
    assert_eq!(switched_on(&[("OPENAI_API_BASE", BASE)]).kind, "demo");
}

#[test]
fn addresses_of_the_file_and_of_other_services_stay() {
    let text = r#"
[[provider]]
name = "mine"
preset = "openai"
base_url = "https://own.example/v1"
tokens = ["a-token"]
[[provider]]
name = "groq"
tokens = ["a-token"]
"#;
    let base = ("OPENAI_API_BASE", "https://relay.example/v1");
    let providers = loaded(text, &[base]).config.providers;
    let bases: Vec<_> = providers
        .iter()
        .map(|provider| provider.base_url.as_deref())
        .collect();
    assert_eq!(
        bases,
        [
            Some("https://own.example/v1"),
            Some("https://api.groq.com/openai/v1")
        ]
    );
}

#[test]
fn origins_of_the_environment_are_a_list() {
    for (value, origins) in [
        ("*", &["*"][..]),
        (
            "https://a.example, https://b.example",
            &["https://a.example", "https://b.example"],
        ),
    ] {
        let config = loaded("", &[("ALLOWED_ORIGINS", value)]).config;
        assert_eq!(config.server.cors_origins, origins);
    }
}
