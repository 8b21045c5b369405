//! `storage.kv_url`: which key-value store.

use crate::secrets::Secret;

use super::KvError;

/// The forms that [`KvUrl::parse`] accepts, for error texts.
const FORMS: &str =
    "use memory:// (or memory://?max_entries=100000) or redis://[user:password@]host[:port][/db]";

/// Entries that the store in memory holds unless the URL says otherwise.
const MAX_ENTRIES: usize = 100_000;

/// A checked URL of a key-value store. Its `Debug` shows no password.
#[derive(Debug, Clone)]
pub enum KvUrl {
    /// In this process, gone with it.
    Memory {
        /// The most entries held; beyond that those go that would expire soonest.
        max_entries: usize,
    },
    /// A Redis server. The binary speaks no TLS to it: use a local or tunnelled server.
    Redis(Secret),
}

impl KvUrl {
    /// Reads `text`; connects to nothing.
    ///
    /// # Errors
    /// [`KvError::Url`], which names the allowed forms and repeats no part of the URL but its scheme.
    pub fn parse(text: &str) -> Result<Self, KvError> {
        let url = url::Url::parse(text).map_err(|error| wrong(&format!("is no URL ({error})")))?;
        match url.scheme() {
            "memory" => memory(&url),
            "redis" => {
                let client = redis::Client::open(text);
                client.map_err(|_| wrong("is not understood by the redis client"))?;
                Ok(Self::Redis(Secret::from(text.to_owned())))
            }
            "rediss" => Err(wrong("asks for TLS, which is not built in")),
            other => Err(wrong(&format!("has the unknown scheme `{other}`"))),
        }
    }
}

fn memory(url: &url::Url) -> Result<KvUrl, KvError> {
    let mut max_entries = MAX_ENTRIES;
    for (key, value) in url.query_pairs() {
        max_entries = match value.parse() {
            Ok(count) if key == "max_entries" && count > 0 => count,
            _ => {
                return Err(wrong(
                    "has an option that is not max_entries=<a positive number>",
                ));
            }
        };
    }
    if url.has_host() || !matches!(url.path(), "" | "/") {
        return Err(wrong("names a place, but memory:// has none"));
    }
    Ok(KvUrl::Memory { max_entries })
}

fn wrong(what: &str) -> KvError {
    KvError::Url(format!("storage.kv_url {what}: {FORMS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_picks_the_store() {
        assert!(matches!(
            KvUrl::parse("memory://"),
            Ok(KvUrl::Memory {
                max_entries: MAX_ENTRIES
            })
        ));
        assert!(matches!(
            KvUrl::parse("memory://?max_entries=7"),
            Ok(KvUrl::Memory { max_entries: 7 })
        ));
        let redis = KvUrl::parse("redis://joe:secret@host:6380/2").unwrap();
        assert!(matches!(redis, KvUrl::Redis(_)) && !format!("{redis:?}").contains("secret"));
    }

    #[test]
    fn wrong_urls_name_the_forms_that_work_and_show_no_password() {
        let wrong = [
            "",
            "memory",
            "memory://host",
            "memory://?max_entries=0",
            "memory://?x=1",
            "memcached://joe:secret@h",
            "rediss://joe:secret@h",
            "redis://joe:secret@h/name",
            "redis://joe:secret@h:port",
        ];
        for text in wrong {
            let error = KvUrl::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("memory://") && error.contains("redis://["),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
