//! Takes long base64 out of JSON as it comes in, so that a picture inside is never held as text.

use base64::{
    DecodeError, Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use derive_more::{Display, Error};

use super::order::part_mark;

/// Strings of JSON that are longer and look like base64 are put aside.
const LONG: usize = 4 << 10;
/// The most files of one body.
const MAX_PARTS: usize = 64;

/// Why a body is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
pub enum LiftError {
    #[display("what is left of the answer without its pictures is larger than the limit")]
    TooLarge,
    #[display("there are more than {MAX_PARTS} pictures in one answer")]
    TooMany,
    #[display("a picture is not valid base64")]
    Base64,
}

/// Reads JSON in pieces of any length. Long base64 strings, bare or as data URIs, are decoded and handed
/// over; in the JSON their [mark](part_mark) takes their place. Memory does not grow with them.
pub struct Lifter {
    nonce: u64,
    limit: usize,
    json: Vec<u8>,
    state: State,
    parts: usize,
    decoder: Decoder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    /// In a string that began at that place of `json`; `escaped` = behind a backslash.
    Inside {
        start: usize,
        escaped: bool,
    },
    /// In a string that is no base64.
    Plain {
        escaped: bool,
    },
    /// In base64 that is put aside.
    Part {
        escaped: bool,
    },
}

impl Lifter {
    /// `limit` bytes may be left of the JSON.
    #[must_use]
    pub fn new(nonce: u64, limit: usize) -> Self {
        Self {
            nonce,
            limit,
            json: Vec::new(),
            state: State::Outside,
            parts: 0,
            decoder: Decoder::default(),
        }
    }

    /// How many files were put aside so far; the last may still be coming.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// Reads the next piece. `file` gets the decoded bytes and the place of their file; the files come one
    /// after the other.
    ///
    /// # Errors
    /// [`LiftError`]; it must not be fed again then.
    pub fn feed(
        &mut self,
        mut piece: &[u8],
        mut file: impl FnMut(usize, Vec<u8>),
    ) -> Result<(), LiftError> {
        while !piece.is_empty() {
            piece = match self.state {
                State::Part { escaped } => self.in_part(piece, escaped, &mut file)?,
                _ => self.in_json(piece)?,
            };
            if self.json.len() > self.limit {
                return Err(LiftError::TooLarge);
            }
        }
        Ok(())
    }

    /// The JSON, with marks in it.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.json
    }

    /// Reads until a part begins or the piece ends.
    fn in_json<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], LiftError> {
        for (at, &byte) in piece.iter().enumerate() {
            self.json.push(byte);
            self.state = match (self.state, byte) {
                (State::Outside, b'"') => State::Inside {
                    start: self.json.len(),
                    escaped: false,
                },
                (State::Outside, _) => State::Outside,
                (State::Inside { escaped: false, .. } | State::Plain { escaped: false }, b'"') => {
                    State::Outside
                }
                (State::Plain { escaped }, _) => State::Plain {
                    escaped: !escaped && byte == b'\\',
                },
                (State::Inside { start, escaped }, _) => {
                    let escaped = !escaped && byte == b'\\';
                    if escaped || self.json.len() - start < LONG {
                        State::Inside { start, escaped }
                    } else if self.begin_part(start)? {
                        return Ok(&piece[at + 1..]);
                    } else {
                        State::Plain { escaped }
                    }
                }
                (State::Part { .. }, _) => unreachable!("parts are read elsewhere"),
            };
        }
        Ok(&[])
    }

    /// Whether the string that began there is base64; if so its beginning is taken back out of the JSON.
    fn begin_part(&mut self, start: usize) -> Result<bool, LiftError> {
        let text = &self.json[start..];
        let prefix = prefix_length(text);
        if !text[prefix..]
            .iter()
            .all(|&byte| is_base64(byte) || byte == b'\\')
        {
            return Ok(false);
        }
        if self.parts == MAX_PARTS {
            return Err(LiftError::TooMany);
        }
        let head = self.json.split_off(start + prefix);
        self.json
            .extend_from_slice(part_mark(self.nonce, self.parts).as_bytes());
        self.parts += 1;
        self.decoder = Decoder::default();
        let mut escaped = false;
        for byte in head {
            escaped = self.decoder.take(byte, escaped);
        }
        self.state = State::Part { escaped };
        Ok(true)
    }

    fn in_part<'p>(
        &mut self,
        piece: &'p [u8],
        mut escaped: bool,
        file: &mut impl FnMut(usize, Vec<u8>),
    ) -> Result<&'p [u8], LiftError> {
        let end = memchr::memchr(b'"', piece);
        let text = &piece[..end.unwrap_or(piece.len())];
        for &byte in text {
            escaped = self.decoder.take(byte, escaped);
        }
        let bytes = self
            .decoder
            .decode(end.is_some())
            .map_err(|_| LiftError::Base64)?;
        if !bytes.is_empty() {
            file(self.parts - 1, bytes);
        }
        let Some(end) = end else {
            self.state = State::Part { escaped };
            return Ok(&[]);
        };
        self.json.push(b'"');
        self.state = State::Outside;
        Ok(&piece[end + 1..])
    }
}

