//! The encodings that are built in. In the binary `o200k` takes 32 MB and `cl100k` 15 MB. When one is first needed it is
//! decoded into as much memory again, and its part of the binary is read in; until then it costs nothing.

use std::sync::OnceLock;

use bpe_openai::Tokenizer;

/// One of OpenAI's published encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Of GPT-4, GPT-3.5 and the embedding models.
    Cl100k,
    /// Of GPT-4o and what came after it.
    O200k,
}

static CL100K: OnceLock<&'static Tokenizer> = OnceLock::new();
static O200K: OnceLock<&'static Tokenizer> = OnceLock::new();

impl Encoding {
    /// The tokens of `text`, in time linear in its length. Texts that look like special tokens are counted as the
    /// plain text that they are. The first call loads the encoding.
    #[must_use]
    pub fn count(self, text: &str) -> u64 {
        let (slot, load): (_, fn() -> _) = match self {
            Self::Cl100k => (&CL100K, bpe_openai::cl100k_base),
            Self::O200k => (&O200K, bpe_openai::o200k_base),
        };
        slot.get_or_init(load).count(text) as u64
    }

    /// Whether the next [`count`](Self::count) does without the long load.
    #[must_use]
    pub fn is_loaded(self) -> bool {
        match self {
            Self::Cl100k => CL100K.get().is_some(),
            Self::O200k => O200K.get().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Encoding::{Cl100k, O200k};

    #[test]
    fn known_counts() {
        for (text, cl100k, o200k) in [
            ("", 0, 0),
            ("hello world", 2, 2),
            ("tiktoken is great!", 6, 6),
            ("antidisestablishmentarianism", 6, 6),
            ("2 + 2 = 4", 7, 7),
            ("お誕生日おめでとう", 9, 8),
            ("<|endoftext|>", 7, 7),
        ] {
            assert_eq!(
                (Cl100k.count(text), O200k.count(text)),
                (cl100k, o200k),
                "{text}"
            );
        }
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        let pieces = [
            "a", "A", " ", "\n", " \n", "字", "é", "e\u{301}", "🙂", "0", "'", "'s", "aB", "a ",
            "/", "\r\n\t ",
        ];
        for piece in pieces {
            // square time would take minutes or hours
            let text = piece.repeat((256 << 10) / piece.len());
            let begun = Instant::now();
            for encoding in [Cl100k, O200k] {
                assert!(encoding.count(&text) <= text.len() as u64);
                assert!(encoding.is_loaded());
            }
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(30), "{piece:?} took {took:?}");
        }
    }
}
