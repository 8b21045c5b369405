//! The answer to one request as it is made: one writer, and readers that each begin at its start.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::accounts::calls::Outcome;

/// What precedes an answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// HTTP status.
    pub status: u16,
    /// What is worth being given again, names in lower case; nothing of the connection or of the one request.
    pub headers: Vec<(String, String)>,
    /// The body's length, where it is known.
    pub length: Option<u64>,
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The answer is whole; so ended the call that made it.
    Complete(Outcome),
    /// It grew beyond what may be held; what follows is not recorded.
    TooLarge,
    /// It broke off, or whoever made it is gone.
    Broken,
    /// There is no answer, and this is why.
    Refused(Refusal),
}

/// Why a request with an `Idempotency-Key` is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The key was used with another path or body.
    OtherBody,
    /// It was answered, but the answer was too large to keep.
    NotKept,
    /// Whether it was answered cannot be found out, or could not be kept.
    Unavailable,
}

/// What a reader meets next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A piece of the body; there may be more.
    Piece(Bytes),
    /// The last piece, and how the call that made it ended.
    Last(Bytes, Outcome),
    /// Nothing more.
    End(End),
}

/// What all recordings together may hold in memory.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    held: Arc<AtomicUsize>,
    limit: usize,
}

/// What one recording costs before its first byte, roughly.
const OVERHEAD: usize = 1 << 10;

impl Budget {
    /// Of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let held = Arc::default();
        Self { held, limit }
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.held.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.held.load(Relaxed)
    }
}

/// A recording's share of the budget, given back when its last reader is gone.
#[derive(Debug)]
struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    fn grow(&mut self, bytes: usize) -> bool {
        let taken = self.budget.take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Relaxed);
    }
}

#[derive(Debug)]
struct Progress {
    head: Option<Arc<Head>>,
    pieces: Vec<Bytes>,
    /// Of all pieces.
    bytes: usize,
    end: Option<End>,
    share: Share,
}

impl Progress {
    fn add(&mut self, piece: Bytes, max_bytes: usize) -> bool {
        let length = piece.len();
        let fits = self.bytes + length <= max_bytes && self.share.grow(length);
        if fits {
            self.bytes += length;
            self.pieces.push(piece);
        }
        fits
    }
}

/// See the module's head. It ends once; what is written after that is not recorded.
#[derive(Debug)]
pub struct Recording {
    progress: watch::Sender<Progress>,
    max_bytes: usize,
}

impl Recording {
    /// An empty one that may hold `max_bytes`; none where the budget is used up.
    pub(super) fn new(budget: &Budget, max_bytes: usize) -> Option<Self> {
        let mut share = Share {
            budget: budget.clone(),
            bytes: 0,
        };
        share.grow(OVERHEAD).then(|| Self {
            progress: watch::Sender::new(Progress {
                head: None,
                pieces: Vec::new(),
                bytes: 0,
                end: None,
                share,
            }),
            max_bytes,
        })
    }

    /// Notes what precedes the body.
    pub(super) fn begin(&self, head: Head) {
        self.progress
            .send_modify(|progress| progress.head = Some(Arc::new(head)));
    }

    /// Adds a piece. False where it is too much: then the recording has ended, [`End::TooLarge`].
    pub(super) fn push(&self, piece: Bytes) -> bool {
        let mut added = false;
        self.progress.send_if_modified(|progress| {
            if progress.end.is_some() {
                return false;
            }
            added = progress.add(piece, self.max_bytes);
            if !added {
                progress.end = Some(End::TooLarge);
            }
            true
        });
        added
    }

    /// Ends it, with its last piece if there is one, unless it has ended. False where the piece was too much, or too
    /// late.
    pub(super) fn end(&self, last: Option<Bytes>, end: End) -> bool {
        let mut added = false;
        self.progress.send_if_modified(|progress| {
            if progress.end.is_some() {
                return false;
            }
            added = last.is_none_or(|last| progress.add(last, self.max_bytes));
            progress.end = Some(if added { end } else { End::TooLarge });
            true
        });
        added
    }

    /// Fills it at once with an answer that was within the limits when it was made.
    pub(super) fn fill(&self, head: Head, body: Bytes, outcome: Outcome) {
        self.progress.send_modify(|progress| {
            progress.head = Some(Arc::new(head));
            progress.pieces = Vec::from_iter((!body.is_empty()).then_some(body));
            progress.end = Some(End::Complete(outcome));
        });
    }

    /// The body so far; none where it is too large, with `more` bytes to come.
    pub(super) fn so_far(&self, more: usize) -> Option<Vec<Bytes>> {
        let progress = self.progress.borrow();
        let fits = progress.end != Some(End::TooLarge) && progress.bytes + more <= self.max_bytes;
        fits.then(|| progress.pieces.clone())
    }

    /// What precedes the body, once that is known.
    pub(super) fn head(&self) -> Option<Arc<Head>> {
        self.progress.borrow().head.clone()
    }

    /// Whether it has outgrown its limits.
    pub(super) fn is_too_large(&self) -> bool {
        self.progress.borrow().end == Some(End::TooLarge)
    }

    /// A reader that begins at the start.
    pub(super) fn read(&self) -> Reader {
        Reader {
            changes: self.progress.subscribe(),
            next: 0,
        }
    }

    /// Done as soon as nobody reads it.
    pub(super) async fn unread(&self) {
        self.progress.closed().await;
    }
}

/// Reads a recording from its start, at its own pace.
#[derive(Debug)]
pub struct Reader {
    changes: watch::Receiver<Progress>,
    /// The index of the piece to be read next.
    next: usize,
}

impl Reader {
    /// What precedes the body, as soon as it is there.
    ///
    /// # Errors
    /// How the recording ended without.
    pub async fn head(&mut self) -> Result<Arc<Head>, End> {
        loop {
            let found = {
                let progress = self.changes.borrow_and_update();
                let ended = progress.end.map(Err);
                progress.head.clone().map(Ok).or(ended)
            };
            if let Some(found) = found {
                return found;
            }
            self.changed().await?;
        }
    }

    /// The next piece or the end, which can be asked for again.
    pub async fn next(&mut self) -> Step {
        loop {
            if let Some(step) = self.step() {
                return step;
            }
            if let Err(end) = self.changed().await {
                return Step::End(end);
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        let progress = self.changes.borrow_and_update();
        let Some(piece) = progress.pieces.get(self.next) else {
            return progress.end.map(Step::End);
        };
        self.next += 1;
        let is_last = self.next == progress.pieces.len();
        Some(match progress.end {
            Some(End::Complete(outcome)) if is_last => Step::Last(piece.clone(), outcome),
            _ => Step::Piece(piece.clone()),
        })
    }

    /// Whoever writes says so when he goes; should he not, this is a broken recording, too.
    async fn changed(&mut self) -> Result<(), End> {
        self.changes.changed().await.map_err(|_| End::Broken)
    }
}
