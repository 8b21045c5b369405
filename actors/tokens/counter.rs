//! Counting, off the caller's thread where it takes long, and remembering.

use std::{num::NonZero, sync::Arc, thread};

use prometheus_client::{metrics::counter::Counter, registry::Registry};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::{Encoding, Family, Prompt, config::TokensConfig};

/// Estimates the tokens of prompts. Cheap to clone; all clones share the cache.
#[derive(Clone, Debug)]
pub struct TokenCounter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    known: Known,
    /// Long prompts that are counted at a time, so that they do not take all cores from the streams.
    turns: Arc<Semaphore>,
}

/// Below this a prompt is counted by the thread that asks, which then takes less than to ask another.
const INLINE_BYTES: usize = 4 << 10;
/// Shorter texts are counted faster than looked up.
const CACHED_BYTES: usize = 64;
/// Bytes of an average token, for the one case that nothing could be counted.
const BYTES_PER_TOKEN: u64 = 4;

impl TokenCounter {
    /// A counter that remembers as much as `config` says.
    #[must_use]
    pub fn new(config: &TokensConfig) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Inner {
            known: Known::new(config.cache_entries),
            turns: Arc::new(Semaphore::new(cores.div_ceil(2))),
        }))
    }

    /// Makes the cache's counters part of what `registry` exposes.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_token_cache_hits",
            "Texts whose token count was remembered",
            self.0.known.hits.clone(),
        );
        registry.register(
            "troupe_token_cache_misses",
            "Texts of some length whose tokens were counted",
            self.0.known.misses.clone(),
        );
    }

    /// How many tokens a model of `family` would take `prompt` for: an estimate, see [`family`](super::family).
    /// A long prompt is counted on a thread of the blocking pool, some of them at a time; one whose future was
    /// dropped is not begun.
    pub async fn count(&self, family: Family, prompt: Prompt) -> u64 {
        let measure = family.measure();
        let (messages, tools, images) = (prompt.messages, prompt.tools, prompt.images);
        let around = messages * measure.message
            + if messages > 0 { measure.reply } else { 0 }
            + tools * measure.tool
            + if tools > 0 { measure.tools } else { 0 }
            + images * measure.image;
        let texts = self.count_texts(measure.encoding, prompt).await;
        around + (texts * measure.percent).div_ceil(100)
    }

    async fn count_texts(&self, encoding: Encoding, prompt: Prompt) -> u64 {
        let bytes = prompt.bytes();
        if bytes < INLINE_BYTES && encoding.is_loaded() {
            return self.0.known.count_all(encoding, &prompt);
        }
        // an error would mean that it was closed, which nobody does
        let turn = self.0.turns.clone().acquire_owned().await.ok();
        let inner = self.0.clone();
        let counted = actix_rt::task::spawn_blocking(move || {
            let counted = inner.known.count_all(encoding, &prompt);
            // held until here even if nobody waits any more
            drop(turn);
            counted
        });
        counted.await.unwrap_or_else(|error| {
            log::error!("a prompt's tokens are guessed from its length: {error}");
            (bytes as u64).div_ceil(BYTES_PER_TOKEN)
        })
    }
}

/// Counts by the hash of the encoding and the text. The texts themselves are not kept.
#[derive(Debug)]
struct Known {
    counts: Cache<[u8; 32], u64>,
    hits: Counter,
    misses: Counter,
}

impl Known {
    fn new(entries: usize) -> Self {
        Self {
            counts: Cache::new(entries),
            hits: Counter::default(),
            misses: Counter::default(),
        }
    }

    fn count_all(&self, encoding: Encoding, prompt: &Prompt) -> u64 {
        prompt.texts().map(|text| self.count(encoding, text)).sum()
    }

