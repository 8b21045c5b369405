//! What housekeeping looks for, over the tables of jobs, pictures and files. Lists are read by batches: each begins
//! behind the last row of the one before, so that a list ends even where nothing of it is removed.

use diesel::{
    dsl::{exists, not},
    prelude::*,
    sql_types::Text,
};

use super::media::MediaRow;
use crate::storage::{
    Connection,
    connection::on_each,
    schema::{images, jobs, media, thumbnails, user_tags},
};

/// Behind which row a batch begins: its time in milliseconds since 1970, and its id or name.
pub type Behind = (i64, String);

/// Finished jobs, by when they were: those from before `at` that have no pinned picture, the oldest first.
pub fn old_jobs(
    conn: &mut Connection,
    at: i64,
    behind: &Behind,
    most: usize,
) -> QueryResult<Vec<Behind>> {
    let (time, id) = behind;
    let later = jobs::finished_at.gt(time);
    let after = later.or(jobs::finished_at.eq(time).and(jobs::id.gt(id)));
    let own = images::job_id.eq(jobs::id);
    let pinned = images::table.filter(own.and(images::pinned.eq(true)));
    let rows: Vec<(Option<i64>, String)> = on_each!(conn, c => {
        jobs::table
            .filter(jobs::finished_at.lt(at))
            .filter(after)
            .filter(not(exists(pinned)))
            .order((jobs::finished_at, jobs::id))
            .limit(most as i64)
            .select((jobs::finished_at, jobs::id))
            .load(c)
    })?;
    let finished = |(at, id): (Option<i64>, String)| Some((at?, id));
    Ok(rows.into_iter().filter_map(finished).collect())
}

/// The files of jobs, at most some hundred jobs: what they were given, what they have made, and thumbnails of it.
pub fn files_of_jobs(conn: &mut Connection, ids: &[String]) -> QueryResult<Vec<MediaRow>> {
    on_each!(conn, c => {
        let theirs = media::table.filter(media::call_id.eq_any(ids));
        theirs.select(MediaRow::as_select()).load(c)
    })
}

/// Files that were stored before `to`, but no pinned pictures and none of a job that is not finished, which needs what
/// it was given; the oldest first.
pub fn loose_files(
    conn: &mut Connection,
    to: i64,
    behind: &Behind,
    most: usize,
) -> QueryResult<Vec<MediaRow>> {
    let (time, name) = behind;
    let later = media::created_at.gt(time);
    let after = later.or(media::created_at.eq(time).and(media::name.gt(name)));
    let own = images::name.eq(media::name);
    let pinned = images::table.filter(own.and(images::pinned.eq(true)));
    let own = jobs::table.filter(jobs::id.eq(media::call_id));
    let open = own.filter(jobs::finished_at.is_null());
    on_each!(conn, c => {
        media::table
            .filter(media::created_at.lt(to))
            .filter(after)
            .filter(not(exists(pinned)))
            .filter(not(exists(open)))
            .order((media::created_at, media::name))
            .limit(most as i64)
            .select(MediaRow::as_select())
            .load(c)
    })
}

/// Files by name, those behind `name` that were stored before `at`.
pub fn files_by_name(
    conn: &mut Connection,
    name: &str,
    at: i64,
    most: usize,
) -> QueryResult<Vec<MediaRow>> {
    on_each!(conn, c => {
        media::table
            .filter(media::name.gt(name))
            .filter(media::created_at.lt(at))
            .order(media::name)
            .limit(most as i64)
            .select(MediaRow::as_select())
            .load(c)
    })
}

/// Which of these files, at most some hundred, belong to a job that does not speak of them: it was finished before
/// `at`, or is not there, and they are none of its pictures, their thumbnails, its inputs or its results. A job that
/// was begun twice leaves such files, and one that was refused after its inputs were stored.
pub fn abandoned(conn: &mut Connection, names: &[String], at: i64) -> QueryResult<Vec<String>> {
    let picture = images::table.filter(images::name.eq(media::name));
    let thumbnail = thumbnails::table.filter(thumbnails::name.eq(media::name));
    let mention = || "%".into_sql::<Text>().concat(media::name).concat("%");
    let speaks = jobs::draft
        .like(mention())
        .or(jobs::results.assume_not_null().like(mention()));
    let open = jobs::finished_at.is_null().or(jobs::finished_at.ge(at));
    let own = jobs::table.filter(jobs::id.eq(media::call_id));
    let job = own.filter(open.or(speaks));
    on_each!(conn, c => {
        media::table
            .filter(media::name.eq_any(names))
            .filter(media::call_id.like("job\\_%").escape('\\'))
            .filter(not(exists(picture)))
            .filter(not(exists(thumbnail)))
            .filter(not(exists(job)))
            .select(media::name)
            .load(c)
    })
}

