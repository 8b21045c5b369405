//! GIF (CompuServe's specification, 89a): a screen, and blocks of images and extensions.

use super::{Flaw, Plan, Survey, area};
use crate::media::reading::Window;

pub fn survey(window: &mut Window<'_>) -> Result<Survey, Flaw> {
    let width = u16::from_le_bytes(window.array(6)?);
    let height = u16::from_le_bytes(window.array(8)?);
    let pixels = (width.into(), height.into());
    let [flags] = window.array(10)?;
    let mut at = 13 + colours(flags);
    let (mut plan, mut drawn) = (Plan::default(), 0);
    plan.copy(0..at);
    loop {
        let [introducer] = window.array(at)?;
        let end = match introducer {
            0x2c => {
                let width = u16::from_le_bytes(window.array(at + 5)?);
                let height = u16::from_le_bytes(window.array(at + 7)?);
                drawn += area((width.into(), height.into()));
                let [flags] = window.array(at + 9)?;
                sub_blocks(window, at + 10 + colours(flags) + 1)?
            }
            0x21 => sub_blocks(window, at + 2)?,
            0x3b => at + 1,
            _ => return Err(Flaw::Broken("it has a block of an unknown kind")),
        };
        if introducer != 0x21 || is_kept(window, at)? {
            plan.copy(at..end);
        }
        if plan.is_too_long() {
            return Err(Flaw::Broken("it has too many blocks"));
        }
        at = end;
        if introducer == 0x3b {
            break;
        }
    }
    match area(pixels) {
        0 => Err(Flaw::Broken("its screen is empty")),
        _ => Ok(Survey {
            pixels: Some(pixels),
            drawn,
            plan,
        }),
    }
}

/// The bytes of a table of colours that these flags announce.
fn colours(flags: u8) -> u64 {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}

/// Where the sub-blocks from `at` on end.
fn sub_blocks(window: &mut Window<'_>, mut at: u64) -> Result<u64, Flaw> {
    loop {
        let [length] = window.array(at)?;
        at += 1 + u64::from(length);
        if length == 0 {
            return Ok(at);
        }
    }
}

/// Extensions that change what is seen: times, transparency, repetition, drawn text and the colour profile.
fn is_kept(window: &mut Window<'_>, at: u64) -> Result<bool, Flaw> {
    let [_, label] = window.array(at)?;
    Ok(match label {
        0xf9 | 0x01 => true,
        0xff => matches!(
            &window.array(at + 2)?,
            b"\x0bNETSCAPE2.0" | b"\x0bANIMEXTS1.0" | b"\x0bICCRGBG1012"
        ),
        _ => false,
    })
}
