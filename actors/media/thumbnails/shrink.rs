//! A picture averaged down while its pixels come, in whatever order: each adds to the cell of a coarse grid that
//! it falls into. The grid is finer than what is wanted, and scaled to that afterwards.

use super::Look;

/// What a pixel is made of, 8 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

/// Where the pixels of a row lie: each `step`-th one from `first` on.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub row: u32,
    pub first: u32,
    pub step: u32,
}

impl Place {
    /// A whole row.
    pub fn row(row: u32) -> Self {
        let (first, step) = (0, 1);
        Self { row, first, step }
    }
}

/// The grid.
pub struct Shrinking {
    size: (u32, u32),
    layout: Layout,
    /// The side of a cell, in pixels.
    by: u32,
    columns: usize,
    /// Red, green and blue, each times the weight, and the weight: opacity where there is one, else 1.
    cells: Vec<[u32; 4]>,
}

/// A shrunk picture, in RGBA.
#[derive(Debug)]
pub struct Shrunk {
    pub pixels: Vec<u8>,
    pub columns: u32,
    pub rows: u32,
    /// Of the whole picture in cells, whose last ones it may fill in part only.
    pub extent: (f64, f64),
    /// As it was.
    pub size: (u32, u32),
    /// 1 to 8, as EXIF has it.
    pub way_up: u8,
}

/// A cell of so many pixels each way cannot overflow: 256² times 255².
const LARGEST_CELL: u32 = 256;

impl Shrinking {
    /// For a picture of that size, of which something in that look is to be made.
    pub fn new(size: (u32, u32), layout: Layout, look: Look) -> Self {
        // about two cells for a pixel
        let by = (size.0.max(size.1) + look.side) / (2 * look.side);
        let by = by.clamp(1, LARGEST_CELL);
        let (columns, rows) = (size.0.div_ceil(by) as usize, size.1.div_ceil(by) as usize);
        Self {
            size,
            layout,
            by,
            columns,
            cells: vec![[0; 4]; columns * rows],
        }
    }

    /// Takes pixels of one row; what lies outside is nowhere.
    pub fn add(&mut self, place: Place, pixels: &[u8]) {
        match self.layout {
            Layout::Gray => self.weigh(place, pixels, |[gray]: [u8; 1]| opaque([gray; 3])),
            Layout::Rgb => self.weigh(place, pixels, opaque),
            Layout::GrayAlpha => self.weigh(place, pixels, |[gray, alpha]: [u8; 2]| {
                weighed([gray; 3], alpha)
            }),
            Layout::Rgba => {
                self.weigh(place, pixels, |[r, g, b, a]: [u8; 4]| weighed([r, g, b], a))
            }
        }
    }

    fn weigh<const N: usize>(
        &mut self,
        place: Place,
        pixels: &[u8],
        weigh: impl Fn([u8; N]) -> [u32; 4],
    ) {
        if place.row >= self.size.1 {
            return;
        }
        let from = (place.row / self.by) as usize * self.columns;
        let cells = &mut self.cells[from..from + self.columns];
        let (pixels, _) = pixels.as_chunks::<N>();
        if (place.first, place.step) == (0, 1) {
            for (cell, pixels) in cells.iter_mut().zip(pixels.chunks(self.by as usize)) {
                let sum = pixels
                    .iter()
                    .fold(*cell, |sum, pixel| plus(sum, weigh(*pixel)));
                *cell = sum;
            }
            return;
        }
        let columns = (place.first..self.size.0).step_by(place.step as usize);
        for (column, pixel) in columns.zip(pixels) {
            let cell = &mut cells[(column / self.by) as usize];
            *cell = plus(*cell, weigh(*pixel));
        }
    }

    /// What came of it.
    pub fn end(self) -> Shrunk {
        let (width, height) = self.size;
        let by = f64::from(self.by);
        let see_through = matches!(self.layout, Layout::GrayAlpha | Layout::Rgba);
        let filled = |cell: usize, whole: u32| (whole - cell as u32 * self.by).min(self.by);
        let cells = self.cells.iter().enumerate();
        let pixels = cells.flat_map(|(index, [r, g, b, weight])| {
            let (row, column) = (index / self.columns, index % self.columns);
            let [r, g, b] = [r, g, b].map(|sum| mean(*sum, *weight));
            let alpha = match see_through {
                true => mean(*weight, filled(column, width) * filled(row, height)),
                false => u8::MAX,
            };
            [r, g, b, alpha]
        });
        Shrunk {
            pixels: pixels.collect(),
            columns: self.columns as u32,
            rows: height.div_ceil(self.by),
            extent: (f64::from(width) / by, f64::from(height) / by),
            size: self.size,
            way_up: 1,
        }
    }
}

fn opaque(colours: [u8; 3]) -> [u32; 4] {
    let [r, g, b] = colours.map(u32::from);
    [r, g, b, 1]
}

fn weighed(colours: [u8; 3], alpha: u8) -> [u32; 4] {
    // in 16 bits, which processors multiply many of at a time
    let [r, g, b] = colours.map(|colour| u32::from(u16::from(colour) * u16::from(alpha)));
    [r, g, b, alpha.into()]
}

fn plus(one: [u32; 4], other: [u32; 4]) -> [u32; 4] {
    std::array::from_fn(|index| one[index].wrapping_add(other[index]))
}

fn mean(sum: u32, count: u32) -> u8 {
    let (sum, count) = (u64::from(sum), u64::from(count));
    u8::try_from((sum + count / 2).checked_div(count).unwrap_or(0)).unwrap_or(u8::MAX)
}