/// `data:image/png;base64,`
fn prefix_length(text: &[u8]) -> usize {
    const SEARCHED: usize = 100;
    if !text.starts_with(b"data:") {
        return 0;
    }
    let comma = text.iter().take(SEARCHED).position(|&byte| byte == b',');
    comma.map_or(0, |comma| comma + 1)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Base64 of either alphabet, with or without padding, in pieces.
#[derive(Default)]
struct Decoder {
    text: Vec<u8>,
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Decoder {
    /// Takes a byte of the string as it stands in JSON, where `/` may be escaped and lines be broken.
    fn take(&mut self, byte: u8, escaped: bool) -> bool {
        match (byte, escaped) {
            (b'\\', false) => return true,
            (b'n' | b'r' | b't', true) => {}
            (b'-', _) => self.text.push(b'+'),
            (b'_', _) => self.text.push(b'/'),
            (byte, _) => self.text.push(byte),
        }
        false
    }

    /// What can be decoded of the text so far: groups of four, and the rest where it is the `last`.
    fn decode(&mut self, last: bool) -> Result<Vec<u8>, DecodeError> {
        let whole = self.text.len() / 4 * 4;
        let length = if last { self.text.len() } else { whole };
        let bytes = ENGINE.decode(&self.text[..length])?;
        self.text.drain(..length);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    /// The JSON that is left, and the files.
    fn lift(text: &str, piece: usize) -> Result<(String, Vec<Vec<u8>>), LiftError> {
        let mut lifter = Lifter::new(5, 1 << 20);
        let mut files: Vec<Vec<u8>> = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            lifter.feed(piece, |at, bytes| {
                files.resize(files.len().max(at + 1), Vec::new());
                files[at].extend(bytes);
            })?;
        }
        Ok((String::from_utf8(lifter.finish()).unwrap(), files))
    }

    fn picture(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at * 31 % 251) as u8).collect()
    }

    #[test]
    fn long_base64_goes_aside_and_the_rest_stays() {
        let (one, two) = (picture(9_001), picture(30_000));
        let first = BASE64_STANDARD.encode(&one).replace('/', "\\/");
        let second = BASE64_URL_SAFE_NO_PAD.encode(&two);
        let long = "no base64 \\\" at all, ".repeat(500);
        let body = format!(
            r#"{{"a":"{first}","b":["data:image\/png;base64,{second}","QUJD"],"c":"{long}","d":1}}"#
        );
        let (mark, other) = (part_mark(5, 0), part_mark(5, 1));
        let left = format!(
            r#"{{"a":"{mark}","b":["data:image\/png;base64,{other}","QUJD"],"c":"{long}","d":1}}"#
        );
        for piece in [1, 7, 4_096, body.len()] {
            assert_eq!(
                lift(&body, piece),
                Ok((left.clone(), vec![one.clone(), two.clone()]))
            );
        }
    }

    #[test]
    fn limits_and_faults() {
        let broken = format!(r#"["{}!{}"]"#, "A".repeat(5_000), "A".repeat(99));
        assert_eq!(lift(&broken, 100), Err(LiftError::Base64));
        let many = format!("[{}1]", format!(r#""{}","#, "A".repeat(5_000)).repeat(65));
        assert_eq!(lift(&many, 1_000), Err(LiftError::TooMany));
        let long = format!(r#"["{}"]"#, "a b ".repeat(300_000));
        assert_eq!(lift(&long, 1_000), Err(LiftError::TooLarge));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(bytes in 0..20_000_usize, piece in 1..5_000_usize, text in ".{0,50}") {
            let file = picture(bytes);
            let body = serde_json::json!({"t": text, "f": BASE64_STANDARD.encode(&file)}).to_string();
            let lifted = lift(&body, piece).unwrap();
            prop_assert_eq!(&lifted, &lift(&body, body.len()).unwrap());
            match lifted.1.first() {
                Some(lifted) => prop_assert_eq!(lifted, &file),
                None => prop_assert_eq!(&lifted.0, &body),
            }
        }
    }
}
