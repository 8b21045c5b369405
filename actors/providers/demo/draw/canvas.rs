//! The measures of a picture. Painters work in units of its shorter side, so that a scene looks the
//! same at any size.

#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    pub width: u32,
    pub height: u32,
}

impl Canvas {
    fn shorter(self) -> f32 {
        self.width.min(self.height) as f32
    }

    /// The width in units.
    pub fn wide(self) -> f32 {
        self.width as f32 / self.shorter()
    }

    /// The height in units.
    pub fn high(self) -> f32 {
        self.height as f32 / self.shorter()
    }

    /// The side of one pixel in units.
    pub fn pixel(self) -> f32 {
        1.0 / self.shorter()
    }

    /// The middle of a pixel in units, along either side.
    pub fn at(self, pixel: u32) -> f32 {
        (pixel as f32 + 0.5) / self.shorter()
    }
}
