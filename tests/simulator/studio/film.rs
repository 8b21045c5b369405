//! A film: an MP4 file that is whole, of one second in which nothing is seen.

use bytes::Bytes;

/// `ftyp`, a `moov` with its header and a track without samples, and an empty `mdat`.
pub(crate) fn film() -> Bytes {
    let kind = boxed(b"ftyp", b"isom\0\0\x02\0isomiso2mp41");
    let track = boxed(b"trak", &boxed(b"tkhd", &track_header()));
    let movie = boxed(b"moov", &[boxed(b"mvhd", &header()), track].concat());
    [kind, movie, boxed(b"mdat", &[])].concat().into()
}

/// 1 as a number of 16 bits, a point, and 16 bits.
const ONE: u32 = 0x0001_0000;

/// Version 0: one second at a thousand ticks, at usual speed and volume, with the usual matrix.
fn header() -> Vec<u8> {
    let mut words = vec![0, 0, 0, 1000, 1000, ONE, 0x0100_0000, 0, 0];
    words.extend(MATRIX);
    words.extend([0; 6]);
    words.push(2);
    bytes(&words)
}

/// Version 0, shown: the first track, as long as the film, of 64 by 64 pixels.
fn track_header() -> Vec<u8> {
    let mut words = vec![3, 0, 0, 1, 0, 1000, 0, 0, 0, 0];
    words.extend(MATRIX);
    words.extend([64 * ONE, 64 * ONE]);
    bytes(&words)
}

/// Nothing is turned or moved.
const MATRIX: [u32; 9] = [ONE, 0, 0, 0, ONE, 0, 0, 0, 0x4000_0000];

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], name, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boxes_fill_the_file() {
        let film = film();
        let (mut at, mut names) = (0, Vec::new());
        while at < film.len() {
            let length = u32::from_be_bytes(film[at..at + 4].try_into().unwrap());
            names.push(&film[at + 4..at + 8]);
            at += length as usize;
        }
        assert_eq!(at, film.len());
        assert_eq!(names, [b"ftyp", b"moov", b"mdat"]);
        assert_eq!((header().len(), track_header().len()), (100, 84));
    }
}
