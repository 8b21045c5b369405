//! What a URL must look like, before any name is asked for.

use std::net::IpAddr;

use awc::http::Uri;
use url::{Host, Url};

use super::{
    addresses::{Reach, reach},
    config::EgressConfig,
    error::EgressError,
};

/// Longer than any link that servers take.
const LONGEST: usize = 8_192;

/// Names that lead to the machine or its own network by definition (RFC 6761, 6762, 8375, ICANN's `.internal`).
const LOCAL_NAMES: &[&str] = &["localhost", "local", "localdomain", "internal", "home.arpa"];

/// A host that is opened whatever its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempt {
    host: Host,
    /// None = every port.
    port: Option<u16>,
}

impl Exempt {
    /// Reads `host`, `host:port` or `[v6]:port`; None for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(host) = Host::parse(text) {
            return Some(Self { host, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        let host = Host::parse(host).ok()?;
        let port = Some(port.parse().ok()?);
        Some(Self { host, port })
    }

    /// The host and port of a URL, such as a provider's `base_url`.
    #[must_use]
    pub fn of_url(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        Some(Self {
            port: url.port_or_known_default(),
            host: url.host()?.to_owned(),
        })
    }

    fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        self.host == *host && self.port.is_none_or(|own| own == port)
    }
}

/// A URL that may be opened as far as its text tells.
#[derive(Debug, Clone)]
pub struct Target {
    url: Url,
    pub uri: Uri,
    /// As it is shown to the client.
    pub host: String,
    /// The address itself, where the URL holds one.
    pub literal: Option<IpAddr>,
    pub port: u16,
    /// Not to be checked any further.
    pub exempt: bool,
}

impl Target {
    /// Reads what a client gave.
    ///
    /// # Errors
    /// [`EgressError`] of the kinds that need no network.
    pub fn read(text: &str, config: &EgressConfig, exempt: &[Exempt]) -> Result<Self, EgressError> {
        // the parser would take control characters out silently
        if text.len() > LONGEST || text.contains(|c: char| c.is_control() || c == ' ') {
            return Err(EgressError::Syntax);
        }
        let url = Url::parse(text).map_err(|_| EgressError::Syntax)?;
        let target = Self::of(url, config, exempt)?;
        match target.literal {
            Some(IpAddr::V4(_)) if !target.exempt && !target.is_written_plainly(text) => {
                Err(target.not_public())
            }
            _ => Ok(target),
        }
    }

    /// Where a redirect from here leads.
    ///
    /// # Errors
    /// [`EgressError::Redirect`].
    pub fn redirected(
        &self,
        location: &str,
        config: &EgressConfig,
        exempt: &[Exempt],
    ) -> Result<Self, EgressError> {
        let url = self.url.join(location).ok();
        let target = url.and_then(|url| Self::of(url, config, exempt).ok());
        target.ok_or_else(|| EgressError::Redirect {
            host: self.host.clone(),
        })
    }

    fn of(mut url: Url, config: &EgressConfig, exempt: &[Exempt]) -> Result<Self, EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Scheme);
        }
        url.set_fragment(None);
        let target = Self::parts(url, exempt).ok_or(EgressError::Syntax)?;
        if !target.url.username().is_empty() || target.url.password().is_some() {
            return Err(EgressError::Credentials { host: target.host });
        }
        if target.exempt {
            return Ok(target);
        }
        if !config.ports.is_empty() && !config.ports.contains(&target.port) {
            let (host, port) = (target.host, target.port);
            return Err(EgressError::Port { host, port });
        }
        let allowed = match target.literal {
            Some(address) => is_allowed(address, config),
            None => config.allow_private || !is_local(&target.host),
        };
        if allowed && !target.host.ends_with('.') {
            Ok(target)
        } else {
            Err(target.not_public())
        }
    }

    /// None where the two libraries do not read the same out of it.
    fn parts(url: Url, exempt: &[Exempt]) -> Option<Self> {
        let uri: Uri = url.as_str().parse().ok()?;
        let port = url.port_or_known_default()?;
        let host = url.host()?;
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        let exempt = exempt.iter().any(|exempt| exempt.covers(&host, port));
        let host = url.host_str()?.to_owned();
        let agreed = uri.host() == Some(&host) && uri.port_u16().or(Some(port)) == Some(port);
        agreed.then_some(Self {
            url,
            uri,
            host,
            literal,
            port,
            exempt,
        })
    }

    /// Not in decimal, octal, hex or in short, which nobody needs who means a public address.
    fn is_written_plainly(&self, text: &str) -> bool {
        let plain = format!("{}://{}", self.url.scheme(), self.host);
        let rest = text
            .get(plain.len()..)
            .filter(|_| text[..plain.len()].eq_ignore_ascii_case(&plain));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?', '#']))
    }

    /// The refusal that does not say why.
    pub fn not_public(&self) -> EgressError {
        EgressError::NotPublic {
            host: self.host.clone(),
        }
    }
}

/// Whether an address may be connected to.
pub fn is_allowed(address: IpAddr, config: &EgressConfig) -> bool {
    match reach(address) {
        Reach::Public => true,
        Reach::Private => config.allow_private,
        Reach::Never => false,
    }
}

fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    LOCAL_NAMES.iter().any(|local| {
        host.strip_suffix(local)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}
