//! `[egress]` of the configuration.

use serde::{Deserialize, Serialize};

/// Which links of clients are opened, and how long and large what they lead to may be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// Whether private networks and this machine may be reached. Addresses of cloud metadata never are.
    pub allow_private: bool,
    /// Hosts that are opened whatever their address: `host` or `host:port`.
    pub allow_hosts: Vec<String>,
    /// The ports that links may name; empty = all.
    pub ports: Vec<u16>,
    /// The most redirects of one link; 0 = none is followed.
    pub max_redirects: usize,
    /// Until the name is resolved, and again until the TCP and TLS connection stands.
    pub connect_ms: u64,
    /// From the request to the answer's headers, and between two pieces of its body.
    pub first_byte_ms: u64,
    /// The whole fetch, redirects and body included.
    pub total_ms: u64,
    /// The most that one link may bring.
    pub max_bytes: u64,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            allow_hosts: Vec::new(),
            ports: Vec::new(),
            max_redirects: 3,
            connect_ms: 5_000,
            first_byte_ms: 30_000,
            total_ms: 120_000,
            max_bytes: 256 << 20,
        }
    }
}
