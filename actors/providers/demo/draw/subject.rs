//! Small silhouettes, put together from triangles and ellipses.

use super::{
    canvas::Canvas,
    colour::Light,
    noise::{Dice, smooth},
    scene::{Land, Scene, Subject, Time},
};

/// A silhouette on the picture: parts in order of painting, and a box around them.
pub struct Figure {
    parts: Vec<(Shape, Light)>,
    bounds: [f32; 4],
    pixel: f32,
}

enum Shape {
    Triangle([(f32, f32); 3]),
    Ellipse {
        middle: (f32, f32),
        radii: (f32, f32),
    },
}

/// The figure of a scene. `ground` tells where the nearest land begins at a place of the width.
pub fn figure(scene: &Scene, canvas: Canvas, ground: impl Fn(f32) -> f32) -> Option<Figure> {
    let mut dice = Dice::of("subject", u64::from(scene.seed));
    let (orb_x, _, _) = scene.orb;
    // Across from the sun or moon, near a third of the width.
    let x = if orb_x < 0.5 {
        dice.between(0.60, 0.74)
    } else {
        dice.between(0.26, 0.40)
    };
    let (x, high) = (x * canvas.wide(), canvas.high());
    let dark = scene.palette.near.times(0.55);
    let mut painter = Painter {
        parts: Vec::new(),
        origin: (x, 0.0),
        scale: 1.0,
    };
    match scene.subject? {
        Subject::Boat => {
            let depth = if scene.land == Land::Sea {
                dice.between(0.08, 0.2)
            } else {
                0.2
            };
            painter.stand(
                x,
                (scene.horizon + (1.0 - scene.horizon) * depth * 2.0) * high,
                0.15 + depth,
            );
            painter.boat(scene, dark);
        }
        Subject::Cat => {
            painter.stand(x, ground(x) + 0.012, 0.3);
            painter.cat(dark, scene.palette.light);
        }
        Subject::House => {
            painter.stand(x, ground(x) + 0.02, 0.16);
            let lit = scene.time != Time::Day;
            painter.house(
                dark,
                if lit {
                    Light::hex(0xffcf87)
                } else {
                    dark.times(1.8)
                },
            );
        }
        Subject::Balloon => {
            painter.stand(x, dice.between(0.30, 0.40) * high, 0.2);
            painter.balloon(scene, &mut dice);
        }
        Subject::Birds => {
            let y = dice.between(0.22, 0.36) * high;
            for bird in 0..7_u8 {
                // Two arms of a loose wedge.
                let arm = if bird % 2 == 0 { 1.0 } else { -0.7 };
                let step = f32::from(bird.div_ceil(2));
                let (dx, dy) = (
                    step * 0.032 + dice.between(-0.006, 0.006),
                    step * arm * 0.017,
                );
                painter.stand(x + dx, y + dy, 0.026 + 0.008 * dice.between(0.0, 1.0));
                painter.bird(dark);
            }
        }
    }
    Some(painter.finish(canvas))
}

/// Places shapes given in the figure's own measures: x to the right, y up from its foot, height about 1.
struct Painter {
    parts: Vec<(Shape, Light)>,
    origin: (f32, f32),
    scale: f32,
}

impl Painter {
    fn stand(&mut self, x: f32, y: f32, scale: f32) {
        self.origin = (x, y);
        self.scale = scale;
    }

    fn place(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (
            self.origin.0 + x * self.scale,
            self.origin.1 - y * self.scale,
        )
    }

    fn triangle(&mut self, corners: [(f32, f32); 3], colour: Light) {
        let corners = corners.map(|corner| self.place(corner));
        self.parts.push((Shape::Triangle(corners), colour));
    }

    fn quad(&mut self, [a, b, c, d]: [(f32, f32); 4], colour: Light) {
        self.triangle([a, b, c], colour);
        self.triangle([a, c, d], colour);
    }

    fn ellipse(&mut self, middle: (f32, f32), (rx, ry): (f32, f32), colour: Light) {
        let shape = Shape::Ellipse {
            middle: self.place(middle),
            radii: (rx * self.scale, ry * self.scale),
        };
        self.parts.push((shape, colour));
    }

    fn boat(&mut self, scene: &Scene, dark: Light) {
        let sail = match scene.time {
            Time::Day => Light::hex(0xfffaf0),
            Time::Dusk => dark.toward(scene.palette.sky[2], 0.55),
            Time::Night => dark.toward(scene.palette.light, 0.35),
        };
        self.ellipse((0.02, -0.05), (0.5, 0.035), dark.times(0.8));
        self.quad(
            [(-0.5, 0.14), (0.55, 0.16), (0.36, -0.04), (-0.34, -0.04)],
            dark,
        );
        self.quad(
            [(0.01, 0.1), (0.035, 0.1), (0.03, 1.04), (0.01, 1.04)],
            dark,
        );
        self.triangle([(0.05, 0.22), (0.48, 0.24), (0.05, 0.98)], sail);
        self.triangle(
            [(-0.02, 0.22), (-0.34, 0.24), (-0.02, 0.84)],
            sail.toward(dark, 0.16),
        );
    }

