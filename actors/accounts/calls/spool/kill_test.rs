//! What is left of a process that was killed at its work.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use super::tests::{open, replay};
use crate::storage::testing::call;

/// Where the child of the test finds its spool.
const CHILD_DIR: &str = "TROUPE_TEST_SPOOL_DIR";

#[test]
fn a_killed_process_leaves_every_record_it_had_written() {
    if let Ok(dir) = std::env::var(CHILD_DIR) {
        return write_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let module = module_path!().split_once("::").unwrap().1;
    let name = format!("{module}::a_killed_process_leaves_every_record_it_had_written");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // the last line before the kill may be torn
    let id_of = |line: io::Result<String>| {
        let id = line.ok()?.split_once("wrote ")?.1.to_owned();
        (id.len() == ID_LENGTH).then_some(id)
    };
    let mut told = BTreeSet::new();
    while told.len() < 300 {
        told.extend(id_of(lines.next().expect("the child writes on")));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    told.extend(lines.filter_map(id_of));
    let stored = replay(dir.path());
    let missing: Vec<_> = told.difference(&stored).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(
        stored.len() <= told.len() + WRITERS,
        "at most one untold record per writer"
    );
}

const WRITERS: usize = 2;
const ID_LENGTH: usize = 9;

fn write_until_killed(dir: &Path) {
    let spool = open(dir, 20_000);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let recorder = spool.recorder();
            scope.spawn(move || {
                for n in 0.. {
                    let id = format!("{writer}-{n:07}");
                    recorder.record(&call(&id, 1)).unwrap();
                    let told = writeln!(io::stdout(), "wrote {id}");
                    if told.is_err() {
                        // the parent is gone
                        return;
                    }
                }
            });
        }
    });
}
