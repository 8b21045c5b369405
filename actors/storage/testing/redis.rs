//! A throw-away Redis on a free port of the loopback interface, without persistence.

use std::{net::TcpListener, process::Command};

use super::server::Server;

/// A Redis of its own.
pub struct RedisServer {
    server: Server,
    port: u16,
}

impl RedisServer {
    /// Starts one.
    pub fn start() -> Self {
        let installed = Command::new("redis-server").arg("--version").output();
        assert!(
            installed.is_ok(),
            "redis-server is not installed: run scripts/test"
        );
        let port = free_port();
        let dir = Server::folder("redis");
        let command = format!(
            "redis-server --bind 127.0.0.1 --port {port} --save '' --appendonly no --dir {}",
            dir.display()
        );
        let ready = format!("redis-cli -p {port} ping | grep -q PONG");
        Self {
            server: Server::start(dir, "KILL", "true", &ready, &command),
            port,
        }
    }

    /// Its URL for `storage.kv_url`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The process, to be stopped, frozen and started.
    pub fn server(&self) -> &Server {
        &self.server
    }
}

/// A port on which nobody listens at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
