//! Small real PNG files of an exact size.

use std::{fmt, str::FromStr};

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, chunk::ChunkType};

use crate::plan::Plan;

/// What to draw. Its name in a link is `64x64-0`, or `64x64-0-noise`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Drawing {
    pub width: u32,
    pub height: u32,
    /// Bytes of the file; one that needs more is as long as it must be.
    pub bytes: usize,
    /// Pixels that no compression makes smaller: a byte of the file each, which nothing can take out.
    pub noise: bool,
}

/// What the name of noise ends with.
const NOISE: &str = "-noise";

/// The largest side that is drawn.
const LARGEST: u32 = 4096;

/// Length, type and checksum of a PNG chunk.
const CHUNK_FRAME: usize = 12;

impl Drawing {
    /// A drawing of `1024x1024`, of 64x64 for `auto` or nothing; `None` for what is no size.
    pub(crate) fn of_size(size: Option<&str>) -> Option<Self> {
        match size {
            None | Some("auto") => "64x64-0".parse().ok(),
            Some(size) => format!("{size}-0").parse().ok(),
        }
    }

    /// The same as a plan wants it.
    pub(crate) fn planned(self, plan: &Plan) -> Self {
        Self {
            bytes: plan.image.unwrap_or(0),
            noise: plan.noise,
            ..self
        }
    }

    /// A small drawing of a shape such as `16:9` or `19.5:9`, square for nothing; `None` for what is no shape.
    pub(crate) fn of_shape(shape: Option<&str>) -> Option<Self> {
        let Some(shape) = shape.filter(|shape| *shape != "auto") else {
            return Self::of_size(None);
        };
        let (width, height) = shape.split_once(':')?;
        let side = |text: &str| text.parse::<f64>().ok().map(|side| (side * 32.0).round());
        Self::of_size(Some(&format!("{}x{}", side(width)?, side(height)?)))
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}x{}-{}", self.width, self.height, self.bytes)?;
        out.write_str(if self.noise { NOISE } else { "" })
    }
}

impl FromStr for Drawing {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let (name, noise) = match name.strip_suffix(NOISE) {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (size, bytes) = name.split_once('-').ok_or(())?;
        let (width, height) = size.split_once('x').ok_or(())?;
        let side = |text: &str| match text.parse() {
            Ok(side) if (1..=LARGEST).contains(&side) => Ok(side),
            _ => Err(()),
        };
        Ok(Self {
            width: side(width)?,
            height: side(height)?,
            bytes: bytes.parse().map_err(|_| ())?,
            noise,
        })
    }
}

/// A grey gradient or noise, filled up with an ignored chunk to the size that was asked.
pub(crate) fn draw(drawing: Drawing) -> Result<Vec<u8>, EncodingError> {
    let plain = encode(drawing, None)?;
    match drawing.bytes.checked_sub(plain.len() + CHUNK_FRAME) {
        Some(filler) => encode(drawing, Some(filler)),
        None => Ok(plain),
    }
}

fn encode(drawing: Drawing, filler: Option<usize>) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, drawing.width, drawing.height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    if drawing.noise {
        encoder.set_compression(Compression::NoCompression);
    }
    let mut writer = encoder.write_header()?;
    if let Some(filler) = filler {
        writer.write_chunk(ChunkType(*b"siMp"), &vec![0x5a; filler])?;
    }
    writer.write_image_data(&pixels(drawing))?;
    writer.finish()?;
    Ok(file)
}

fn pixels(drawing: Drawing) -> Vec<u8> {
    if drawing.noise {
        let mut state = 0x9e37_79b9_u32;
        let noise = (0..drawing.width * drawing.height).map(|_| {
            // Marsaglia's xorshift
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_be_bytes()[0]
        });
        return noise.collect();
    }
    let row = (0..drawing.width).map(|x| u8::try_from(x * 255 / drawing.width).unwrap_or(255));
    let row: Vec<u8> = row.collect();
    row.repeat(usize::try_from(drawing.height).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_real_and_as_long_as_asked() {
        for (name, length) in [
            ("64x64-0", None),
            ("640x480-1048576", Some(1 << 20)),
            ("64x32-0-noise", None),
        ] {
            let drawing: Drawing = name.parse().unwrap();
            assert_eq!(drawing.to_string(), name);
            let file = draw(drawing).unwrap();
            assert_eq!(length.unwrap_or(file.len()), file.len());
            let decoder = png::Decoder::new(std::io::Cursor::new(file));
            let mut reader = decoder.read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(reader.info().size(), (drawing.width, drawing.height));
            let noisy = pixels
                .windows(2)
                .any(|pair| pair[0] > pair[1] && pair[1] > 0);
            assert_eq!(noisy, drawing.noise);
        }
        assert!("0x9-1".parse::<Drawing>().is_err());
        assert!(Drawing::of_size(Some("huge")).is_none());
        for (shape, name) in [
            (Some("16:9"), "512x288-0"),
            (Some("19.5:9"), "624x288-0"),
            (Some("auto"), "64x64-0"),
            (None, "64x64-0"),
        ] {
            assert_eq!(Drawing::of_shape(shape).unwrap().to_string(), name);
        }
        assert!(Drawing::of_shape(Some("wide")).is_none());
    }
}
