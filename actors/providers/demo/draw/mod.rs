//! What `demo-image` draws: a landscape from a prompt and a seed, really painted, the same to the bit
//! on every machine.
//!
//! [`words`] and [`scene`] read the prompt, the painters ([`sky`], [`land`], [`city`], [`water`], [`subject`]) tell
//! the light at a point, and this file puts them behind each other and encodes the result.

mod canvas;
mod city;
mod colour;
mod land;
mod noise;
mod scene;
mod sky;
mod subject;
mod water;
mod words;

use derive_more::{Display, Error};

use self::{
    canvas::Canvas,
    colour::Light,
    land::Range,
    noise::{cell, mix, smooth, split, unit},
    scene::{Land, Scene},
    sky::Sky,
    subject::Figure,
};

/// The least and the most pixels of a side.
pub const SIDES: std::ops::RangeInclusive<u32> = 64..=2_048;
/// The sides of a picture where the caller names none.
pub const DEFAULT_SIDE: u32 = 1_024;

/// A picture could not be drawn.
#[derive(Debug, Display, Error)]
pub enum DrawError {
    #[display("size must be between 64x64 and 2048x2048, got {width}x{height}")]
    Size { width: u32, height: u32 },
    #[display("the picture could not be encoded: {_0}")]
    Encode(png::EncodingError),
}

/// Draws a prompt as a PNG (8-bit RGB). Blocks for about 0.1 s per megapixel: call it off the async threads.
///
/// # Errors
/// [`DrawError::Size`] for a side outside [`SIDES`].
pub fn draw(prompt: &str, seed: u64, width: u32, height: u32) -> Result<Vec<u8>, DrawError> {
    if !SIDES.contains(&width) || !SIDES.contains(&height) {
        return Err(DrawError::Size { width, height });
    }
    let canvas = Canvas { width, height };
    let scene = Scene::imagine(prompt, seed);
    encode(canvas, &paint(&scene, canvas)).map_err(DrawError::Encode)
}

/// The pixels of a scene, row by row.
fn paint(scene: &Scene, canvas: Canvas) -> Vec<u8> {
    let picture = Picture::compose(scene, canvas);
    let mut pixels = Vec::with_capacity((canvas.width * canvas.height * 3) as usize);
    for row in 0..canvas.height {
        for column in 0..canvas.width {
            let light = picture.at(column, row);
            pixels.extend_from_slice(&light.bytes(threshold(column, row)));
        }
    }
    pixels
}

/// A composed scene, ready to be asked for each pixel.
struct Picture<'a> {
    scene: &'a Scene,
    canvas: Canvas,
    sky: Sky<'a>,
    /// Nearest first.
    ranges: Vec<Range>,
    figure: Option<Figure>,
}

impl<'a> Picture<'a> {
    fn compose(scene: &'a Scene, canvas: Canvas) -> Self {
        let ranges = land::ranges(scene, canvas);
        let figure = subject::figure(scene, canvas, |x| lowest_near(&ranges[0].top, canvas, x));
        Self {
            scene,
            canvas,
            sky: Sky::new(scene, canvas),
            ranges,
            figure,
        }
    }

    fn at(&self, column: u32, row: u32) -> Light {
        let (x, y) = (self.canvas.at(column), self.canvas.at(row));
        let mut light = self.landscape(column as usize, x, y);
        if let Some(figure) = &self.figure {
            light = figure.over(light, x, y);
        }
        if self.scene.snowfall {
            light = self.snowfall(light, x, y);
        }
        light.times(self.vignette(x, y))
    }

    fn landscape(&self, column: usize, x: f32, y: f32) -> Light {
        if self.scene.land == Land::Sea && y >= self.scene.horizon * self.canvas.high() {
            return water::at(self.scene, self.canvas, &self.sky, x, y);
        }
        let cover =
            |range: &Range| ((y - range.top[column]) / self.canvas.pixel() + 0.5).clamp(0.0, 1.0);
        // Paint from the nearest range that hides everything behind it, not from the sky.
        let hiding = self.ranges.iter().position(|range| cover(range) >= 1.0);
        let (behind, before) = match hiding {
            Some(index) => (
                self.ranges[index].colour(column, x, y),
                &self.ranges[..index],
            ),
            None => (self.sky.at(x, y), &self.ranges[..]),
        };
        before
            .iter()
            .rev()
            .fold(behind, |light, range| match cover(range) {
                0.0 => light,
                share => light.toward(range.colour(column, x, y), share),
            })
    }

