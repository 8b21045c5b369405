//! The REST API of Upstash in front of a real Redis, with the parts of the protocol that a client can get wrong:
//! the token, base64, pipelines, and replicas that lag behind unless the sync token says how far they must be.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use redis::{ErrorKind, RedisError};
use serde_json::{Value, json};

use super::{
    RedisServer,
    http::{HttpServer, Mood, Reply, Request},
};

/// The only token that is accepted.
const TOKEN: &str = "AX-simulated_token==";

/// A database of its own.
pub struct UpstashServer {
    http: HttpServer,
    _redis: RedisServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    redis: String,
    /// Answered instead of anything else.
    failure: Option<(u16, String)>,
    /// Whether replicas have seen nothing that their request does not ask them to have seen.
    lags: bool,
    /// Commands so far that may have changed something.
    writes: u64,
    /// How many commands each request held.
    batches: Vec<usize>,
}

impl UpstashServer {
    /// Starts one.
    pub fn start() -> Self {
        let redis = RedisServer::start();
        let state = Arc::new(Mutex::new(State {
            redis: redis.url(),
            ..State::default()
        }));
        let shared = state.clone();
        let http = HttpServer::start(move |request| shared.lock().unwrap().answer(request));
        Self {
            http,
            _redis: redis,
            state,
        }
    }

    /// Its URL for `storage.kv_url`.
    pub fn url(&self) -> String {
        self.url_with(TOKEN)
    }

    /// The same with another token.
    pub fn url_with(&self, token: &str) -> String {
        format!("upstash://{token}@127.0.0.1:{}?tls=false", self.http.port())
    }

    pub fn set(&self, mood: Mood) {
        self.http.set(mood);
    }

    /// Answers every request so from now on.
    pub fn fail(&self, failure: Option<(u16, &str)>) {
        let failure = failure.map(|(status, body)| (status, body.to_owned()));
        self.state.lock().unwrap().failure = failure;
    }

    /// Lets the replicas, which answer `GET`, lag behind.
    pub fn lag(&self) {
        self.state.lock().unwrap().lags = true;
    }

    /// How many commands each request so far held.
    pub fn batches(&self) -> Vec<usize> {
        self.state.lock().unwrap().batches.clone()
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        if let Some((status, body)) = &self.failure {
            return Reply {
                status: *status,
                headers: Vec::new(),
                body: body.clone().into_bytes(),
            };
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            let error = json!({"error": "WRONGPASS invalid or missing auth token"});
            return Reply::json(401, &error);
        }
        if request.method != "POST" {
            return Reply::json(405, &json!({"error": "ERR method not allowed"}));
        }
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let fresh = request.header("upstash-sync-token") == Some(&self.writes.to_string());
        let base64 = request.header("upstash-encoding") == Some("base64");
        let answer = match (&*request.target, body.as_array()) {
            ("/", Some(command)) => {
                self.batches.push(1);
                let result = self.run(command, fresh, base64);
                let status = if result.get("error").is_some() {
                    400
                } else {
                    200
                };
                Reply::json(status, &result)
            }
            ("/pipeline", Some(commands)) => {
                self.batches.push(commands.len());
                let command = |command: &Value| command.as_array().cloned().unwrap_or_default();
                let results = commands.iter().map(command);
                let results: Vec<_> = results.map(|c| self.run(&c, fresh, base64)).collect();
                Reply::json(200, &Value::Array(results))
            }
            _ => Reply::json(400, &json!({"error": "ERR failed to parse request"})),
        };
        answer.with("upstash-sync-token", self.writes.to_string())
    }

    /// Runs one command on the real Redis.
    fn run(&mut self, words: &[Value], fresh: bool, base64: bool) -> Value {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        let name = words.first().copied().unwrap_or_default();
        if name == "GET" {
            if self.lags && !fresh {
                return json!({ "result": null });
            }
        } else if name != "PING" {
            self.writes += 1;
        }
        let client = redis::Client::open(&*self.redis).unwrap();
        let mut command = redis::cmd(name);
        command.arg(&words[1..]);
        match command.query(&mut client.get_connection().unwrap()) {
            Ok(value) => json!({"result": shown(value, base64)}),
            Err(error) => json!({"error": said(&error)}),
        }
    }
}

fn shown(value: redis::Value, base64: bool) -> Value {
    let text = |bytes: &[u8]| match base64 {
        true => BASE64.encode(bytes),
        false => String::from_utf8_lossy(bytes).into_owned(),
    };
    match value {
        redis::Value::Nil => Value::Null,
        redis::Value::Int(number) => json!(number),
        // the one string that is never encoded
        redis::Value::Okay => json!("OK"),
        redis::Value::BulkString(bytes) if bytes == b"OK" => json!("OK"),
        redis::Value::BulkString(bytes) => json!(text(&bytes)),
        redis::Value::SimpleString(status) => json!(text(status.as_bytes())),
        other => panic!("no command here answers {other:?}"),
    }
}

fn said(error: &RedisError) -> String {
    assert!(matches!(error.kind(), ErrorKind::Server(_)), "{error}");
    let code = error.code().unwrap_or("ERR");
    format!("{code} {}", error.detail().unwrap_or_default())
}
