//! The formats that are stored, told by the files' own first bytes.

/// The formats that are stored, told by their first bytes whatever an upstream called them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Png,
    Jpeg,
    Webp,
    Gif,
    Mp4,
    Webm,
}

impl Format {
    pub(super) const ALL: [Self; 6] = [
        Self::Png,
        Self::Jpeg,
        Self::Webp,
        Self::Gif,
        Self::Mp4,
        Self::Webm,
    ];

    /// How many of a file's first bytes [`sniff`](Self::sniff) looks at.
    pub const HEAD: usize = 64;

    /// The format of a file by its first bytes.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, rest @ ..] if rest.starts_with(b"WEBP") => {
                Some(Self::Webp)
            }
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => MP4_BRANDS
                .iter()
                .any(|known| brand.starts_with(known))
                .then_some(Self::Mp4),
            [0x1a, 0x45, 0xdf, 0xa3, head @ ..] => {
                let head = &head[..head.len().min(Self::HEAD)];
                is_webm(head).then_some(Self::Webm)
            }
            _ => None,
        }
    }

    /// For `Content-Type`.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Mp4 => "video/mp4",
            Self::Webm => "video/webm",
        }
    }

    /// Whether it is a picture, still or moving, and not a video.
    #[must_use]
    pub fn is_picture(self) -> bool {
        !matches!(self, Self::Mp4 | Self::Webm)
    }

    /// What file names end with, without the dot.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
        }
    }
}

/// The major brands (ISO/IEC 14496-12) under which MP4 videos come. `qt  ` (QuickTime), `heic` and `avif` are
/// others' and are not stored.
const MP4_BRANDS: [&[u8]; 6] = [b"iso", b"mp4", b"avc1", b"M4V", b"dash", b"mmp4"];

/// WebM is Matroska whose header says so: the element DocType (0x4282) is `webm`.
fn is_webm(head: &[u8]) -> bool {
    const DOC_TYPE: &[u8] = b"\x42\x82\x84webm";
    head.windows(DOC_TYPE.len())
        .any(|window| window == DOC_TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_bytes() {
        let known: [(&[u8], Format); 7] = [
            (b"\x89PNG\r\n\x1a\nrest", Format::Png),
            (b"\xff\xd8\xff\xe0", Format::Jpeg),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Format::Webp),
            (b"GIF89a", Format::Gif),
            (b"\x00\x00\x00\x20ftypisom", Format::Mp4),
            (b"\x00\x00\x00\x20ftypmp42", Format::Mp4),
            (
                b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
                Format::Webm,
            ),
        ];
        for (bytes, format) in known {
            assert_eq!(Format::sniff(bytes), Some(format));
        }
        for other in [
            b"<svg onload=alert(1)>".as_slice(),
            b"",
            b"RIFF....WAVE",
            b"\x89PN",
            b"\x00\x00\x00\x20ftypheic",
            b"\x00\x00\x00\x20ftypqt  ",
            b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska",
        ] {
            assert_eq!(Format::sniff(other), None);
        }
    }
}
