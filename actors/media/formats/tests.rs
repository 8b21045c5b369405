//! Files of every format, cleaned; and files that are not what they say.

use super::{
    testing::{SECRET, exif, file, gif, jpeg, mp4, plain_png, png, webm, webp},
    *,
};

fn surveyed(bytes: &[u8]) -> Result<Survey, Flaw> {
    let file = file(bytes);
    let format = Format::sniff(bytes).unwrap();
    survey(format, &mut Window::on(&file).unwrap())
}

fn cleaned(bytes: &[u8]) -> Vec<u8> {
    let plan = surveyed(bytes).unwrap().plan;
    let mut clean = Vec::new();
    let taken = plan.carry_out(&file(bytes), |piece| {
        clean.extend_from_slice(piece);
        Ok(())
    });
    taken.unwrap();
    assert_eq!(clean.len() as u64, plan.bytes());
    clean
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn every_format_is_measured_and_loses_its_metadata() {
    for (name, bytes, pixels) in [
        ("png", png(), (5, 3)),
        ("jpeg", jpeg(1), (40, 30)),
        ("gif", gif(), (3, 2)),
        ("webp", webp(), (6, 4)),
        ("mp4", mp4(), (64, 48)),
        ("webm", webm(false), (64, 48)),
        ("live webm", webm(true), (64, 48)),
    ] {
        assert!(has(&bytes, SECRET), "{name}");
        assert_eq!(surveyed(&bytes).unwrap().pixels, Some(pixels), "{name}");
        let clean = cleaned(&bytes);
        assert!(!has(&clean, SECRET), "{name}");
        assert_eq!(Format::sniff(&clean), Format::sniff(&bytes), "{name}");
        assert_eq!(cleaned(&clean), clean, "{name}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_harmless_and_never_a_panic() {
    for bytes in [
        png(),
        jpeg(6),
        gif(),
        webp(),
        mp4(),
        webm(false),
        webm(true),
    ] {
        for end in Format::HEAD.min(bytes.len() - 1)..bytes.len() {
            if surveyed(&bytes[..end]).is_ok() {
                assert!(!has(&cleaned(&bytes[..end]), SECRET));
            }
        }
    }
    for bytes in [plain_png(9, 9, 1), jpeg(1), gif()] {
        let error = surveyed(&bytes[..bytes.len() / 2]).unwrap_err();
        assert_eq!(error.to_string(), "it is cut short");
    }
}

#[test]
fn a_byte_changed_anywhere_is_no_panic() {
    for bytes in [png(), jpeg(6), gif(), webp(), mp4(), webm(false)] {
        for at in 12..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                if Format::sniff(&changed).is_some() {
                    let _ = surveyed(&changed);
                }
            }
        }
    }
}

#[test]
fn a_cleaned_png_is_the_one_without_metadata() {
    assert_eq!(cleaned(&png()), plain_png(5, 3, 7));
}

#[test]
fn a_jpeg_keeps_its_colours_and_its_way_up() {
    let clean = cleaned(&jpeg(6));
    for kept in [
        b"JFIF".as_slice(),
        b"ICC_PROFILE",
        b"Adobe",
        b"coded\xff\x00data\xff\xd0more",
        b"second",
    ] {
        assert!(has(&clean, kept), "{kept:?}");
    }
    for gone in [b"MPF".as_slice(), b"adobe.com", b"abcd"] {
        assert!(!has(&clean, gone), "{gone:?}");
    }
    assert!(has(&clean, b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"));
    assert!(!has(&cleaned(&jpeg(1)), b"Exif"));
    assert!(!has(&cleaned(&jpeg(77)), b"Exif"));
    assert!(has(&exif(6), b"Exif"));
}

#[test]
fn an_animation_goes_on_and_counts_all_its_frames() {
    assert!(has(&cleaned(&gif()), b"NETSCAPE2.0"));
    assert_eq!(surveyed(&gif()).unwrap().drawn, 12);
}

#[test]
fn a_cleaned_webp_says_its_new_length_and_nothing_of_exif() {
    let clean = cleaned(&webp());
    let length = u32::from_le_bytes(clean[4..8].try_into().unwrap());
    assert_eq!(length as usize + 8, clean.len());
    assert_eq!(clean[20], 0x20);
    assert!(has(&clean, b"ICCP") && !has(&clean, b"XMP "));
}

#[test]
fn videos_keep_every_byte_in_its_place() {
    for bytes in [mp4(), webm(false), webm(true)] {
        let clean = cleaned(&bytes);
        assert_eq!(clean.len(), bytes.len());
        let place = |bytes: &[u8]| bytes.windows(6).position(|window| window == b"frames");
        assert_eq!(place(&clean), place(&bytes));
    }
}

#[test]
fn headers_that_lie_are_refused() {
    let mut bomb = plain_png(8, 8, 0);
    bomb[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    let error = surveyed(&bomb).unwrap_err().to_string();
    assert!(error.contains("more pixels than its data"), "{error}");
    // 4096 by 4096 of one colour is as small as deflate can make it, and true
    assert!(surveyed(&plain_png(4_096, 4_096, 0)).is_ok());
}
