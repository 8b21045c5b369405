//! The URL that an upstream's paths are relative to.

use awc::http::Uri;
use derive_more::{Display, Error};

use crate::egress::Exempt;

/// An absolute http or https URL that includes the version prefix, such as `https://api.openai.com/v1`.
#[derive(Debug, Clone)]
pub struct BaseUrl {
    text: String,
}

/// The base URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("base_url must be an absolute http or https URL that includes the version prefix")]
pub struct BadBaseUrl;

impl BaseUrl {
    /// Reads it; slashes at its end do not matter.
    ///
    /// # Errors
    /// [`BadBaseUrl`].
    pub fn parse(text: &str) -> Result<Self, BadBaseUrl> {
        let text = text.trim_end_matches('/').to_owned();
        let uri: Uri = text.parse().map_err(|_| BadBaseUrl)?;
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        if web && uri.host().is_some() {
            Ok(Self { text })
        } else {
            Err(BadBaseUrl)
        }
    }

    /// The URL of a path, which begins with a slash.
    ///
    /// # Errors
    /// [`BadBaseUrl`] where the two do not make a URL.
    pub fn at(&self, path: &str) -> Result<Uri, BadBaseUrl> {
        format!("{}{path}", self.text)
            .parse()
            .map_err(|_| BadBaseUrl)
    }

    /// Its host and port, for the links that lead there.
    #[must_use]
    pub fn host(&self) -> Option<Exempt> {
        Exempt::of_url(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_must_be_absolute() {
        for bad in ["", "api.example.com/v1", "ftp://x/v1", "/v1", "http://"] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_stand_behind_the_prefix_and_links_belong_to_the_host() {
        let base = BaseUrl::parse("https://api.example.com/v1/").unwrap();
        assert_eq!(
            base.at("/models").unwrap(),
            "https://api.example.com/v1/models"
        );
        assert_eq!(base.host(), Exempt::of_url("https://api.example.com/else"));
        for other in [
            "http://api.example.com/",
            "https://example.com/",
            "https://api.example.com:8443/",
        ] {
            assert_ne!(base.host(), Exempt::of_url(other), "{other}");
        }
    }
}
