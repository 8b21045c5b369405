//! What the spool promises: no whole record lost, none invented, wherever a process or a reader dies.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path, thread};

use proptest::prelude::*;

use super::*;
use crate::storage::testing::call;

const NO_LIMIT: u64 = u64::MAX;

pub(super) fn open(dir: &Path, segment_bytes: u64) -> Spool {
    Spool::open_with(dir.to_owned(), NO_LIMIT, segment_bytes).unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = dir
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "spool.lock")
        .collect();
    names.sort();
    names
}

/// Reads all there is, as the database would have it: each id once.
fn drain(reader: &mut SpoolReader, most: usize, stored: &mut BTreeSet<String>) {
    loop {
        let batch = reader.next_batch(most).unwrap();
        assert!(batch.rows.len() <= most);
        stored.extend(batch.rows.iter().map(|row| row.id.clone()));
        reader.advance(&batch).unwrap();
        if batch.rows.is_empty() {
            return;
        }
    }
}

pub(super) fn replay(dir: &Path) -> BTreeSet<String> {
    let spool = open(dir, SEGMENT_BYTES);
    let mut stored = BTreeSet::new();
    drain(&mut spool.reader(), 3, &mut stored);
    assert_eq!(files(dir), [""; 0], "what is stored is deleted");
    assert_eq!(spool.backlog_bytes(), 0);
    stored
}

#[test]
fn records_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), SEGMENT_BYTES);
    let recorder = spool.recorder();
    let rows: Vec<_> = (0..10).map(|n| call(&format!("{n}"), n)).collect();
    for row in &rows {
        recorder.record(row).unwrap();
    }
    let mut reader = spool.reader();
    let first = reader.next_batch(4).unwrap();
    assert_eq!(first.rows, rows[..4]);
    assert_eq!(
        reader.next_batch(4).unwrap().rows,
        rows[..4],
        "not advanced, so read again"
    );
    reader.advance(&first).unwrap();
    let second = reader.next_batch(100).unwrap();
    assert_eq!(second.rows, rows[4..]);
    reader.advance(&second).unwrap();
    assert!(reader.next_batch(100).unwrap().rows.is_empty());
    assert_eq!(spool.backlog_bytes(), 0);
    recorder.record(&rows[0]).unwrap();
    assert_eq!(reader.next_batch(100).unwrap().rows, rows[..1]);
}

#[test]
fn a_crash_at_any_byte_loses_no_whole_record() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), SEGMENT_BYTES).recorder();
    for n in 0..4 {
        recorder.record(&call(&format!("{n}"), n)).unwrap();
    }
    drop(recorder);
    let name = files(dir.path()).remove(0);
    let bytes = fs::read(dir.path().join(&name)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for cut in 0..=bytes.len() {
        fs::write(dir.path().join(&name), &bytes[..cut]).unwrap();
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        let expected: BTreeSet<_> = (0..whole).map(|n| n.to_string()).collect();
        assert_eq!(replay(dir.path()), expected, "cut at {cut}");
    }
}

#[test]
fn a_torn_tail_is_waited_for_while_its_writer_lives_and_skipped_after() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), SEGMENT_BYTES);
    let recorder = spool.recorder();
    recorder.record(&call("a", 1)).unwrap();
    let path = dir.path().join(&files(dir.path())[0]);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let line = serde_json::to_string(&call("b", 2)).unwrap();
    let (head, tail) = line.split_at(20);
    file.write_all(head.as_bytes()).unwrap();
    let mut reader = spool.reader();
    let mut stored = BTreeSet::new();
    drain(&mut reader, 10, &mut stored);
    assert_eq!(stored.len(), 1);
    writeln!(file, "{tail}").unwrap();
    file.write_all(head.as_bytes()).unwrap();
    drain(&mut reader, 10, &mut stored);
    assert_eq!(stored.len(), 2, "the rest came");
    assert_eq!(spool.broken(), 0);
    drop((recorder, reader, spool));

    let spool = open(dir.path(), SEGMENT_BYTES);
    drain(&mut spool.reader(), 10, &mut BTreeSet::new());
    assert_eq!(spool.broken(), 1);
    assert_eq!(files(dir.path()), [""; 0]);
}

#[test]
fn lines_that_are_no_records_are_counted_and_do_not_stop_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let name = SegmentName {
        boot: Uuid::from_u128(1),
        seq: 0,
        recorder: 0,
    };
    let good = |id| serde_json::to_string(&call(id, 1)).unwrap();
    let text = format!(
        "{}\n{{}}\n\u{0}\u{0}\n{}\n{}\n",
        good("a"),
        "x".repeat(recorder::MAX_LINE * 2 + 5),
        good("b")
    );
    fs::write(dir.path().join(name.to_string()), text).unwrap();
    let spool = open(dir.path(), SEGMENT_BYTES);
    let mut stored = BTreeSet::new();
    drain(&mut spool.reader(), 10, &mut stored);
    assert_eq!(stored.into_iter().collect::<String>(), "ab");
    assert!(spool.broken() >= 3);
}

