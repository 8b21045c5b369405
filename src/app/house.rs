//! Builds the supervision tree: storage first, then what restores its state from it, then what uses that.

use std::{error::Error, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use troupe_actors::{
    accounts::{
        calls::{CallLog, Calls, Spool},
        keys::{KeyCheck, Keys},
        limits::Limits,
        rate::RateLimit,
    },
    answers::Answers,
    catalog::{self, CatalogReader},
    egress::Guard,
    images::Images,
    jobs::{
        JobsHandle, Node, Painter,
        housekeeping::{HousekeepingHandle, Setup as Upkeep},
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
    supervision::{Behaviour, ChildSpec, Clock, Handle, RestartMetrics, Tree},
    tokens::TokenCounter,
};

use super::{Environment, providers};
use crate::{
    config::Config,
    disk,
    http::{
        admin::gate::AdminGate, metrics::Metrics, seats::Seats, services::Services,
        session::Sessions, studio::Studio, webhooks::Messages,
    },
    secret_key,
};

/// What everything else stands on: the tree with the storage in it, and what all parts share.
pub struct Ground {
    /// The installation's.
    pub key: [u8; 32],
    pub clock: Clock,
    pub database: Database,
    registry: Registry,
    tokens: TokenCounter,
    spool: Spool,
    tree: Tree,
    kv: KvStore,
    media: Media,
}

impl Ground {
    /// Opens the stores, and starts their actors. `gave_up` is cancelled when the tree can go on no longer.
    ///
    /// # Errors
    /// What cannot be opened, and why.
    pub async fn lay(
        config: &Config,
        environment: &Environment,
        bound: SocketAddr,
        gave_up: CancellationToken,
    ) -> io::Result<Self> {
        let clock = Clock::system();
        let mut registry = Registry::default();
        let restarts = RestartMetrics::default();
        restarts.register(&mut registry);
        let key = installation_key(config, environment)?;
        let spool = up(Spool::open(
            &config.calls.spool_dir,
            config.calls.spool_max_bytes,
        ))?;
        spool.register(&mut registry);
        let tokens = TokenCounter::new(&config.tokens);
        tokens.register(&mut registry);
        let give_up = move || gave_up.cancel();
        let tree = Tree::plant(config.supervision.clone(), clock.clone(), restarts, give_up);
        let database = start_database(config, &tree).await?;
        let kv = start_kv(config, &tree, &clock).await?;
        let setup = media_setup(config, environment, &key, &clock)?;
        let media = up(Media::start(&tree, setup, &clock, &database).await)?;
        media.register(&mut registry);
        let log = RestartLog::spec(&tree, &database, &bound.to_string());
        start(&tree, log).await?;
        Ok(Self {
            key,
            clock,
            database,
            registry,
            tokens,
            spool,
            tree,
            kv,
            media,
        })
    }
}

/// Starts the rest on that ground.
///
/// # Errors
/// What does not come up, and why.
pub async fn raise(config: &Config, mut ground: Ground, bound: SocketAddr) -> io::Result<Services> {
    let accounts = Accounts::start(config, &ground).await?;
    let (tree, clock, database) = (&ground.tree, &ground.clock, &ground.database);
    let answers = up(Answers::start(tree, &config.answers, clock, database).await)?;
    let responses = up(ResponseStore::start(tree, &config.responses, clock, database).await)?;
    let (catalog, reader) = up(catalog::start(tree, &config.routes).await)?;
    providers::start(config, &ground.key, tree, clock, database, &catalog).await?;
    let work = Work::start(config, &mut ground, reader.clone(), bound).await?;
    Ok(Services {
        job_streams: Seats::new(config.jobs.streams_per_app),
        studio: studio(config, &ground),
        results: work.egress.trusting(providers::hosts(config)),
        sessions: sessions(config, &ground, bound),
        public_url: config.server.public_url(bound),
        node: bound.to_string(),
        config: config.server.clone(),
        fault_injection: config.supervision.fault_injection,
        admins: AdminGate::new(
            config.auth.admin_user.clone(),
            KeyedHash::new(&ground.key, secret_key::ADMINS),
        ),
        atelier: work.atelier,
        egress: work.egress,
        jobs: work.jobs,
        webhooks: work.webhooks,
        housekeeping: work.housekeeping,
        keys: accounts.keys,
        limits: Limits::new(&config.limits),
        rate: accounts.rate,
        calls: accounts.calls,
        answers,
        responses,
        catalog: reader,
        clock: ground.clock,
        tree: ground.tree,
        spool: ground.spool,
        media: ground.media,
        database: ground.database,
        kv: ground.kv,
        tokens: ground.tokens,
        metrics: Metrics::new(ground.registry),
        draining: CancellationToken::new(),
        cut: CancellationToken::new(),
    })
}

/// Who calls, and what is kept of it.
struct Accounts {
    keys: KeyCheck,
    rate: RateLimit,
    calls: CallLog,
}

impl Accounts {
    async fn start(config: &Config, ground: &Ground) -> io::Result<Self> {
        let (tree, clock, database) = (&ground.tree, &ground.clock, &ground.database);
        let keys = KeyCheck::new(KeyedHash::new(&ground.key, secret_key::API_KEYS));
        let spec = Keys::spec(&config.keys, &config.limits, database, &keys);
        start(tree, spec).await?;
        let rate = up(RateLimit::start(tree, &config.limits, clock, &ground.kv).await)?;
        let spec = Calls::spec(&config.calls, clock, database, &ground.spool);
        let calls = CallLog::new(start(tree, spec).await?, database.clone());
        Ok(Self { keys, rate, calls })
    }
}

/// What outlives requests.
struct Work {
    egress: Guard,
    atelier: Atelier,
    webhooks: WebhooksHandle,
    jobs: JobsHandle,
    housekeeping: HousekeepingHandle,
}

impl Work {
    async fn start(
        config: &Config,
        ground: &mut Ground,
        catalog: CatalogReader,
        bound: SocketAddr,
    ) -> io::Result<Self> {
        let (tree, clock, database) = (&ground.tree, &ground.clock, &ground.database);
        let egress = Guard::new(&config.egress);
        let atelier = Atelier {
            config: Arc::new(config.pictures.clone()),
            media: ground.media.clone(),
            guard: egress.clone(),
            clock: clock.clone(),
        };
        let painter = Painter {
            atelier: atelier.clone(),
            catalog,
        };
        let office = office(config, ground, &egress, bound);
        let webhooks = up(WebhooksHandle::start(tree, office).await)?;
        let outbox = webhooks.outbox();
        let jobs = JobsHandle::start(
            tree,
            &config.jobs,
            clock,
            database,
            painter,
            node(config),
            outbox,
        );
        let jobs = up(jobs.await)?;
        let upkeep = Upkeep::new(
            (&config.housekeeping, &config.jobs, &config.storage),
            clock,
            database,
            &ground.media,
        );
        let housekeeping = up(HousekeepingHandle::start(tree, upkeep).await)?;
        webhooks.register(&mut ground.registry);
        jobs.register(&mut ground.registry);
        Ok(Self {
            egress,
            atelier,
            webhooks,
            jobs,
            housekeeping,
        })
    }
}

fn office(config: &Config, ground: &Ground, egress: &Guard, bound: SocketAddr) -> Office {
    Office {
        config: config.webhooks.clone(),
        clock: ground.clock.clone(),
        database: ground.database.clone(),
        node: node(config),
        sealer: Sealer::new(&ground.key, secret_key::WEBHOOKS),
        carry: Carrier::new(egress, &config.webhooks),
        tell: Arc::new(Messages {
            public_url: config.server.public_url(bound),
            links: ground.media.links().clone(),
        }),
    }
}

fn studio(config: &Config, ground: &Ground) -> Studio {
    let images = Images::new(&ground.database, &ground.media, &ground.clock);
    let spools = [&*config.calls.spool_dir, &*config.media.spool_dir];
    let folders = disk::data_folders(&config.storage, spools);
    Studio::new(&config.studio, images, folders, ground.clock.now())
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

fn sessions(config: &Config, ground: &Ground, bound: SocketAddr) -> Sessions {
    let hasher = KeyedHash::new(&ground.key, secret_key::SESSIONS);
    let lifetime = Duration::from_secs(config.studio.session_hours * 3_600);
    let public_url = config.server.public_url(bound);
    Sessions::new(hasher, ground.clock.clone(), lifetime, &public_url)
}

/// The error of a start, as the process tells it.
fn up<T, E: Error + Send + Sync + 'static>(started: Result<T, E>) -> io::Result<T> {
    started.map_err(io::Error::other)
}

async fn start<A: Behaviour>(tree: &Tree, spec: ChildSpec<A>) -> io::Result<Handle<A>> {
    up(tree.start(spec).await)
}

fn installation_key(config: &Config, environment: &Environment) -> io::Result<[u8; 32]> {
    let path = Path::new(&config.auth.secret_key_file);
    let variable = environment.get(secret_key::VARIABLE);
    up(secret_key::load_or_make(variable, path))
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
    let place = up(Place::parse(&storage.media_url, variable))?;
    let links = if media.signed_links {
        let lifetime = Duration::from_secs(storage.media_min_retention_seconds);
        let key = KeyedHash::new(key, secret_key::LINKS);
        Links::signed(key, lifetime, clock.clone())
    } else {
        Links::unsigned()
    };
    up(Setup::new(&place, storage, media, links))
}

async fn start_kv(config: &Config, tree: &Tree, clock: &Clock) -> io::Result<KvStore> {
    let url = up(KvUrl::parse(&config.storage.kv_url))?;
    log::info!("the key-value store is {url}");
    let timeout = Duration::from_millis(config.storage.kv_timeout_ms);
    let clock = clock.clone();
    let spec = ChildSpec::new("storage/kv", "kv", move || {
        Kv::open(&url, timeout, clock.clone())
    });
    Ok(KvStore::new(start(tree, spec).await?, timeout))
}
