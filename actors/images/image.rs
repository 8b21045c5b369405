//! A picture as its app sees it.

use crate::storage::queries::images::ImageRow;

/// A picture or film that a job has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `img_…`
    pub id: String,
    /// The job that made it.
    pub job_id: String,
    /// Whose it is.
    pub app_id: String,
    /// Its place among the job's results.
    pub position: usize,
    /// In the media store.
    pub name: String,
    /// For example `image/png`.
    pub mime: String,
    pub bytes: u64,
    /// In pixels, where they are known.
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Whether it stays when old ones make room.
    pub pinned: bool,
    /// In their order.
    pub tags: Vec<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// What is to change about a picture. `None` = as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendment {
    pub pinned: Option<bool>,
    pub tags: Option<Vec<String>>,
}

impl Image {
    /// A row's picture, without its tags.
    pub(super) fn of(row: ImageRow) -> Self {
        let side = |side: Option<i32>| side.and_then(|side| u32::try_from(side).ok());
        Self {
            position: usize::try_from(row.position).unwrap_or_default(),
            bytes: u64::try_from(row.bytes).unwrap_or_default(),
            width: side(row.width),
            height: side(row.height),
            id: row.id,
            job_id: row.job_id,
            app_id: row.app_id,
            name: row.name,
            mime: row.mime,
            pinned: row.pinned,
            tags: Vec::new(),
            created_at: row.created_at,
        }
    }

    /// Whether it is a film.
    #[must_use]
    pub fn is_film(&self) -> bool {
        self.mime.starts_with("video/")
    }
}
