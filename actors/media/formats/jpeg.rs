//! JPEG (ITU-T T.81): segments behind markers, and coded data behind each start of scan.

use super::{Flaw, Plan, Survey, area};
use crate::media::reading::Window;

const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

pub fn survey(window: &mut Window<'_>) -> Result<Survey, Flaw> {
    let (mut plan, mut pixels, mut way_up) = (Plan::default(), None, None);
    plan.copy(0..2);
    let mut at = 2;
    loop {
        let [prefix, marker] = window.array(at)?;
        if prefix != 0xff {
            return Err(Flaw::Broken("a marker is missing"));
        }
        match marker {
            // any number of these may come before a marker
            0xff => {
                at += 1;
                continue;
            }
            END => {
                plan.copy(at..at + 2);
                break;
            }
            _ => {}
        }
        let end = at + 2 + u64::from(u16::from_be_bytes(window.array(at + 2)?));
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let height = u16::from_be_bytes(window.array(at + 5)?);
                let width = u16::from_be_bytes(window.array(at + 7)?);
                pixels = Some((width.into(), height.into()));
            }
            0xe1 if way_up.is_none() => {
                way_up = orientation(segment(window, at, end)?);
                if let Some(way @ 2..=8) = way_up {
                    plan.write(exif_of(way));
                }
            }
            _ => {}
        }
        if is_kept(marker, segment(window, at, end)?) {
            plan.copy(at..end);
        }
        at = end;
        if marker == SCAN {
            let data = at;
            at = end_of_scan(window, at)?;
            plan.copy(data..at);
        }
        if plan.is_too_long() {
            return Err(Flaw::Broken("it has too many segments"));
        }
    }
    let pixels = pixels.filter(|pixels| area(*pixels) > 0);
    let pixels = pixels.ok_or(Flaw::Broken("it has no frame, or an empty one"))?;
    Ok(Survey {
        pixels: Some(pixels),
        drawn: area(pixels),
        plan,
    })
}

/// What follows the length of the segment at `at`, at least two bytes long with it.
fn segment<'w>(window: &'w mut Window<'_>, at: u64, end: u64) -> Result<&'w [u8], Flaw> {
    let length = end
        .checked_sub(at + 4)
        .ok_or(Flaw::Broken("a segment has no length"))?;
    Ok(window.get(at + 4, length as usize)?)
}

/// All that decoding needs, the colour profile, and Adobe's word on how colours are coded. Comments and
/// cameras' words are not kept.
fn is_kept(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xe1..=0xef | 0xfe => false,
        _ => true,
    }
}

/// Where coded data ends: at a marker that is neither a stuffed byte nor a restart.
fn end_of_scan(window: &mut Window<'_>, mut at: u64) -> Result<u64, Flaw> {
    loop {
        let data = window.rest(at, 2)?;
        match memchr::memchr(0xff, data) {
            None if data.len() < 2 => {
                return Err(Flaw::Read(std::io::ErrorKind::UnexpectedEof.into()));
            }
            None => at += data.len() as u64,
            Some(place) => {
                at += place as u64;
                match window.array::<2>(at)?[1] {
                    0x00 | 0xd0..=0xd7 => at += 2,
                    0xff => at += 1,
                    _ => return Ok(at),
                }
            }
        }
    }
}

const EXIF: &[u8] = b"Exif\0\0";
/// The tag of the way up, 1 to 8 (TIFF 6.0 and EXIF 2.32, 4.6.4).
const ORIENTATION: u16 = 0x0112;

/// The way up that an EXIF segment tells.
fn orientation(content: &[u8]) -> Option<u8> {
    way_up(content.strip_prefix(EXIF)?)
}

/// The way up that the content of an EXIF block tells, which is a TIFF file.
pub fn way_up(tiff: &[u8]) -> Option<u8> {
    let little = tiff.starts_with(b"II");
    let short = |at: usize| {
        let bytes = tiff.get(at..at + 2)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let long = |at: usize| {
        let bytes = tiff.get(at..at + 4)?.try_into().ok()?;
        Some(if little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    };
    let directory = usize::try_from(long(4)?).ok()?.min(tiff.len());
    let entries = usize::from(short(directory)?);
    let entry = (0..entries)
        .map(|index| directory + 2 + index * 12)
        .find(|at| short(*at) == Some(ORIENTATION))?;
    u8::try_from(short(entry + 8)?).ok()
}

/// An EXIF segment that tells the way up and nothing else: without it the picture would lie on its side.
fn exif_of(way: u8) -> Vec<u8> {
    let mut segment =
        b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    segment.extend([way, 0, 0, 0, 0, 0, 0]);
    segment
}
