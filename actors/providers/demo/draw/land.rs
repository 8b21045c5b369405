//! Ranges of land, far to near: each is an outline over the width of the picture, and what it looks
//! like below that line.

use super::{
    canvas::Canvas,
    city::{self, Windows},
    colour::Light,
    noise::{cell, jagged, line, mix, plane, rolling, smooth, split, unit},
    scene::{Land, Scene, Subject, Time},
};

/// One range.
pub struct Range {
    /// The height of the outline above each column, in units from the top.
    pub top: Vec<f32>,
    body: Light,
    /// The haze that gathers at its foot, and the heights at which it begins and is thickest.
    haze: Light,
    haze_from: f32,
    haze_to: f32,
    cover: Cover,
}

/// What lies on a range.
enum Cover {
    Bare,
    /// Light and shadow run down the slopes; above the snow line they are white.
    Rock {
        seed: u32,
        snow_line: f32,
        light: Light,
    },
    /// One side of each crest is lit.
    Dunes {
        lit: Light,
    },
    Houses(Windows),
}

/// The ranges of a scene, nearest first.
pub fn ranges(scene: &Scene, canvas: Canvas) -> Vec<Range> {
    let count: u32 = match scene.land {
        Land::Mountains | Land::Forest => 5,
        Land::Hills | Land::Desert => 4,
        Land::City => 3,
        Land::Sea => return islands(scene, canvas),
    };
    let haze = scene.palette.sky[2];
    (0..count)
        .rev()
        .map(|index| {
            // 0 for the farthest, 1 for the nearest.
            let near = index as f32 / (count - 1) as f32;
            let seed = mix(scene.seed ^ (0x1a4d + index));
            let outline = Outline {
                scene,
                canvas,
                seed,
                near,
            };
            let body = snowed(scene, scene.palette.land_at(near), near);
            let top = outline.tops();
            let (highest, lowest) = extent(&top);
            let cover = match scene.land {
                Land::Mountains if near < 0.55 => Cover::Rock {
                    seed,
                    snow_line: highest
                        + (lowest - highest)
                            * if scene.snow {
                                0.74 - 0.4 * near
                            } else {
                                0.34 - 0.4 * near
                            },
                    light: scene.palette.light,
                },
                Land::Desert => Cover::Dunes {
                    lit: body.toward(scene.palette.light, 0.3),
                },
                Land::City => Cover::Houses(city::windows(scene, canvas, seed, near)),
                _ => Cover::Bare,
            };
            Range {
                top,
                body,
                haze: body.toward(haze, scene.mist * (0.95 - 0.8 * near)),
                haze_from: highest + 0.02,
                haze_to: lowest + 0.1,
                cover,
            }
        })
        .collect()
}

/// Far islands on the horizon of a sea.
fn islands(scene: &Scene, canvas: Canvas) -> Vec<Range> {
    let horizon = scene.horizon * canvas.high();
    let haze = scene.palette.sky[2];
    (0..2_u32)
        .map(|index| {
            let seed = mix(scene.seed ^ (0x15_1a4d + index));
            let share = if index == 0 { 0.6 } else { 0.34 };
            let top = columns(canvas, |x| {
                let rise = rolling(seed, x * 1.3, 2) - if scene.peaks { 0.25 } else { 0.52 };
                let rock = 0.4 + 0.6 * jagged(seed ^ 1, x * 2.6, 5);
                horizon - rise.max(0.0) * rock * if index == 0 { 0.5 } else { 0.7 }
            });
            Range {
                top,
                body: haze.toward(scene.palette.near, share),
                haze: haze.toward(scene.palette.near, share * 0.5),
                haze_from: horizon - 0.15,
                haze_to: horizon,
                cover: Cover::Bare,
            }
        })
        .collect()
}

/// Land under snow: hills and woods turn white with distance; rock and walls are whitened elsewhere.
fn snowed(scene: &Scene, body: Light, near: f32) -> Light {
    if !scene.snow || matches!(scene.land, Land::City | Land::Desert | Land::Mountains) {
        return body;
    }
    let white = scene.palette.sky[2].toward(Light::hex(0xffffff), 0.5);
    let share = match (scene.land, scene.time) {
        (Land::Forest, _) => 0.3 * (1.0 - near),
        (_, Time::Day) => 0.9 - 0.25 * near,
        (_, Time::Dusk) => 0.62 - 0.3 * near,
        (_, Time::Night) => 0.4 - 0.22 * near,
    };
    body.toward(white, share)
}

/// The highest and the lowest point of an outline.
fn extent(top: &[f32]) -> (f32, f32) {
    top.iter().fold((f32::MAX, f32::MIN), |(high, low), &y| {
        (high.min(y), low.max(y))
    })
}

fn columns(canvas: Canvas, height: impl Fn(f32) -> f32) -> Vec<f32> {
    (0..canvas.width).map(|x| height(canvas.at(x))).collect()
}

