//! Ids of tasks become a part of the URL that is asked after them, so that an upstream must not write
//! anything else there.

/// A text that is one segment of a path and nothing more: letters, digits and a few signs.
#[must_use]
pub fn is_segment(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte);
    (1..=256).contains(&id.len()) && id.bytes().all(plain) && !id.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_lead_elsewhere() {
        for id in [
            "video_68d7512d07848190b3e45da0ecbebcde004da08e1e0678d5",
            "a1-b2",
            "x..y",
        ] {
            assert!(is_segment(id), "{id}");
        }
        for id in [
            "",
            ".",
            "..",
            "a/b",
            "a?b",
            "a#b",
            "a%2fb",
            "a b",
            "é",
            "a@b",
            &"x".repeat(257),
        ] {
            assert!(!is_segment(id), "{id}");
        }
    }
}
