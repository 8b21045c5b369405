//! Somebody else who holds the write lock of a SQLite file.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A process in a write transaction. Dropping it gives the lock back.
pub struct Locker(Child);

/// Takes the lock, says so, and keeps it until its input ends.
const PROGRAM: &str = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
file.execute('BEGIN IMMEDIATE')
print('locked', flush=True)
sys.stdin.read()
file.execute('ROLLBACK')
";

impl Locker {
    /// Takes the lock of a database file.
    pub fn lock(database: &Path) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3: run scripts/test");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its word");
        assert_eq!(line.trim(), "locked");
        Self(child)
    }
}

impl Drop for Locker {
    fn drop(&mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            // the end of its input is the sign; nothing needs to arrive
            let _ = input.flush();
        }
        let _ = self.0.wait();
    }
}
