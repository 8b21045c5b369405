//! Services that are known by name, so that a token is all they need.

use troupe_protocol::pictures::{Kind, service};

/// What is known of a service before anybody configures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// What `preset = "…"` says, and the provider's name when the environment switches it on.
    pub name: &'static str,
    /// How people call it.
    pub title: &'static str,
    /// The upstream protocol, as in `kind = "…"`.
    pub kind: &'static str,
    /// Includes the version prefix.
    pub base_url: &'static str,
    /// Environment variables that hold its tokens, the usual one first. Empty for what runs at home.
    pub env: &'static [&'static str],
    /// Whether it refuses requests without a token.
    pub needs_token: bool,
    /// The default of `ask_stream_usage`: whether `stream_options.include_usage` is understood.
    pub ask_stream_usage: bool,
    /// The default of `openai_fields`.
    pub openai_fields: bool,
}

/// A service on the network: needs a token, understands `stream_options`.
const fn hosted(
    name: &'static str,
    title: &'static str,
    base_url: &'static str,
    env: &'static [&'static str],
) -> Preset {
    Preset {
        name,
        title,
        kind: "openai",
        base_url,
        env,
        needs_token: true,
        ask_stream_usage: true,
        openai_fields: false,
    }
}

/// A server on the operator's own machine at its usual port: needs no token.
const fn local(name: &'static str, title: &'static str, base_url: &'static str) -> Preset {
    Preset {
        needs_token: false,
        ..hosted(name, title, base_url, &[])
    }
}

/// Every preset, in the order in which the environment switches them on.
pub const PRESETS: &[Preset] = &[
    Preset {
        openai_fields: true,
        ..hosted(
            "openai",
            "OpenAI",
            "https://api.openai.com/v1",
            &["OPENAI_API_KEY", "OPENAI_TOKENS"],
        )
    },
    Preset {
        kind: "anthropic",
        ..hosted(
            "anthropic",
            "Anthropic",
            "https://api.anthropic.com/v1",
            &["ANTHROPIC_API_KEY"],
        )
    },
    Preset {
        kind: "gemini",
        ..hosted(
            "gemini",
            "Google Gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            &["GEMINI_API_KEY", "GOOGLE_API_KEY", "GEMINI_TOKENS"],
        )
    },
    Preset {
        kind: "grok",
        ..hosted("xai", "xAI", "https://api.x.ai/v1", &["XAI_API_KEY"])
    },
    hosted(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com/v1",
        &["DEEPSEEK_API_KEY"],
    ),
    hosted(
        "moonshot",
        "Moonshot AI",
        "https://api.moonshot.cn/v1",
        &["MOONSHOT_API_KEY"],
    ),
    hosted(
        "dashscope",
        "Alibaba Cloud DashScope (Qwen)",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        &["DASHSCOPE_API_KEY"],
    ),
    hosted(
        "zhipu",
        "Zhipu AI",
        "https://open.bigmodel.cn/api/paas/v4",
        &["ZHIPU_API_KEY", "ZHIPUAI_API_KEY"],
    ),
    hosted(
        "siliconflow",
        "SiliconFlow",
        "https://api.siliconflow.cn/v1",
        &["SILICONFLOW_API_KEY"],
    ),
    hosted(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        &["OPENROUTER_API_KEY"],
    ),
    hosted(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        &["GROQ_API_KEY"],
    ),
    Preset {
        // answers 422 to `stream_options`, and reports usage in every stream unasked
        ask_stream_usage: false,
        ..hosted(
            "mistral",
            "Mistral AI",
            "https://api.mistral.ai/v1",
            &["MISTRAL_API_KEY"],
        )
    },
    hosted(
        "together",
        "Together AI",
        "https://api.together.xyz/v1",
        &["TOGETHER_API_KEY"],
    ),
    local("ollama", "Ollama", "http://127.0.0.1:11434/v1"),
    local("vllm", "vLLM", "http://127.0.0.1:8000/v1"),
    local("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1"),
];

/// Every service that is known by name: those above, and each kind of upstream that draws.
pub fn all() -> impl Iterator<Item = Preset> {
    let own = |kind: &&Kind| PRESETS.iter().all(|preset| preset.name != kind.name);
    let kinds = service::KINDS.iter().filter(own);
    let kinds = kinds.filter(|kind| kind.name != DEMO).map(drawing);
    PRESETS.iter().copied().chain(kinds)
}

/// It is there where nothing is configured, and needs no name.
const DEMO: &str = "demo";

fn drawing(kind: &'static Kind) -> Preset {
    Preset {
        kind: kind.name,
        needs_token: kind.needs_token,
        ..hosted(kind.name, kind.title, kind.base_url, kind.env)
    }
}

/// The preset called `name`; `qwen` is another name of `dashscope`.
#[must_use]
pub fn find(name: &str) -> Option<Preset> {
    let name = if name == "qwen" { "dashscope" } else { name };
    all().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_preset_is_complete_and_unique() {
        let mut seen = HashSet::new();
        for preset in all() {
            assert!(seen.insert(preset.name), "{} twice", preset.name);
            let url = url::Url::parse(preset.base_url).unwrap();
            assert!(!preset.base_url.ends_with('/'), "{}", preset.name);
            let is_hosted = !preset.env.is_empty();
            assert_eq!(url.scheme() == "https", is_hosted, "{}", preset.name);
            assert!(is_hosted || !preset.needs_token, "{}", preset.name);
            for name in preset.env {
                assert!(seen.insert(name), "{name} twice");
            }
        }
    }

    #[test]
    fn presets_are_found_by_name() {
        assert_eq!(find("groq").unwrap().env, ["GROQ_API_KEY"]);
        assert_eq!(find("qwen"), find("dashscope"));
        assert!(!find("mistral").unwrap().ask_stream_usage);
        assert_eq!(find("acme"), None);
    }
}