    /// Flakes at three distances.
    fn snowfall(&self, behind: Light, x: f32, y: f32) -> Light {
        let mut light = behind;
        for (layer, per_unit) in [(0_u32, 9.0_f32), (1, 17.0), (2, 30.0)] {
            let seed = self.scene.seed ^ (0xf1a + layer);
            let (at_x, rest_x) = split(x * per_unit + y * 2.0);
            let (at_y, rest_y) = split(y * per_unit);
            let hash = cell(seed, at_x, at_y);
            if unit(hash) > 0.42 {
                continue;
            }
            let (sx, sy) = (
                0.25 + 0.5 * unit(mix(hash)),
                0.25 + 0.5 * unit(mix(hash ^ 3)),
            );
            let (dx, dy) = (rest_x - sx, rest_y - sy);
            let radius = 0.04 + 0.07 * unit(mix(hash ^ 5));
            let share = smooth(radius * 1.7, radius * 0.3, (dx * dx + dy * dy).sqrt());
            light = light.toward(Light::hex(0xffffff), share * 0.75);
        }
        light
    }

    /// The corners are a little darker, which holds the eye in the picture.
    fn vignette(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x / self.canvas.wide() - 0.5, y / self.canvas.high() - 0.5);
        1.0 - 0.34 * smooth(0.12, 0.62, u * u + v * v)
    }
}

/// The lowest point of an outline around `x`: something that stands there stands on the ground.
fn lowest_near(outline: &[f32], canvas: Canvas, x: f32) -> f32 {
    let reach = 0.05;
    let column = |x: f32| ((x / canvas.pixel()) as usize).min(outline.len() - 1);
    outline[column(x - reach)..=column(x + reach)]
        .iter()
        .copied()
        .fold(0.0, f32::max)
}

/// An 8×8 Bayer pattern: which way to round at a pixel.
fn threshold(column: u32, row: u32) -> f32 {
    let (x, y) = (column & 7, row & 7);
    let (a, b) = (x ^ y, y);
    let rank = ((a & 1) << 5)
        | ((b & 1) << 4)
        | ((a & 2) << 2)
        | ((b & 2) << 1)
        | ((a & 4) >> 1)
        | ((b & 4) >> 2);
    (rank as f32 + 0.5) / 64.0
}

fn encode(canvas: Canvas, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::with_capacity(pixels.len() / 2);
    let mut encoder = png::Encoder::new(&mut file, canvas.width, canvas.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (png::OutputInfo, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info, pixels)
    }

    fn pixels(prompt: &str, seed: u64, width: u32, height: u32) -> Vec<u8> {
        let canvas = Canvas { width, height };
        paint(&Scene::imagine(prompt, seed), canvas)
    }

    #[test]
    fn a_picture_has_the_asked_size_and_really_shows_something() {
        for (width, height) in [(64, 64), (200, 96), (96, 200)] {
            let (info, pixels) = decode(&draw("a lake", 1, width, height).unwrap());
            assert_eq!((info.width, info.height), (width, height));
            let colours: std::collections::HashSet<&[u8]> = pixels.chunks(3).collect();
            assert!(colours.len() > 200, "{} colours", colours.len());
        }
    }

    #[test]
    fn the_same_prompt_and_seed_draw_the_same_picture_and_another_seed_another() {
        let first = draw("a cat at night", 7, 96, 64).unwrap();
        assert_eq!(first, draw("a cat at night", 7, 96, 64).unwrap());
        assert_ne!(first, draw("a cat at night", 8, 96, 64).unwrap());
        assert_ne!(first, draw("a cat at day", 7, 96, 64).unwrap());
    }

    /// Pixels, not the file: another version of the encoder may pack the same picture differently.
    #[test]
    fn pictures_are_the_same_on_every_machine() {
        let hash = |bytes: &[u8]| {
            bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        };
        let prompts = [
            "aurora over snowy mountains",
            "city at night, snowing",
            "foggy forest, a cat",
            "desert by day with a balloon",
            "海上日落",
            "a house in the meadow",
        ];
        let hashes = prompts.map(|prompt| format!("{:016x}", hash(&pixels(prompt, 3, 96, 80))));
        assert_eq!(hashes, GOLDEN);
    }

    const GOLDEN: [&str; 6] = [
        "12d7c2e4aae56129",
        "588849d473b86a16",
        "9e8b9b1f25894c00",
        "ac3a789b7749a6b6",
        "5e2715380eebda10",
        "dd31db5919e13316",
    ];

    #[test]
    fn other_sizes_are_refused_with_the_range() {
        for (width, height) in [(63, 64), (64, 2_049), (0, 0)] {
            let refused = draw("x", 0, width, height).unwrap_err().to_string();
            assert!(refused.contains("64x64 and 2048x2048"), "{refused}");
        }
    }

    #[test]
    fn every_scene_can_be_drawn_in_every_shape() {
        for seed in 0..60 {
            let (width, height) = [(64, 64), (64, 300), (300, 64)][seed as usize % 3];
            assert_eq!(
                pixels("surprise me", seed, width, height).len(),
                (width * height * 3) as usize
            );
        }
        assert!(!pixels("", 0, 64, 64).is_empty());
    }
}
