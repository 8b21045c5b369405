//! `images` and `thumbnails`: the pictures and films that completed jobs have made, and the small ones of them. The
//! files lie in the media store under their names.

use diesel::prelude::*;

use super::CHUNK;
use crate::storage::{
    Connection,
    connection::on_each,
    schema::{images, thumbnails, user_tags},
};

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = images, treat_none_as_default_value = false)]
pub struct ImageRow {
    /// `img_…`, as the client knows it; later ones are greater.
    pub id: String,
    /// The job that made it.
    pub job_id: String,
    /// Whose it is.
    pub app_id: String,
    /// Its place among the job's results.
    pub position: i32,
    /// In the media store.
    pub name: String,
    /// For example `image/png`.
    pub mime: String,
    pub bytes: i64,
    /// In pixels, where they are known.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Whether it stays when old ones make room.
    pub pinned: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Stores pictures; an id that exists is a unique violation.
pub fn insert(conn: &mut Connection, rows: &[ImageRow]) -> QueryResult<()> {
    rows.chunks(CHUNK).try_for_each(|chunk| {
        on_each!(conn, c => diesel::insert_into(images::table).values(chunk).execute(c)).map(|_| ())
    })
}

/// The picture of that id.
pub fn get(conn: &mut Connection, id: &str) -> QueryResult<Option<ImageRow>> {
    on_each!(conn, c => images::table.find(id).select(ImageRow::as_select()).first(c).optional())
}

/// The pictures of jobs, at most some thousand, each job's in their places.
pub fn of_jobs(conn: &mut Connection, job_ids: &[String]) -> QueryResult<Vec<ImageRow>> {
    on_each!(conn, c => {
        images::table
            .filter(images::job_id.eq_any(job_ids))
            .order((images::job_id, images::position))
            .select(ImageRow::as_select())
            .load(c)
    })
}

/// Pins a picture, or lets go of it; false where there is none of that id.
pub fn pin(conn: &mut Connection, id: &str, pinned: bool) -> QueryResult<bool> {
    let pinned = images::pinned.eq(pinned);
    on_each!(conn, c => diesel::update(images::table.find(id)).set(pinned).execute(c))
        .map(|changed| changed > 0)
}

/// Deletes pictures by id, at most some thousand, with their tags and the rows of their thumbnails; the files are
/// the caller's affair. Returns how many there were.
pub fn delete(conn: &mut Connection, ids: &[String]) -> QueryResult<usize> {
    on_each!(conn, c => {
        diesel::delete(user_tags::table.filter(user_tags::image_id.eq_any(ids))).execute(c)?;
        diesel::delete(thumbnails::table.filter(thumbnails::image_id.eq_any(ids))).execute(c)?;
        diesel::delete(images::table.filter(images::id.eq_any(ids))).execute(c)
    })
}

/// The same of all pictures of jobs, at most some thousand jobs.
pub fn delete_of_jobs(conn: &mut Connection, job_ids: &[String]) -> QueryResult<usize> {
    on_each!(conn, c => {
        let theirs = || {
            images::table.filter(images::job_id.eq_any(job_ids)).select(images::id)
        };
        let tags = user_tags::image_id.eq_any(theirs());
        diesel::delete(user_tags::table.filter(tags)).execute(c)?;
        let small = thumbnails::image_id.eq_any(theirs());
        diesel::delete(thumbnails::table.filter(small)).execute(c)?;
        diesel::delete(images::table.filter(images::job_id.eq_any(job_ids))).execute(c)
    })
}

/// The name of a picture's thumbnail of that type.
pub fn thumbnail(conn: &mut Connection, id: &str, mime: &str) -> QueryResult<Option<String>> {
    on_each!(conn, c => {
        thumbnails::table.find((id, mime)).select(thumbnails::name).first(c).optional()
    })
}

/// Notes a thumbnail of a picture that has none of that type, and says which is in force then: another one where
/// somebody was faster, none where the picture is gone.
pub fn put_thumbnail(
    conn: &mut Connection,
    id: &str,
    mime: &str,
    name: &str,
) -> QueryResult<Option<String>> {
    if get(conn, id)?.is_none() {
        return Ok(None);
    }
    let row = (
        thumbnails::image_id.eq(id),
        thumbnails::mime.eq(mime),
        thumbnails::name.eq(name),
    );
    on_each!(conn, c => {
        diesel::insert_into(thumbnails::table)
            .values(row)
            .on_conflict((thumbnails::image_id, thumbnails::mime))
            .do_nothing()
            .execute(c)
    })?;
    thumbnail(conn, id, mime)
}

/// Forgets a thumbnail, unless another one has taken its place.
pub fn drop_thumbnail(conn: &mut Connection, id: &str, mime: &str, name: &str) -> QueryResult<()> {
    let row = thumbnails::table
        .find((id, mime))
        .filter(thumbnails::name.eq(name));
    on_each!(conn, c => diesel::delete(row).execute(c)).map(|_| ())
}

/// The names of the thumbnails of pictures, at most some thousand.
pub fn thumbnails_of(conn: &mut Connection, ids: &[String]) -> QueryResult<Vec<String>> {
    on_each!(conn, c => {
        thumbnails::table
            .filter(thumbnails::image_id.eq_any(ids))
            .select(thumbnails::name)
            .load(c)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::storage::{queries::tags, testing::for_each_database};

    pub fn image(id: &str, job_id: &str, position: i32) -> ImageRow {
        ImageRow {
            id: id.to_owned(),
            job_id: job_id.to_owned(),
            app_id: "app".to_owned(),
            position,
            name: format!("{id}.png"),
            mime: "image/png".to_owned(),
            bytes: 3_000_000_000,
            width: Some(64),
            height: None,
            pinned: false,
            created_at: 7,
        }
    }

    #[test]
    fn pictures_are_found_by_id_and_by_job_and_pinned() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let rows = [image("b", "j", 1), image("a", "j", 0), image("c", "k", 0)];
            insert(conn, &rows).unwrap();
            assert!(insert(conn, &rows[..1]).is_err());
            assert_eq!(get(conn, "b"), Ok(Some(rows[0].clone())));
            let found = of_jobs(conn, &["j".to_owned(), "x".to_owned()]).unwrap();
            assert_eq!(found, [rows[1].clone(), rows[0].clone()]);
            assert_eq!(pin(conn, "a", true), Ok(true));
            assert_eq!(pin(conn, "x", true), Ok(false));
            assert!(get(conn, "a").unwrap().unwrap().pinned);
        });
    }

