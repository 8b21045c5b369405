//! The last steps: to the size that is wanted, the right way up, and encoded.

use fast_image_resize::{
    PixelType, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use super::{Look, Thumbnail, ThumbnailError, ThumbnailKind, shrink::Shrunk};

/// Pixels in RGBA.
struct Picture {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
}

pub fn finish(
    shrunk: Shrunk,
    look: Look,
    kind: ThumbnailKind,
) -> Result<Thumbnail, ThumbnailError> {
    let way_up = shrunk.way_up;
    let picture = turned(scaled(shrunk, look)?, way_up);
    let bytes = match kind {
        ThumbnailKind::WebP => webp(&picture, look.quality)?,
        ThumbnailKind::Jpeg => jpeg(&picture, look.quality)?,
    };
    Ok(Thumbnail {
        bytes: bytes.into(),
        mime: kind.mime(),
        width: picture.width,
        height: picture.height,
    })
}

/// At most `look.side` on its longer side, in its own proportions.
fn scaled(shrunk: Shrunk, look: Look) -> Result<Picture, ThumbnailError> {
    let (width, height) = fitting(shrunk.size, look.side);
    let from = ImageRef::new(shrunk.columns, shrunk.rows, &shrunk.pixels, PixelType::U8x4)
        .map_err(not_drawn)?;
    let mut to = Image::new(width, height, PixelType::U8x4);
    let (columns, rows) = shrunk.extent;
    let options = ResizeOptions::new().crop(0.0, 0.0, columns, rows);
    Resizer::new()
        .resize(&from, &mut to, &options)
        .map_err(not_drawn)?;
    Ok(Picture {
        pixels: to.into_vec(),
        width,
        height,
    })
}

/// That size in so many pixels on the longer side; at least 1 on the other.
fn fitting((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longer = width.max(height).max(1);
    if longer <= side {
        return (width, height);
    }
    let fit = |length: u32| {
        let scaled =
            (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(side).max(1)
    };
    (fit(width), fit(height))
}

/// The right way up, from one of the eight that EXIF knows (EXIF 2.32, 4.6.4).
fn turned(picture: Picture, way_up: u8) -> Picture {
    if !(2..=8).contains(&way_up) {
        return picture;
    }
    let (width, height) = match way_up {
        5..=8 => (picture.height, picture.width),
        _ => (picture.width, picture.height),
    };
    let (last_x, last_y) = (picture.width - 1, picture.height - 1);
    let from = |x: u32, y: u32| match way_up {
        2 => (last_x - x, y),
        3 => (last_x - x, last_y - y),
        4 => (x, last_y - y),
        5 => (y, x),
        6 => (y, last_y - x),
        7 => (last_x - y, last_y - x),
        _ => (last_x - y, x),
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = places.flat_map(|(x, y)| {
        let (x, y) = from(x, y);
        let at = (y * picture.width + x) as usize * 4;
        picture.pixels[at..at + 4].iter().copied()
    });
    Picture {
        pixels: pixels.collect(),
        width,
        height,
    }
}

fn webp(picture: &Picture, quality: u8) -> Result<Vec<u8>, ThumbnailError> {
    let encoder = webp::Encoder::from_rgba(&picture.pixels, picture.width, picture.height);
    let encoded = encoder.encode_simple(false, quality.into());
    let encoded = encoded.map_err(|error| ThumbnailError::Damaged(format!("{error:?}")))?;
    Ok(encoded.to_vec())
}

fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, ThumbnailError> {
    let (pixels, _) = picture.pixels.as_chunks::<4>();
    let on_white = |[r, g, b, alpha]: &[u8; 4]| {
        let alpha = u32::from(*alpha);
        [*r, *g, *b]
            .map(|colour| ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
    };
    let pixels: Vec<u8> = pixels.iter().flat_map(on_white).collect();
    let side = |length: u32| u16::try_from(length).map_err(not_drawn);
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    let mut encoded = Vec::new();
    jpeg_encoder::Encoder::new(&mut encoded, quality)
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .map_err(not_drawn)?;
    Ok(encoded)
}

/// What a library says of a picture that should have been right.
fn not_drawn(error: impl std::fmt::Display) -> ThumbnailError {
    ThumbnailError::Damaged(error.to_string())
}
