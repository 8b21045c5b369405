//! Thumbnails of real pictures of every format, looked at pixel by pixel.

use std::{fs::File, io::Cursor, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{
    Look, ThumbnailError, ThumbnailKind, Thumbnails,
    shrink::{Layout, Place, Shrinking},
};
use crate::{
    media::{
        MediaError,
        config::MediaConfig,
        formats::testing::{self, file, plain_png},
    },
    storage::config::StorageConfig,
};

const RED: [u8; 3] = [220, 20, 30];
const BLUE: [u8; 3] = [10, 40, 210];

fn thumbnails(change: impl FnOnce(&mut MediaConfig)) -> Thumbnails {
    let mut media = MediaConfig::default();
    change(&mut media);
    Thumbnails::new(&StorageConfig::default(), &media)
}

/// The left half red, the right one blue; in RGB.
fn halves(width: u32, height: u32) -> Vec<u8> {
    let row = (0..width).flat_map(|x| if x < width / 2 { RED } else { BLUE });
    row.collect::<Vec<_>>().repeat(height as usize)
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&halves(width, height)).unwrap();
    writer.finish().unwrap();
    bytes
}

fn jpeg_of(width: u16, height: u16, way_up: u8, progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.add_app_segment(1, testing::exif(way_up)).unwrap();
    encoder.set_progressive(progressive);
    let pixels = halves(width.into(), height.into());
    encoder
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

/// An animation whose frames cover the left half of its screen: red first, then blue.
fn gif_of(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let palette = [RED, BLUE].concat();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).unwrap();
    for colour in [0, 1] {
        let (width, height) = (width / 2, height);
        let indexes = vec![colour; usize::from(width) * usize::from(height)];
        let frame = gif::Frame {
            width,
            height,
            buffer: indexes.into(),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// The picture as it would be seen, and its size.
struct Seen {
    pixels: Vec<u8>,
    depth: usize,
    size: (u32, u32),
}

impl Seen {
    fn of(thumbnails: &Thumbnails, bytes: &[u8], kind: ThumbnailKind) -> Self {
        let thumbnail = thumbnails.draw(&file(bytes), kind).unwrap();
        assert_eq!(thumbnail.mime, kind.mime());
        let size = (thumbnail.width, thumbnail.height);
        let (pixels, depth) = match kind {
            ThumbnailKind::Jpeg => (
                jpeg_decoder::Decoder::new(&thumbnail.bytes[..])
                    .decode()
                    .unwrap(),
                3,
            ),
            ThumbnailKind::WebP => {
                let mut decoder =
                    image_webp::WebPDecoder::new(Cursor::new(&thumbnail.bytes)).unwrap();
                let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
                decoder.read_image(&mut pixels).unwrap();
                (pixels, if decoder.has_alpha() { 4 } else { 3 })
            }
        };
        assert_eq!(pixels.len(), size.0 as usize * size.1 as usize * depth);
        Self {
            pixels,
            depth,
            size,
        }
    }

    /// The colour at a place, in hundredths of width and height.
    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let (x, y) = (self.size.0 * x / 100, self.size.1 * y / 100);
        let at = (y * self.size.0 + x) as usize * self.depth;
        self.pixels[at..at + 3].try_into().unwrap()
    }

    fn opacity_at(&self, x: u32, y: u32) -> u8 {
        let (x, y) = (self.size.0 * x / 100, self.size.1 * y / 100);
        match self.depth {
            4 => self.pixels[(y * self.size.0 + x) as usize * 4 + 3],
            _ => u8::MAX,
        }
    }
}

fn is_near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter()
        .zip(wanted)
        .all(|(one, other)| one.abs_diff(other) < 30)
}

#[track_caller]
fn assert_near(seen: [u8; 3], wanted: [u8; 3]) {
    assert!(is_near(seen, wanted), "{seen:?} is not {wanted:?}");
}

#[test]
fn each_format_keeps_its_picture_and_its_proportions() {
    let hand = thumbnails(|_| ());
    let webp = halves(900, 600);
    let webp = webp::Encoder::from_rgb(&webp, 900, 600)
        .encode(90.0)
        .to_vec();
    let lossless = halves(900, 600);
    let lossless = webp::Encoder::from_rgb(&lossless, 900, 600)
        .encode_lossless()
        .to_vec();
    for (name, bytes) in [
        ("png", png_of(900, 600)),
        ("jpeg", jpeg_of(900, 600, 1, false)),
        ("progressive jpeg", jpeg_of(900, 600, 1, true)),
        ("large jpeg", jpeg_of(3_600, 2_400, 1, false)),
        ("webp", webp),
        ("lossless webp", lossless),
    ] {
        for kind in [ThumbnailKind::WebP, ThumbnailKind::Jpeg] {
            let seen = Seen::of(&hand, &bytes, kind);
            assert_eq!(seen.size, (400, 267), "{name}");
            assert_near(seen.at(25, 50), RED);
            assert_near(seen.at(75, 50), BLUE);
            assert_near(seen.at(99, 99), BLUE);
        }
    }
}

#[test]
fn sizes_fit_and_small_pictures_keep_theirs() {
    let hand = thumbnails(|media| media.thumbnail_side = 100);
    for (size, wanted) in [
        ((40, 30), (40, 30)),
        ((100, 100), (100, 100)),
        ((101, 100), (100, 99)),
        ((300, 1), (100, 1)),
        ((1, 3_000), (1, 100)),
        ((999, 333), (100, 33)),
    ] {
        let thumbnail = hand.draw(&file(&plain_png(size.0, size.1, 99)), ThumbnailKind::WebP);
        let thumbnail = thumbnail.unwrap();
        assert_eq!((thumbnail.width, thumbnail.height), wanted, "{size:?}");
    }
}

#[test]
fn a_photograph_on_its_side_is_turned() {
    let hand = thumbnails(|_| ());
    // where red is, in hundredths
    let places = [
        (25, 50),
        (75, 50),
        (75, 50),
        (25, 50),
        (50, 25),
        (50, 25),
        (50, 75),
        (50, 75),
    ];
    for (way_up, (x, y)) in (1..).zip(places) {
        let seen = Seen::of(
            &hand,
            &jpeg_of(800, 400, way_up, false),
            ThumbnailKind::WebP,
        );
        assert_eq!(seen.size, if way_up < 5 { (400, 200) } else { (200, 400) });
        assert!(is_near(seen.at(x, y), RED), "{way_up}");
        assert!(is_near(seen.at(100 - x, 100 - y), BLUE), "{way_up}");
    }
}

#[test]
fn of_an_animation_the_first_frame_is_shown_and_transparency_is_kept() {
    let hand = thumbnails(|_| ());
    let bytes = gif_of(1_200, 400);
    let seen = Seen::of(&hand, &bytes, ThumbnailKind::WebP);
    assert_near(seen.at(25, 50), RED);
    assert_eq!((seen.opacity_at(25, 50), seen.opacity_at(75, 50)), (255, 0));
    let seen = Seen::of(&hand, &bytes, ThumbnailKind::Jpeg);
    assert_near(seen.at(25, 50), RED);
    assert_near(seen.at(75, 50), [255; 3]);
}

/// An Adam7 PNG of 8-bit grey: the left half 40, the right 200. Its data is not compressed.
fn interlaced_png(side: u32) -> Vec<u8> {
    let places = super::decode::interlaced((side, side));
    let shade = |x: u32| if x < side / 2 { 40 } else { 200 };
    let rows = places.flat_map(|place| {
        let columns = (place.first..side).step_by(place.step as usize);
        std::iter::once(0)
            .chain(columns.map(shade))
            .collect::<Vec<_>>()
    });
    let rows: Vec<u8> = rows.collect();
    let mut zlib = vec![0x78, 1];
    let mut blocks = rows.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        zlib.push(u8::from(blocks.peek().is_none()));
        zlib.extend(length.to_le_bytes());
        zlib.extend((!length).to_le_bytes());
        zlib.extend(block);
    }
    zlib.extend([0; 4]);
    let header = [
        &side.to_be_bytes()[..],
        &side.to_be_bytes(),
        &[8, 0, 0, 0, 1],
    ]
    .concat();
    let chunks = [(b"IHDR", header), (b"IDAT", zlib), (b"IEND", Vec::new())];
    let chunks = chunks.map(|(kind, data)| testing::png_chunk(kind, &data));
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunks.concat()].concat()
}