    fn count(&self, encoding: Encoding, text: &str) -> u64 {
        if text.len() < CACHED_BYTES {
            return encoding.count(text);
        }
        let key = Sha256::new()
            .chain_update([encoding as u8])
            .chain_update(text)
            .finalize()
            .into();
        if let Some(count) = self.counts.get(&key) {
            self.hits.inc();
            return count;
        }
        self.misses.inc();
        let count = encoding.count(text);
        self.counts.insert(key, count);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(cache_entries: usize) -> TokenCounter {
        TokenCounter::new(&TokensConfig { cache_entries })
    }

    fn prompt(texts: &[&str]) -> Prompt {
        let mut prompt = Prompt::default();
        texts.iter().for_each(|text| prompt.text(text));
        prompt
    }

    /// Hits and misses.
    fn lookups(counter: &TokenCounter) -> (u64, u64) {
        let known = &counter.0.known;
        (known.hits.get(), known.misses.get())
    }

    const SENTENCE: &str =
        "The quick brown fox jumps over the lazy dog, and then it goes home to sleep until noon.";

    #[actix_rt::test]
    async fn texts_and_what_is_around_them_add_up() {
        let counter = counter(100);
        let hello = prompt(&["hello world"]);
        assert_eq!(counter.count(Family::O200k, hello.clone()).await, 2);
        assert_eq!(counter.count(Family::Cl100k, hello.clone()).await, 2);
        // 2.4, rounded up
        assert_eq!(counter.count(Family::Claude, hello.clone()).await, 3);
        let mut whole = hello;
        (whole.messages, whole.tools, whole.images) = (2, 3, 1);
        let openai = 2 + 2 * 3 + 3 + 3 * 7 + 12 + 765;
        assert_eq!(counter.count(Family::O200k, whole.clone()).await, openai);
        let claude = 3 + 2 * 4 + 3 + 3 * 12 + 346 + 1_600;
        assert_eq!(counter.count(Family::Claude, whole).await, claude);
        assert_eq!(counter.count(Family::O200k, Prompt::default()).await, 0);
    }

    #[actix_rt::test]
    async fn a_long_prompt_counts_like_its_short_parts() {
        let counter = counter(0);
        let one = counter.count(Family::O200k, prompt(&[SENTENCE])).await;
        let many = [SENTENCE; 1_000];
        assert_eq!(
            counter.count(Family::O200k, prompt(&many)).await,
            1_000 * one
        );
    }

    #[actix_rt::test]
    async fn long_texts_are_remembered_by_encoding_and_short_ones_are_not() {
        let counter = counter(100);
        let first = counter
            .count(Family::O200k, prompt(&[SENTENCE, "short"]))
            .await;
        assert_eq!(lookups(&counter), (0, 1));
        let clone = counter.clone();
        let again = clone.count(Family::O200k, prompt(&[SENTENCE, "short"]));
        assert_eq!((again.await, lookups(&counter)), (first, (1, 1)));
        // Claude counts by the same encoding, GPT-4 by another
        counter.count(Family::Claude, prompt(&[SENTENCE])).await;
        assert_eq!(lookups(&counter), (2, 1));
        counter.count(Family::Cl100k, prompt(&[SENTENCE])).await;
        assert_eq!(lookups(&counter), (2, 2));
    }

    #[actix_rt::test]
    async fn the_cache_is_bounded() {
        for entries in [0, 50] {
            let counter = counter(entries);
            for n in 0..500 {
                let text = format!("{n} {SENTENCE}");
                counter.count(Family::O200k, prompt(&[&text])).await;
            }
            // shards round it up
            assert!(counter.0.known.counts.len() <= entries + 32);
        }
    }

    #[actix_rt::test]
    async fn prompts_are_counted_from_many_sides_at_once() {
        let counter = counter(10);
        let text = SENTENCE.repeat(100);
        let counts = (0..20).map(|_| counter.count(Family::O200k, prompt(&[&text])));
        let counts = futures_util::future::join_all(counts).await;
        assert!(
            counts
                .iter()
                .all(|count| *count == counts[0] && *count > 1_000)
        );
        assert_eq!(lookups(&counter).0 + lookups(&counter).1, 20);
    }
}
