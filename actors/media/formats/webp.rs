//! WebP (<https://developers.google.com/speed/webp/docs/riff_container>): a RIFF file of chunks.

use super::{Flaw, Plan, Survey, area};
use crate::media::reading::Window;

const FIRST: u64 = 12;
/// Flags of the chunk VP8X.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

pub fn survey(window: &mut Window<'_>) -> Result<Survey, Flaw> {
    let riff = u64::from(u32::from_le_bytes(window.array(4)?));
    let whole = 8 + riff;
    if whole > window.length {
        return Err(Flaw::Read(std::io::ErrorKind::UnexpectedEof.into()));
    }
    let (mut chunks, mut pixels, mut drawn) = (Plan::default(), None, 0);
    let mut at = FIRST;
    while at + 8 <= whole {
        let kind: [u8; 4] = window.array(at)?;
        let length = u64::from(u32::from_le_bytes(window.array(at + 4)?));
        let end = at + 8 + length + length % 2;
        if at + 8 + length > whole {
            return Err(Flaw::Broken("a chunk is longer than the file"));
        }
        match &kind {
            b"VP8X" => {
                pixels = Some(canvas(window, at)?);
                keep_extended(window, at, end, &mut chunks)?;
            }
            b"VP8 " | b"VP8L" => {
                let own = match &kind {
                    b"VP8 " => lossy(window, at)?,
                    _ => lossless(window, at)?,
                };
                pixels = pixels.or(Some(own));
                drawn += area(own);
                keep(at, end, window.length, &mut chunks);
            }
            b"ANMF" => {
                drawn += area((three(window, at + 14)? + 1, three(window, at + 17)? + 1));
                keep(at, end, window.length, &mut chunks);
            }
            b"ALPH" | b"ANIM" | b"ICCP" => keep(at, end, window.length, &mut chunks),
            // EXIF, XMP, and what nobody needs
            _ => {}
        }
        if chunks.is_too_long() {
            return Err(Flaw::Broken("it has too many chunks"));
        }
        at = end;
    }
    let pixels = pixels.filter(|pixels| area(*pixels) > 0 && drawn > 0);
    let pixels = pixels.ok_or(Flaw::Broken("it has no picture, or an empty one"))?;
    Ok(Survey {
        pixels: Some(pixels),
        drawn,
        plan: in_riff(chunks),
    })
}

/// The chunks with a head of their new length.
fn in_riff(chunks: Plan) -> Plan {
    let mut plan = Plan::default();
    let length = u32::try_from(chunks.bytes() + 4).unwrap_or(u32::MAX);
    plan.write([b"RIFF".as_slice(), &length.to_le_bytes(), b"WEBP"].concat());
    plan.extend(chunks);
    plan
}

/// Keeps a chunk; the last may lack the byte that makes its length even.
fn keep(at: u64, end: u64, length: u64, plan: &mut Plan) {
    plan.copy(at..end.min(length));
    if end > length {
        plan.zeros(end - length);
    }
}

/// The chunk of extended features, without the word that there is EXIF or XMP.
fn keep_extended(window: &mut Window<'_>, at: u64, end: u64, plan: &mut Plan) -> Result<(), Flaw> {
    let [flags] = window.array(at + 8)?;
    plan.copy(at..at + 8);
    plan.write(vec![flags & !(HAS_EXIF | HAS_XMP)]);
    plan.copy(at + 9..end.min(window.length));
    Ok(())
}

fn canvas(window: &mut Window<'_>, at: u64) -> Result<(u32, u32), Flaw> {
    Ok((three(window, at + 12)? + 1, three(window, at + 15)? + 1))
}

/// RFC 6386, 9.1: behind the frame's tag and the start code, 14 bits each.
fn lossy(window: &mut Window<'_>, at: u64) -> Result<(u32, u32), Flaw> {
    if window.array(at + 11)? != [0x9d, 0x01, 0x2a] {
        return Err(Flaw::Broken("it does not begin with a key frame"));
    }
    let width = u16::from_le_bytes(window.array(at + 14)?) & 0x3fff;
    let height = u16::from_le_bytes(window.array(at + 16)?) & 0x3fff;
    Ok((width.into(), height.into()))
}

/// RFC 9649, 3.4: behind the signature, 14 bits each, less one.
fn lossless(window: &mut Window<'_>, at: u64) -> Result<(u32, u32), Flaw> {
    if window.array(at + 8)? != [0x2f] {
        return Err(Flaw::Broken("its lossless picture has no signature"));
    }
    let bits = u32::from_le_bytes(window.array(at + 9)?);
    Ok(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

fn three(window: &mut Window<'_>, at: u64) -> Result<u32, Flaw> {
    let [low, middle, high] = window.array(at)?;
    Ok(u32::from_le_bytes([low, middle, high, 0]))
}
