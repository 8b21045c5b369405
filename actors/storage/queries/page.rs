//! Lists that are read newest first, page by page, without ever skipping or repeating a row.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T> {
    /// Rows that match, over all pages.
    pub count: i64,
    /// The rows of this page, newest first.
    pub list: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same of what each row is shown as.
    pub fn map<U>(self, shown: impl FnMut(T) -> U) -> Page<U> {
        Page {
            count: self.count,
            list: self.list.into_iter().map(shown).collect(),
            next: self.next,
        }
    }

    /// A page from up to `limit + 1` rows: the one too many says that there is more.
    pub(super) fn new(
        count: i64,
        mut rows: Vec<T>,
        limit: usize,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self {
            count,
            list: rows,
            next,
        }
    }
}

/// The last row of a page; rows after it are older. Written `<at>.<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The row's time, milliseconds since 1970.
    pub at: i64,
    /// The row's id, for rows of the same millisecond.
    pub id: String,
}

/// Of a boxed query, the rows behind `$before`, newest first by `$at`, then by `$id`.
macro_rules! newest_first {
    ($query:expr, ($at:expr, $id:expr), $before:expr) => {{
        let mut query = $query;
        if let Some($crate::storage::queries::Cursor { at, id }) = $before {
            // the first condition is implied; it is what an index on the time can use
            query = query.filter($at.le(at)).filter($at.lt(at).or($id.lt(id)));
        }
        query.order(($at.desc(), $id.desc()))
    }};
}
pub(super) use newest_first;

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display, derive_more::Error)]
#[display("not a cursor: take `next` of the previous page as it is")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (at, id) = text.split_once('.').ok_or(CursorError)?;
        let at = at.parse().map_err(|_| CursorError)?;
        Ok(Self {
            at,
            id: id.to_owned(),
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = Cursor {
            at: -5,
            id: "a.b".to_owned(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert_eq!("x.a".parse::<Cursor>(), Err(CursorError));
        assert_eq!("5".parse::<Cursor>(), Err(CursorError));
    }
}
