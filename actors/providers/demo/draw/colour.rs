//! Light, and the palettes a picture may be painted in.

use super::{
    noise::Dice,
    scene::{Land, Time},
};

/// An amount of light per channel. 1 is full; values are squares of the shown ones, so that adding and
/// mixing looks like light, and `sqrt` (exact on every machine) brings them back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    pub r: f32,
    pub g: f32,
    pub b: f32,
}

impl Light {
    pub const NONE: Self = Self::hex(0);

    /// From `0xRRGGBB`.
    pub const fn hex(rgb: u32) -> Self {
        const fn channel(byte: u32) -> f32 {
            let shown = (byte & 0xff) as f32 / 255.0;
            shown * shown
        }
        Self {
            r: channel(rgb >> 16),
            g: channel(rgb >> 8),
            b: channel(rgb),
        }
    }

    /// This at `share` 0, `other` at 1.
    pub fn toward(self, other: Self, share: f32) -> Self {
        self.times(1.0 - share).plus(other.times(share))
    }

    /// The same brightness, leaning to the colour of `tint`.
    fn lean(self, tint: Self, share: f32) -> Self {
        let brightness = |light: Self| light.r * 0.3 + light.g * 0.6 + light.b * 0.1;
        let toned = tint.times(brightness(self) / brightness(tint).max(0.01));
        self.toward(toned, share)
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            r: self.r + other.r,
            g: self.g + other.g,
            b: self.b + other.b,
        }
    }

    pub fn times(self, amount: f32) -> Self {
        Self {
            r: self.r * amount,
            g: self.g * amount,
            b: self.b * amount,
        }
    }

    /// As bytes. `threshold` in 0..1 decides which way a value between two bytes is rounded: a pattern
    /// of thresholds keeps wide gradients free of bands.
    pub fn bytes(self, threshold: f32) -> [u8; 3] {
        let byte = |light: f32| (light.clamp(0.0, 1.0).sqrt() * 255.0 + threshold) as u8;
        [byte(self.r), byte(self.g), byte(self.b)]
    }
}

/// The colours of one picture.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    /// The sky at the top, half-way and at the horizon.
    pub sky: [Light; 3],
    /// The sun, the moon, and what they light.
    pub light: Light,
    /// The land half-way to the horizon.
    pub middle: Light,
    /// The nearest land.
    pub near: Light,
}

const fn palette(top: u32, middle: u32, low: u32, light: u32, near: u32) -> Palette {
    Palette {
        sky: [Light::hex(top), Light::hex(middle), Light::hex(low)],
        light: Light::hex(light),
        middle: Light::NONE,
        near: Light::hex(near),
    }
}

const DAY: [Palette; 4] = [
    palette(0x2f7fd6, 0x86bff0, 0xe6f2f5, 0xfff6d8, 0x1d4638),
    palette(0x1b86b4, 0x7accd6, 0xf4efd8, 0xfffbe6, 0x1c4f49),
    palette(0x5b9bd2, 0xb1d6ea, 0xfbeedc, 0xfff3d0, 0x34543a),
    palette(0x3a6ea8, 0x9cc3d8, 0xf2e3c8, 0xfff0c8, 0x2d4a52),
];
const DUSK: [Palette; 5] = [
    palette(0x2b2a5e, 0xb4506e, 0xffc47a, 0xffe9b8, 0x1a1230),
    palette(0x1d3461, 0xd96c6c, 0xffd9a0, 0xfff1d0, 0x22172e),
    palette(0x4a2a6a, 0xd8688c, 0xffb88a, 0xffe3c0, 0x251238),
    palette(0x35477d, 0x9a8cc0, 0xf9cbb0, 0xfff0e0, 0x242a4c),
    palette(0x0f4c5c, 0x7aa08c, 0xf6d186, 0xfff2c4, 0x0c2a30),
];
const NIGHT: [Palette; 4] = [
    palette(0x060a1f, 0x142850, 0x41628e, 0xf4f1de, 0x04060f),
    palette(0x0a0620, 0x2a1a55, 0x74508f, 0xf6eaf2, 0x070414),
    palette(0x03111c, 0x0a2f40, 0x347273, 0xeaf6ea, 0x020c0e),
    palette(0x0b1026, 0x1c2f5c, 0x8a6a86, 0xfbeedb, 0x060713),
];

impl Palette {
    /// One of the palettes of that time of day, leaning to `tint` where the prompt names a colour.
    pub fn choose(time: Time, land: Land, tint: Option<Light>, dice: &mut Dice) -> Self {
        let mut chosen = match time {
            Time::Day => dice.pick(&DAY),
            Time::Dusk => dice.pick(&DUSK),
            Time::Night => dice.pick(&NIGHT),
        };
        (chosen.middle, chosen.near) = chosen.ground(time, land);
        let Some(tint) = tint else {
            return chosen;
        };
        // By day a colour is that of the land, else that of the sky.
        let (sky, ground) = match time {
            Time::Day => ([0.1, 0.16, 0.12], [0.75, 0.7]),
            Time::Dusk | Time::Night => ([0.55, 0.75, 0.45], [0.5, 0.4]),
        };
        let [top, middle, low] = chosen.sky;
        chosen.sky = [
            top.lean(tint, sky[0]),
            middle.lean(tint, sky[1]),
            low.lean(tint, sky[2]),
        ];
        chosen.middle = chosen.middle.lean(tint, ground[0]);
        chosen.near = chosen.near.lean(tint, ground[1]);
        chosen
    }

    /// The colours of the land: what grows there by day, silhouettes against the sky else.
    fn ground(&self, time: Time, land: Land) -> (Light, Light) {
        let [top, middle, _] = self.sky;
        match (time, land) {
            (Time::Day, Land::Hills) => (
                Light::hex(0x86b060),
                self.near.toward(Light::hex(0x2f6a3c), 0.6),
            ),
            (Time::Day, Land::Forest) => (Light::hex(0x5f9a7a), self.near),
            (Time::Day, Land::Desert) => (Light::hex(0xe0ab6a), Light::hex(0xa8653a)),
            (Time::Dusk, Land::Desert) => (
                middle.toward(Light::hex(0xc8643c), 0.6),
                Light::hex(0x5a2430),
            ),
            (Time::Night, Land::Desert) => (middle.toward(self.sky[2], 0.35), middle.times(0.55)),
            (Time::Day, _) => (middle.times(0.62).toward(self.near, 0.25), self.near),
            (Time::Dusk, _) => (middle.times(0.7).toward(top, 0.3), self.near),
            (Time::Night, _) => (middle.times(0.8), self.near),
        }
    }

    /// Land at a distance: 0 is the farthest, which fades into the sky, and 1 the nearest.
    pub fn land_at(&self, near: f32) -> Light {
        let far = self.sky[2].toward(self.middle, 0.42);
        if near < 0.5 {
            far.toward(self.middle, near * 2.0)
        } else {
            self.middle.toward(self.near, near * 2.0 - 1.0)
        }
    }

    /// The clear sky at height `v`: 0 at the top, 1 at the horizon.
    pub fn sky_at(&self, v: f32) -> Light {
        let [top, middle, low] = self.sky;
        if v < 0.55 {
            top.toward(middle, v / 0.55)
        } else {
            let t = ((v - 0.55) / 0.45).min(1.0);
            middle.toward(low, t * (0.6 + 0.4 * t))
        }
    }
}