    #[test]
    fn whatever_belongs_to_a_picture_goes_with_it() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let rows = [image("a", "j", 0), image("b", "j", 1), image("c", "k", 0)];
            insert(conn, &rows).unwrap();
            for id in ["a", "b", "c"] {
                tags::set(conn, id, &["fox".to_owned()], 1).unwrap();
                let mut put = |name: &str| put_thumbnail(conn, id, "image/webp", name).unwrap();
                assert_eq!(put(id).as_deref(), Some(id));
                assert_eq!(put("later").as_deref(), Some(id), "the first one stays");
            }
            assert_eq!(put_thumbnail(conn, "x", "image/webp", "x"), Ok(None));
            drop_thumbnail(conn, "b", "image/webp", "later").unwrap();
            drop_thumbnail(conn, "b", "image/webp", "b").unwrap();
            assert_eq!(thumbnail(conn, "b", "image/webp"), Ok(None));
            assert_eq!(thumbnail(conn, "a", "image/webp"), Ok(Some("a".to_owned())));
            assert_eq!(thumbnail(conn, "a", "image/jpeg"), Ok(None));
            assert_eq!(delete(conn, &["a".to_owned()]), Ok(1));
            assert_eq!(delete_of_jobs(conn, &["j".to_owned()]), Ok(1));
            let all = ["a", "b", "c"].map(str::to_owned);
            assert_eq!(thumbnails_of(conn, &all).unwrap(), ["c"]);
            let left = tags::of(conn, &all).unwrap();
            assert_eq!(left, [("c".to_owned(), "fox".to_owned())]);
            assert_eq!(of_jobs(conn, &["j".to_owned()]).unwrap(), []);
        });
    }
}
