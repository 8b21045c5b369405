//! Asking for the addresses of a name.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::{Arc, LazyLock},
};

use futures_util::future::LocalBoxFuture;
use tokio::sync::Semaphore;

/// How the addresses of a host and port are found.
pub type Lookup =
    Arc<dyn Fn(String, u16) -> LocalBoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Lookups of the process at a time. Each blocks a thread, also after its caller has lost patience.
const AT_ONCE: usize = 64;
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));

/// As the system does it: its hosts file, then its name servers.
pub fn system() -> Lookup {
    Arc::new(|host, port| Box::pin(ask_system(host, port)))
}

async fn ask_system(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let place = PLACES.clone().acquire_owned().await;
    let asked = actix_rt::task::spawn_blocking(move || {
        // kept until the system has answered
        let _place = place;
        (host.as_str(), port)
            .to_socket_addrs()
            .map(Iterator::collect)
    });
    asked.await?
}
