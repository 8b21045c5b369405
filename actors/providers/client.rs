//! The HTTP client of a thread: one awc client per provider, made at first use.
//!
//! awc's defaults are wrong for a gateway: 100 connections over all hosts held by every open stream,
//! five seconds to the first byte, redirects followed, Nagle on. All are set here on purpose.

use std::{cell::RefCell, time::Duration};

use actix_rt::net::TcpStream;
use actix_service::{Service as _, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector as TcpConnector};
use awc::{
    Client, Connector,
    http::{Uri, Version},
};

/// More than any limit of ours; work is bounded by permits, not by awc's pool.
const CONNECTIONS: usize = 1 << 20;
/// Upstreams and their proxies commonly close idle connections after 60 s or more.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const LIFETIME: Duration = Duration::from_secs(600);

thread_local! {
    static CLIENTS: RefCell<Vec<(Duration, Client)>> = const { RefCell::new(Vec::new()) };
}

/// This thread's client for upstreams with that connect time-out. The clone is a reference count.
#[must_use]
pub fn client(connect_timeout: Duration) -> Client {
    CLIENTS.with_borrow_mut(|clients| {
        let known = clients
            .iter()
            .find(|(timeout, _)| *timeout == connect_timeout);
        if let Some((_, client)) = known {
            return client.clone();
        }
        let client = build(connect_timeout);
        clients.push((connect_timeout, client.clone()));
        client
    })
}

fn build(connect_timeout: Duration) -> Client {
    let tcp = fn_service(|info: ConnectInfo<Uri>| async {
        let connected: Connection<Uri, TcpStream> =
            TcpConnector::default().service().call(info).await?;
        // without it small writes wait for the peer's delayed acknowledgement, 40 ms
        connected
            .io_ref()
            .set_nodelay(true)
            .map_err(ConnectError::Io)?;
        Ok::<_, ConnectError>(connected)
    });
    let connector = Connector::new()
        .connector(tcp)
        .timeout(connect_timeout)
        .handshake_timeout(connect_timeout)
        .max_http_version(Version::HTTP_11)
        .limit(CONNECTIONS)
        .conn_keep_alive(KEEP_ALIVE)
        .conn_lifetime(LIFETIME)
        .disconnect_timeout(Duration::ZERO);
    Client::builder()
        .connector(connector)
        .disable_redirects()
        .disable_timeout()
        .no_default_headers()
        .finish()
}
