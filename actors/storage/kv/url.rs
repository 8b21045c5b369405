//! `storage.kv_url`: which key-value store.

use std::fmt;

use url::{Url, form_urlencoded};

use crate::secrets::Secret;

use super::KvError;

/// The forms that [`KvUrl::parse`] accepts, for error texts.
const FORMS: &str = "use memory:// (or memory://?max_entries=100000), redis://[user:password@]host[:port][/db], \
     upstash://TOKEN@host[?tls=false] or cloudflare://ACCOUNT/NAMESPACE?token=TOKEN[&base_url=URL]";

/// Entries that the store in memory holds unless the URL says otherwise.
const MAX_ENTRIES: usize = 100_000;

/// Where Cloudflare's API is.
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// A checked URL of a key-value store. Its `Debug` shows no password; its `Display` is for people: the store's kind and
/// place, without what opens it.
#[derive(Debug, Clone)]
pub enum KvUrl {
    /// In this process, gone with it.
    Memory {
        /// The most entries held; beyond that those go that would expire soonest.
        max_entries: usize,
    },
    /// A Redis server. The binary speaks no TLS to it: use a local or tunnelled server.
    Redis(Secret),
    /// A Redis that Upstash runs, through its REST API.
    Upstash {
        /// `https://HOST/`, or `http://` with `tls=false`.
        base: Url,
        /// What opens it.
        token: Secret,
    },
    /// A namespace of Cloudflare KV, through Cloudflare's REST API.
    Cloudflare {
        /// `…/accounts/ACCOUNT/storage/kv/namespaces/NAMESPACE`.
        namespace: Url,
        /// What opens it.
        token: Secret,
    },
}

impl KvUrl {
    /// Reads `text`; connects to nothing.
    ///
    /// # Errors
    /// [`KvError::Url`], which names the allowed forms and repeats no part of the URL but its scheme.
    pub fn parse(text: &str) -> Result<Self, KvError> {
        let url = Url::parse(text).map_err(|error| wrong(&format!("is no URL ({error})")))?;
        match url.scheme() {
            "memory" => memory(&url),
            "redis" => {
                let client = redis::Client::open(text);
                client.map_err(|_| wrong("is not understood by the redis client"))?;
                Ok(Self::Redis(Secret::from(text.to_owned())))
            }
            "rediss" => Err(wrong("asks for TLS, which is not built in")),
            "upstash" => upstash(&url),
            "cloudflare" => cloudflare(&url),
            other => Err(wrong(&format!("has the unknown scheme `{other}`"))),
        }
    }

    /// Whether the store is a service on the internet, which takes longer to answer than a server next door.
    #[must_use]
    pub fn is_hosted(&self) -> bool {
        matches!(self, Self::Upstash { .. } | Self::Cloudflare { .. })
    }
}

impl fmt::Display for KvUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |url: &Url| {
            let port = url.port().map(|port| format!(":{port}"));
            let host = url.host_str().unwrap_or_default();
            format!("{host}{}", port.unwrap_or_default())
        };
        match self {
            Self::Memory { .. } => f.write_str("in memory"),
            Self::Redis(url) => {
                let url = Url::parse(url.expose()).map_err(|_| fmt::Error)?;
                write!(f, "redis at {}", place(&url))
            }
            Self::Upstash { base, .. } => write!(f, "upstash at {}", place(base)),
            Self::Cloudflare { namespace, .. } => {
                let name = namespace.path_segments().and_then(Iterator::last);
                let name = name.unwrap_or_default();
                write!(f, "cloudflare kv, namespace {name} at {}", place(namespace))
            }
        }
    }
}

fn memory(url: &Url) -> Result<KvUrl, KvError> {
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

/// The token is the user or the password, as in a URL of Redis.
fn upstash(url: &Url) -> Result<KvUrl, KvError> {
    let encoded = url.password().unwrap_or(url.username());
    let token = token(&decoded(encoded))?;
    let mut scheme = "https";
    for (key, value) in url.query_pairs() {
        scheme = match (&*key, &*value) {
            ("tls", "true") => "https",
            ("tls", "false") => "http",
            _ => return Err(wrong("has an option that is not tls=true or tls=false")),
        };
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| wrong("names no host"))?;
    let port = url.port().map(|port| format!(":{port}"));
    let place = format!(
        "{scheme}://{host}{}{}",
        port.unwrap_or_default(),
        url.path()
    );
    let base = Url::parse(&place).map_err(|_| wrong("names no host"))?;
    Ok(KvUrl::Upstash { base, token })
}

fn cloudflare(url: &Url) -> Result<KvUrl, KvError> {
    let mut base = CLOUDFLARE.to_owned();
    let mut found = None;
    for (key, value) in url.query_pairs() {
        match &*key {
            "token" => found = Some(token(&value)?),
            "base_url" => base = value.into_owned(),
            _ => return Err(wrong("has an option that is neither token nor base_url")),
        }
    }
    let token = found.ok_or_else(|| wrong("has no token"))?;
    let account = url.host_str().unwrap_or_default();
    let namespace = url.path().trim_matches('/');
    if ![account, namespace].iter().all(|name| is_id(name)) || url.port().is_some() {
        return Err(wrong("names no account and namespace"));
    }
    let mut namespace_url = Url::parse(&base)
        .ok()
        .filter(is_plain)
        .ok_or_else(|| wrong("has a base_url that is no plain http or https URL"))?;
    if let Ok(mut path) = namespace_url.path_segments_mut() {
        path.pop_if_empty().extend([
            "accounts",
            account,
            "storage",
            "kv",
            "namespaces",
            namespace,
        ]);
    }
    Ok(KvUrl::Cloudflare {
        namespace: namespace_url,
        token,
    })
}

/// Without a user, a password or anything behind the path.
fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
}

