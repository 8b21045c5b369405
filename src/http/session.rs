//! Sessions of the studio: a cookie that stands for an API key, so that no browser has to keep the key itself.
//!
//! The cookie names the key's id and its own end, and is signed with the installation's key. Nothing is stored: a
//! session ends with its time, with the key, or when the browser is told to forget it.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{self, HeaderMap},
    },
};
use subtle::ConstantTimeEq as _;
use troupe_actors::{secrets::KeyedHash, supervision::Clock};

/// The cookie's name.
const COOKIE: &str = "troupe_studio";

/// Makes and reads the cookies. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    hasher: KeyedHash,
    clock: Clock,
    lifetime: Duration,
    /// The base of this gateway's own links, `https://ai.example.org`.
    public_url: String,
}

/// What a request says of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// No cookie came along.
    Nothing,
    /// Its time is over, or we never made it.
    Void,
    /// It stands for the API key of this id.
    For(String),
}

impl Sessions {
    /// `hasher` is of the domain of sessions alone.
    #[must_use]
    pub fn new(hasher: KeyedHash, clock: Clock, lifetime: Duration, public_url: &str) -> Self {
        Self {
            hasher,
            clock,
            lifetime,
            public_url: public_url.to_owned(),
        }
    }

    /// The value of `Set-Cookie` that begins a session for an API key.
    #[must_use]
    pub fn begin(&self, key_id: &str) -> String {
        let ends_ms = self.clock.wall_ms() + self.lifetime.as_millis() as u64;
        let said = format!("{ends_ms}.{key_id}");
        let seal = self.hasher.hex_of(&said);
        self.cookie(&format!("{said}.{seal}"), self.lifetime.as_secs())
    }

    /// The value of `Set-Cookie` that ends the session.
    #[must_use]
    pub fn end(&self) -> String {
        self.cookie("", 0)
    }

    /// Browsers send it to our own pages alone, over TLS where there is TLS, and show it to no script.
    fn cookie(&self, value: &str, max_age: u64) -> String {
        let secure = match self.public_url.starts_with("https://") {
            true => "; Secure",
            false => "",
        };
        format!("{COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
    }

    /// Whose session came along with a request.
    #[must_use]
    pub fn presented(&self, headers: &HeaderMap) -> Presented {
        match cookie(headers) {
            None => Presented::Nothing,
            Some(value) => self
                .open(value)
                .map_or(Presented::Void, |id| Presented::For(id.to_owned())),
        }
    }

    /// The key's id in a value that we made and whose time is not over.
    fn open<'a>(&self, value: &'a str) -> Option<&'a str> {
        let (said, seal) = value.rsplit_once('.')?;
        let right = self.hasher.hex_of(said);
        if !bool::from(seal.as_bytes().ct_eq(right.as_bytes())) {
            return None;
        }
        let (ends_ms, key_id) = said.split_once('.')?;
        let ends_ms: u64 = ends_ms.parse().ok()?;
        (self.clock.wall_ms() < ends_ms).then_some(key_id)
    }

    /// Whether a request that came with the cookie may do what it wants. Browsers send cookies along by themselves:
    /// what changes something, and a WebSocket, must say that it comes from a page of ours.
    #[must_use]
    pub fn admits(&self, request: &HttpRequest) -> bool {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        (reads && !request.headers().contains_key(header::UPGRADE)) || self.is_own_page(request)
    }

    /// Whether the request comes from a page of this gateway. Browsers say so by `Sec-Fetch-Site` where they trust
    /// the connection, else by `Origin`; a proxy in front may have changed `Host`, but not `server.public_url`.
    #[must_use]
    pub fn is_own_page(&self, request: &HttpRequest) -> bool {
        let said = |name| request.headers().get(name)?.to_str().ok();
        if let Some(site) = said(header::HeaderName::from_static("sec-fetch-site")) {
            return site == "same-origin";
        }
        let Some(origin) = said(header::ORIGIN) else {
            return false;
        };
        let host = origin.split_once("://").map(|(_, host)| host);
        self.is_public(origin) || (host.is_some() && host == said(header::HOST))
    }

    fn is_public(&self, origin: &str) -> bool {
        let own = url::Url::parse(&self.public_url).map(|url| url.origin().ascii_serialization());
        own.is_ok_and(|own| own == origin)
    }
}

