//! A throw-away PostgreSQL cluster behind a socket in its own folder, without passwords and without fsync.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::server::Server;

/// A cluster of its own, for tests that stop it; all others share [`PostgresServer::shared`].
pub struct PostgresServer {
    server: Server,
    databases: AtomicU32,
}

impl PostgresServer {
    /// The cluster of this test process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Makes and starts a new cluster.
    pub fn start() -> Self {
        let bin = binaries();
        let dir = Server::folder("postgres");
        let data = dir.join("data");
        let user = unprivileged(&dir);
        let initdb = format!(
            "cd {dir} && {user} {bin}/initdb --pgdata={data} --username=troupe --auth=trust --no-sync \
             --encoding=UTF8 --locale=C",
            dir = dir.display(),
            bin = bin.display(),
            data = data.display(),
        );
        let command = format!(
            "{user} {bin}/postgres -D {data} -k {dir} -c listen_addresses= -c fsync=off -c max_connections=200 \
             -c shared_buffers=16MB -c full_page_writes=off",
            bin = bin.display(),
            data = data.display(),
            dir = dir.display(),
        );
        let ready = format!(
            "{}/pg_isready --quiet --host={}",
            bin.display(),
            dir.display()
        );
        let server = Server::start(dir, "QUIT", &initdb, &ready, &command);
        Self {
            server,
            databases: AtomicU32::new(0),
        }
    }

    /// Makes an empty database and returns its URL.
    pub fn create_database(&self) -> String {
        use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        PgConnection::establish(&self.url("postgres"))
            .unwrap()
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        self.url(&name)
    }

    /// The process, to be stopped and started.
    pub fn server(&self) -> &Server {
        &self.server
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?user=troupe&host={}",
            self.server.dir().display()
        )
    }
}

/// Where `initdb` and `postgres` are: Debian keeps them out of `PATH`.
fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.splice(0..0, std::env::split_paths(&path));
    folders
        .into_iter()
        .rfind(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("postgresql is not installed: run scripts/test")
}

/// The start of a command line that runs as `postgres` where we are root, which the server refuses.
fn unprivileged(dir: &Path) -> &'static str {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return "";
    }
    let chown = Command::new("chown")
        .arg("postgres")
        .arg(dir)
        .status()
        .unwrap();
    assert!(
        chown.success(),
        "the user postgres does not exist: run scripts/test"
    );
    "setpriv --reuid=postgres --regid=postgres --clear-groups"
}