/// Accounts and namespaces have ids of 32 hex digits; gateways in front of them may use names.
fn is_id(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A bearer token as RFC 6750 defines it, which is what may stand in a header.
fn token(text: &str) -> Result<Secret, KvError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if text.is_empty() {
        return Err(wrong("has no token"));
    }
    if !text.bytes().all(allowed) {
        return Err(wrong("has a token with characters that no token has"));
    }
    Ok(Secret::from(text.to_owned()))
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    // the form's own two special characters stand for themselves here
    let text = text.replace('+', "%2B").replace('&', "%26");
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(text, _)| text.into_owned())
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
    fn a_token_of_upstash_is_the_user_or_the_password() {
        for text in [
            "upstash://AX-hu_sh==@eu1.upstash.io",
            "upstash://:AX-hu_sh==@eu1.upstash.io",
            "upstash://default:AX-hu_sh%3D%3D@eu1.upstash.io?tls=true",
        ] {
            let url = KvUrl::parse(text).unwrap();
            assert!(!format!("{url:?} {url}").contains("hush"), "{url:?} {url}");
            let KvUrl::Upstash { base, token } = url else {
                panic!("{text}");
            };
            assert_eq!(base.as_str(), "https://eu1.upstash.io/", "{text}");
            assert_eq!(token.expose(), "AX-hu_sh==", "{text}");
        }
        let Ok(KvUrl::Upstash { base, .. }) = KvUrl::parse("upstash://t+t@h:8080/kv?tls=false")
        else {
            panic!("without TLS");
        };
        assert_eq!(base.as_str(), "http://h:8080/kv");
    }

    #[test]
    fn a_namespace_of_cloudflare_is_a_place_below_its_api() {
        let Ok(KvUrl::Cloudflare { namespace, token }) =
            KvUrl::parse("cloudflare://0a1b/c2d3?token=hush")
        else {
            panic!("no namespace");
        };
        assert_eq!(
            namespace.as_str(),
            "https://api.cloudflare.com/client/v4/accounts/0a1b/storage/kv/namespaces/c2d3"
        );
        assert_eq!(token.expose(), "hush");
        let text = "cloudflare://a/n?base_url=http%3A%2F%2Flocalhost%3A81%2Fv4%2F&token=hush";
        let url = KvUrl::parse(text).unwrap();
        assert_eq!(
            url.to_string(),
            "cloudflare kv, namespace n at localhost:81"
        );
        assert!(!format!("{url:?}").contains("hush"));
    }

    #[test]
    fn people_see_kind_and_place_only() {
        for (text, shown) in [
            ("memory://", "in memory"),
            ("redis://joe:secret@host:6380/2", "redis at host:6380"),
            ("redis://host", "redis at host"),
            ("upstash://secret@host", "upstash at host"),
        ] {
            assert_eq!(KvUrl::parse(text).unwrap().to_string(), shown);
        }
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
            "upstash://h",
            "upstash://secret@",
            "upstash://secret%0A@h",
            "upstash://secret@h?tls=maybe",
            "cloudflare://a/n",
            "cloudflare://a?token=secret",
            "cloudflare://a/n/x?token=secret",
            "cloudflare:///n?token=secret",
            "cloudflare://a/n?token=secret&base_url=ftp://h",
            "cloudflare://a/n?token=secret&base_url=https://u:secret@h",
            "cloudflare://a/n?token=secret&x=secret",
        ];
        for text in wrong {
            let error = KvUrl::parse(text).unwrap_err().to_string();
            for form in ["memory://", "redis://[", "upstash://", "cloudflare://"] {
                assert!(error.contains(form), "{error}");
            }
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
