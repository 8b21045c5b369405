//! Repeatable chance: hashes, smooth noise and a dice that gives the same throws for the same seed.
//!
//! Only `+ - * /` and `sqrt` are used on floats here and in the painters. These are exact by
//! IEEE 754, so a picture is the same to the bit on every machine, which `sin` or `powf` would not be.

/// Mixes 32 bits well enough for pictures.
pub fn mix(mut h: u32) -> u32 {
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^ (h >> 16)
}

/// The hash of one cell of a plane.
pub fn cell(seed: u32, x: i32, y: i32) -> u32 {
    mix(seed ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77))
}

/// A hash as a number in 0..1.
pub fn unit(hash: u32) -> f32 {
    (hash >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The whole part below a number, and what is left of it, 0..1. (`f32::floor` is a library call on
/// older processors; this is two instructions and as exact for any place in a picture.)
pub fn split(x: f32) -> (i32, f32) {
    let toward_zero = x as i32;
    let whole = toward_zero - i32::from((toward_zero as f32) > x);
    (whole, x - whole as f32)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Smooth noise along a line, 0..1.
pub fn line(seed: u32, x: f32) -> f32 {
    let (at, rest) = split(x);
    let t = smooth(0.0, 1.0, rest);
    let (a, b) = (
        unit(cell(seed, at, 0)),
        unit(cell(seed, at.wrapping_add(1), 0)),
    );
    a + (b - a) * t
}

/// Smooth noise on a plane, 0..1.
pub fn plane(seed: u32, x: f32, y: f32) -> f32 {
    let ((at_x, rest_x), (at_y, rest_y)) = (split(x), split(y));
    let (tx, ty) = (smooth(0.0, 1.0, rest_x), smooth(0.0, 1.0, rest_y));
    let corner = |dx, dy| unit(cell(seed, at_x.wrapping_add(dx), at_y.wrapping_add(dy)));
    let (a, b) = (corner(0, 0), corner(1, 0));
    let (c, d) = (corner(0, 1), corner(1, 1));
    let (upper, lower) = (a + (b - a) * tx, c + (d - c) * tx);
    upper + (lower - upper) * ty
}

/// Octaves of [`line`], 0..1: large forms with ever finer detail.
pub fn rolling(seed: u32, x: f32, octaves: u32) -> f32 {
    octave_sum(octaves, |octave, scale| {
        line(seed.wrapping_add(octave), x * scale)
    })
}

/// Octaves of sharp creases along a line, 0..1: crests of rock.
pub fn jagged(seed: u32, x: f32, octaves: u32) -> f32 {
    octave_sum(octaves, |octave, scale| {
        let ridge = 1.0 - (2.0 * line(seed.wrapping_add(octave), x * scale) - 1.0).abs();
        ridge * ridge
    })
}

/// Octaves of [`plane`], 0..1: clouds.
pub fn billows(seed: u32, x: f32, y: f32, octaves: u32) -> f32 {
    octave_sum(octaves, |octave, scale| {
        plane(seed.wrapping_add(octave), x * scale, y * scale)
    })
}

fn octave_sum(octaves: u32, noise: impl Fn(u32, f32) -> f32) -> f32 {
    let (mut sum, mut total, mut weight, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..octaves {
        sum += weight * noise(octave, scale);
        total += weight;
        weight *= 0.5;
        // Not quite 2, so that the lattices of two octaves do not line up.
        scale *= 2.03;
    }
    sum / total
}

/// A stream of throws.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice for a text and a seed: each pair throws its own sequence.
    pub fn of(text: &str, seed: u64) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// 32 fresh bits.
    pub fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }

    /// A number in `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * unit(self.bits())
    }

    /// True once in `1 / share` throws.
    pub fn chance(&mut self, share: f32) -> bool {
        unit(self.bits()) < share
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.bits() as usize % choices.len()]
    }
}
