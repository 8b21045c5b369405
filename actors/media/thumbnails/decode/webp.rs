//! WebP, of an animation its first frame. Its decoder gives the whole picture at once.

use image_webp::WebPDecoder;

use super::{Source, affords, damaged};
use crate::media::thumbnails::{
    Look, ThumbnailError,
    shrink::{Layout, Place, Shrinking, Shrunk},
};

pub fn decode(source: Source<'_>, look: Look) -> Result<Shrunk, ThumbnailError> {
    let mut decoder = WebPDecoder::new(source).map_err(damaged)?;
    let size = decoder.dimensions();
    let (layout, depth) = match decoder.has_alpha() {
        true => (Layout::Rgba, 4),
        false => (Layout::Rgb, 3),
    };
    // the decoder has them once more for itself, in RGBA at worst
    affords(look, u64::from(size.0) * u64::from(size.1) * (depth + 4))?;
    decoder.set_memory_limit(usize::try_from(look.memory).unwrap_or(usize::MAX));
    let bytes = decoder.output_buffer_size();
    let mut pixels = vec![0; bytes.ok_or_else(|| damaged("it is larger than memory"))?];
    decoder.read_image(&mut pixels).map_err(damaged)?;
    let mut shrinking = Shrinking::new(size, layout, look);
    for (row, pixels) in (0..).zip(pixels.chunks(size.0 as usize * depth as usize)) {
        shrinking.add(Place::row(row), pixels);
    }
    Ok(shrinking.end())
}
