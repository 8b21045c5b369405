//! Builds the supervision tree, then the HTTP server; stops both in order.

mod first;
pub mod providers;
mod shutdown;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use prometheus_client::registry::Registry;
use socket2::{Domain, Socket, Type};
use tokio_util::sync::CancellationToken;
use troupe_actors::{
    accounts::{
        calls::{CallLog, Calls, Spool},
        keys::{KeyCheck, Keys},
        limits::Limits,
        rate::RateLimit,
    },
    answers::Answers,
    catalog,
    egress::Guard,
    images::Images,
    jobs::{
        JobsHandle, Node, Painter, housekeeping,
        housekeeping::HousekeepingHandle,
        webhooks::{Carrier, Office, WebhooksHandle},
    },
    media::{Links, Media, Setup, place::Place},
    pictures::Atelier,
    responses::ResponseStore,
    restart_log::RestartLog,
    sealing::Sealer,
    secrets::KeyedHash,
    storage::{
        Database, DatabaseUrl, Storage,
        kv::{Kv, KvStore, KvUrl},
    },
    supervision::{
        Behaviour, ChildSpec, Clock, Handle, RestartMetrics, Tree, fall::install_panic_hook,
    },
    tokens::TokenCounter,
};

use crate::{
    config::Config,
    disk,
    http::{
        admin::gate::AdminGate, metrics::Metrics, seats::Seats, server, services::Services,
        session::Sessions, studio::Studio, webhooks::Messages,
    },
    open_files, secret_key,
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
    let house = build(&config, &environment, bound, gave_up.clone()).await?;
    let services = house.services.clone();
    let server = server::start(listener, services.clone())?;
    let handle = server.handle();
    let serving = actix_rt::spawn(server);
    first::announce(&config, house.made, &services)?;
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

struct House {
    services: Arc<Services>,
    /// What is to be printed, at the first start only.
    made: Option<first::Made>,
}

/// Storage first, then what restores its state from it, then what uses that.
async fn build(
    config: &Config,
    environment: &Environment,
    bound: SocketAddr,
    gave_up: CancellationToken,
) -> io::Result<House> {
    let clock = Clock::system();
    let mut registry = Registry::default();
    let restarts = RestartMetrics::default();
    restarts.register(&mut registry);
    let key = installation_key(config, environment)?;
    let spool = Spool::open(&config.calls.spool_dir, config.calls.spool_max_bytes)
        .map_err(io::Error::other)?;
    spool.register(&mut registry);
    let tokens = TokenCounter::new(&config.tokens);
    tokens.register(&mut registry);
    let tree = Tree::plant(
        config.supervision.clone(),
        clock.clone(),
        restarts,
        move || {
            gave_up.cancel();
        },
    );
    let database = start_database(config, &tree).await?;
    let kv = start_kv(config, &tree, &clock).await?;
    let setup = media_setup(config, environment, &key, &clock)?;
    let media = Media::start(&tree, setup, &clock, &database).await;
    let media = media.map_err(io::Error::other)?;
    media.register(&mut registry);
    start(
        &tree,
        RestartLog::spec(&tree, &database, &bound.to_string()),
    )
    .await?;
    let made = first::prepare(config, environment, &key, &database, &clock).await?;
    let keys = KeyCheck::new(KeyedHash::new(&key, secret_key::API_KEYS));
    let spec = Keys::spec(&config.keys, &config.limits, &database, &keys);
    start(&tree, spec).await?;
    let rate = RateLimit::start(&tree, &config.limits, &clock, &kv).await;
    let rate = rate.map_err(io::Error::other)?;
    let spec = Calls::spec(&config.calls, &clock, &database, &spool);
    let calls = CallLog::new(start(&tree, spec).await?, database.clone());
    let answers = Answers::start(&tree, &config.answers, &clock, &database);
    let answers = answers.await.map_err(io::Error::other)?;
    let responses = ResponseStore::start(&tree, &config.responses, &clock, &database);
    let responses = responses.await.map_err(io::Error::other)?;
    let started = catalog::start(&tree, &config.routes).await;
    let (catalog, reader) = started.map_err(io::Error::other)?;
    providers::start(config, &key, &tree, &clock, &database, &catalog).await?;
    let egress = Guard::new(&config.egress);
    let atelier = Atelier {
        config: Arc::new(config.pictures.clone()),
        media: media.clone(),
        guard: egress.clone(),
        clock: clock.clone(),
    };
    let painter = Painter {
        atelier: atelier.clone(),
        catalog: reader.clone(),
    };
    let node = node(config);
    let office = Office {
        config: config.webhooks.clone(),
        clock: clock.clone(),
        database: database.clone(),
        node: node.clone(),
        sealer: Sealer::new(&key, secret_key::WEBHOOKS),
        carry: Carrier::new(&egress, &config.webhooks),
        tell: Arc::new(Messages {
            public_url: config.server.public_url(bound),
            links: media.links().clone(),
        }),
    };
    let webhooks = WebhooksHandle::start(&tree, office).await;
    let webhooks = webhooks.map_err(io::Error::other)?;
    webhooks.register(&mut registry);
    let outbox = webhooks.outbox();
    let jobs = JobsHandle::start(
        &tree,
        &config.jobs,
        &clock,
        &database,
        painter,
        node,
        outbox,
    );
    let jobs = jobs.await.map_err(io::Error::other)?;
    let keeper = housekeeping::Setup::new(
        (&config.housekeeping, &config.jobs, &config.storage),
        &clock,
        &database,
        &media,
    );
    let keeper = HousekeepingHandle::start(&tree, keeper).await;
    jobs.register(&mut registry);
    let images = Images::new(&database, &media, &clock);
    let folders = disk::data_folders(
        &config.storage,
        [&config.calls.spool_dir, &config.media.spool_dir],
    );
    let studio = Studio::new(&config.studio, images, folders, clock.now());
    let services = Services {
        atelier,
        job_streams: Seats::new(config.jobs.streams_per_app),
        jobs,
        housekeeping: keeper.map_err(io::Error::other)?,
        studio,
        webhooks,
        results: egress.trusting(providers::hosts(config)),
        egress,
        sessions: sessions(config, &key, &clock, bound),
        public_url: config.server.public_url(bound),
        node: bound.to_string(),
        config: config.server.clone(),
        fault_injection: config.supervision.fault_injection,
        clock,
        tree,
        keys,
        limits: Limits::new(&config.limits),
        rate,
        spool,
        calls,
        answers,
        catalog: reader,
        media,
        database,
        kv,
        tokens,
        responses,
        admins: AdminGate::new(
            config.auth.admin_user.clone(),
            KeyedHash::new(&key, secret_key::ADMINS),
        ),
        metrics: Metrics::new(registry),
        draining: CancellationToken::new(),
        cut: CancellationToken::new(),
    };
    Ok(House {
        services: Arc::new(services),
        made,
    })
}

/// SQLite is one process's, PostgreSQL may be shared.
fn node(config: &Config) -> Node {
    match DatabaseUrl::parse(&config.storage.database_url) {
        Ok(DatabaseUrl::Postgres(_)) => {
            Node::among_others(Duration::from_millis(config.jobs.lease_ms))
        }
        _ => Node::only(),
    }
}

fn sessions(config: &Config, key: &[u8; 32], clock: &Clock, bound: SocketAddr) -> Sessions {
    let hasher = KeyedHash::new(key, secret_key::SESSIONS);
    let lifetime = Duration::from_secs(config.studio.session_hours * 3_600);
    let public_url = config.server.public_url(bound);
    Sessions::new(hasher, clock.clone(), lifetime, &public_url)
}

async fn start<A: Behaviour>(tree: &Tree, spec: ChildSpec<A>) -> io::Result<Handle<A>> {
    tree.start(spec).await.map_err(io::Error::other)
}

fn installation_key(config: &Config, environment: &Environment) -> io::Result<[u8; 32]> {
    let path = Path::new(&config.auth.secret_key_file);
    let variable = environment.get(secret_key::VARIABLE);
    secret_key::load_or_make(variable, path).map_err(io::Error::other)
}

async fn start_database(config: &Config, tree: &Tree) -> io::Result<Database> {
    let storage = config.storage.clone();
    let spec = ChildSpec::new("storage/database", "storage", move || {
        Ok(Storage::new(storage.clone()))
    });
    let handle = start(tree, spec).await?;
    Ok(Database::new(handle, &config.storage))
}

fn media_setup(
    config: &Config,
    environment: &Environment,
    key: &[u8; 32],
    clock: &Clock,
) -> io::Result<Setup> {
    let (storage, media) = (&config.storage, &config.media);
    let variable = |name: &str| environment.get(name).map(str::to_owned);
    let place = Place::parse(&storage.media_url, variable).map_err(io::Error::other)?;
    let links = if media.signed_links {
        let lifetime = Duration::from_secs(storage.media_min_retention_seconds);
        let key = KeyedHash::new(key, secret_key::LINKS);
        Links::signed(key, lifetime, clock.clone())
    } else {
        Links::unsigned()
    };
    Setup::new(&place, storage, media, links).map_err(io::Error::other)
}

async fn start_kv(config: &Config, tree: &Tree, clock: &Clock) -> io::Result<KvStore> {
    let url = KvUrl::parse(&config.storage.kv_url).map_err(io::Error::other)?;
    log::info!("the key-value store is {url}");
    let timeout = Duration::from_millis(config.storage.kv_timeout_ms);
    let clock = clock.clone();
    let spec = ChildSpec::new("storage/kv", "kv", move || {
        Kv::open(&url, timeout, clock.clone())
    });
    Ok(KvStore::new(start(tree, spec).await?, timeout))
}