/// Under which of these names, at most some hundred, there are rows, or the bytes of rows.
pub fn known(conn: &mut Connection, names: &[String]) -> QueryResult<Vec<String>> {
    let named = media::name.eq_any(names).or(media::object.eq_any(names));
    let rows: Vec<(String, String)> = on_each!(conn, c => {
        media::table.filter(named).select((media::name, media::object)).load(c)
    })?;
    Ok(rows
        .into_iter()
        .flat_map(|(name, object)| [name, object])
        .collect())
}

/// The thumbnails, at most some hundred pictures', of the pictures that have these files.
pub fn thumbnails_of_files(conn: &mut Connection, names: &[String]) -> QueryResult<Vec<MediaRow>> {
    let owners = images::table.filter(images::name.eq_any(names));
    let owners = thumbnails::image_id.eq_any(owners.select(images::id));
    let small = thumbnails::table.filter(owners).select(thumbnails::name);
    on_each!(conn, c => {
        media::table.filter(media::name.eq_any(small)).select(MediaRow::as_select()).load(c)
    })
}

/// Deletes what stands on files of these names, at most some hundred: pictures with their tags, and thumbnails.
pub fn delete_standing_on(conn: &mut Connection, names: &[String]) -> QueryResult<()> {
    on_each!(conn, c => {
        let owners = || images::table.filter(images::name.eq_any(names));
        let tags = user_tags::image_id.eq_any(owners().select(images::id));
        diesel::delete(user_tags::table.filter(tags)).execute(c)?;
        let small = thumbnails::image_id.eq_any(owners().select(images::id));
        let small = small.or(thumbnails::name.eq_any(names));
        diesel::delete(thumbnails::table.filter(small)).execute(c)?;
        diesel::delete(owners()).execute(c)
    })
    .map(|_| ())
}

/// Pictures from before `at` whose file the store does not know, at most `most`.
pub fn lost_pictures(conn: &mut Connection, at: i64, most: usize) -> QueryResult<Vec<String>> {
    let file = media::table.filter(media::name.eq(images::name));
    on_each!(conn, c => {
        images::table
            .filter(images::created_at.lt(at))
            .filter(not(exists(file)))
            .order((images::created_at, images::id))
            .limit(most as i64)
            .select(images::id)
            .load(c)
    })
}

/// How many such pictures there are.
pub fn count_lost_pictures(conn: &mut Connection, at: i64) -> QueryResult<i64> {
    let file = media::table.filter(media::name.eq(images::name));
    let lost = images::table
        .filter(images::created_at.lt(at))
        .filter(not(exists(file)));
    on_each!(conn, c => lost.count().get_result(c))
}

/// Thumbnails of no picture, or without a file.
macro_rules! loose_thumbnails {
    () => {{
        let picture = images::table.filter(images::id.eq(thumbnails::image_id));
        let file = media::table.filter(media::name.eq(thumbnails::name));
        thumbnails::table.filter(not(exists(picture)).or(not(exists(file))))
    }};
}

/// Tags of no picture.
macro_rules! loose_tags {
    () => {{
        let picture = images::table.filter(images::id.eq(user_tags::image_id));
        user_tags::table.filter(not(exists(picture)))
    }};
}

/// How many thumbnails and tags belong to no picture, or have no file.
pub fn count_loose_ends(conn: &mut Connection) -> QueryResult<i64> {
    on_each!(conn, c => {
        let small: i64 = loose_thumbnails!().count().get_result(c)?;
        let tags: i64 = loose_tags!().count().get_result(c)?;
        Ok(small + tags)
    })
}

/// Deletes them; returns how many there were.
pub fn delete_loose_ends(conn: &mut Connection) -> QueryResult<usize> {
    on_each!(conn, c => {
        let small = diesel::delete(loose_thumbnails!()).execute(c)?;
        Ok(small + diesel::delete(loose_tags!()).execute(c)?)
    })
}
