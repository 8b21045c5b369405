//! Line icons on a grid of 16 by 16, in the colour of the text beside them.

use maud::{Markup, html};

/// An icon by its name. It says nothing by itself: there are words beside it.
#[must_use]
pub fn icon(name: &str) -> Markup {
    let strokes = STROKES.iter().find(|(known, _)| *known == name);
    html! {
        svg.icon viewBox="0 0 16 16" aria-hidden="true" {
            path d=(strokes.map_or("", |(_, strokes)| strokes)) {}
        }
    }
}

const STROKES: &[(&str, &str)] = &[
    ("again", "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3"),
    ("check", "M3 8.5 6.5 12 13 4.5"),
    ("close", "M4 4l8 8M12 4l-8 8"),
    (
        "delete",
        "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.7 9h5.6l.7-9M6.8 7v4M9.2 7v4",
    ),
    ("down", "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10"),
    ("leave", "M6.5 3H3v10h3.5M7 8h6.5M11 5l3 3-3 3"),
    ("left", "M10 3.5 5.5 8l4.5 4.5"),
    ("lock", "M4 7h8v6.5H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2"),
    (
        "picture",
        "M2.5 3h11v10h-11zM2.5 11l3.5-3.5 2.5 2.5 2-2 3 3M10.8 5.6h.01",
    ),
    ("pin", "M6 2.5h4l-.5 4 2 2h-7l2-2zM8 8.5v5"),
    ("right", "M6 3.5 10.5 8 6 12.5"),
    (
        "search",
        "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
    ),
    (
        "tree",
        "M8 2v4M8 6c-4 0-4.5 1.5-4.5 4M8 6c4 0 4.5 1.5 4.5 4M8 6v4M2 10h3v3H2zM6.5 10h3v3h-3zM11 10h3v3h-3z",
    ),
    ("undo", "M5 3 2.5 5.5 5 8M2.5 5.5H10a3.5 3.5 0 0 1 0 7H6"),
    ("up", "M3.5 10 8 5.5l4.5 4.5"),
    (
        "wand",
        "M2.5 13.5l7-7M11 2.5v3M9.5 4h3M13 8v2M12 9h2M5 2.5v2M4 3.5h2",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icons_are_found_by_their_names() {
        for (name, strokes) in STROKES {
            assert!(icon(name).into_string().contains(strokes));
        }
    }
}
