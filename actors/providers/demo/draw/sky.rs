//! The sky: gradient, sun or moon, stars, aurora and clouds.

use super::{
    canvas::Canvas,
    colour::Light,
    noise::{billows, cell, line, mix, plane, smooth, split, unit},
    scene::{Scene, Time},
};

/// The sky of one picture.
pub struct Sky<'a> {
    scene: &'a Scene,
    canvas: Canvas,
    /// The sun or moon, in units of the shorter side.
    orb: (f32, f32),
    radius: f32,
    /// Where the second disc stands that takes a bite out of the moon.
    bite: f32,
}

impl<'a> Sky<'a> {
    pub fn new(scene: &'a Scene, canvas: Canvas) -> Self {
        let (x, y, radius) = scene.orb;
        let phase = unit(mix(scene.seed ^ 0x4001));
        Self {
            scene,
            canvas,
            orb: (x * canvas.wide(), y * canvas.high()),
            radius,
            // Half of the moons are full.
            bite: if phase < 0.5 { 9.0 } else { phase * 1.6 - 0.35 },
        }
    }

    /// The light from the direction of one point.
    pub fn at(&self, x: f32, y: f32) -> Light {
        let palette = &self.scene.palette;
        let v = y / (self.scene.horizon * self.canvas.high());
        let mut light = palette.sky_at(v.min(1.0)).plus(self.glow(x, y));
        if self.scene.time == Time::Night {
            light = light.plus(self.stars(x, y, v));
            if self.scene.aurora {
                light = light.plus(self.aurora(x, v));
            }
        }
        light = self.orb(light, x, y);
        if self.scene.clouds > 0.02 {
            light = self.clouds(light, x, y, v);
        }
        light
    }

    /// The clear sky with the glow around the orb: what water reflects.
    pub fn reflected(&self, x: f32, y: f32) -> Light {
        let v = (y / (self.scene.horizon * self.canvas.high())).clamp(0.0, 1.0);
        self.scene.palette.sky_at(v).plus(self.glow(x, y))
    }

    /// How far to the side of the orb a point is, in units.
    pub fn beside_orb(&self, x: f32) -> f32 {
        x - self.orb.0
    }

    fn glow(&self, x: f32, y: f32) -> Light {
        let (dx, dy) = (x - self.orb.0, y - self.orb.1);
        let distance = (dx * dx + dy * dy) / (self.radius * self.radius);
        let fade = |reach: f32| {
            let near = 1.0 / (1.0 + distance * reach);
            near * near
        };
        let palette = &self.scene.palette;
        match self.scene.time {
            Time::Day => palette.light.times(0.55 * fade(0.018)),
            Time::Dusk => palette
                .light
                .times(0.5 * fade(0.05))
                .plus(palette.sky[2].times(0.22 * fade(0.008))),
            Time::Night => palette
                .light
                .times(0.12 * fade(0.09))
                .plus(palette.sky[2].times(0.10 * fade(0.02))),
        }
    }

    fn orb(&self, behind: Light, x: f32, y: f32) -> Light {
        let (dx, dy) = (x - self.orb.0, y - self.orb.1);
        let edge = self.canvas.pixel();
        let cover = |dx: f32| {
            let distance = (dx * dx + dy * dy).sqrt();
            smooth(self.radius + edge, self.radius - edge, distance)
        };
        let disc = cover(dx);
        if disc == 0.0 {
            return behind;
        }
        if self.scene.time != Time::Night {
            let bright = self.scene.palette.light.times(1.25);
            return behind.toward(bright, disc);
        }
        let lit = disc * (1.0 - cover(dx - self.bite * self.radius));
        let (u, v) = (dx / self.radius, dy / self.radius);
        let seas = smooth(
            0.48,
            0.68,
            billows(self.scene.seed ^ 0x300, u * 1.9 + 7.0, v * 1.9 + 3.0, 3),
        );
        let rim = 1.0 - 0.18 * (u * u + v * v);
        behind.toward(
            self.scene.palette.light.times((1.0 - 0.3 * seas) * rim),
            lit,
        )
    }

