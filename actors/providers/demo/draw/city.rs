//! A skyline: buildings side by side, and the windows in them.

use super::{
    canvas::Canvas,
    colour::Light,
    noise::{Dice, cell, line, split, unit},
    scene::{Scene, Time},
};

/// The windows of one row of buildings.
pub struct Windows {
    /// Which building stands in each column, and where it begins.
    building: Vec<(u32, f32)>,
    /// The sides of one window cell, in units.
    cell: (f32, f32),
    /// How many windows are lit.
    lit: f32,
    glow: Light,
    shown: bool,
}

/// A building: its left and right edge, its roof, and whether it has a mast.
struct Building {
    left: f32,
    right: f32,
    top: f32,
    shape: u32,
}

fn buildings(scene: &Scene, canvas: Canvas, seed: u32, near: f32) -> Vec<Building> {
    let mut dice = Dice::of("city", u64::from(seed));
    let foot = (scene.horizon + (1.0 - scene.horizon) * 0.85 * near) * canvas.high();
    let tallest = 0.40 - 0.17 * near;
    let mut left = -0.05;
    let mut row = Vec::new();
    while left < canvas.wide() {
        let width = dice.between(0.04, 0.095) * (0.8 + 0.65 * near);
        // Towers crowd in one or two quarters of the town.
        let quarter = line(seed ^ 0x51, left * 1.6);
        let height = tallest * (0.2 + 0.8 * quarter * dice.between(0.3, 1.0));
        row.push(Building {
            left,
            right: left + width,
            top: foot - height,
            shape: dice.bits() % 5,
        });
        left += width + dice.between(-0.012, 0.0);
    }
    row
}

/// The outline of a row.
pub fn tops(scene: &Scene, canvas: Canvas, seed: u32, near: f32) -> Vec<f32> {
    let row = buildings(scene, canvas, seed, near);
    let street = (scene.horizon + (1.0 - scene.horizon) * 0.85 * near) * canvas.high() - 0.02;
    (0..canvas.width)
        .map(|column| {
            let x = canvas.at(column);
            row.iter()
                .filter(|building| (building.left..building.right).contains(&x))
                .map(|building| building.top - roof(building, x))
                .fold(street, f32::min)
        })
        .collect()
}

/// How far the roof stands above the building's top at `x`.
fn roof(building: &Building, x: f32) -> f32 {
    let width = building.right - building.left;
    let aside = ((x - building.left) / width - 0.5).abs() * 2.0;
    match building.shape {
        // A mast, a step, a spire; the others are flat.
        0 if aside < 0.04 => width * 0.9,
        1 if aside < 0.55 => width * 0.22,
        2 => width * 0.5 * (1.0 - aside),
        _ => 0.0,
    }
}

/// The windows of a row.
pub fn windows(scene: &Scene, canvas: Canvas, seed: u32, near: f32) -> Windows {
    let row = buildings(scene, canvas, seed, near);
    let building = (0..canvas.width)
        .map(|column| {
            let x = canvas.at(column);
            row.iter()
                .enumerate()
                .filter(|(_, building)| (building.left..building.right).contains(&x))
                .min_by(|(_, a), (_, b)| a.top.total_cmp(&b.top))
                .map_or((0, x), |(index, building)| {
                    (seed ^ (index as u32 * 977), building.left)
                })
        })
        .collect();
    let wide = 0.0075 + 0.0065 * near;
    Windows {
        building,
        cell: (wide, wide * 1.25),
        lit: match scene.time {
            Time::Day => 0.0,
            Time::Dusk => 0.24,
            Time::Night => 0.36,
        },
        glow: Light::hex(0xffc878),
        // Below two pixels a window is only noise.
        shown: wide > canvas.pixel() * 2.5,
    }
}

impl Windows {
    /// A wall of colour `wall`, with the window at this point if there is one.
    pub fn over(&self, wall: Light, column: usize, x: f32, y: f32, top: f32) -> Light {
        if !self.shown {
            return wall;
        }
        let (id, left) = self.building[column];
        let (u, v) = ((x - left) / self.cell.0, (y - top) / self.cell.1);
        let ((column_in, fu), (row_in, fv)) = (split(u), split(v));
        if !(0.22..0.78).contains(&fu) || !(0.25..0.75).contains(&fv) || v < 1.0 {
            return wall;
        }
        let hash = cell(id, column_in, row_in);
        // Whole buildings are busier than others.
        let busy = 0.4 + 1.2 * unit(cell(id, -1, -1));
        if unit(hash) < self.lit * busy {
            let tone = self
                .glow
                .toward(Light::hex(0xbfe2ff), 0.7 * unit(cell(id, -2, -2)));
            return wall.toward(tone, 0.45 + 0.5 * unit(cell(hash, 1, 1)));
        }
        wall.times(0.88)
    }
}
