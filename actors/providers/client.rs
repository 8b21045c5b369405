//! The HTTP clients of a thread, made at first use.
//!
//! awc's defaults are wrong for a gateway: 100 connections over all hosts held by every open stream,
//! five seconds to the first byte, redirects followed, Nagle on. All are set here on purpose.

use std::{cell::RefCell, sync::Arc, time::Duration};

use actix_rt::net::TcpStream;
use actix_service::{Service as _, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector as TcpConnector};
use awc::{
    Client, Connector,
    http::{Uri, Version},
};
use rustls::{ClientConfig, RootCertStore};

/// More than any limit of ours; work is bounded by permits, not by awc's pool.
const CONNECTIONS: usize = 1 << 20;
/// Upstreams and their proxies commonly close idle connections after 60 s or more.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const LIFETIME: Duration = Duration::from_secs(600);

/// What a client is for: no connection is ever used for two purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Services that the operator configured.
    Upstreams,
    /// Links that somebody else gave.
    Links,
}

thread_local! {
    static CLIENTS: RefCell<Vec<(Purpose, Duration, Client)>> = const { RefCell::new(Vec::new()) };
}

/// This thread's client for upstreams with that connect time-out. The clone is a reference count.
#[must_use]
pub fn client(connect_timeout: Duration) -> Client {
    client_for(Purpose::Upstreams, connect_timeout)
}

/// This thread's client for a purpose, with that connect time-out.
#[must_use]
pub fn client_for(purpose: Purpose, connect_timeout: Duration) -> Client {
    CLIENTS.with_borrow_mut(|clients| {
        let known = clients
            .iter()
            .find(|(known, timeout, _)| *known == purpose && *timeout == connect_timeout);
        if let Some((_, _, client)) = known {
            return client.clone();
        }
        let client = build(connect_timeout, tls(public_roots()));
        clients.push((purpose, connect_timeout, client.clone()));
        client
    })
}

/// The authorities that browsers trust, built in: no file of the machine is needed.
fn public_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

fn tls(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    #[expect(clippy::expect_used, reason = "ring has the ciphers of both versions")]
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3");
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn build(connect_timeout: Duration, tls: Arc<ClientConfig>) -> Client {
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
        // sets a TLS configuration of its own, so it comes before ours
        .max_http_version(Version::HTTP_11)
        .rustls_0_23(tls)
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

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        sync::Arc,
        thread::{self, JoinHandle},
    };

    use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

    use super::{Client, Duration, RootCertStore, build, public_roots, tls};

    /// A server with a certificate of its own for `name`. It takes one connection, answers up to
    /// `most` requests on it, and returns how many there were.
    fn server(name: &str, most: usize) -> (u16, RootCertStore, JoinHandle<usize>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config);
        let served = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let tls = ServerConnection::new(config).unwrap();
            answer(StreamOwned::new(tls, stream), most)
        });
        (port, roots, served)
    }

    fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, most: usize) -> usize {
        let mut requests = 0;
        let mut head = Vec::new();
        let mut piece = [0; 1024];
        while requests < most {
            // an error is a refused handshake
            let Ok(length @ 1..) = stream.read(&mut piece) else {
                break;
            };
            head.extend_from_slice(&piece[..length]);
            if head.ends_with(b"\r\n\r\n") {
                head.clear();
                requests += 1;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                stream.write_all(answer).unwrap();
            }
        }
        requests
    }

    async fn get(client: &Client, port: u16) -> Option<String> {
        let sent = client
            .get(format!("https://localhost:{port}/v1/models"))
            .send();
        let body = sent.await.ok()?.body().await.ok()?;
        String::from_utf8(body.to_vec()).ok()
    }

    #[actix_rt::test]
    async fn tls_and_one_connection_for_many_requests() {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let (port, roots, served) = server("localhost", 3);
        let client = build(Duration::from_secs(5), tls(roots));
        for _ in 0..3 {
            assert_eq!(get(&client, port).await.as_deref(), Some("hi"));
        }
        assert_eq!(served.join().unwrap(), 3);
    }

    #[actix_rt::test]
    async fn a_certificate_that_nobody_vouches_for_is_refused() {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let (port, _, served) = server("localhost", 1);
        let client = build(Duration::from_secs(5), tls(public_roots()));
        assert_eq!(get(&client, port).await, None);
        assert_eq!(served.join().unwrap(), 0);
    }

    #[actix_rt::test]
    async fn a_given_address_changes_neither_the_name_nor_the_check_of_it() {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        for (name, answers) in [("pinned.example", 1), ("other.example", 0)] {
            let (port, roots, served) = server("pinned.example", 1);
            let client = build(Duration::from_secs(5), tls(roots));
            let request = client.get(format!("https://{name}:{port}/"));
            let address = ([127, 0, 0, 1], port).into();
            let sent = request.address(address).send().await;
            assert_eq!(sent.is_ok(), answers == 1, "{name}");
            drop(sent);
            assert_eq!(served.join().unwrap(), answers);
        }
    }
}