#[test]
fn interlaced_pictures_come_in_seven_passes() {
    let hand = thumbnails(|_| ());
    for side in [3, 801] {
        let seen = Seen::of(&hand, &interlaced_png(side), ThumbnailKind::WebP);
        assert_near(seen.at(0, 50), [40; 3]);
        assert_near(seen.at(99, 99), [200; 3]);
    }
}

#[test]
fn what_is_no_picture_or_would_take_too_much_is_refused() {
    let hand = thumbnails(|_| ());
    let draw = |bytes: &[u8]| hand.draw(&file(bytes), ThumbnailKind::WebP).unwrap_err();
    for bytes in [
        testing::mp4(),
        testing::webm(false),
        b"<svg>".to_vec(),
        Vec::new(),
    ] {
        assert!(matches!(draw(&bytes), ThumbnailError::NoPicture));
    }
    let cut = png_of(300, 300);
    for bytes in [&cut[..cut.len() / 2], &testing::jpeg(1), &testing::webp()] {
        assert!(matches!(draw(bytes), ThumbnailError::Damaged(_)));
    }
    // a header that lies, and more pixels than may be
    let mut bomb = plain_png(8, 8, 0);
    bomb[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    assert!(matches!(draw(&bomb), ThumbnailError::Damaged(_)));
    let strict = thumbnails(|media| media.max_pixels = 800 * 800);
    let refused = strict.draw(&file(&plain_png(900, 900, 0)), ThumbnailKind::WebP);
    let refused = refused.unwrap_err();
    assert!(matches!(
        refused,
        ThumbnailError::Refused(MediaError::TooManyPixels { .. })
    ));
    let poor = thumbnails(|media| media.thumbnail_memory = 1 << 20);
    for bytes in [
        jpeg_of(900, 600, 1, true),
        plain_png(60_000, 1, 0),
        gif_of(3_000, 900),
    ] {
        let refused = poor.draw(&file(&bytes), ThumbnailKind::Jpeg).unwrap_err();
        assert!(
            matches!(refused, ThumbnailError::TooLarge { .. }),
            "{refused:?}"
        );
    }
}

#[actix_rt::test]
async fn only_so_many_are_made_at_a_time() {
    let hand = thumbnails(|media| {
        media.thumbnails_at_once = 1;
        media.thumbnail_wait_ms = 1;
    });
    let picture: Arc<File> = Arc::new(file(&png_of(500, 500)));
    let permit = hand.hands.clone().try_acquire_owned().unwrap();
    let refused = hand.make(picture.clone(), ThumbnailKind::WebP).await;
    assert!(matches!(refused, Err(ThumbnailError::Busy)));
    drop(permit);
    let patient = Thumbnails {
        wait: Duration::from_secs(60),
        ..hand
    };
    let made = patient.make(picture, ThumbnailKind::WebP).await.unwrap();
    assert_eq!((made.width, made.height), (400, 400));
    assert_eq!(patient.hands.available_permits(), 1);
}

proptest! {
    #[test]
    fn the_order_of_pixels_does_not_matter(width in 1..70_u32, height in 1..70_u32, side in 16..40_u32) {
        let look = Look { side, quality: 1, memory: 0 };
        let pixel = |x: u32, y: u32| [(x * 7) as u8, (y * 5) as u8, (x ^ y) as u8, (x * y) as u8];
        let mut by_row = Shrinking::new((width, height), Layout::Rgba, look);
        for y in 0..height {
            let row: Vec<u8> = (0..width).flat_map(|x| pixel(x, y)).collect();
            by_row.add(Place::row(y), &row);
        }
        let mut by_pass = Shrinking::new((width, height), Layout::Rgba, look);
        for place in super::decode::interlaced((width, height)) {
            let columns = (place.first..width).step_by(place.step as usize);
            let row: Vec<u8> = columns.flat_map(|x| pixel(x, place.row)).collect();
            by_pass.add(place, &row);
        }
        let (one, other) = (by_row.end(), by_pass.end());
        prop_assert_eq!(one.pixels.len(), (one.columns * one.rows * 4) as usize);
        prop_assert_eq!(one.pixels, other.pixels);
    }
}
