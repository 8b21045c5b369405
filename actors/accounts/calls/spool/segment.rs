//! The names of the spool's files.

use std::{fmt, path::Path, str::FromStr};

use uuid::Uuid;

/// One file of the spool: `{boot}-{recorder}-{seq}.spool`. Ordered oldest boot first (boot ids are
/// UUIDv7), then by turns over the recorders, so that none of them waits for the end of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SegmentName {
    /// The process that wrote it.
    pub boot: Uuid,
    /// Its place in the recorder's sequence.
    pub seq: u32,
    /// Which recorder of that process.
    pub recorder: u32,
}

/// A file that is not part of the spool.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotASegment;

const SUFFIX: &str = ".spool";

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            boot,
            seq,
            recorder,
        } = self;
        write!(f, "{}-{recorder}-{seq}{SUFFIX}", boot.simple())
    }
}

impl FromStr for SegmentName {
    type Err = NotASegment;

    fn from_str(name: &str) -> Result<Self, NotASegment> {
        let mut parts = name.strip_suffix(SUFFIX).ok_or(NotASegment)?.split('-');
        let mut part = || parts.next().ok_or(NotASegment);
        let (boot, recorder, seq) = (part()?, part()?, part()?);
        let segment = Self {
            boot: Uuid::try_parse(boot).map_err(|_| NotASegment)?,
            seq: seq.parse().map_err(|_| NotASegment)?,
            recorder: recorder.parse().map_err(|_| NotASegment)?,
        };
        // only the one way of writing a name is ours
        (segment.to_string() == name)
            .then_some(segment)
            .ok_or(NotASegment)
    }
}

/// A segment as the directory shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub name: SegmentName,
    /// Bytes in it, at least.
    pub size: u64,
    /// Whether nothing will be added: its recorder has begun a newer one, or its process is gone.
    pub closed: bool,
}

/// The segments in `dir`, oldest first; `boot` is the process that still writes.
pub(super) fn list(dir: &Path, boot: Uuid) -> std::io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(Ok(name)) = name.to_str().map(str::parse::<SegmentName>) {
            segments.push(Segment {
                name,
                size: entry.metadata()?.len(),
                closed: name.boot != boot,
            });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.name);
    for at in 0..segments.len() {
        let newer = segments[at + 1..].iter();
        let SegmentName { boot, recorder, .. } = segments[at].name;
        segments[at].closed |= newer
            .take_while(|other| other.name.boot == boot)
            .any(|other| other.name.recorder == recorder);
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_its_text_and_other_files_are_none() {
        let name = SegmentName {
            boot: Uuid::from_u128(0x1234),
            seq: 7,
            recorder: 3,
        };
        let text = name.to_string();
        assert_eq!(text, "00000000000000000000000000001234-3-7.spool");
        assert_eq!(text.parse(), Ok(name));
        for other in [
            "spool.lock",
            "a-1-2.spool",
            &text.replace("-7", "-07"),
            &format!("x{text}"),
        ] {
            assert_eq!(other.parse::<SegmentName>(), Err(NotASegment), "{other}");
        }
    }

    #[test]
    fn only_the_newest_segment_of_a_recorder_of_this_boot_can_grow() {
        let dir = tempfile::tempdir().unwrap();
        let (old, own) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (boot, recorder, seq) in [(own, 0, 1), (own, 0, 2), (own, 1, 1), (old, 0, 9)] {
            let name = SegmentName {
                boot,
                seq,
                recorder,
            };
            std::fs::write(dir.path().join(name.to_string()), "x").unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "x").unwrap();
        let found: Vec<_> = list(dir.path(), own)
            .unwrap()
            .into_iter()
            .map(|s| (s.name.boot, s.name.recorder, s.name.seq, s.closed))
            .collect();
        assert_eq!(
            found,
            [
                (old, 0, 9, true),
                (own, 0, 1, true),
                (own, 1, 1, false),
                (own, 0, 2, false)
            ]
        );
    }
}
