//! GIF, its first frame: what that leaves of the screen is transparent.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::{Source, affords, damaged};
use crate::media::thumbnails::{
    Look, ThumbnailError,
    shrink::{Layout, Place, Shrinking, Shrunk},
};

pub fn decode(source: Source<'_>, look: Look) -> Result<Shrunk, ThumbnailError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    let memory = NonZeroU64::new(look.memory).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(MemoryLimit::Bytes(memory));
    let mut decoder = options.read_info(source).map_err(damaged)?;
    let screen = (decoder.width().into(), decoder.height().into());
    let frame = decoder.next_frame_info().map_err(damaged)?;
    let frame = frame.ok_or_else(|| damaged("it has no picture"))?;
    let (left, top, width) = (frame.left, frame.top, usize::from(frame.width));
    let transparent = frame.transparent;
    affords(look, decoder.buffer_size() as u64)?;
    let mut indexes = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indexes).map_err(damaged)?;
    let colours = rgba(decoder.palette().map_err(damaged)?, transparent);
    let mut shrinking = Shrinking::new(screen, Layout::Rgba, look);
    let mut row = Vec::with_capacity(width * 4);
    for (at, indexes) in (u32::from(top)..).zip(indexes.chunks(width.max(1))) {
        row.clear();
        row.extend(
            indexes
                .iter()
                .flat_map(|index| colours[usize::from(*index)]),
        );
        let (first, step) = (left.into(), 1);
        shrinking.add(
            Place {
                row: at,
                first,
                step,
            },
            &row,
        );
    }
    Ok(shrinking.end())
}

/// The colours of all indexes; those that the palette has not are transparent too.
fn rgba(palette: &[u8], transparent: Option<u8>) -> [[u8; 4]; 256] {
    let (palette, _) = palette.as_chunks::<3>();
    let mut colours = [[0; 4]; 256];
    for (colour, [r, g, b]) in colours.iter_mut().zip(palette) {
        *colour = [*r, *g, *b, u8::MAX];
    }
    if let Some(index) = transparent {
        colours[usize::from(index)] = [0; 4];
    }
    colours
}
