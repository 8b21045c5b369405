//! WebM (RFC 9559, RFC 8794): elements of an identifier, a length and data. Seeking tables point to places of
//! the file, so nothing is taken out: tags and attachments become a Void element of the same length.

use std::ops::Range;

use super::{Flaw, Plan, Survey, area};
use crate::media::reading::Window;

const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const VIDEO: u32 = 0xe0;
const WIDTH: u32 = 0xb0;
const HEIGHT: u32 = 0xba;
const TAGS: u32 = 0x1254_c367;
const ATTACHMENTS: u32 = 0x1941_a469;
const CLUSTER: u32 = 0x1f43_b675;
/// The title within the segment's information.
const INFO: u32 = 0x1549_a966;
const TITLE: u32 = 0x7ba9;
/// More than hours of video have.
const MOST_ELEMENTS: usize = 1_000_000;
const MOST_VOIDED: usize = 1_000;

pub fn survey(window: &mut Window<'_>) -> Result<Survey, Flaw> {
    let mut walk = Walk::default();
    walk.elements(window)?;
    if !walk.has_tracks {
        return Err(Flaw::Broken("it has no tracks"));
    }
    let mut plan = Plan::default();
    let mut at = 0;
    for void in walk.voided {
        plan.copy(at..void.start);
        write_void(&mut plan, void.end - void.start);
        at = void.end;
    }
    plan.copy(at..window.length);
    let pixels = walk.width.zip(walk.height);
    Ok(Survey {
        pixels,
        drawn: pixels.map_or(0, area),
        plan,
    })
}

/// A Void element that takes `length` bytes in all: its identifier, eight bytes of length, and zeros; or one
/// byte of length, where there is no room for eight.
fn write_void(plan: &mut Plan, length: u64) {
    if length >= 9 {
        let mut head = vec![0xec];
        head.extend((1 << 56 | (length - 9)).to_be_bytes());
        plan.write(head);
        plan.zeros(length - 9);
    } else {
        plan.write(vec![0xec, 0x80 | (length - 2) as u8]);
        plan.zeros(length - 2);
    }
}

#[derive(Default)]
struct Walk {
    seen: usize,
    has_tracks: bool,
    width: Option<u32>,
    height: Option<u32>,
    voided: Vec<Range<u64>>,
}

impl Walk {
    /// Elements that hold what is looked for are entered, not jumped over, so that their depth costs nothing.
    /// In a live stream, segments and clusters have no length: what follows is within.
    fn elements(&mut self, window: &mut Window<'_>) -> Result<(), Flaw> {
        let (mut at, whole) = (0, window.length);
        while at < whole {
            self.seen += 1;
            if self.seen > MOST_ELEMENTS || self.voided.len() > MOST_VOIDED {
                return Err(Flaw::Broken("it has too many elements"));
            }
            let (kind, length_at) = identifier(window, at)?;
            let (length, content) = number(window, length_at)?;
            let end = match length {
                Some(length) => content.saturating_add(length),
                None if matches!(kind, SEGMENT | CLUSTER) => content,
                None => return Err(Flaw::Broken("an element has no length")),
            };
            if end > whole {
                return Err(Flaw::Read(std::io::ErrorKind::UnexpectedEof.into()));
            }
            match kind {
                WIDTH => self.width = self.width.or(Some(value(window, content, end)?)),
                HEIGHT => self.height = self.height.or(Some(value(window, content, end)?)),
                TAGS | ATTACHMENTS | TITLE => self.voided.push(at..end),
                _ => {}
            }
            self.has_tracks |= kind == TRACK;
            let entered = matches!(kind, SEGMENT | TRACKS | TRACK | VIDEO | INFO);
            at = if entered { content } else { end };
        }
        Ok(())
    }
}

/// An element's identifier, one to four bytes with their marker, and where it ends.
fn identifier(window: &mut Window<'_>, at: u64) -> Result<(u32, u64), Flaw> {
    let [first] = window.array(at)?;
    let count = first.leading_zeros() as usize + 1;
    if count > 4 {
        return Err(Flaw::Broken("an element has no identifier"));
    }
    let bytes = window.get(at, count)?;
    let kind = bytes
        .iter()
        .fold(0, |kind, byte| kind << 8 | u32::from(*byte));
    Ok((kind, at + count as u64))
}

/// A number of one to eight bytes, none where it is the one for "unknown", and where it ends.
fn number(window: &mut Window<'_>, at: u64) -> Result<(Option<u64>, u64), Flaw> {
    let [first] = window.array(at)?;
    let count = first.leading_zeros() as usize + 1;
    if count > 8 {
        return Err(Flaw::Broken("an element has no length"));
    }
    let bytes = window.get(at, count)?;
    let whole = bytes
        .iter()
        .fold(0, |whole, byte| whole << 8 | u64::from(*byte));
    let most = (1_u64 << (7 * count)) - 1;
    let value = whole & most;
    Ok(((value != most).then_some(value), at + count as u64))
}

fn value(window: &mut Window<'_>, from: u64, to: u64) -> Result<u32, Flaw> {
    let count = usize::try_from(to - from).unwrap_or(usize::MAX);
    if count > 4 {
        return Err(Flaw::Broken("its size makes no sense"));
    }
    let bytes = window.get(from, count)?;
    Ok(bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u32::from(*byte)))
}
