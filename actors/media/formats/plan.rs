//! Which bytes of a file are kept: copied, or replaced.

use std::{borrow::Cow, fs::File, io, ops::Range, os::unix::fs::FileExt as _};

use crate::media::reading::PIECE;

/// The pieces of a cleaned file, in their order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    /// A range of the source.
    Copy(Range<u64>),
    /// Bytes of ours.
    Write(Cow<'static, [u8]>),
    /// So many zeros.
    Zeros(u64),
}

/// No real file is in so many pieces; a crafted one would cost memory.
const MOST_PIECES: usize = 100_000;

impl Plan {
    /// Keeps a range of the source.
    pub fn copy(&mut self, range: Range<u64>) {
        match self.pieces.last_mut() {
            Some(Piece::Copy(last)) if last.end == range.start => last.end = range.end,
            _ => self.pieces.push(Piece::Copy(range)),
        }
    }

    /// Puts bytes of ours here.
    pub fn write(&mut self, bytes: impl Into<Cow<'static, [u8]>>) {
        self.pieces.push(Piece::Write(bytes.into()));
    }

    /// Puts zeros here.
    pub fn zeros(&mut self, count: u64) {
        self.pieces.push(Piece::Zeros(count));
    }

    /// Puts the pieces of another plan of the same source here.
    pub fn extend(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// Whether the file is in more pieces than a real one could be.
    pub fn is_too_long(&self) -> bool {
        self.pieces.len() > MOST_PIECES
    }

    /// The size of the cleaned file.
    pub fn bytes(&self) -> u64 {
        let sizes = self.pieces.iter().map(|piece| match piece {
            Piece::Copy(range) => range.end - range.start,
            Piece::Write(bytes) => bytes.len() as u64,
            Piece::Zeros(count) => *count,
        });
        sizes.sum()
    }

    /// Hands the cleaned bytes out, a piece at a time. Blocking.
    ///
    /// # Errors
    /// Those of `from`, and of `take`.
    pub fn carry_out(
        &self,
        from: &File,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        for planned in &self.pieces {
            match planned {
                Piece::Write(bytes) => take(bytes)?,
                Piece::Copy(range) => in_steps(range.clone(), |at, count| {
                    from.read_exact_at(&mut piece[..count], at)?;
                    take(&piece[..count])
                })?,
                Piece::Zeros(count) => {
                    piece.fill(0);
                    in_steps(0..*count, |_, count| take(&piece[..count]))?;
                }
            }
        }
        Ok(())
    }
}

fn in_steps(
    range: Range<u64>,
    mut step: impl FnMut(u64, usize) -> io::Result<()>,
) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let count = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
        step(at, count)?;
        at += count as u64;
    }
    Ok(())
}
