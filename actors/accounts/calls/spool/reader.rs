//! The reading end of the spool: batches of whole lines, and what has been read of which segment.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
};

use super::{
    Spool,
    recorder::MAX_LINE,
    segment::{self, Segment, SegmentName},
};
use crate::storage::queries::calls::CallRow;

/// Reads the spool, batch by batch. There is one at a time; a new one begins at the start of every segment that is
/// left, which is harmless since a record that is stored already is skipped.
#[derive(Debug)]
pub struct SpoolReader {
    spool: Spool,
    /// How far each segment has been stored.
    stored: BTreeMap<SegmentName, u64>,
}

/// Records that wait to be stored.
#[derive(Debug)]
pub struct Batch {
    /// Oldest first within each recorder.
    pub rows: Vec<CallRow>,
    /// What they are in the files.
    pieces: Vec<Piece>,
}

/// What was read of one segment.
#[derive(Debug)]
struct Piece {
    name: SegmentName,
    from: u64,
    to: u64,
    /// Lines that are no records.
    broken: u64,
    /// Nothing is left in it and nothing will come.
    finished: bool,
}

impl SpoolReader {
    pub(super) fn new(spool: Spool) -> Self {
        Self {
            spool,
            stored: BTreeMap::new(),
        }
    }

    /// Takes the reader out, to be moved to another thread; what stays begins anew.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self {
            spool: self.spool.clone(),
            stored: std::mem::take(&mut self.stored),
        }
    }

    /// Reads up to `most` records that are not stored yet. Blocks on the disk.
    ///
    /// # Errors
    /// When the directory cannot be read. A segment that cannot be is logged and left for the next time.
    pub fn next_batch(&mut self, most: usize) -> io::Result<Batch> {
        let before = self.spool.backlog_bytes();
        let segments = segment::list(self.spool.dir(), self.spool.boot())?;
        self.stored
            .retain(|name, _| segments.binary_search_by_key(name, |s| s.name).is_ok());
        self.spool.measured(before, self.backlog(&segments));
        let mut batch = Batch {
            rows: Vec::new(),
            pieces: Vec::new(),
        };
        for segment in &segments {
            if batch.rows.len() >= most {
                break;
            }
            match self.read(segment, most, &mut batch.rows) {
                Ok(piece) => batch.pieces.push(piece),
                Err(error) => {
                    log::error!("call records in {} cannot be read: {error}", segment.name)
                }
            }
        }
        Ok(batch)
    }

    /// Takes note that the batch is stored, and deletes the segments that are done with. Blocks on the disk.
    ///
    /// # Errors
    /// When a segment cannot be deleted; it is tried again with the next batch.
    pub fn advance(&mut self, batch: &Batch) -> io::Result<()> {
        for piece in &batch.pieces {
            self.stored.insert(piece.name, piece.to);
            self.spool.count_stored(piece.to - piece.from);
            if piece.broken > 0 {
                log::warn!(
                    "{} broken call records in {} are skipped",
                    piece.broken,
                    piece.name
                );
                self.spool.count_broken(piece.broken);
            }
        }
        for piece in batch.pieces.iter().filter(|piece| piece.finished) {
            fs::remove_file(self.spool.path_of(piece.name))?;
            self.stored.remove(&piece.name);
        }
        Ok(())
    }

    fn stored(&self, name: SegmentName) -> u64 {
        self.stored.get(&name).copied().unwrap_or(0)
    }

    fn backlog(&self, segments: &[Segment]) -> u64 {
        let left = |s: &Segment| s.size.saturating_sub(self.stored(s.name));
        segments.iter().map(left).sum()
    }

    fn read(&self, segment: &Segment, most: usize, rows: &mut Vec<CallRow>) -> io::Result<Piece> {
        let from = self.stored(segment.name);
        let mut piece = Piece {
            name: segment.name,
            from,
            to: from,
            broken: 0,
            finished: false,
        };
        if !segment.closed && segment.size == from {
            return Ok(piece);
        }
        let mut file = File::open(self.spool.path_of(segment.name))?;
        file.seek(SeekFrom::Start(from))?;
        let mut file = BufReader::with_capacity(READ_AHEAD, file);
        let mut line = Vec::new();
        while rows.len() < most {
            line.clear();
            let length = (&mut file)
                .take(MAX_LINE as u64)
                .read_until(b'\n', &mut line)?;
            if length == 0 {
                piece.finished = segment.closed;
                break;
            }
            let whole = line.last() == Some(&b'\n');
            if !whole && !segment.closed && length < MAX_LINE {
                // being written at this very moment
                break;
            }
            // a line that its writer did not live to end, or that no recorder wrote, is no record
            match serde_json::from_slice(&line) {
                Ok(row) if whole => rows.push(row),
                _ => piece.broken += 1,
            }
            piece.to += length as u64;
        }
        Ok(piece)
    }
}

/// How much is read from the disk at a time.
const READ_AHEAD: usize = 64 << 10;
