//! What a request is known by.

use std::fmt;

use memchr::memmem;
use sha2::{Digest as _, Sha256};

/// SHA-256 over a request's path with its query, and its body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(super) [u8; 32]);

impl Fingerprint {
    /// Of a request.
    #[must_use]
    pub fn of(path: &str, body: &[u8]) -> Self {
        let mut hash = begun(path);
        hash.update(body);
        Self(hash.finalize().into())
    }

    /// SHA-256.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

fn begun(path: &str) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(path);
    // no path has this byte
    hash.update([0]);
    hash
}

/// Makes the fingerprint of a form as it comes: of the boundary between its fields nothing but the places counts, since
/// clients roll it anew for each try. How the form was cut into pieces on its way does not count either.
pub struct FormPrint {
    hash: Sha256,
    boundary: Vec<u8>,
    /// The end of what has come, in which a boundary may begin.
    held: Vec<u8>,
    /// Bytes since the last boundary.
    since: u64,
}

impl FormPrint {
    /// For a form to `path`; its `boundary` must not be empty.
    #[must_use]
    pub fn new(path: &str, boundary: &str) -> Self {
        Self {
            hash: begun(path),
            boundary: boundary.into(),
            held: Vec::new(),
            since: 0,
        }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
        let mut held = std::mem::take(&mut self.held);
        let mut from = 0;
        while let Some(at) = memmem::find(&held[from..], &self.boundary) {
            self.take(&held[from..from + at]);
            self.close();
            from += at + self.boundary.len();
        }
        let may_begin = self.boundary.len().saturating_sub(1);
        let known = held.len() - may_begin.min(held.len() - from);
        self.take(&held[from..known]);
        held.drain(..known);
        self.held = held;
    }

    /// The fingerprint of all that has come.
    #[must_use]
    pub fn finish(mut self) -> Fingerprint {
        let rest = std::mem::take(&mut self.held);
        self.take(&rest);
        self.close();
        Fingerprint(self.hash.finalize().into())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.since += bytes.len() as u64;
    }

    /// Where each field ends is told by their lengths.
    fn close(&mut self) {
        self.hash
            .update(std::mem::take(&mut self.since).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(boundary: &str, pieces: &[&[u8]]) -> Fingerprint {
        let mut print = FormPrint::new("/p", boundary);
        pieces.iter().for_each(|piece| print.push(piece));
        print.finish()
    }

    fn form(boundary: &str, text: &str) -> Fingerprint {
        let body = format!("--{boundary}\r\n\r\n{text}\r\n--{boundary}--\r\n");
        of(boundary, &[body.as_bytes()])
    }

    #[test]
    fn the_boundary_of_a_form_does_not_count() {
        assert_eq!(form("one", "a fox"), form("another", "a fox"));
        assert_ne!(form("one", "a fox"), form("one", "two foxes"));
        // a boundary is where it is, not somewhere else
        assert_ne!(form("one", "a--"), form("one", "--a"));
        assert_ne!(of("x", &[b"axb"]), of("x", &[b"xab"]));
        assert_ne!(of("x", &[b"ab"]), of("x", &[b"axb"]));
    }

    proptest! {
        #[test]
        fn how_it_was_cut_does_not_count(body in "[ab]{0,60}", cuts in prop::collection::vec(0usize..60, 0..6)) {
            let body = body.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &body[ends[0]..ends[1]]).collect();
            prop_assert_eq!(of("aab", &pieces), of("aab", &[body]));
        }
    }
}
