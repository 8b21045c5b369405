//! The door: checks, connects, follows redirects.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_rt::time::{Instant, timeout};
use awc::{
    ClientRequest, ClientResponse,
    error::{ConnectError, SendRequestError},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;

use super::{
    config::EgressConfig,
    error::EgressError,
    resolve::{self, Lookup},
    target::{Exempt, Target, is_allowed},
};
use crate::providers::{
    body::{Alarm, UpstreamBody, content_length},
    client::{Purpose, client_for},
    exchange::{USER_AGENT, retry_after},
};

/// The most addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// Opens links under the rules of `[egress]`. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    config: Arc<EgressConfig>,
    exempt: Arc<[Exempt]>,
    lookup: Lookup,
}

/// What a link led to; its body is still to come.
pub struct Fetched {
    /// Of any kind but a redirect that was followed.
    pub status: u16,
    pub content_type: Option<HeaderValue>,
    /// When to come back, where the server said it.
    pub retry_after: Option<Duration>,
    /// In bytes, where the server said it.
    pub length: Option<u64>,
    /// Ends with `TooLarge` beyond `egress.max_bytes`.
    pub body: UpstreamBody,
}

struct Call {
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Guard {
    /// A guard for the links of clients. Of `allow_hosts` what cannot be read is left out: the check of the
    /// configuration names it.
    #[must_use]
    pub fn new(config: &EgressConfig) -> Self {
        let exempt = config.allow_hosts.iter();
        Self {
            config: Arc::new(config.clone()),
            exempt: exempt.filter_map(|host| Exempt::parse(host)).collect(),
            lookup: resolve::system(),
        }
    }

    /// A guard that opens these hosts as well, whatever their address: for the links in the answer of an
    /// upstream, which the operator trusts to link to itself. Never for the links of clients, who could
    /// then ask an upstream of the operator's own network for anything.
    #[must_use]
    pub fn trusting(&self, hosts: impl IntoIterator<Item = Exempt>) -> Self {
        let known = self.exempt.iter().cloned();
        Self {
            exempt: known.chain(hosts).collect(),
            ..self.clone()
        }
    }

    /// The same guard with another way to find addresses.
    #[must_use]
    pub fn resolving(self, lookup: Lookup) -> Self {
        Self { lookup, ..self }
    }

    /// Checks as far as the text tells: form, scheme, port, addresses. Asks for no name.
    ///
    /// # Errors
    /// [`EgressError`].
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        self.read(url).map(|_| ())
    }

    /// Asks for `url` and follows its redirects; the body is not read yet.
    ///
    /// # Errors
    /// [`EgressError`]. An answer of any status is none.
    pub async fn get(&self, url: &str) -> Result<Fetched, EgressError> {
        let call = Call {
            method: Method::GET,
            headers: vec![(header::ACCEPT, HeaderValue::from_static("*/*"))],
            body: Bytes::new(),
        };
        let end = self.end();
        let mut target = self.read(url)?;
        for _ in 0..=self.config.max_redirects {
            let response = self.open(&target, &call, end).await?;
            let Some(location) = redirected(&response) else {
                return self.arrived(target, response, end);
            };
            target = target.redirected(&location, &self.config, &self.exempt)?;
        }
        let host = target.host;
        Err(EgressError::TooManyRedirects { host })
    }

    /// Posts `body` to `url`. A redirect is an answer like any other: what is signed for one receiver is not
    /// carried to another.
    ///
    /// # Errors
    /// [`EgressError`]. An answer of any status is none.
    pub async fn post(
        &self,
        url: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<Fetched, EgressError> {
        let call = Call {
            method: Method::POST,
            headers,
            body,
        };
        let end = self.end();
        let target = self.read(url)?;
        let response = self.open(&target, &call, end).await?;
        self.arrived(target, response, end)
    }

    /// Checks a URL and asks for the addresses of its host; connects to none.
    ///
    /// # Errors
    /// [`EgressError`] of the kinds that need no connection.
    pub async fn vet(&self, url: &str) -> Result<(), EgressError> {
        let target = self.read(url)?;
        self.addresses(&target, self.end()).await.map(|_| ())
    }

    /// The same guard with other waits and sizes; where it may go stays as it is.
    #[must_use]
    pub fn within(&self, limits: impl FnOnce(EgressConfig) -> EgressConfig) -> Self {
        Self {
            config: Arc::new(limits((*self.config).clone())),
            ..self.clone()
        }
    }

    fn end(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.config.total_ms)
    }

