//! JPEG, whose transform gives an eighth of the size, a quarter or a half without the rest being computed.

use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};

use super::{Source, affords, damaged};
use crate::media::{
    formats::way_up,
    thumbnails::{
        Look, ThumbnailError,
        shrink::{Layout, Place, Shrinking, Shrunk},
    },
};

pub fn decode(source: Source<'_>, look: Look) -> Result<Shrunk, ThumbnailError> {
    let mut decoder = Decoder::new(source);
    decoder.read_info().map_err(damaged)?;
    let whole = decoder.info().ok_or_else(|| damaged("it has no frame"))?;
    if whole.coding_process != CodingProcess::DctSequential {
        // all of its coefficients, or samples, are held: 16 bits each
        let pixels = u64::from(whole.width) * u64::from(whole.height);
        affords(look, pixels * whole.pixel_format.pixel_bytes() as u64 * 2)?;
    }
    // twice what is wanted, so that the last step has something to choose from
    let side = u16::try_from(look.side * 2).unwrap_or(u16::MAX);
    decoder.scale(side, side).map_err(damaged)?;
    let pixels = decoder.decode().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| damaged("it has no frame"))?;
    let (layout, pixels) = match info.pixel_format {
        PixelFormat::L8 => (Layout::Gray, pixels),
        PixelFormat::RGB24 => (Layout::Rgb, pixels),
        PixelFormat::CMYK32 => (Layout::Rgb, rgb_of_cmyk(&pixels)),
        PixelFormat::L16 => return Err(damaged("its samples have more than 8 bits")),
    };
    let size = (info.width.into(), info.height.into());
    let mut shrinking = Shrinking::new(size, layout, look);
    let bytes = pixels.len() / usize::from(info.height).max(1);
    for (row, pixels) in (0..).zip(pixels.chunks(bytes.max(1))) {
        shrinking.add(Place::row(row), pixels);
    }
    Ok(Shrunk {
        way_up: decoder.exif_data().and_then(way_up).unwrap_or(1),
        size: (whole.width.into(), whole.height.into()),
        ..shrinking.end()
    })
}

/// What printers' colours look like, roughly: without the profile of the ink nobody knows.
fn rgb_of_cmyk(pixels: &[u8]) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<4>();
    let rgb = |[c, m, y, k]: &[u8; 4]| {
        let light = 255 - u16::from(*k);
        [*c, *m, *y].map(|ink| ((255 - u16::from(ink)) * light / 255) as u8)
    };
    pixels.iter().flat_map(rgb).collect()
}
