//! Which models count alike, and how.

use super::Encoding;

/// Models that share a tokenizer, or are near enough for an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// GPT-4o and later, the o series, and every model that is not known here.
    O200k,
    /// GPT-4, GPT-3.5 and OpenAI's embeddings.
    Cl100k,
    Claude,
    Gemini,
    DeepSeek,
    Qwen,
    Llama,
    Mistral,
}

/// How a family counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// What counts the texts.
    pub encoding: Encoding,
    /// The family's tokens for 100 of the encoding's.
    pub percent: u64,
    /// Tokens around each message.
    pub message: u64,
    /// Tokens that open the answer.
    pub reply: u64,
    /// Tokens around each tool.
    pub tool: u64,
    /// Tokens that the first tool brings with it.
    pub tools: u64,
    /// Tokens of an image, whose size is not known here.
    pub image: u64,
}

/// OpenAI's own figures, from its cookbook (messages and tools) and its guide to images: 1,024 × 1,024 pixels in high
/// detail.
const OPENAI: Measure = Measure {
    encoding: Encoding::O200k,
    percent: 100,
    message: 3,
    reply: 3,
    tool: 7,
    tools: 12,
    image: 765,
};

impl Family {
    /// The table. Only OpenAI publishes its encodings; every other row is an estimate on the high side of what
    /// mixed prose and code give, since who counts wants to stay below a limit.
    #[must_use]
    pub const fn measure(self) -> Measure {
        match self {
            Self::O200k => OPENAI,
            Self::Cl100k => Measure {
                encoding: Encoding::Cl100k,
                tool: 10,
                ..OPENAI
            },
            // 10 to 20 % more than o200k in English, more in code; Anthropic names 346 tokens for the use of tools,
            // and images are scaled down to some 1,600 at most
            Self::Claude => Measure {
                percent: 120,
                message: 4,
                tool: 12,
                tools: 346,
                image: 1_600,
                ..OPENAI
            },
            // 258 is a small image, or one tile of a large one
            Self::Gemini => Measure {
                percent: 105,
                message: 5,
                image: 258,
                ..OPENAI
            },
            Self::DeepSeek => Measure {
                percent: 105,
                message: 2,
                ..OPENAI
            },
            // role markers and line breaks; images of up to 1,280 patches
            Self::Qwen => Measure {
                percent: 105,
                message: 5,
                image: 1_280,
                ..OPENAI
            },
            Self::Llama => Measure {
                percent: 105,
                message: 5,
                ..OPENAI
            },
            Self::Mistral => Measure {
                percent: 115,
                message: 4,
                image: 1_400,
                ..OPENAI
            },
        }
    }

    /// The family of a model by its name, with or without a provider in front, in any case.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let model = model
            .rsplit('/')
            .next()
            .unwrap_or(model)
            .to_ascii_lowercase();
        let found = MARKS.iter().find(|(mark, _)| model.contains(mark));
        found.map_or(Self::O200k, |(_, family)| *family)
    }
}

/// Parts of names, the first that fits decides: what is distilled into Qwen counts like Qwen, and `gpt-4` comes after
/// the names that begin with it.
const MARKS: [(&str, Family); 22] = [
    ("claude", Family::Claude),
    ("gemini", Family::Gemini),
    ("gemma", Family::Gemini),
    ("qwen", Family::Qwen),
    ("qwq", Family::Qwen),
    ("llama", Family::Llama),
    ("deepseek", Family::DeepSeek),
    ("mistral", Family::Mistral),
    ("mixtral", Family::Mistral),
    ("ministral", Family::Mistral),
    ("codestral", Family::Mistral),
    ("devstral", Family::Mistral),
    ("magistral", Family::Mistral),
    ("pixtral", Family::Mistral),
    ("gpt-4o", Family::O200k),
    ("gpt-4.1", Family::O200k),
    ("gpt-4.5", Family::O200k),
    ("gpt-4", Family::Cl100k),
    ("gpt-3.5", Family::Cl100k),
    // as Azure writes it
    ("gpt-35", Family::Cl100k),
    ("text-embedding-3", Family::Cl100k),
    ("text-embedding-ada", Family::Cl100k),
];

#[cfg(test)]
mod tests {
    use super::{Family::*, *};

    #[test]
    fn names_find_their_family() {
        for (family, models) in [
            (
                O200k,
                &[
                    "gpt-4o",
                    "acme/gpt-4o-mini",
                    "chatgpt-4o-latest",
                    "gpt-4.1-nano",
                    "gpt-4.5-preview",
                    "gpt-5.1-codex",
                    "openai/gpt-oss-120b",
                    "o1",
                    "o3-mini",
                    "o4-mini",
                    "demo-chat",
                    "",
                ] as &[&str],
            ),
            (
                Cl100k,
                &[
                    "gpt-4",
                    "gpt-4-turbo",
                    "ft:gpt-3.5-turbo:acme",
                    "gpt-35-turbo",
                    "openai/text-embedding-3-large",
                    "text-embedding-ada-002",
                ],
            ),
            (
                Claude,
                &["claude-sonnet-4-5", "us.anthropic.Claude-3-haiku-v1:0"],
            ),
            (Gemini, &["models/gemini-2.5-pro", "gemma3:4b"]),
            (
                Qwen,
                &["Qwen/Qwen3-32B", "qwq-32b", "deepseek-r1-distill-qwen-7b"],
            ),
            (
                Llama,
                &[
                    "llama3.1:8b",
                    "meta-llama/Llama-4-Scout",
                    "DeepSeek-R1-Distill-Llama-70B",
                ],
            ),
            (DeepSeek, &["deepseek-chat", "deepseek/deepseek-reasoner"]),
            (
                Mistral,
                &[
                    "mistral-large-latest",
                    "Mixtral-8x7B",
                    "codestral-2501",
                    "pixtral-12b",
                ],
            ),
        ] {
            for model in models {
                assert_eq!(Family::of(model), family, "{model}");
            }
        }
    }

    #[test]
    fn estimates_are_corrections_of_openai_and_near_them() {
        for family in [
            O200k, Cl100k, Claude, Gemini, DeepSeek, Qwen, Llama, Mistral,
        ] {
            let measure = family.measure();
            assert!((100..=130).contains(&measure.percent), "{family:?}");
            assert!((1..=8).contains(&measure.message), "{family:?}");
            assert!((200..=1_600).contains(&measure.image), "{family:?}");
        }
        assert_eq!(Cl100k.measure().encoding, Encoding::Cl100k);
    }
}
