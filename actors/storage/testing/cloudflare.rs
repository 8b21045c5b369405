//! The REST API of Cloudflare KV, with what makes it special: one write a second of each key, no time to live below a
//! minute, and readers that see a write late.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::http::{HttpServer, Mood, Reply, Request};
use crate::supervision::{Clock, clock::millis};

const TOKEN: &str = "simulated-token";
const NAMESPACE: &str = "/client/v4/accounts/0a1b/storage/kv/namespaces/c2d3";

/// A namespace of its own.
pub struct CloudflareServer {
    http: HttpServer,
    state: Arc<Mutex<State>>,
}

struct State {
    clock: Clock,
    /// Until a write is seen by readers.
    lag: Duration,
    /// Answered instead of anything else.
    failure: Option<Reply>,
    /// What was written when, under each key as it stands in the path.
    versions: HashMap<String, Vec<Version>>,
    /// Each write that was taken: method, key and query.
    writes: Vec<String>,
    requests: usize,
}

struct Version {
    at_ms: u64,
    /// `None` = removed.
    value: Option<Vec<u8>>,
    over_ms: Option<u64>,
}

impl CloudflareServer {
    /// Starts one whose readers see writes after `lag`.
    pub fn start(clock: Clock, lag: Duration) -> Self {
        let state = Arc::new(Mutex::new(State {
            clock,
            lag,
            failure: None,
            versions: HashMap::new(),
            writes: Vec::new(),
            requests: 0,
        }));
        let shared = state.clone();
        let http = HttpServer::start(move |request| shared.lock().unwrap().answer(request));
        Self { http, state }
    }

    /// Its URL for `storage.kv_url`.
    pub fn url(&self) -> String {
        self.url_of("c2d3", TOKEN)
    }

    /// The same for another namespace or token.
    pub fn url_of(&self, namespace: &str, token: &str) -> String {
        let port = self.http.port();
        format!(
            "cloudflare://0a1b/{namespace}?token={token}&base_url=http://127.0.0.1:{port}/client/v4"
        )
    }

    pub fn set(&self, mood: Mood) {
        self.http.set(mood);
    }

    /// Answers every request so from now on.
    pub fn fail(&self, failure: Option<Reply>) {
        self.state.lock().unwrap().failure = failure;
    }

    /// Each write that was taken so far: method, key as in the path, and query.
    pub fn writes(&self) -> Vec<String> {
        self.state.lock().unwrap().writes.clone()
    }

    /// How many requests came so far.
    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

/// An error as Cloudflare tells it.
pub fn refusal(status: u16, code: u32, message: &str) -> Reply {
    let errors = json!([{"code": code, "message": message}]);
    let body = json!({"success": false, "errors": errors, "messages": [], "result": null});
    Reply::json(status, &body)
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        self.requests += 1;
        if let Some(failure) = &self.failure {
            return failure.clone();
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, 10_000, "Authentication error");
        }
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let Some(rest) = path.strip_prefix(NAMESPACE) else {
            return refusal(404, 10_013, "get namespace: 'namespace not found'");
        };
        match (&*request.method, rest.strip_prefix("/values/")) {
            ("GET", None) if rest.is_empty() => done(),
            ("GET", Some(key)) => self.read(key),
            ("PUT", Some(key)) => match ttl(query) {
                Ok(ttl) => self.write(request, key, query, Some(request.body.clone()), ttl),
                Err(refused) => refused,
            },
            ("DELETE", Some(key)) => self.write(request, key, query, None, None),
            _ => refusal(
                405,
                10_405,
                "Method not allowed for this authentication scheme",
            ),
        }
    }

    fn read(&self, key: &str) -> Reply {
        let now = self.clock.wall_ms();
        let seen = |version: &&Version| version.at_ms + millis(self.lag) <= now;
        let mut versions = self.versions.get(key).into_iter().flatten();
        let newest = versions.rfind(seen);
        let live = newest.filter(|version| version.over_ms.is_none_or(|over| now < over));
        match live.and_then(|version| version.value.clone()) {
            Some(body) => Reply {
                status: 200,
                headers: vec![("content-type", "application/octet-stream".to_owned())],
                body,
            },
            None => refusal(404, 10_009, "get: 'key not found'"),
        }
    }

    fn write(
        &mut self,
        request: &Request,
        key: &str,
        query: &str,
        value: Option<Vec<u8>>,
        ttl: Option<u64>,
    ) -> Reply {
        assert!(!key.contains('/'), "a key that is not encoded: {key}");
        let now = self.clock.wall_ms();
        let versions = self.versions.entry(key.to_owned()).or_default();
        if versions.last().is_some_and(|last| now < last.at_ms + 1_000) {
            return refusal(429, 10_029, "put: 'too many requests for this key'")
                .with("retry-after", "1");
        }
        versions.push(Version {
            at_ms: now,
            value,
            over_ms: ttl.map(|seconds| now + seconds * 1_000),
        });
        let write = format!("{} {key} {query}", request.method);
        self.writes.push(write.trim_end().to_owned());
        done()
    }
}

fn done() -> Reply {
    let body: Value = json!({"success": true, "errors": [], "messages": [], "result": null});
    Reply::json(200, &body)
}

/// The time to live that a write asks for, in seconds.
fn ttl(query: &str) -> Result<Option<u64>, Reply> {
    let Some(seconds) = query.strip_prefix("expiration_ttl=") else {
        return Ok(None);
    };
    match seconds.parse() {
        Ok(seconds) if seconds >= 60 => Ok(Some(seconds)),
        _ => Err(refusal(
            400,
            10_033,
            &format!("Invalid expiration_ttl of {seconds}. Expiration TTL must be at least 60."),
        )),
    }
}
