//! Water below the horizon: it mirrors the sky, and the sun or moon lays a path of glitter on it.

use super::{
    canvas::Canvas,
    colour::Light,
    noise::{billows, plane, smooth},
    scene::{Scene, Time},
    sky::Sky,
};

/// The light from a point of the water, `y` at or below the horizon.
pub fn at(scene: &Scene, canvas: Canvas, sky: &Sky, x: f32, y: f32) -> Light {
    let high = canvas.high();
    let horizon = scene.horizon * high;
    let below = (y - horizon).max(0.0);
    let near = below / (high - horizon);

    // Perspective: waves are long and flat near us, fine and calm far away.
    let far = 1.0 / (below + 0.035);
    let (u, v) = ((x - canvas.wide() * 0.5) * far * 0.9, far * 5.0);
    let wave = billows(scene.seed ^ 0x3a7e, u * 1.4 + 50.0, v * 2.6, 3) - 0.5;
    let swell = wave * smooth(0.0, 0.12, near);

    let mirrored = horizon - below * 1.1 - swell * 0.3;
    let deep = scene.palette.sky[0].toward(scene.palette.near, 0.55);
    let mut light = sky
        .reflected(x, mirrored)
        .toward(deep, 0.22 + 0.5 * near)
        .times(0.92 + 0.5 * swell);

    let path = 0.025 + 0.30 * near;
    let aside = sky.beside_orb(x) / path;
    let glints = plane(scene.seed ^ 0x911, u * 5.0, v * 4.2) * 0.7 + wave * 0.9;
    let strength = match scene.time {
        Time::Day => 0.35,
        Time::Dusk => 0.95,
        Time::Night => 0.55,
    };
    let narrow = 1.0 / (1.0 + aside * aside * 3.0);
    let glitter = smooth(0.62 - 0.34 * narrow, 0.86 - 0.3 * narrow, glints) * narrow * narrow;
    light = light.plus(
        scene
            .palette
            .light
            .times(glitter * strength * (1.0 - 0.35 * near)),
    );
    // The far edge melts into the sky.
    light.toward(scene.palette.sky[2], 0.55 * smooth(0.05, 0.0, below))
}
