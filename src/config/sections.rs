//! The sections that belong to the service itself: `[server]`, `[auth]`, `[studio]` and `[log]`.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// How clients reach the gateway, and how much one of them may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port; port 0 = any free one.
    pub listen: String,
    /// How clients call this gateway, for the links that it hands out; empty = derived from `listen`.
    pub public_url: String,
    /// HTTP threads; 0 = one per core.
    pub workers: usize,
    pub max_body_bytes: usize,
    /// Request line and headers together; the HTTP library itself stops at 131072.
    pub max_header_bytes: usize,
    /// Nesting of JSON bodies.
    pub max_json_depth: usize,
    /// How long an idle connection is kept open.
    pub keep_alive_seconds: u64,
    /// How long a client may take to send its headers.
    pub header_timeout_ms: u64,
    /// How long a client may take to send a body.
    pub body_timeout_ms: u64,
    /// How long a client may take nothing of what is sent to it before its connection is ended; 0 = for ever.
    pub write_timeout_ms: u64,
    /// Client connections at a time, over all workers.
    pub max_connections: usize,
    /// How long streams may go on after SIGTERM.
    pub drain_seconds: u64,
    /// A stream that is silent for so long gets an event that says nothing, so that no proxy takes it for
    /// dead; 0 = never.
    pub ping_seconds: u64,
    /// A stream whose upstream is silent for so long gets its headers before the upstream's, and is kept alive;
    /// a failure is then told inside it. 0 = never.
    pub early_headers_seconds: u64,
    /// Web origins whose pages may call the API, such as `https://chat.example.org`; `*` = any.
    pub cors_origins: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            public_url: String::new(),
            workers: 0,
            max_body_bytes: 32 << 20,
            max_header_bytes: 64 << 10,
            max_json_depth: 128,
            keep_alive_seconds: 75,
            header_timeout_ms: 10_000,
            body_timeout_ms: 120_000,
            write_timeout_ms: 120_000,
            max_connections: 10_000,
            drain_seconds: 30,
            ping_seconds: 15,
            early_headers_seconds: 60,
            cors_origins: Vec::new(),
        }
    }
}

impl ServerConfig {
    /// The base of every link, without a slash at its end. `bound` is the address that the server really
    /// got; one that listens everywhere is shown as this machine.
    #[must_use]
    pub fn public_url(&self, bound: SocketAddr) -> String {
        if !self.public_url.is_empty() {
            return self.public_url.trim_end_matches('/').to_owned();
        }
        let mut shown = bound;
        if bound.ip().is_unspecified() {
            shown.set_ip(IpAddr::from([127, 0, 0, 1]));
        }
        format!("http://{shown}")
    }
}

/// Who may administer, and what seals the stored secrets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// The installation's own key; made at first start. `TROUPE_SECRET_KEY` takes its place.
    pub secret_key_file: String,
    /// The administrator's name.
    pub admin_user: String,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            secret_key_file: "data/secret.key".to_owned(),
            admin_user: "admin".to_owned(),
        }
    }
}

/// The studio page and its API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudioConfig {
    /// How long one stays signed in.
    pub session_hours: u64,
    /// Tasks on one page of a list.
    pub max_page: usize,
    /// Tags of one picture.
    pub max_tags: usize,
    /// Characters of a tag.
    pub max_tag_chars: usize,
    /// WebSockets of one app at a time.
    pub sockets_per_app: usize,
    /// Tasks that one WebSocket follows at a time.
    pub tasks_per_socket: usize,
    /// One message of a client.
    pub socket_message_bytes: usize,
    /// How often a WebSocket is pinged.
    pub socket_ping_seconds: u64,
    /// A WebSocket that is silent for so long is closed.
    pub socket_idle_seconds: u64,
}

impl Default for StudioConfig {
    fn default() -> Self {
        Self {
            session_hours: 7 * 24,
            max_page: 100,
            max_tags: 20,
            max_tag_chars: 50,
            sockets_per_app: 32,
            tasks_per_socket: 100,
            socket_message_bytes: 64 << 10,
            socket_ping_seconds: 20,
            socket_idle_seconds: 60,
        }
    }
}

/// What is logged, and how it looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// The least severe level that is written; `RUST_LOG` wins.
    pub level: LogLevel,
    pub format: LogFormat,
}

/// How severe a log line must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::Off,
            LogLevel::Error => Self::Error,
            LogLevel::Warn => Self::Warn,
            LogLevel::Info => Self::Info,
            LogLevel::Debug => Self::Debug,
            LogLevel::Trace => Self::Trace,
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for machines.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_start_with_what_clients_can_reach() {
        let mut server = ServerConfig::default();
        let bound = "0.0.0.0:9000".parse().unwrap();
        assert_eq!(server.public_url(bound), "http://127.0.0.1:9000");
        let six = "[2001:db8::1]:80".parse().unwrap();
        assert_eq!(server.public_url(six), "http://[2001:db8::1]:80");
        server.public_url = "https://ai.example.org/".to_owned();
        assert_eq!(server.public_url(bound), "https://ai.example.org");
    }
}
