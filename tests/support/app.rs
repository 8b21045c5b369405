//! The gateway as a process of its own.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output},
    time::{Duration, Instant},
};

use awc::{Client, ClientRequest, Connector, error::SendRequestError};
use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Builder, SOON, eventually, leaks};

/// A running gateway with a folder of its own. Dropping it ends the process, checks that no secret stands in
/// its logs, its database and other files, and removes the folder.
pub struct App {
    folder: TempDir,
    env: Vec<(String, String)>,
    secrets: Vec<String>,
    child: Child,
    address: SocketAddr,
    client: Client,
}

impl App {
    pub const ADMIN_PASSWORD: &'static str = "correct-horse-battery-staple";
    pub const ADMIN_TOKEN: &'static str = "admin-token-of-the-tests";
    pub const API_KEY: &'static str = "tp-api-key-of-the-tests-0123456789";

    /// Configures one; nothing runs until its `start`.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts one that nobody configured: nothing but the port is given.
    pub async fn bare() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listen = ("TROUPE__SERVER__LISTEN", "127.0.0.1:0");
        let env = vec![(listen.0.to_owned(), listen.1.to_owned())];
        Self::start(folder, env, Vec::new()).await
    }

    /// Starts one in a folder that has its `config.toml`.
    pub(super) async fn start(
        folder: TempDir,
        env: Vec<(String, String)>,
        secrets: Vec<String>,
    ) -> Self {
        let child = launch(folder.path(), &env);
        let mut app = Self {
            folder,
            env,
            secrets,
            child,
            address: ([0, 0, 0, 0], 0).into(),
            client: client(),
        };
        app.become_ready().await;
        app
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What its client is made of, for requests that differ from the usual.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// POSTs with the API key.
    ///
    /// # Panics
    /// If no answer comes at all.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).await.expect("an answer")
    }

    /// POSTs with the API key.
    ///
    /// # Errors
    /// If no answer comes at all.
    pub async fn try_post(&self, path: &str, body: &Value) -> Result<Answer, SendRequestError> {
        Answer::of(keyed(self.client.post(self.url(path))), Some(body)).await
    }

    /// A chat request.
    pub async fn chat(&self, body: &Value) -> Answer {
        self.post("/v1/chat/completions", body).await
    }

    /// DELETEs with the API key.
    pub async fn delete(&self, path: &str) -> Answer {
        let request = keyed(self.client.delete(self.url(path)));
        Answer::of(request, None).await.expect("an answer")
    }

    /// GETs with the API key.
    pub async fn get(&self, path: &str) -> Answer {
        let request = keyed(self.client.get(self.url(path)));
        Answer::of(request, None).await.expect("an answer")
    }

    /// GETs with the admin token.
    pub async fn admin_get(&self, path: &str) -> Answer {
        let request = self.client.get(self.url(path));
        let request = request.insert_header(("x-admin-token", Self::ADMIN_TOKEN));
        Answer::of(request, None).await.expect("an answer")
    }

    /// POSTs with the admin token.
    pub async fn admin_post(&self, path: &str, body: &Value) -> Answer {
        let request = self.client.post(self.url(path));
        let request = request.insert_header(("x-admin-token", Self::ADMIN_TOKEN));
        Answer::of(request, Some(body)).await.expect("an answer")
    }

    /// All call records, newest first, read page by page; `None` while they cannot be read.
    pub async fn calls(&self) -> Option<Vec<Value>> {
        let (mut calls, mut query) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/admin/calls?limit=500{query}");
            let page = self.admin_get(&path).await.json().await;
            calls.extend(page["list"].as_array()?.iter().cloned());
            match page["next"].as_str() {
                Some(next) => query = format!("&cursor={next}"),
                None => return Some(calls),
            }
        }
    }

    /// All call records as soon as there are so many.
    pub async fn calls_once(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} call records"), async || {
            let calls = self.calls().await?;
            (calls.len() >= count).then_some(calls)
        })
        .await
    }

    /// Ends the process as a power cut would.
    pub fn kill9(&mut self) {
        self.child.kill().expect("the process");
        self.child.wait().expect("the process");
    }

    /// Asks the process to end (SIGTERM).
    pub fn terminate(&self) {
        let pid = self.pid().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.expect("the program kill").success());
    }

    /// Waits until the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the end of the process", async || {
            child.try_wait().expect("the process")
        })
        .await
    }

    /// Starts it again, with the same data, after it has ended.
    pub async fn restart(&mut self) {
        self.child = launch(self.folder.path(), &self.env);
        self.become_ready().await;
    }

    /// Runs another command of the binary in the same folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(self.folder.path(), &self.env, arguments)
    }

    /// What it has written to standard output and standard error so far.
    pub fn logs(&self) -> String {
        let read = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        format!("{}{}", read("stdout.log"), read("stderr.log"))
    }

    /// Bytes of memory of its own, shared pages counted by their share.
    pub fn memory(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid()));
        let rollup = rollup.expect("the kernel's account of memory");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("Pss") << 10
    }

    /// The most memory that it has had at any time, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the kernel's account of the process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("VmHWM") << 10
    }

    async fn become_ready(&mut self) {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(ended) = self.child.try_wait().expect("the process") {
                panic!("it ended with {ended}:\n{}", self.logs());
            }
            if self.is_ready().await {
                return;
            }
            assert!(Instant::now() < deadline, "never ready:\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn is_ready(&mut self) -> bool {
        let Ok(text) = fs::read_to_string(self.path("address")) else {
            return false;
        };
        let Ok(address) = text.trim().parse() else {
            return false;
        };
        self.address = address;
        let asked = self.client.get(self.url("/health/ready")).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // either fails only where the process has ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let logs = self.logs();
            let from = logs.len().saturating_sub(20_000);
            println!("{}", logs.get(from..).unwrap_or(&logs));
            return;
        }
        leaks::in_files(self.folder.path(), &self.secrets);
    }
}

/// Runs a command of the binary to its end.
pub fn run(folder: &Path, env: &[(String, String)], arguments: &[&str]) -> Output {
    let mut command = command(env!("CARGO_BIN_EXE_troupe"), folder, env);
    command.args(arguments).output().expect("the binary")
}

fn launch(folder: &Path, env: &[(String, String)]) -> Child {
    // what a former process wrote there says nothing of this one
    let _ = fs::remove_file(folder.join("address"));
    let log = |name| {
        let mut options = File::options();
        let file = options.create(true).append(true).open(folder.join(name));
        file.expect("a log file")
    };
    // the kernel ends the gateway with the test, also where that is killed
    let mut command = command("setpriv", folder, env);
    command
        .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_troupe"), "serve"])
        .stdout(log("stdout.log"))
        .stderr(log("stderr.log"))
        .spawn()
        .expect("setpriv, of util-linux")
}

fn command(program: &str, folder: &Path, env: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(env.iter().map(|(name, value)| (name, value)))
        .env("TROUPE_ADDR_FILE", folder.join("address"));
    command
}

fn client() -> Client {
    // awc's connector needs one even where no TLS is spoken; another test may have been first
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(SOON * 2)
        .connector(Connector::new().limit(4096))
        .finish()
}

fn keyed(request: ClientRequest) -> ClientRequest {
    request.insert_header(("authorization", format!("Bearer {}", App::API_KEY)))
}
