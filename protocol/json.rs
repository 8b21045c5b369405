//! Questions about JSON that are answered from its bytes, without building a tree.

use derive_more::{Display, Error};
use memchr::{
    memchr2,
    memmem::{Finder, FinderRev},
};
use serde::Serialize;

/// The body nests deeper than is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("the JSON nests deeper than {max} levels")]
pub struct TooDeep {
    /// The accepted depth.
    pub max: usize,
}

/// Checks that objects and arrays nest at most `max` deep: one pass, no allocation.
///
/// It does not validate: what is not JSON gets some answer here and is refused by the parser.
///
/// # Errors
/// At the first bracket that opens level `max + 1`.
pub fn check_depth(body: &[u8], max: usize) -> Result<(), TooDeep> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        at += 1;
        match byte {
            b'"' => at += string_length(&body[at..]),
            b'{' | b'[' => {
                depth += 1;
                if depth > max {
                    return Err(TooDeep { max });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// The length of a string's rest, its closing quote included.
fn string_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(offset) = memchr2(b'"', b'\\', &rest[at..]) {
        let found = at + offset;
        if rest[found] == b'"' {
            return found + 1;
        }
        at = (found + 2).min(rest.len());
    }
    rest.len()
}

/// Finds an object key in raw JSON by a byte search.
///
/// A quote inside a JSON string is always escaped, so the search cannot be fooled by text: in
/// `"say \"usage\": {}"` the bytes `"usage"` do not occur. It cannot tell how deep the key stands.
pub(crate) struct KeyFinder {
    quoted_length: usize,
    first: Finder<'static>,
    last: FinderRev<'static>,
}

impl KeyFinder {
    /// A finder of the key, given with its quotes: `"\"usage\""`.
    pub(crate) fn new(quoted: &'static str) -> Self {
        Self {
            quoted_length: quoted.len(),
            first: Finder::new(quoted),
            last: FinderRev::new(quoted),
        }
    }

    /// What follows each such key, first to last: slices that begin with the key's value.
    pub(crate) fn values<'j>(&self, json: &'j [u8]) -> impl Iterator<Item = &'j [u8]> {
        self.first
            .find_iter(json)
            .filter_map(|at| value_after(json, at, self.quoted_length))
    }

    /// The same, last to first.
    pub(crate) fn values_from_end<'j>(&self, json: &'j [u8]) -> impl Iterator<Item = &'j [u8]> {
        self.last
            .rfind_iter(json)
            .filter_map(|at| value_after(json, at, self.quoted_length))
    }
}

/// The value of the key at `at`, unless this is a string value or the end of a longer key.
fn value_after(json: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    if at > 0 && json[at - 1] == b'\\' {
        return None;
    }
    let value = json[at + length..].trim_ascii_start().strip_prefix(b":")?;
    Some(value.trim_ascii_start())
}

/// Serialises one of our own shapes, which cannot fail: no maps with odd keys, no I/O.
pub(crate) fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    #[expect(
        clippy::expect_used,
        reason = "strings, numbers and derived structs always serialise into memory"
    )]
    serde_json::to_writer(out, value).expect("own shapes serialise");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive_depth(body: &[u8], max: usize) -> Result<(), TooDeep> {
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        for &byte in body {
            if in_string {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => in_string = true,
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > max {
                return Err(TooDeep { max });
            }
        }
        Ok(())
    }

    #[test]
    fn depth_is_counted_outside_strings_only() {
        assert_eq!(check_depth(br#"{"a":[1,{"b":2}]}"#, 3), Ok(()));
        assert_eq!(
            check_depth(br#"{"a":[1,{"b":2}]}"#, 2),
            Err(TooDeep { max: 2 })
        );
        assert_eq!(check_depth(br#"["[[[{{{"]"#, 1), Ok(()));
        assert_eq!(check_depth(br#"["\"[[","\\",[]]"#, 2), Ok(()));
        assert_eq!(check_depth(br#"["\\",[[]]]"#, 2), Err(TooDeep { max: 2 }));
        assert_eq!(check_depth(br#"["ends in an escape\"#, 1), Ok(()));
        assert_eq!(check_depth(b"[][][]", 1), Ok(()));
        assert_eq!(
            check_depth(&b"[".repeat(100_000), 64),
            Err(TooDeep { max: 64 })
        );
    }

    #[test]
    fn keys_are_told_from_text_and_values() {
        let usage = KeyFinder::new("\"usage\"");
        let found = |json: &'static str| {
            usage
                .values(json.as_bytes())
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(r#"{"usage" : 1}"#), ["1}"]);
        assert_eq!(found(r#"{"a":"usage","usage":2}"#), ["2}"]);
        assert_eq!(found(r#"{"a":"\"usage\": 3"}"#), [""; 0]);
        assert_eq!(found(r#"{"my \"usage":4}"#), [""; 0]);
        assert_eq!(found(r#"["usage","#), [""; 0]);
    }

    proptest! {
        #[test]
        fn depth_agrees_with_the_naive_scan(
            body in proptest::collection::vec(prop::sample::select(&b"[]{}\"\\a"[..]), 0..60),
            max in 0usize..6,
        ) {
            prop_assert_eq!(check_depth(&body, max), naive_depth(&body, max));
        }

        #[test]
        fn a_text_never_shows_a_key(text in r#"(usage|"|\\|:|\{|[a-z ]){0,20}"#) {
            let json = serde_json::to_string(&["usage", text.as_str()]).unwrap();
            let finder = KeyFinder::new("\"usage\"");
            prop_assert_eq!(finder.values(json.as_bytes()).count(), 0);
            prop_assert_eq!(finder.values_from_end(json.as_bytes()).count(), 0);
        }
    }
}
