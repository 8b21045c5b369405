//! Width and height as a picture's header tells them.

use std::io;

use super::{format::Format, reading::Window};

/// Width and height; none where the header has none or is damaged.
pub(super) fn pixels(format: Format, window: &mut Window<'_>) -> Option<(u32, u32)> {
    let found = match format {
        Format::Png => png(window),
        Format::Jpeg => jpeg(window),
        Format::Gif => gif(window),
        Format::Webp | Format::Mp4 | Format::Webm => return None,
    };
    found.ok()
}

fn png(window: &mut Window<'_>) -> io::Result<(u32, u32)> {
    Ok((
        u32::from_be_bytes(window.array(16)?),
        u32::from_be_bytes(window.array(20)?),
    ))
}

fn gif(window: &mut Window<'_>) -> io::Result<(u32, u32)> {
    let width = u16::from_le_bytes(window.array(6)?);
    let height = u16::from_le_bytes(window.array(8)?);
    Ok((width.into(), height.into()))
}

/// Of the first frame header (SOFn) behind the segments before it.
fn jpeg(window: &mut Window<'_>) -> io::Result<(u32, u32)> {
    let mut at = 2;
    loop {
        let [_, marker, high, low] = window.array(at)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let height = u16::from_be_bytes(window.array(at + 5)?);
            let width = u16::from_be_bytes(window.array(at + 7)?);
            return Ok((width.into(), height.into()));
        }
        at += 2 + u64::from(u16::from_be_bytes([high, low]));
    }
}
