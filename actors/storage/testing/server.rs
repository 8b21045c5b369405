//! A server process under a small shell that outlives this process just long enough to clean up.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// A running server with a folder of its own.
pub struct Server {
    dir: PathBuf,
    guard: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Server {
    /// Runs `prepare`, starts `command` and waits until `ready` succeeds, all of them for the shell. `signal` ends the
    /// server.
    pub fn start(dir: PathBuf, signal: &str, prepare: &str, ready: &str, command: &str) -> Self {
        let mut guard = Command::new("sh")
            .args(["-c", include_str!("guard.sh"), "guard"])
            .arg(&dir)
            .args([signal, prepare, ready, command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pipes = (
            guard.stdin.take().unwrap(),
            BufReader::new(guard.stdout.take().unwrap()),
        );
        let server = Self {
            dir,
            guard,
            pipes: Mutex::new(pipes),
        };
        server.expect("up");
        server
    }

    /// A new folder in the place for temporary files; the guard removes it.
    pub fn folder(name: &str) -> PathBuf {
        tempfile::Builder::new()
            .prefix(&format!("troupe-{name}-"))
            .tempdir()
            .unwrap()
            .keep()
    }

    /// The server's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Ends the server at once, as a crash would.
    pub fn stop(&self) {
        self.order("stop", "down");
    }

    /// Starts it again after [`Self::stop`].
    pub fn restart(&self) {
        self.order("start", "up");
    }

    /// Freezes it (SIGSTOP): connections stay open, nothing answers.
    pub fn pause(&self) {
        self.order("pause", "paused");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.order("resume", "resumed");
    }

    fn order(&self, order: &str, answer: &str) {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.0, "{order}").unwrap();
        drop(pipes);
        self.expect(answer);
    }

    fn expect(&self, answer: &str) {
        let mut line = String::new();
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        pipes.1.read_line(&mut line).unwrap();
        let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        assert_eq!(line.trim_end(), answer, "the server says: {log}");
    }
}

impl Drop for Server {
    /// Waits until the server and its folder are gone. (Of a shared one the guard learns by the end of this process.)
    fn drop(&mut self) {
        let pipes = self.pipes.get_mut().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.0, "quit").unwrap();
        self.guard.wait().unwrap();
    }
}
