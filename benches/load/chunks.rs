//! The chunked transfer coding: sizes, line ends and trailers around the pieces of a body.

use crate::answer::{Malformed, split};

/// A size of more digits is refused.
const MAX_DIGITS: u8 = 15;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunks {
    /// More of the line that says how long the next chunk is.
    Size {
        value: u64,
        digits: u8,
        extension: bool,
    },
    /// So many bytes of the chunk.
    Data(u64),
    /// The line end behind a chunk.
    End,
    /// Lines behind the last chunk, up to an empty one.
    Trailer { empty: bool },
    /// Nothing.
    Done,
}

impl Chunks {
    /// The first chunk's size comes next.
    pub fn start() -> Self {
        Self::Size {
            value: 0,
            digits: 0,
            extension: false,
        }
    }

    /// Takes from `input` up to the end of one chunk or line, and returns what comes next and the rest of the input.
    pub fn feed(
        self,
        input: &[u8],
        mut body: impl FnMut(&[u8]),
    ) -> Result<(Self, &[u8]), Malformed> {
        if let Self::Data(left) = self {
            let (piece, rest) = split(input, left);
            body(piece);
            return Ok(match left - piece.len() as u64 {
                0 => (Self::End, rest),
                left => (Self::Data(left), rest),
            });
        }
        let mut state = self;
        for (at, byte) in input.iter().enumerate() {
            state = state.after(*byte)?;
            if *byte == b'\n' {
                return Ok((state, &input[at + 1..]));
            }
        }
        Ok((state, &[]))
    }

    /// What comes after one byte of framing.
    fn after(self, byte: u8) -> Result<Self, Malformed> {
        Ok(match (self, byte) {
            (_, b'\r') => self,
            (Self::Size { digits: 0, .. }, b'\n') => return Err(Malformed::Chunk),
            (Self::Size { value: 0, .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Size { value, .. }, b'\n') => Self::Data(value),
            (
                Self::Size {
                    extension: true, ..
                },
                _,
            ) => self,
            (Self::Size { value, digits, .. }, b';' | b' ') => Self::Size {
                value,
                digits,
                extension: true,
            },
            (
                Self::Size {
                    digits: MAX_DIGITS, ..
                },
                _,
            ) => return Err(Malformed::Chunk),
            (Self::Size { value, digits, .. }, _) => Self::Size {
                value: value * 16 + hex_digit(byte)?,
                digits: digits + 1,
                extension: false,
            },
            (Self::End, b'\n') => Self::start(),
            (Self::Trailer { empty: true }, b'\n') => Self::Done,
            (Self::Trailer { .. }, _) => Self::Trailer {
                empty: byte == b'\n',
            },
            (Self::End | Self::Data(_) | Self::Done, _) => return Err(Malformed::Chunk),
        })
    }
}

fn hex_digit(byte: u8) -> Result<u64, Malformed> {
    let digit = char::from(byte).to_digit(16).ok_or(Malformed::Chunk)?;
    Ok(u64::from(digit))
}