#[test]
fn segments_rotate_and_are_deleted_once_stored() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), 1_000);
    let recorder = spool.recorder();
    assert_eq!(
        files(dir.path()),
        [""; 0],
        "an idle recorder leaves no file"
    );
    for n in 0..20 {
        recorder.record(&call(&format!("{n}"), n)).unwrap();
    }
    assert!(files(dir.path()).len() > 4);
    let mut stored = BTreeSet::new();
    drain(&mut spool.reader(), 7, &mut stored);
    assert_eq!(stored.len(), 20);
    assert_eq!(
        files(dir.path()).len(),
        1,
        "only the one being written is left"
    );
}

#[test]
fn the_bound_is_met_emptied_and_found_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open_with(dir.path().to_owned(), 2_000, 500).unwrap();
    let recorder = spool.recorder();
    let mut written = 0;
    while !spool.full() {
        recorder.record(&call(&format!("{written}"), 1)).unwrap();
        written += 1;
    }
    drop((spool, recorder));
    let spool = Spool::open_with(dir.path().to_owned(), 2_000, 500).unwrap();
    assert!(spool.full());
    let mut stored = BTreeSet::new();
    drain(&mut spool.reader(), 1, &mut stored);
    assert_eq!(stored.len(), written);
    assert!(!spool.full());
}

#[test]
fn a_record_that_cannot_be_written_is_counted_and_harms_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), SEGMENT_BYTES);
    let recorder = spool.recorder();
    recorder.record(&call("a", 1)).unwrap();
    let mut long = call("b", 2);
    long.model = "x".repeat(recorder::MAX_LINE);
    assert!(recorder.record(&long).is_err());
    recorder.record(&call("c", 3)).unwrap();
    assert_eq!(spool.lost(), 1);
    let mut stored = BTreeSet::new();
    drain(&mut spool.reader(), 10, &mut stored);
    assert_eq!(stored.into_iter().collect::<String>(), "ac");
    assert_eq!(spool.broken(), 0);
}

#[test]
fn a_directory_is_for_one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), SEGMENT_BYTES);
    let second = Spool::open(dir.path(), NO_LIMIT).unwrap_err();
    assert!(matches!(second, SpoolError::InUse { .. }), "{second}");
    drop(spool);
    Spool::open(dir.path(), NO_LIMIT).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Spool::open(file, NO_LIMIT).unwrap_err();
    assert!(matches!(error, SpoolError::Disk { .. }), "{error}");
}

#[test]
fn recorders_and_the_reader_work_side_by_side() {
    const EACH: usize = 500;
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), 10_000);
    let mut stored = BTreeSet::new();
    thread::scope(|scope| {
        let writers = ["a", "b", "c"].map(|who| {
            let spool = spool.clone();
            scope.spawn(move || {
                let recorder = spool.recorder();
                for n in 0..EACH {
                    recorder.record(&call(&format!("{who}{n}"), 1)).unwrap();
                }
            })
        });
        let mut reader = spool.reader();
        while writers.iter().any(|writer| !writer.is_finished()) {
            drain(&mut reader, 64, &mut stored);
        }
        drain(&mut reader, 64, &mut stored);
    });
    assert_eq!(stored.len(), 3 * EACH);
    assert_eq!(
        (spool.broken(), spool.lost(), spool.backlog_bytes()),
        (0, 0, 0)
    );
}

#[derive(Debug, Clone)]
enum Step {
    Write {
        recorder: usize,
        text: usize,
    },
    Store {
        most: usize,
    },
    /// The records are in the database, but the reader dies before it takes note.
    StoreAndDie {
        most: usize,
    },
    Reboot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..2_usize, 0..300_usize).prop_map(|(recorder, text)| Step::Write { recorder, text }),
        3 => (1..9_usize).prop_map(|most| Step::Store { most }),
        1 => (1..9_usize).prop_map(|most| Step::StoreAndDie { most }),
        1 => Just(Step::Reboot),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn nothing_is_lost_whoever_dies(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path(), 1_500);
        let mut recorders = [spool.recorder(), spool.recorder()];
        let mut reader = spool.reader();
        let (mut written, mut stored) = (BTreeSet::new(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Write { recorder, text } => {
                    let mut row = call(&written.len().to_string(), 1);
                    row.model = "é\"\\".repeat(text);
                    recorders[recorder].record(&row).unwrap();
                    written.insert(row.id);
                }
                Step::Store { most } => {
                    let batch = reader.next_batch(most).unwrap();
                    stored.extend(batch.rows.iter().map(|row| row.id.clone()));
                    reader.advance(&batch).unwrap();
                }
                Step::StoreAndDie { most } => {
                    let batch = reader.next_batch(most).unwrap();
                    stored.extend(batch.rows.into_iter().map(|row| row.id));
                    reader = spool.reader();
                }
                Step::Reboot => {
                    drop((spool, recorders, reader));
                    spool = open(dir.path(), 1_500);
                    recorders = [spool.recorder(), spool.recorder()];
                    reader = spool.reader();
                }
            }
        }
        drain(&mut reader, 5, &mut stored);
        prop_assert_eq!(&stored, &written);
        prop_assert_eq!((spool.backlog_bytes(), spool.broken()), (0, 0));
        prop_assert!(files(dir.path()).len() <= 2);
    }
}