    fn cat(&mut self, dark: Light, eyes: Light) {
        // Sitting, seen from behind the shoulder, its tail along the ground.
        for step in 0..14_u8 {
            let t = f32::from(step) / 13.0;
            let rise = 0.035 + 0.22 * t * t * t;
            self.ellipse(
                (0.1 + 0.52 * t - 0.1 * t * t * t, rise),
                (0.045, 0.045 - 0.012 * t),
                dark,
            );
        }
        self.ellipse((0.0, 0.22), (0.23, 0.25), dark);
        self.ellipse((-0.05, 0.42), (0.155, 0.24), dark);
        self.ellipse((-0.13, 0.04), (0.1, 0.05), dark);
        self.ellipse((-0.08, 0.72), (0.165, 0.145), dark);
        self.triangle([(-0.24, 0.74), (-0.225, 0.97), (-0.1, 0.83)], dark);
        self.triangle([(0.08, 0.74), (0.07, 0.97), (-0.06, 0.83)], dark);
        for x in [-0.15, -0.02] {
            self.ellipse(
                (x, 0.73),
                (0.026, 0.032),
                eyes.toward(Light::hex(0xe6d34a), 0.5),
            );
            self.ellipse((x, 0.73), (0.008, 0.028), dark);
        }
    }

    fn house(&mut self, dark: Light, window: Light) {
        self.quad(
            [(-0.42, 0.0), (0.42, 0.0), (0.42, 0.45), (-0.42, 0.45)],
            dark,
        );
        self.quad(
            [(0.18, 0.6), (0.3, 0.6), (0.3, 0.95), (0.18, 0.95)],
            dark.times(0.8),
        );
        self.triangle([(-0.54, 0.42), (0.54, 0.42), (0.0, 0.92)], dark.times(0.8));
        for x in [-0.24, 0.1] {
            self.quad(
                [(x, 0.16), (x + 0.14, 0.16), (x + 0.14, 0.34), (x, 0.34)],
                window,
            );
        }
    }

    fn balloon(&mut self, scene: &Scene, dice: &mut Dice) {
        let cloth = Light::hex(dice.pick(&[0xd9534a, 0xe8a03c, 0x4a8fc2, 0x8a5fb0]));
        let shade = if scene.time == Time::Night {
            0.25
        } else {
            0.85
        };
        let (cloth, pale) = (cloth.times(shade), Light::hex(0xf6ead6).times(shade));
        let basket = Light::hex(0x5a3d28).times(shade);
        self.triangle([(-0.3, 0.52), (0.3, 0.52), (0.0, 0.1)], cloth.times(0.8));
        for (radius, colour) in [(0.42, cloth), (0.30, pale), (0.17, cloth), (0.06, pale)] {
            self.ellipse((0.0, 0.66), (radius, 0.42), colour);
        }
        self.quad(
            [(-0.07, 0.0), (0.07, 0.0), (0.08, 0.11), (-0.08, 0.11)],
            basket,
        );
    }

    fn bird(&mut self, dark: Light) {
        self.triangle([(0.0, 0.0), (-0.55, 0.34), (-0.18, 0.26)], dark);
        self.triangle([(0.0, 0.0), (-0.18, 0.26), (0.04, 0.14)], dark);
        self.triangle([(0.0, 0.0), (0.55, 0.34), (0.18, 0.26)], dark);
        self.triangle([(0.0, 0.0), (0.18, 0.26), (-0.04, 0.14)], dark);
    }

    fn finish(self, canvas: Canvas) -> Figure {
        let pixel = canvas.pixel();
        let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        let mut reach = |(x, y): (f32, f32), (rx, ry): (f32, f32)| {
            bounds[0] = bounds[0].min(x - rx - pixel);
            bounds[1] = bounds[1].min(y - ry - pixel);
            bounds[2] = bounds[2].max(x + rx + pixel);
            bounds[3] = bounds[3].max(y + ry + pixel);
        };
        for (shape, _) in &self.parts {
            match shape {
                Shape::Triangle(corners) => {
                    corners.iter().for_each(|&corner| reach(corner, (0.0, 0.0)))
                }
                Shape::Ellipse { middle, radii } => reach(*middle, *radii),
            }
        }
        Figure {
            parts: self.parts,
            bounds,
            pixel,
        }
    }
}

impl Figure {
    /// The light at a point with the figure in front of it.
    pub fn over(&self, behind: Light, x: f32, y: f32) -> Light {
        let [left, top, right, bottom] = self.bounds;
        if x < left || x > right || y < top || y > bottom {
            return behind;
        }
        self.parts.iter().fold(behind, |light, (shape, colour)| {
            light.toward(*colour, shape.cover(x, y, self.pixel))
        })
    }
}

impl Shape {
    /// How much of the pixel at this point the shape covers.
    fn cover(&self, x: f32, y: f32, pixel: f32) -> f32 {
        match self {
            Self::Triangle(corners) => {
                let [a, b, c] = *corners;
                let turn = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
                // The least distance to the three sides, positive inside.
                let inside = [(a, b), (b, c), (c, a)]
                    .iter()
                    .map(|(p, q)| {
                        let (ex, ey) = (q.0 - p.0, q.1 - p.1);
                        let length = (ex * ex + ey * ey).sqrt();
                        let side = (ex * (y - p.1) - ey * (x - p.0)) / length;
                        if turn < 0.0 { -side } else { side }
                    })
                    .fold(f32::MAX, f32::min);
                // Half a pixel out, so that two triangles that share a side leave no seam.
                smooth(-pixel, 0.0, inside)
            }
            Self::Ellipse { middle, radii } => {
                let (u, v) = ((x - middle.0) / radii.0, (y - middle.1) / radii.1);
                let distance = (u * u + v * v).sqrt();
                let edge = pixel / radii.0.min(radii.1);
                smooth(1.0 + edge, 1.0 - edge, distance)
            }
        }
    }
}
