//! MP4 (ISO/IEC 14496-12): boxes within boxes. Tables in it point to places of the file, so nothing is taken
//! out: what tells of the maker and the place becomes free space of the same length, filled with zeros.

use std::ops::Range;

use super::{Flaw, Plan, Survey, area};
use crate::media::reading::Window;

/// More than any real file has; a crafted one would cost time.
const MOST_BOXES: usize = 10_000;

pub fn survey(window: &mut Window<'_>) -> Result<Survey, Flaw> {
    let mut walk = Walk::default();
    walk.boxes(window, 0..window.length, Level::File)?;
    if !walk.has_tracks {
        return Err(Flaw::Broken("it has no tracks"));
    }
    let mut plan = Plan::default();
    let mut at = 0;
    for freed in walk.freed {
        plan.copy(at..freed.start);
        plan.write(b"free".as_slice());
        plan.zeros(freed.end - freed.start - 4);
        at = freed.end;
    }
    plan.copy(at..window.length);
    Ok(Survey {
        pixels: walk.pixels,
        drawn: walk.pixels.map_or(0, area),
        plan,
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    File,
    Movie,
    Track,
}

#[derive(Default)]
struct Walk {
    seen: usize,
    has_tracks: bool,
    pixels: Option<(u32, u32)>,
    /// From the type of a box to its end.
    freed: Vec<Range<u64>>,
}

impl Walk {
    fn boxes(
        &mut self,
        window: &mut Window<'_>,
        range: Range<u64>,
        level: Level,
    ) -> Result<(), Flaw> {
        let mut at = range.start;
        while at < range.end {
            self.seen += 1;
            if self.seen > MOST_BOXES {
                return Err(Flaw::Broken("it has too many boxes"));
            }
            let (content, end) = bounds(window, at, range.end)?;
            let kind: [u8; 4] = window.array(at + 4)?;
            match (level, &kind) {
                (Level::File, b"moov") => self.boxes(window, content..end, Level::Movie)?,
                (Level::Movie, b"trak") => {
                    self.has_tracks = true;
                    self.boxes(window, content..end, Level::Track)?;
                }
                (Level::Track, b"tkhd") => self.header(window, content)?,
                // a large box has its length, which must stay, behind its type
                (_, b"udta" | b"meta" | b"uuid") if content == at + 16 => {
                    return Err(Flaw::Broken("its metadata is larger than any"));
                }
                (_, b"udta" | b"meta" | b"uuid") => self.freed.push(at + 4..end),
                _ => {}
            }
            at = end;
        }
        Ok(())
    }

    /// A track's width and height, 16.16 bits each, are the last of its header. Sound has none.
    fn header(&mut self, window: &mut Window<'_>, content: u64) -> Result<(), Flaw> {
        let [version] = window.array(content)?;
        let at = content + if version == 1 { 88 } else { 76 };
        let width = u32::from_be_bytes(window.array(at)?) >> 16;
        let height = u32::from_be_bytes(window.array(at + 4)?) >> 16;
        if width > 0 && height > 0 && self.pixels.is_none() {
            self.pixels = Some((width, height));
        }
        Ok(())
    }
}

/// Where the content of the box at `at` begins, and where it ends.
fn bounds(window: &mut Window<'_>, at: u64, limit: u64) -> Result<(u64, u64), Flaw> {
    let (head, length) = match u32::from_be_bytes(window.array(at)?) {
        // to the end of the file
        0 => (8, limit - at),
        1 => (16, u64::from_be_bytes(window.array(at + 8)?)),
        length => (8, length.into()),
    };
    match at.checked_add(length) {
        Some(end) if length >= head && end <= limit => Ok((at + head, end)),
        _ => Err(Flaw::Broken("a box does not fit into the one around it")),
    }
}
