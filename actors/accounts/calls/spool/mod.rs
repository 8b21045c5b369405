//! The spool: files in which call records wait until the database has them.
//!
//! ```text
//! HTTP thread ── CallRecorder ──┐ one line per record, one write each
//! HTTP thread ── CallRecorder ──┼──▶ {boot}-{recorder}-{seq}.spool ──▶ SpoolReader ──▶ database
//! ```
//! A recorder appends to a segment of its own and begins a new one after a mebibyte. The only reader takes whole
//! lines, and deletes a segment once it is stored wholly and cannot grow. What an earlier process left is read in
//! the same way; the id of each record keeps it from being stored twice. A lock file keeps two processes apart.

#[cfg(test)]
mod kill_test;
mod reader;
mod recorder;
mod segment;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use derive_more::{Display, Error};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use uuid::Uuid;

use self::segment::SegmentName;
pub use self::{
    reader::{Batch, SpoolReader},
    recorder::CallRecorder,
};

/// The spool of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    boot: Uuid,
    max_bytes: u64,
    segment_bytes: u64,
    recorders: AtomicU32,
    /// Bytes written and not stored: writers add, the reader takes off, and measures anew before each batch.
    backlog: Gauge<u64, AtomicU64>,
    lost: Counter,
    broken: Counter,
    /// Held for as long as the process lives; the system gives it up even after a kill.
    _lock: File,
}

/// Why the spool cannot be used.
#[derive(Debug, Display, Error)]
pub enum SpoolError {
    /// Another process has it.
    #[display(
        "the spool directory {} is in use by another process: stop it, or set calls.spool_dir",
        dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory cannot be made, read or locked.
    #[display("the spool directory {} cannot be used: {source}", dir.display())]
    Disk {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// When a recorder begins a new segment.
const SEGMENT_BYTES: u64 = 1 << 20;
/// How long to wait for a process that is just ending, or for a child that it was starting.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// One lost record in so many is logged, the first among them.
const LOG_LOST_EVERY: u64 = 1_000;

impl Spool {
    /// Opens the spool in `dir`, which is made if need be. More than `max_bytes` waiting in it make it
    /// [`full`](Self::full).
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn open(dir: impl Into<PathBuf>, max_bytes: u64) -> Result<Self, SpoolError> {
        Self::open_with(dir.into(), max_bytes, SEGMENT_BYTES)
    }

    fn open_with(dir: PathBuf, max_bytes: u64, segment_bytes: u64) -> Result<Self, SpoolError> {
        let boot = Uuid::now_v7();
        let (lock, waiting) = match lock_and_measure(&dir, boot) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(SpoolError::InUse { dir }),
            Err(source) => return Err(SpoolError::Disk { dir, source }),
        };
        let spool = Self(Arc::new(Shared {
            dir,
            boot,
            max_bytes,
            segment_bytes,
            recorders: AtomicU32::new(0),
            backlog: Gauge::default(),
            lost: Counter::default(),
            broken: Counter::default(),
            _lock: lock,
        }));
        spool.measured(0, waiting);
        Ok(spool)
    }

    /// A recorder for the thread that asks.
    #[must_use]
    pub fn recorder(&self) -> CallRecorder {
        CallRecorder::new(self.clone(), self.0.recorders.fetch_add(1, Relaxed))
    }

    /// The reader. Only the calls actor has one.
    #[must_use]
    pub fn reader(&self) -> SpoolReader {
        SpoolReader::new(self.clone())
    }

    /// Whether so much waits for the database that new requests have to be refused.
    #[must_use]
    pub fn full(&self) -> bool {
        self.backlog_bytes() >= self.0.max_bytes
    }

    /// Bytes of records that wait for the database.
    #[must_use]
    pub fn backlog_bytes(&self) -> u64 {
        self.0.backlog.get()
    }

    /// Records that could not be written since the process started.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.get()
    }

    /// Broken lines that were skipped since the process started.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.0.broken.get()
    }

    /// Makes `troupe_calls_lost_total`, `troupe_calls_broken_total` and `troupe_calls_spool_bytes` part of what
    /// `registry` exposes.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_calls_lost",
            "Call records that the spool's disk did not take",
            self.0.lost.clone(),
        );
        registry.register(
            "troupe_calls_broken",
            "Lines of the spool that were no records, such as the last one before a power cut",
            self.0.broken.clone(),
        );
        registry.register(
            "troupe_calls_spool_bytes",
            "Bytes of call records that wait for the database",
            self.0.backlog.clone(),
        );
    }

    fn dir(&self) -> &Path {
        &self.0.dir
    }

    fn boot(&self) -> Uuid {
        self.0.boot
    }

    fn segment_bytes(&self) -> u64 {
        self.0.segment_bytes
    }

    fn path_of(&self, name: SegmentName) -> PathBuf {
        self.0.dir.join(name.to_string())
    }

    /// Takes over what the directory held. `before` is [`backlog_bytes`](Self::backlog_bytes) from before the look:
    /// what was written since then is kept, so that the figure may be too high for a while but never hides a record.
    fn measured(&self, before: u64, bytes: u64) {
        let corrected = |waiting: u64| Some((waiting + bytes).saturating_sub(before));
        let _ = self
            .0
            .backlog
            .inner()
            .fetch_update(Relaxed, Relaxed, corrected);
    }

    fn count_written(&self, bytes: u64) {
        self.0.backlog.inc_by(bytes);
    }

    fn count_stored(&self, bytes: u64) {
        // never below zero: a record may be read before its writer has counted it
        let less = |waiting: u64| Some(waiting.saturating_sub(bytes));
        let _ = self.0.backlog.inner().fetch_update(Relaxed, Relaxed, less);
    }

    fn count_lost(&self, error: &io::Error) {
        let before = self.0.lost.inc();
        if before.is_multiple_of(LOG_LOST_EVERY) {
            let (lost, dir) = (before + 1, self.0.dir.display());
            log::error!("a call record was lost, {lost} so far: {dir} did not take it: {error}");
        }
    }

    fn count_broken(&self, lines: u64) {
        self.0.broken.inc_by(lines);
    }
}

/// The lock and what waits in `dir`; `None` when another process has the lock and keeps it.
fn lock_and_measure(dir: &Path, boot: Uuid) -> io::Result<Option<(File, u64)>> {
    fs::create_dir_all(dir)?;
    let lock = File::create(dir.join("spool.lock"))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => pause(),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    let waiting = segment::list(dir, boot)?.iter().map(|s| s.size).sum();
    Ok(Some((lock, waiting)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the spool is opened before anything else runs in this process"
)]
fn pause() {
    thread::sleep(Duration::from_millis(5));
}