/// The line of one range.
struct Outline<'a> {
    scene: &'a Scene,
    canvas: Canvas,
    seed: u32,
    near: f32,
}

impl Outline<'_> {
    fn tops(&self) -> Vec<f32> {
        let high = self.canvas.high();
        let base = (self.scene.horizon + (1.0 - self.scene.horizon) * 0.74 * self.near) * high;
        let (seed, near) = (self.seed, self.near);
        match self.scene.land {
            Land::Mountains => columns(self.canvas, |x| {
                let mass = rolling(seed ^ 3, x * (1.2 + near), 2);
                let rock = jagged(seed, x * (1.7 + 1.2 * near), 6);
                base + 0.05 - (0.5 - 0.28 * near) * (0.35 + 0.65 * mass) * rock
            }),
            Land::Hills | Land::Sea => columns(self.canvas, |x| {
                base + 0.04 - (0.24 - 0.1 * near) * rolling(seed, x * (1.1 + 0.9 * near), 3)
            }),
            // A long slope on the one side, a short one on the other.
            Land::Desert => columns(self.canvas, |x| {
                let warped = x * (1.1 + 0.5 * near) + 0.25 * line(seed ^ 5, x * 2.0);
                base + 0.02 - (0.24 - 0.06 * near) * rolling(seed, warped, 2)
            }),
            // Who stands in the forest stands in a clearing.
            Land::Forest
                if near == 1.0
                    && matches!(self.scene.subject, Some(Subject::Cat | Subject::House)) =>
            {
                columns(self.canvas, |x| {
                    base + 0.03 - 0.08 * rolling(seed, x * 1.3, 3)
                })
            }
            Land::Forest => {
                let ground =
                    |x: f32| base + 0.05 - 0.2 * (1.0 - 0.6 * near) * rolling(seed, x * 1.3, 3);
                columns(self.canvas, |x| ground(x) - self.trees(x))
            }
            Land::City => city::tops(self.scene, self.canvas, seed, near),
        }
    }

    /// How far the tips of pines rise above the ground at `x`.
    fn trees(&self, x: f32) -> f32 {
        let spacing = 0.012 + 0.03 * self.near;
        let (slot, _) = split(x / spacing);
        let mut tallest = 0.0_f32;
        for tree in slot - 2..=slot + 2 {
            let hash = cell(self.seed ^ 0x7ee, tree, 0);
            let middle = (tree as f32 + 0.2 + 0.6 * unit(mix(hash))) * spacing;
            let height = (0.035 + 0.14 * self.near) * (0.45 + 0.55 * unit(hash));
            let half = height * 0.3;
            let aside = (x - middle).abs() / half;
            if aside < 1.0 {
                // Branches: teeth that grow toward the foot.
                let step = aside * 5.0;
                let tooth = split(step).1 * 0.13 * (0.4 + aside);
                tallest = tallest.max(height * (1.0 - aside + tooth * smooth(0.0, 0.2, aside)));
            }
        }
        tallest
    }
}

impl Range {
    /// The colour at a point below the outline of column `column`.
    pub fn colour(&self, column: usize, x: f32, y: f32) -> Light {
        let top = self.top[column];
        let plain = self
            .body
            .toward(self.haze, smooth(self.haze_from, self.haze_to, y));
        match &self.cover {
            Cover::Bare => plain,
            Cover::Rock {
                seed,
                snow_line,
                light,
            } => {
                let below = y - top;
                // Folds of the rock lean to one side and widen downhill.
                let fold = plane(*seed, x * 15.0 + below * 9.0, below * 5.0) * 0.65
                    + plane(*seed ^ 1, x * 46.0 + below * 20.0, below * 16.0) * 0.35;
                let lit = smooth(0.40, 0.62, fold);
                let rock = plain.times(0.9 + 0.14 * lit);
                let ragged =
                    0.11 * (plane(*seed ^ 2, x * 34.0, y * 16.0) - 0.5) + 0.05 * (lit - 0.5);
                let share = smooth(snow_line + 0.015, snow_line - 0.015, y + ragged);
                let white = self
                    .haze
                    .toward(light.toward(Light::hex(0xffffff), 0.5), 0.35 + 0.5 * lit);
                rock.toward(white, share * 0.92)
            }
            Cover::Dunes { lit } => {
                let before = self.top[column.saturating_sub(3)];
                let after = self.top[(column + 3).min(self.top.len() - 1)];
                let steps = (column + 3).min(self.top.len() - 1) - column.saturating_sub(3);
                let slope = (after - before) * self.top.len() as f32 / steps as f32;
                let share = smooth(-0.45, 0.55, slope) * smooth(0.34, 0.0, y - top);
                plain.toward(*lit, share)
            }
            Cover::Houses(windows) => windows.over(plain, column, x, y, top),
        }
    }
}
