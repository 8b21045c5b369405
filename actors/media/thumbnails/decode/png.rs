//! PNG, row by row.

use png::{ColorType, Decoder, Limits, Transformations};

use super::{Source, affords, damaged};
use crate::media::thumbnails::{
    Look, ThumbnailError,
    shrink::{Layout, Place, Shrinking, Shrunk},
};

pub fn decode(source: Source<'_>, look: Look) -> Result<Shrunk, ThumbnailError> {
    let bytes = usize::try_from(look.memory).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new_with_limits(source, Limits { bytes });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    // what is damaged and still decodes may be shown
    decoder.ignore_checksums(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    // three rows of at most 64 bits a pixel are held
    affords(look, u64::from(header.width) * 8 * 3)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (size, is_interlaced) = (reader.info().size(), reader.info().interlaced);
    let layout = match reader.output_color_type().0 {
        ColorType::Grayscale => Layout::Gray,
        ColorType::GrayscaleAlpha => Layout::GrayAlpha,
        ColorType::Rgb => Layout::Rgb,
        ColorType::Rgba => Layout::Rgba,
        ColorType::Indexed => return Err(damaged("its palette was not applied")),
    };
    let mut shrinking = Shrinking::new(size, layout, look);
    let mut places = match is_interlaced {
        true => Box::new(interlaced(size)) as Box<dyn Iterator<Item = Place>>,
        false => Box::new((0..size.1).map(Place::row)),
    };
    while let (Some(place), Some(row)) = (places.next(), reader.next_row().map_err(damaged)?) {
        shrinking.add(place, row.data());
    }
    Ok(shrinking.end())
}

/// The seven passes (PNG, third edition, 8.1): first column and step, first row and step.
const PASSES: [[u32; 4]; 7] = [
    [0, 8, 0, 8],
    [4, 8, 0, 8],
    [0, 4, 4, 8],
    [2, 4, 0, 4],
    [0, 2, 2, 4],
    [1, 2, 0, 2],
    [0, 1, 1, 2],
];

/// Where the rows of an interlaced picture lie, in their order; passes without pixels have none.
pub fn interlaced((width, height): (u32, u32)) -> impl Iterator<Item = Place> {
    let passes = PASSES.into_iter().filter(move |[first, ..]| *first < width);
    passes.flat_map(move |[first, step, top, down]| {
        (top..height)
            .step_by(down as usize)
            .map(move |row| Place { row, first, step })
    })
}
