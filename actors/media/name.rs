//! Names of stored files: unguessable, and safe to put into a path.

use derive_more::{Display, Error};

use super::format::Format;

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, Display, Error)]
#[display("no random bytes from the operating system: {_0}")]
pub struct NoRandomness(#[error(not(source))] getrandom::Error);

/// The name of a stored file: 160 random bits as 40 lower-case hex digits, and the format's ending.
/// Nothing else is ever one, so a name from a URL cannot lead out of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Display)]
#[display("{text}")]
pub struct MediaName {
    text: String,
    format: Format,
}

const RANDOM_BYTES: usize = 20;

impl MediaName {
    /// A name that nobody has seen.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn fresh(format: Format) -> Result<Self, NoRandomness> {
        use std::fmt::Write as _;
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(NoRandomness)?;
        let mut text = String::with_capacity(RANDOM_BYTES * 2 + 5);
        for byte in random {
            // writing to a String cannot fail
            let _ = write!(text, "{byte:02x}");
        }
        text.push('.');
        text.push_str(format.ending());
        Ok(Self { text, format })
    }

    /// A name from outside, if it is one of ours in form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (stem, ending) = text.split_once('.')?;
        let format = Format::ALL
            .into_iter()
            .find(|format| format.ending() == ending)?;
        let random = stem.len() == RANDOM_BYTES * 2
            && stem
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        random.then(|| Self {
            text: text.to_owned(),
            format,
        })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_names_differ_and_can_be_read_back() {
        let (one, other) = (
            MediaName::fresh(Format::Jpeg).unwrap(),
            MediaName::fresh(Format::Jpeg).unwrap(),
        );
        assert_ne!(one, other);
        assert_eq!(MediaName::parse(one.as_str()), Some(one));
    }

    #[test]
    fn nothing_else_is_a_name() {
        let stem = "0123456789abcdef0123456789abcdef01234567";
        assert!(MediaName::parse(&format!("{stem}.png")).is_some());
        for bad in [
            String::new(),
            "../../etc/passwd".to_owned(),
            format!("../{stem}.png"),
            format!("{stem}.svg"),
            format!("{stem}.png/../x"),
            format!("{stem}.png\0"),
            format!("{}.png", stem.to_uppercase()),
            format!("{}.png", &stem[1..]),
            format!(".{stem}.png.part"),
            stem.to_owned(),
        ] {
            assert_eq!(MediaName::parse(&bad), None, "{bad}");
        }
    }
}