    fn read(&self, url: &str) -> Result<Target, EgressError> {
        Target::read(url, &self.config, &self.exempt)
    }

    /// Tries one checked address after the other until one takes the connection.
    async fn open(
        &self,
        target: &Target,
        call: &Call,
        end: Instant,
    ) -> Result<ClientResponse, EgressError> {
        let mut failed = SendRequestError::Connect(ConnectError::Disconnected);
        for address in self.addresses(target, end).await? {
            match self.send(target, address, call, end).await {
                Err(error @ SendRequestError::Connect(_)) => failed = error,
                Err(error) => return Err(unanswered(target, &error)),
                Ok(response) => return Ok(response),
            }
        }
        Err(unanswered(target, &failed))
    }

    /// The addresses to connect to; None is the name itself, to be resolved again. One bad address spoils
    /// all: whoever mixes them means harm.
    async fn addresses(
        &self,
        target: &Target,
        end: Instant,
    ) -> Result<Vec<Option<SocketAddr>>, EgressError> {
        if target.exempt {
            return Ok(vec![None]);
        }
        if let Some(address) = target.literal {
            return Ok(vec![Some(SocketAddr::new(address, target.port))]);
        }
        let wait = left(end).min(Duration::from_millis(self.config.connect_ms));
        let asked = (self.lookup)(target.host.clone(), target.port);
        let found = timeout(wait, asked).await.map_err(|_| timed_out(target))?;
        let found = found.unwrap_or_default();
        let is_good = |found: &SocketAddr| is_allowed(found.ip(), &self.config);
        if found.is_empty() || !found.iter().all(is_good) {
            return Err(target.not_public());
        }
        Ok(found.into_iter().take(ADDRESSES).map(Some).collect())
    }

    async fn send(
        &self,
        target: &Target,
        address: Option<SocketAddr>,
        call: &Call,
        end: Instant,
    ) -> Result<ClientResponse, SendRequestError> {
        let wait = left(end).min(Duration::from_millis(self.config.first_byte_ms));
        let request = call.request(target, Duration::from_millis(self.config.connect_ms));
        let request = request.timeout(wait);
        let request = match address {
            Some(address) => request.address(address),
            None => request,
        };
        if call.body.is_empty() {
            request.send().await
        } else {
            request.send_body(call.body.clone()).await
        }
    }

    fn arrived(
        &self,
        target: Target,
        response: ClientResponse,
        end: Instant,
    ) -> Result<Fetched, EgressError> {
        let length = content_length(response.headers());
        if length.is_some_and(|length| length > self.config.max_bytes) {
            return Err(EgressError::TooLarge { host: target.host });
        }
        let idle = Duration::from_millis(self.config.first_byte_ms);
        let alarm = Alarm::new(idle, left(end));
        Ok(Fetched {
            status: response.status().as_u16(),
            content_type: response.headers().get(header::CONTENT_TYPE).cloned(),
            retry_after: retry_after(response.headers()),
            length,
            body: UpstreamBody::http(response, length, alarm).at_most(self.config.max_bytes),
        })
    }
}

impl Call {
    /// On a connection of its own, since a kept one would be found by its name, not by its address.
    fn request(&self, target: &Target, connect_timeout: Duration) -> ClientRequest {
        let client = client_for(Purpose::Links, connect_timeout);
        let request = client.request(self.method.clone(), target.uri.clone());
        let mut request = request.force_close();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, USER_AGENT);
        for (name, value) in self.headers.iter().cloned() {
            headers.insert(name, value);
        }
        request
    }
}

/// Where the answer sends us, if that can be followed.
fn redirected(response: &ClientResponse) -> Option<String> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(header::LOCATION)?;
    follows.then(|| String::from_utf8_lossy(location.as_bytes()).into_owned())
}

fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

fn timed_out(target: &Target) -> EgressError {
    EgressError::Timeout {
        host: target.host.clone(),
    }
}

fn unanswered(target: &Target, error: &SendRequestError) -> EgressError {
    match error {
        SendRequestError::Timeout | SendRequestError::Connect(ConnectError::Timeout) => {
            timed_out(target)
        }
        _ => EgressError::Unreachable {
            host: target.host.clone(),
        },
    }
}
