//! Builds the supervision tree, then the HTTP server; stops both in order.

mod first;
mod house;
pub mod providers;
mod shutdown;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::dev::Server;
use socket2::{Domain, Socket, Type};
use tokio_util::sync::CancellationToken;
use troupe_actors::supervision::fall::install_panic_hook;

use self::house::Ground;
use crate::{
    config::Config,
    http::{server, services::Services},
    open_files,
};

/// The variable that names a file for the bound address, for tools that start the gateway on a free port.
const ADDRESS_FILE: &str = "TROUPE_ADDR_FILE";

/// Runs the gateway until it is told to stop by SIGTERM or SIGINT. `environment` holds the process's
/// variables.
///
/// # Errors
/// When it cannot start, with what to do, and when the supervision tree gave up.
pub fn serve(config: Config, environment: Vec<(String, String)>) -> io::Result<()> {
    install_panic_hook();
    actix_rt::System::new().block_on(run(config, Environment(environment)))
}

/// The process's variables.
struct Environment(Vec<(String, String)>);

impl Environment {
    /// The value of a variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

async fn run(config: Config, environment: Environment) -> io::Result<()> {
    open_files::raise(config.server.max_connections);
    // taken first: an address in use should not cost a start of everything else
    let listener = bind(&config)?;
    let bound = listener.local_addr()?;
    let gave_up = CancellationToken::new();
    let ground = Ground::lay(&config, &environment, bound, gave_up.clone()).await?;
    let made = first::prepare(&config, &environment, &ground).await?;
    let started = start(listener, &config, ground, bound).await;
    // they are in force from now on, and nobody can learn them later
    let services = started.as_ref().ok().map(|(services, _)| &**services);
    first::announce(&config, config.server.public_url(bound), made, services)?;
    let (services, server) = started?;
    let handle = server.handle();
    let serving = actix_rt::spawn(server);
    if let Some(file) = environment.get(ADDRESS_FILE) {
        std::fs::write(file, bound.to_string())?;
    }
    log::info!("serving on http://{bound}");
    let wish = shutdown::wished(gave_up.clone()).await;
    shutdown::drain(&services, &handle, wish).await;
    // it was told to stop, and its own errors were logged
    let _ = serving.await;
    services.tree.stop().await;
    match gave_up.is_cancelled() {
        true => Err(io::Error::other(
            "the supervision tree gave up; see the log above",
        )),
        false => Ok(()),
    }
}

async fn start(
    listener: TcpListener,
    config: &Config,
    ground: Ground,
    bound: SocketAddr,
) -> io::Result<(Arc<Services>, Server)> {
    let services = Arc::new(house::raise(config, ground, bound).await?);
    let server = server::start(listener, services.clone())?;
    Ok((services, server))
}

/// How many connections may wait to be accepted; the standard library's 128 make a crowd wait for a
/// second try of its packets.
const BACKLOG: i32 = 4_096;

fn bind(config: &Config) -> io::Result<TcpListener> {
    let listen = &config.server.listen;
    let write_timeout = Duration::from_millis(config.server.write_timeout_ms);
    open_listener(listen, write_timeout).map_err(|error| {
        let advice = "set server.listen or --listen to a free address";
        io::Error::new(
            error.kind(),
            format!("cannot listen on {listen}: {error}; {advice}"),
        )
    })
}

fn open_listener(listen: &str, write_timeout: Duration) -> io::Result<TcpListener> {
    let address: SocketAddr = listen.parse().map_err(io::Error::other)?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // a restart must not wait for the connections of its predecessor to be forgotten
    socket.set_reuse_address(true)?;
    // accepted connections inherit it: the kernel ends those whose clients take nothing for so long, which
    // would else hold their places, and the upstream's connection, for as long as they like
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(write_timeout))?;
    #[cfg(not(target_os = "linux"))]
    let _ = write_timeout;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
