//! The writing end of the spool: one recorder per thread, one `write` per record.

use std::{
    cell::RefCell,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
};

use super::{Spool, segment::SegmentName};
use crate::storage::queries::calls::CallRow;

/// The longest line. Texts are shortened long before it, so that only a fault reaches it.
pub(super) const MAX_LINE: usize = 32 << 10;

/// Appends call records to the spool. Belongs to one thread; shared there as `Rc`.
///
/// What [`record`](Self::record) has written is in the page cache: it survives the death of the process at any
/// moment, while a power cut may lose the last moments before it.
#[derive(Debug)]
pub struct CallRecorder {
    spool: Spool,
    number: u32,
    pen: RefCell<Pen>,
}

/// What a recorder writes with.
#[derive(Debug, Default)]
struct Pen {
    /// The line under construction, kept for its memory.
    line: Vec<u8>,
    /// The segment being written and its size; none before the first record and after a failed write.
    segment: Option<(File, u64)>,
    /// The number of the next segment.
    next_seq: u32,
}

impl CallRecorder {
    pub(super) fn new(spool: Spool, number: u32) -> Self {
        Self {
            spool,
            number,
            pen: RefCell::default(),
        }
    }

    /// Writes one record, to be called before the client gets its last byte.
    ///
    /// # Errors
    /// When the disk does not take it. The loss is counted and logged here; there is nothing left to do for the
    /// caller but to go on.
    pub fn record(&self, row: &CallRow) -> io::Result<()> {
        match self.append(row) {
            Ok(bytes) => {
                self.spool.count_written(bytes);
                Ok(())
            }
            Err(error) => {
                // what is in the file now may be the beginning of a line: nothing may follow it
                self.pen.borrow_mut().segment = None;
                self.spool.count_lost(&error);
                Err(error)
            }
        }
    }

    fn append(&self, row: &CallRow) -> io::Result<u64> {
        let pen = &mut *self.pen.borrow_mut();
        pen.line.clear();
        serde_json::to_writer(&mut pen.line, row)?;
        pen.line.push(b'\n');
        if pen.line.len() > MAX_LINE {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "the record is too long",
            ));
        }
        let length = pen.line.len() as u64;
        let (file, size) = match &mut pen.segment {
            Some(segment) if segment.1 < self.spool.segment_bytes() => segment,
            segment => {
                let name = SegmentName {
                    boot: self.spool.boot(),
                    seq: pen.next_seq,
                    recorder: self.number,
                };
                pen.next_seq += 1;
                segment.insert((self.create(name)?, 0))
            }
        };
        write_at_once(file, &pen.line)?;
        *size += length;
        Ok(length)
    }

    fn create(&self, name: SegmentName) -> io::Result<File> {
        let path = self.spool.path_of(name);
        OpenOptions::new().append(true).create_new(true).open(path)
    }
}

/// Writes with a single call, so that no other order than all, a beginning, or nothing can be found in the file.
fn write_at_once(file: &mut File, line: &[u8]) -> io::Result<()> {
    loop {
        match file.write(line) {
            Ok(written) if written == line.len() => return Ok(()),
            Ok(_) => {
                return Err(io::Error::new(
                    ErrorKind::WriteZero,
                    "no space for the record",
                ));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
