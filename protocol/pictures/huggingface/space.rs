//! Where a Space is, and whether it may see the token.

use serde_json::Value;

use super::super::{Auth, ModelSpec, Settings};

/// Where Hugging Face runs Spaces.
const SPACES: &str = "https://{host}.hf.space";
const SPACE_HOSTS: &str = ".hf.space";

/// A Gradio app's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Space {
    /// Without a slash at its end.
    pub url: String,
    /// Whether the token goes there.
    pub trusted: bool,
}

impl Space {
    /// The one of a model's configuration.
    ///
    /// # Errors
    /// What is wrong with that.
    pub fn of(model: &ModelSpec, settings: &Settings) -> Result<Self, &'static str> {
        let space = model.options.get("space").and_then(Value::as_str);
        let space = space.ok_or("set `space` to `owner/name` or to an address")?;
        let mut found = if space.starts_with("https://") || space.starts_with("http://") {
            Self::at(space, settings)
        } else {
            let host = subdomain(space).ok_or("`space` is `owner/name` or an address")?;
            let url = url_template(settings).replace("{host}", &host);
            Self { url, trusted: true }
        };
        found.trusted &= model.options.get("send_token") != Some(&Value::Bool(false));
        Ok(found)
    }

    /// The one at an address.
    pub fn at(url: &str, settings: &Settings) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        let host = host_of(&url);
        let known = host.ends_with(SPACE_HOSTS)
            || url_template(settings) == url
            || trusted_hosts(settings).any(|trusted| trusted == host);
        Self {
            trusted: known,
            url,
        }
    }

    pub fn auth(&self) -> Auth {
        match self.trusted {
            true => Auth::Bearer,
            false => Auth::None,
        }
    }

    /// Whether a link leads to this Space.
    pub fn has(&self, link: &str) -> bool {
        let rest = link.strip_prefix(&self.url);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The address of all Spaces, with `{host}` for each one's part.
pub(super) fn url_template(settings: &Settings) -> &str {
    let url = settings.option("space_url").unwrap_or(SPACES);
    url.trim_end_matches('/')
}

/// Hosts of the operator's own Gradio apps that may see the token.
pub(super) fn trusted_hosts(settings: &Settings) -> impl Iterator<Item = &str> {
    let hosts = settings.options.get("trusted_hosts");
    let hosts = hosts.and_then(Value::as_array).into_iter().flatten();
    hosts.filter_map(Value::as_str)
}

/// The host of an address, with its port where it has one.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// `Black-Forest-Labs/FLUX.1-schnell` is at `black-forest-labs-flux-1-schnell`.
fn subdomain(space: &str) -> Option<String> {
    let (owner, name) = space.split_once('/')?;
    let valid = !owner.is_empty() && !name.is_empty() && !name.contains('/');
    let part = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
        _ => '-',
    };
    valid.then(|| space.chars().map(part).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn found(options: &Value, provider: &Value) -> Result<Space, &'static str> {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
        let model = ModelSpec {
            options: map(options),
            ..ModelSpec::default()
        };
        let settings = Settings {
            base_url: String::new(),
            options: map(provider),
        };
        Space::of(&model, &settings)
    }

    #[test]
    fn spaces_are_found_and_only_some_see_the_token() {
        let own = json!({"trusted_hosts": ["gradio.example.org"]});
        for (options, provider, url, trusted) in [
            (
                json!({"space": "black-forest-labs/FLUX.1_schnell"}),
                json!({}),
                "https://black-forest-labs-flux-1-schnell.hf.space",
                true,
            ),
            (
                json!({"space": "a/b", "send_token": false}),
                json!({}),
                "https://a-b.hf.space",
                false,
            ),
            (
                json!({"space": "a/b"}),
                json!({"space_url": "http://127.0.0.1:9/spaces/{host}/"}),
                "http://127.0.0.1:9/spaces/a-b",
                true,
            ),
            (
                json!({"space": "https://x-y.hf.space/"}),
                json!({}),
                "https://x-y.hf.space",
                true,
            ),
            (
                json!({"space": "https://hf.space.evil.org/x.hf.space"}),
                json!({}),
                "https://hf.space.evil.org/x.hf.space",
                false,
            ),
            (
                json!({"space": "https://gradio.example.org/app"}),
                own,
                "https://gradio.example.org/app",
                true,
            ),
        ] {
            let space = found(&options, &provider).unwrap();
            assert_eq!((space.url.as_str(), space.trusted), (url, trusted));
        }
        for options in [
            json!({}),
            json!({"space": "alone"}),
            json!({"space": "a/b/c"}),
        ] {
            assert!(found(&options, &json!({})).is_err(), "{options}");
        }
    }

    #[test]
    fn links_of_other_hosts_are_not_its_own() {
        let space = found(&json!({"space": "a/b"}), &json!({})).unwrap();
        assert!(space.has("https://a-b.hf.space/gradio_api/file=/tmp/x.png"));
        assert!(!space.has("https://a-b.hf.space.evil.org/file=/tmp/x.png"));
        assert!(!space.has("https://a-b.hf.space@evil.org/"));
    }
}
