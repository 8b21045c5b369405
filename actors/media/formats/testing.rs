//! Small files of every format, each with a secret in every place where metadata can be.

use std::{fs::File, io::Write as _};

/// What no cleaned file has in it.
pub const SECRET: &[u8] = b"51.5007N";

/// A file on disk with these bytes.
pub fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// A chunk of a PNG; its checksum is zero.
pub fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(data);
    // readers that are told to ignore it do not look at it
    chunk.extend([0; 4]);
    chunk
}

/// A PNG of that size, all pixels of one colour.
pub fn plain_png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    let pixels = vec![shade; (width * height) as usize];
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

/// The same with text, EXIF, a time, and bytes behind its end.
pub fn png() -> Vec<u8> {
    let clean = plain_png(5, 3, 7);
    let header = 8 + 12 + 13;
    let mut bytes = clean[..header].to_vec();
    bytes.extend(png_chunk(b"tEXt", &[b"Comment\0", SECRET].concat()));
    bytes.extend(png_chunk(b"eXIf", SECRET));
    bytes.extend(&clean[header..]);
    bytes.extend(SECRET);
    bytes
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let mut segment = vec![0xff, marker];
    segment.extend((content.len() as u16 + 2).to_be_bytes());
    segment.extend(content);
    segment
}

/// An EXIF block in which the way up is the second entry.
pub fn exif(way: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x02\0".to_vec();
    exif.extend(b"\x0f\x01\x02\0\x04\0\0\0abcd");
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, way, 0, 0, 0]);
    exif.extend([0, 0, 0, 0]);
    exif.extend(SECRET);
    exif
}

/// The frame, tables and two scans of a JPEG, whose coded data has restarts and stuffed bytes; not of a real
/// picture.
pub fn jpeg(way: u8) -> Vec<u8> {
    [
        b"\xff\xd8".to_vec(),
        segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        segment(0xe1, &exif(way)),
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
        segment(0xe2, &[b"MPF\0", SECRET].concat()),
        segment(0xed, SECRET),
        segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"),
        segment(0xfe, SECRET),
        segment(0xdb, &[0; 65]),
        segment(0xc2, &[8, 0, 30, 0, 40, 1, 1, 0x11, 0]),
        segment(0xc4, &[0; 17]),
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
        b"coded\xff\x00data\xff\xd0more".to_vec(),
        segment(0xc4, &[0; 17]),
        b"\xff".to_vec(),
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
        b"second\xff\x00scan".to_vec(),
        b"\xff\xd9".to_vec(),
        SECRET.to_vec(),
    ]
    .concat()
}

/// A GIF with two frames.
pub fn gif() -> Vec<u8> {
    let frame = b"\x2c\0\0\0\0\x03\0\x02\0\0\x02\x02\x4c\x01\0";
    [
        b"GIF89a\x03\0\x02\0\x80\0\0\0\0\0\xff\xff\xff".as_slice(),
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
        b"\x21\xfe\x08",
        SECRET,
        b"\0\x21\xff\x0bXMP DataXMP\x08",
        SECRET,
        b"\0\x21\xf9\x04\0\x0a\0\0\0",
        frame,
        frame,
        b"\x3b",
        SECRET,
    ]
    .concat()
}

fn riff_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = kind.to_vec();
    chunk.extend((data.len() as u32).to_le_bytes());
    chunk.extend(data);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// An extended WebP of 6 by 4 with EXIF and XMP.
pub fn webp() -> Vec<u8> {
    let chunks = [
        riff_chunk(b"VP8X", &[0x2c, 0, 0, 0, 5, 0, 0, 3, 0, 0]),
        riff_chunk(b"ICCP", b"profile"),
        riff_chunk(b"VP8L", &[0x2f, 5, 0xc0, 0, 0, 9, 9]),
        riff_chunk(b"EXIF", SECRET),
        riff_chunk(b"XMP ", SECRET),
        riff_chunk(b"what", SECRET),
    ]
    .concat();
    let length = (chunks.len() as u32 + 4).to_le_bytes();
    [b"RIFF".as_slice(), &length, b"WEBP", &chunks, SECRET].concat()
}

fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 8).to_be_bytes();
    [length.as_slice(), kind, content].concat()
}

/// An MP4 with sound and a track of 64 by 48.
pub fn mp4() -> Vec<u8> {
    let header = |width: u16, height: u16| {
        let mut header = vec![0; 76];
        header.extend(width.to_be_bytes());
        header.extend([0, 0]);
        header.extend(height.to_be_bytes());
        header.extend([0, 0]);
        mp4_box(b"tkhd", &header)
    };
    let sound = mp4_box(b"trak", &header(0, 0));
    let video = [header(64, 48), mp4_box(b"udta", SECRET)].concat();
    let movie = [sound, mp4_box(b"trak", &video), mp4_box(b"meta", SECRET)].concat();
    [
        mp4_box(b"ftyp", b"isom\0\0\0\0isom"),
        mp4_box(b"uuid", &[[9; 16].as_slice(), SECRET].concat()),
        mp4_box(b"mdat", b"frames"),
        mp4_box(b"moov", &movie),
    ]
    .concat()
}

fn element(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [kind, &[0x80 | content.len() as u8], content].concat()
}

/// A WebM of 64 by 48 with tags; `live` gives neither segment nor cluster a length.
pub fn webm(live: bool) -> Vec<u8> {
    let size = [element(b"\xb0", &[64]), element(b"\xba", &[48])].concat();
    let track = element(b"\xae", &element(b"\xe0", &size));
    let within = [
        element(b"\x15\x49\xa9\x66", &element(b"\x7b\xa9", SECRET)),
        element(b"\x16\x54\xae\x6b", &track),
        element(b"\x12\x54\xc3\x67", SECRET),
    ]
    .concat();
    let frames = element(b"\xa3", b"frames");
    let head = element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm");
    if live {
        let unknown = b"\x01\xff\xff\xff\xff\xff\xff\xff";
        let parts: [&[u8]; 6] = [
            &head,
            b"\x18\x53\x80\x67",
            unknown,
            &within,
            b"\x1f\x43\xb6\x75\xff",
            &frames,
        ];
        return parts.concat();
    }
    let within = [within, element(b"\x1f\x43\xb6\x75", &frames)].concat();
    [head, element(b"\x18\x53\x80\x67", &within)].concat()
}
