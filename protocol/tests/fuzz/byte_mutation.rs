//! Bytes that are almost right.

use super::random::Random;

const PIECES: &[&[u8]] = &[
    b"\n\n",
    b"\r\n",
    b"\r",
    b"\n",
    b"data: ",
    b"data:[DONE]\n\n",
    b"event: error\n",
    b": note\n\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"type\":1,",
    b"\"content\":null,",
    b"1e999",
    b"-0",
    b"99999999999999999999",
];

/// Changes one place.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(40)).min(bytes.len());
    match random.below(5) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < end => drop(bytes.drain(at..end)),
        2 if at < end => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        3 => bytes.truncate(at),
        _ => drop(bytes.splice(at..at, random.of_these(PIECES).iter().copied())),
    }
}

/// Anything at all.
pub fn noise(random: &mut Random) -> Vec<u8> {
    let length = random.below(300);
    (0..length).map(|_| random.next() as u8).collect()
}
