//! PNG (third edition, <https://www.w3.org/TR/png-3/>): chunks of length, type, data and checksum.

use super::{Flaw, Plan, Survey, area};
use crate::media::reading::Window;

/// What a picture needs to look as it should: its critical chunks, transparency, colour, size of its pixels,
/// and animation. Text, times and EXIF are not among them.
const KEPT: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP",
    b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"mDCV", b"cLLI",
];
const SIGNATURE: u64 = 8;
/// Length, type and checksum.
const AROUND: u64 = 12;

pub fn survey(window: &mut Window<'_>) -> Result<Survey, Flaw> {
    let header = Header::read(window)?;
    let (mut plan, mut data, mut drawn) = (Plan::default(), 0, area(header.pixels));
    plan.copy(0..SIGNATURE);
    let mut at = SIGNATURE;
    loop {
        let length = u64::from(u32::from_be_bytes(window.array(at)?));
        let kind: [u8; 4] = window.array(at + 4)?;
        let end = at + AROUND + length;
        if end > window.length {
            return Err(Flaw::Read(std::io::ErrorKind::UnexpectedEof.into()));
        }
        match &kind {
            b"IDAT" => data += length,
            b"fcTL" => drawn += frame(window, at)?,
            _ => {}
        }
        if KEPT.contains(&&kind) {
            plan.copy(at..end);
        } else if kind[0].is_ascii_uppercase() {
            return Err(Flaw::Broken("it needs a chunk that no reader knows"));
        }
        if plan.is_too_long() {
            return Err(Flaw::Broken("it has too many chunks"));
        }
        at = end;
        if &kind == b"IEND" {
            break;
        }
    }
    header.must_fit(data)?;
    Ok(Survey {
        pixels: Some(header.pixels),
        drawn,
        plan,
    })
}

/// The pixels of an animation's frame.
fn frame(window: &mut Window<'_>, at: u64) -> Result<u64, Flaw> {
    let width = u32::from_be_bytes(window.array(at + 12)?);
    let height = u32::from_be_bytes(window.array(at + 16)?);
    Ok(area((width, height)))
}

struct Header {
    pixels: (u32, u32),
    bits_per_pixel: u64,
}

impl Header {
    fn read(window: &mut Window<'_>) -> Result<Self, Flaw> {
        if &window.array(SIGNATURE + 4)? != b"IHDR" {
            return Err(Flaw::Broken("it does not begin with a header"));
        }
        let width = u32::from_be_bytes(window.array(SIGNATURE + 8)?);
        let height = u32::from_be_bytes(window.array(SIGNATURE + 12)?);
        let [depth, colour] = window.array(SIGNATURE + 16)?;
        let samples = match colour {
            0 | 3 => 1,
            2 => 3,
            4 => 2,
            6 => 4,
            _ => return Err(Flaw::Broken("its kind of colour is unknown")),
        };
        if width == 0 || height == 0 || !matches!(depth, 1 | 2 | 4 | 8 | 16) {
            return Err(Flaw::Broken("its header makes no sense"));
        }
        Ok(Self {
            pixels: (width, height),
            bits_per_pixel: u64::from(depth) * samples,
        })
    }

    /// Deflate makes 1032 bytes of one at most, so that `data` bytes cannot hold any number of pixels.
    fn must_fit(&self, data: u64) -> Result<(), Flaw> {
        let row = (u64::from(self.pixels.0) * self.bits_per_pixel).div_ceil(8) + 1;
        let whole = row.saturating_mul(self.pixels.1.into());
        if whole > data.saturating_mul(1_032) {
            return Err(Flaw::Broken(
                "it promises more pixels than its data can hold",
            ));
        }
        Ok(())
    }
}
