//! A film: an MP4 file that is whole, with one track that is empty.

use bytes::Bytes;

/// `ftyp`, a `moov` with its header and a track of 64 by 64 pixels, and an empty `mdat`.
pub(crate) fn film() -> Bytes {
    let kind = boxed(b"ftyp", b"isom\0\0\x02\0isomiso2mp41");
    let track = boxed(b"trak", &boxed(b"tkhd", &track_header()));
    let movie = boxed(b"moov", &[boxed(b"mvhd", &header()), track].concat());
    [kind, movie, boxed(b"mdat", &[])].concat().into()
}

/// Version 0: one second at a thousand ticks, at usual speed and volume, with the usual matrix.
fn header() -> Vec<u8> {
    const ONE: u32 = 0x0001_0000;
    let mut words = vec![0, 0, 0, 1000, 1000, ONE, 0x0100_0000, 0, 0];
    words.extend([ONE, 0, 0, 0, ONE, 0, 0, 0, 0x4000_0000]);
    words.extend([0; 6]);
    words.push(1);
    words
        .iter()
        .flat_map(|word: &u32| word.to_be_bytes())
        .collect()
}

/// Version 0: enabled, the first, a second long, with the usual matrix, 64 by 64 pixels.
fn track_header() -> Vec<u8> {
    const ONE: u32 = 0x0001_0000;
    let mut words = vec![1, 0, 0, 1, 0, 1000, 0, 0, 0, 0];
    words.extend([ONE, 0, 0, 0, ONE, 0, 0, 0, 0x4000_0000]);
    words.extend([64 * ONE, 64 * ONE]);
    words
        .iter()
        .flat_map(|word: &u32| word.to_be_bytes())
        .collect()
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
        assert_eq!(header().len(), 100);
    }
}
