//! `user_tags`: words that apps give to their pictures.

use diesel::{dsl::count_star, prelude::*};

use crate::storage::{
    Connection,
    connection::on_each,
    schema::{images, user_tags},
};

/// Gives a picture these tags in the place of those that it had. A tag that it keeps keeps its time.
pub fn set(conn: &mut Connection, image_id: &str, tags: &[String], now: i64) -> QueryResult<()> {
    let own = user_tags::image_id.eq(image_id);
    let rows: Vec<_> = tags
        .iter()
        .map(|tag| {
            (
                user_tags::image_id.eq(image_id),
                user_tags::tag_name.eq(tag),
                user_tags::created_at.eq(now),
            )
        })
        .collect();
    on_each!(conn, c => {
        let others = user_tags::table.filter(own).filter(user_tags::tag_name.ne_all(tags));
        diesel::delete(others).execute(c)?;
        for row in rows {
            diesel::insert_into(user_tags::table)
                .values(row)
                .on_conflict((user_tags::image_id, user_tags::tag_name))
                .do_nothing()
                .execute(c)?;
        }
    });
    Ok(())
}

/// Pictures, at most some thousand, with their tags, in the order of both.
pub fn of(conn: &mut Connection, image_ids: &[String]) -> QueryResult<Vec<(String, String)>> {
    on_each!(conn, c => {
        user_tags::table
            .filter(user_tags::image_id.eq_any(image_ids))
            .order((user_tags::image_id, user_tags::tag_name))
            .select((user_tags::image_id, user_tags::tag_name))
            .load(c)
    })
}

/// An app's tags and how many pictures have each, those with the most first; at most `limit`.
pub fn counts(
    conn: &mut Connection,
    app_id: &str,
    limit: usize,
) -> QueryResult<Vec<(String, i64)>> {
    on_each!(conn, c => {
        user_tags::table
            .inner_join(images::table)
            .filter(images::app_id.eq(app_id))
            .group_by(user_tags::tag_name)
            .order((count_star().desc(), user_tags::tag_name))
            .limit(limit as i64)
            .select((user_tags::tag_name, count_star()))
            .load(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{
        queries::images::{insert, tests::image},
        testing::for_each_database,
    };

    #[test]
    fn tags_are_set_and_counted_for_their_app() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let mut rows = ["a", "b", "c"].map(|id| image(id, "j", 0));
            "other".clone_into(&mut rows[2].app_id);
            insert(conn, &rows).unwrap();
            let give = |conn: &mut Connection, id, tags: &[&str]| {
                let tags: Vec<_> = tags.iter().map(|&tag| tag.to_owned()).collect();
                set(conn, id, &tags, 1).unwrap();
            };
            give(conn, "a", &["snow", "fox"]);
            give(conn, "a", &["fox", "红"]);
            give(conn, "b", &["fox"]);
            give(conn, "c", &["fox"]);
            let of = of(conn, &["a".to_owned()]).unwrap();
            let of: Vec<_> = of.iter().map(|(_, tag)| tag.as_str()).collect();
            assert_eq!(of, ["fox", "红"]);
            let counted = counts(conn, "app", 9).unwrap();
            assert_eq!(counted, [("fox".to_owned(), 2), ("红".to_owned(), 1)]);
            assert_eq!(counts(conn, "app", 1).unwrap().len(), 1);
            give(conn, "a", &[]);
            assert_eq!(counts(conn, "app", 9).unwrap(), [("fox".to_owned(), 1)]);
        });
    }
}
