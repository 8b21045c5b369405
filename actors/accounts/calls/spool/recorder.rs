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
    /// The segment being written and its size, which is where the last whole line ends; none before the first record.
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
        if let Err(error) = write_at_once(file, &pen.line) {
            // what is in the file now may be the beginning of a line, which nothing may follow
            if file.set_len(*size).is_err() {
                pen.segment = None;
            }
            return Err(error);
        }
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

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    use super::{
        super::{SEGMENT_BYTES, tests::open},
        *,
    };
    use crate::storage::testing::call;

    /// A file with `lines` and the beginning of another, that takes no more.
    fn full(lines: &[u8]) -> File {
        let mut file = File::from(memfd_create("full", MemfdFlags::ALLOW_SEALING).unwrap());
        file.write_all(lines).unwrap();
        file.write_all(b"{\"id\":\"ha").unwrap();
        fcntl_add_seals(&file, SealFlags::GROW).unwrap();
        file
    }

    #[test]
    fn a_record_that_the_disk_does_not_take_leaves_nothing_and_costs_no_segment() {
        let dir = tempfile::tempdir().unwrap();
        let spool = open(dir.path(), SEGMENT_BYTES);
        let recorder = spool.recorder();
        recorder.record(&call("first", 1)).unwrap();
        let (good, size) = recorder.pen.borrow_mut().segment.take().unwrap();
        let full = full(&vec![b'x'; usize::try_from(size).unwrap()]);
        let seen = full.try_clone().unwrap();
        recorder.pen.borrow_mut().segment = Some((full, size));
        for lost in ["second", "third"] {
            assert!(recorder.record(&call(lost, 2)).is_err());
            assert_eq!(
                seen.metadata().unwrap().len(),
                size,
                "cut to the last whole line"
            );
        }
        assert_eq!(
            recorder.pen.borrow().next_seq,
            1,
            "no other segment was made"
        );
        // the disk has room again
        recorder.pen.borrow_mut().segment.as_mut().unwrap().0 = good;
        recorder.record(&call("fourth", 4)).unwrap();
        let rows = spool.reader().next_batch(10).unwrap().rows;
        let ids: Vec<&str> = rows.iter().map(|row| &*row.id).collect();
        assert_eq!(ids, ["first", "fourth"]);
    }
}