    fn stars(&self, x: f32, y: f32, v: f32) -> Light {
        const PER_UNIT: f32 = 34.0;
        let fade = smooth(1.0, 0.35, v);
        // A band of dust across the sky, with more and finer stars in it.
        let slope = if self.scene.seed & 1 == 0 {
            0.55
        } else {
            -0.55
        };
        let across = y - 0.34 - slope * (x - self.canvas.wide() * 0.5);
        let band = 1.0 / (1.0 + across * across * 40.0);
        let dust = band * billows(self.scene.seed ^ 0x77, x * 5.0, y * 5.0, 4);
        let haze = Light::hex(0x8fa0d8).times(dust * dust * 0.22 * fade);

        let mut light = haze;
        for (layer, scale) in [(0_u32, 1.0_f32), (1, 2.3)] {
            let (at_x, rest_x) = split(x * PER_UNIT * scale);
            let (at_y, rest_y) = split(y * PER_UNIT * scale);
            let hash = cell(self.scene.seed ^ (0x5000 + layer), at_x, at_y);
            let share = if layer == 0 {
                0.075 + 0.06 * band
            } else {
                0.03 + 0.26 * dust
            };
            if unit(hash) > share {
                continue;
            }
            let (at, size) = (mix(hash), unit(mix(hash ^ 9)));
            let sx = 0.14 + 0.72 * unit(at);
            let sy = 0.14 + 0.72 * unit(mix(at));
            let (dx, dy) = (rest_x - sx, rest_y - sy);
            // Never thinner than a pixel, or small pictures would lose their stars.
            let least = self.canvas.pixel() * PER_UNIT * scale * 0.6;
            let radius = (0.035 + 0.1 * size * size * size).max(least);
            let spot = 1.0 / (1.0 + (dx * dx + dy * dy) / (radius * radius) * 4.0) - 0.06;
            let tone = Light::hex(0xbcd0ff).toward(Light::hex(0xffe6c4), unit(mix(at ^ 5)));
            light = light.plus(tone.times(spot.max(0.0) * (0.35 + size) * fade));
        }
        light
    }

    fn aurora(&self, x: f32, v: f32) -> Light {
        let seed = self.scene.seed ^ 0xa0;
        let mut light = Light::NONE;
        for curtain in 0..3_u32 {
            let seed = seed.wrapping_add(curtain * 31);
            let wave = line(seed, x * 1.7) * 0.34 + line(seed ^ 1, x * 5.0) * 0.06;
            let foot = 0.34 + 0.16 * curtain as f32 + wave * 0.8;
            let above = foot - v;
            if above < 0.0 {
                let glow = 1.0 / (1.0 + above * above * 9_000.0);
                light = light.plus(Light::hex(0x3dffb0).times(glow * 0.22));
                continue;
            }
            let rays = 0.45 + 0.55 * line(seed ^ 2, x * 38.0) * line(seed ^ 3, x * 9.0 + 4.0) * 2.0;
            let fade = 1.0 / (1.0 + above * above * 60.0) * smooth(0.5, 0.0, above);
            let tone = Light::hex(0x3dffb0).toward(Light::hex(0x8a5cff), smooth(0.05, 0.32, above));
            light = light.plus(tone.times(rays * fade * (0.34 - 0.07 * curtain as f32)));
        }
        light
    }

    fn clouds(&self, behind: Light, x: f32, y: f32, v: f32) -> Light {
        let seed = self.scene.seed ^ 0xc10d;
        // Clouds near the horizon are farther away: flatter and smaller.
        let depth = 1.0 + 2.2 * v;
        let (u, w) = (x * 1.5 * depth.sqrt(), y * 3.4 * depth);
        let threshold = 0.70 - 0.30 * self.scene.clouds;
        // One octave tells whether there can be a cloud at all.
        if plane(seed, u, w) < threshold - 0.34 {
            return behind;
        }
        let here = billows(seed, u, w, 5);
        let density = smooth(threshold, threshold + 0.2, here) * smooth(0.0, 0.1, 1.04 - v);
        if density <= 0.0 {
            return behind;
        }
        let toward_orb = if self.beside_orb(x) < 0.0 {
            0.07
        } else {
            -0.07
        };
        let shade = billows(seed, u + toward_orb, w - 0.1, 3) - here;
        let lit = (0.55 - shade * 2.6).clamp(0.0, 1.0);
        let palette = &self.scene.palette;
        let (dark, bright, most) = match self.scene.time {
            Time::Day => (
                palette.sky[1].toward(Light::hex(0xb9c6d6), 0.7),
                Light::hex(0xffffff),
                0.92,
            ),
            Time::Dusk => (
                palette.sky[0].toward(palette.sky[1], 0.55),
                palette.sky[2].toward(palette.light, 0.35),
                0.85,
            ),
            Time::Night => (
                palette.sky[0].times(0.9),
                palette.sky[1].toward(palette.sky[2], 0.45),
                0.7,
            ),
        };
        behind.toward(dark.toward(bright, lit), density * most)
    }
}