/// The session's cookie among those of a request.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE);
    let texts = values.filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn sessions(
        public_url: &str,
    ) -> (
        Sessions,
        std::sync::Arc<troupe_actors::supervision::clock::ManualClock>,
    ) {
        let (clock, hand) = Clock::manual(1_000_000);
        let hasher = KeyedHash::new(&[7; 32], "session");
        let hour = Duration::from_secs(3_600);
        (Sessions::new(hasher, clock, hour, public_url), hand)
    }

    /// What the sessions find in a request with this `Set-Cookie` given back.
    fn found(sessions: &Sessions, set_cookie: &str) -> Presented {
        let pair = set_cookie.split(';').next().unwrap();
        let request = TestRequest::default()
            .insert_header((header::COOKIE, format!("a=b; {pair}; troupe_theme=dark")))
            .to_http_request();
        sessions.presented(request.headers())
    }

    #[test]
    fn a_session_holds_for_its_time() {
        let (sessions, hand) = sessions("http://127.0.0.1:8080");
        let cookie = sessions.begin("key-1");
        assert_eq!(
            found(&sessions, &cookie),
            Presented::For("key-1".to_owned())
        );
        hand.advance(Duration::from_secs(3_599));
        assert_eq!(
            found(&sessions, &cookie),
            Presented::For("key-1".to_owned())
        );
        hand.advance(Duration::from_secs(1));
        assert_eq!(found(&sessions, &cookie), Presented::Void);
        let request = TestRequest::default().to_http_request();
        assert_eq!(sessions.presented(request.headers()), Presented::Nothing);
    }

    #[test]
    fn what_was_changed_or_made_elsewhere_is_void() {
        let (sessions, _) = sessions("http://127.0.0.1:8080");
        let cookie = sessions.begin("key-1");
        let later = cookie.replacen("=4", "=9", 1);
        assert_ne!(later, cookie, "{cookie}");
        let foreign = Sessions {
            hasher: KeyedHash::new(&[8; 32], "session"),
            ..sessions.clone()
        };
        for forged in [
            later,
            cookie.replace("key-1", "key-2"),
            foreign.begin("key-1"),
            "troupe_studio=".to_owned(),
            "troupe_studio=9999999999999.key-1".to_owned(),
            "troupe_studio=9999999999999.key-1.".to_owned(),
            "troupe_studio=...".to_owned(),
        ] {
            assert_eq!(found(&sessions, &forged), Presented::Void, "{forged}");
        }
    }

    #[test]
    fn the_cookie_is_for_our_pages_alone() {
        let (plain, _) = sessions("http://127.0.0.1:8080");
        let cookie = plain.begin("key-1");
        assert!(cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Secure"));
        assert!(cookie.contains("; Max-Age=3600;"));
        let (secure, _) = sessions("https://ai.example.org");
        assert!(secure.begin("key-1").ends_with("; Secure"));
        assert!(
            secure
                .end()
                .starts_with("troupe_studio=; Path=/; Max-Age=0;")
        );
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        let (sessions, _) = sessions("https://ai.example.org");
        let post = |headers: &[(&'static str, &'static str)]| {
            let request = headers.iter().fold(TestRequest::post(), |request, header| {
                request.insert_header(*header)
            });
            sessions.admits(&request.to_http_request())
        };
        for own in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[
                ("origin", "https://ai.example.org"),
                ("host", "127.0.0.1:8080"),
            ],
            &[
                ("origin", "http://10.0.0.2:8080"),
                ("host", "10.0.0.2:8080"),
            ],
        ] {
            assert!(post(own), "{own:?}");
        }
        for foreign in [
            &[][..],
            &[("host", "ai.example.org")],
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://ai.example.org"),
            ],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[
                ("origin", "https://evil.example"),
                ("host", "ai.example.org"),
            ],
            &[
                ("origin", "http://ai.example.org"),
                ("host", "127.0.0.1:8080"),
            ],
            &[("origin", "null"), ("host", "null")],
        ] {
            assert!(!post(foreign), "{foreign:?}");
        }
        let get = TestRequest::get();
        assert!(sessions.admits(&get.to_http_request()));
        let socket = TestRequest::get().insert_header((header::UPGRADE, "websocket"));
        assert!(!sessions.admits(&socket.to_http_request()));
    }
}
