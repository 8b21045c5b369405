//! The history: completed jobs that still have pictures.

use diesel::{
    dsl::{count, exists},
    prelude::*,
    sql_types::Text,
};

use super::jobs::JobRow;
use crate::storage::{
    Connection,
    connection::on_each,
    schema::{images, jobs, user_tags},
};

diesel::define_sql_function! {
    /// In lower case, as far as the database can.
    fn lower(text: Text) -> Text;
}

/// Which jobs of an app's history. `None` = any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    pub app_id: String,
    /// These words stand in the prompt, whatever their case.
    pub words: Option<String>,
    /// One of its pictures has this tag.
    pub tag: Option<String>,
    /// With this model, as the client named it.
    pub model: Option<String>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// After so many.
    Skip(usize),
    /// After the job of that id.
    After(String),
}

/// The pictures of the filter's jobs, boxed for the database at hand. The table of jobs is asked only for what the
/// pictures do not say, and then picture by picture, so that a page ends with its last row.
macro_rules! filtered {
    ($filter:expr) => {{
        let filter: &HistoryFilter = $filter;
        let own = jobs::table.filter(jobs::id.eq(images::job_id));
        let mut query = images::table
            .filter(images::app_id.eq(&filter.app_id))
            .into_boxed();
        if let Some(words) = &filter.words {
            let pattern = lower(containing(words));
            query = query.filter(exists(
                own.filter(lower(jobs::prompt).like(pattern).escape('\\')),
            ));
        }
        if let Some(model) = &filter.model {
            query = query.filter(exists(own.filter(jobs::model.eq(model))));
        }
        if let Some(tag) = &filter.tag {
            let tagged = user_tags::table
                .filter(user_tags::tag_name.eq(tag))
                .select(user_tags::image_id);
            query = query.filter(images::id.eq_any(tagged));
        }
        query
    }};
}

/// How many there are.
pub fn total(conn: &mut Connection, filter: &HistoryFilter) -> QueryResult<i64> {
    on_each!(conn, c => {
        filtered!(filter).select(count(images::job_id).aggregate_distinct()).get_result(c)
    })
}

/// A page of them, newest first, at most `limit`.
pub fn page(
    conn: &mut Connection,
    filter: &HistoryFilter,
    from: &From,
    limit: usize,
) -> QueryResult<Vec<JobRow>> {
    on_each!(conn, c => {
        let mut query = filtered!(filter);
        query = match from {
            From::Skip(most) => query.offset(*most as i64),
            From::After(id) => query.filter(images::job_id.lt(id)),
        };
        let ids: Vec<String> = query
            .select(images::job_id)
            .distinct()
            .order(images::job_id.desc())
            .limit(limit as i64)
            .load(c)?;
        jobs::table
            .filter(jobs::id.eq_any(ids))
            .order(jobs::id.desc())
            .select(JobRow::as_select())
            .load(c)
    })
}

/// A pattern for what has the words in it, as they are.
fn containing(words: &str) -> String {
    let mut pattern = String::from("%");
    for letter in words.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{
        queries::{
            images::{self, tests::image},
            jobs::{self, JobRow, tests::job},
            tags,
        },
        testing::for_each_database,
    };

    /// Four jobs of the app, `a` to `d`, `d` without a picture, and one of another.
    fn fill(conn: &mut Connection) {
        for (id, app, model, prompt, pictures) in [
            ("a", "app", "m", "a Red fox", 2),
            ("b", "app", "n", "100% snow", 1),
            ("c", "app", "m", "一只红狐狸", 1),
            ("d", "app", "m", "a red fox", 0),
            ("e", "other", "m", "a red fox", 1),
        ] {
            let row = JobRow {
                prompt: prompt.to_owned(),
                model: model.to_owned(),
                ..job(id, app)
            };
            jobs::insert(conn, &row).unwrap();
            for place in 0..pictures {
                let mut row = image(&format!("{id}{place}"), id, place);
                app.clone_into(&mut row.app_id);
                images::insert(conn, &[row]).unwrap();
            }
        }
        tags::set(conn, "a1", &["best".to_owned()], 1).unwrap();
        tags::set(conn, "e0", &["best".to_owned()], 1).unwrap();
    }

    fn filter() -> HistoryFilter {
        HistoryFilter {
            app_id: "app".to_owned(),
            ..HistoryFilter::default()
        }
    }

    fn found(conn: &mut Connection, filter: &HistoryFilter) -> String {
        let rows = page(conn, filter, &From::Skip(0), 9).unwrap();
        assert_eq!(total(conn, filter), Ok(rows.len() as i64));
        rows.into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn jobs_with_pictures_are_found_by_words_tag_and_model() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            fill(conn);
            assert_eq!(found(conn, &filter()), "cba");
            for (words, ids) in [("RED", "a"), ("红狐", "c"), ("0%", "b"), ("_", "")] {
                let words = Some(words.to_owned());
                assert_eq!(found(conn, &HistoryFilter { words, ..filter() }), ids);
            }
            let tag = Some("best".to_owned());
            assert_eq!(found(conn, &HistoryFilter { tag, ..filter() }), "a");
            let model = Some("m".to_owned());
            assert_eq!(found(conn, &HistoryFilter { model, ..filter() }), "ca");
        });
    }

    #[test]
    fn pages_go_on_where_the_one_before_ended() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            fill(conn);
            let mut ids = |from: From| {
                let rows = page(conn, &filter(), &from, 2).unwrap();
                rows.into_iter().map(|row| row.id).collect::<String>()
            };
            assert_eq!(ids(From::Skip(0)), "cb");
            assert_eq!(ids(From::Skip(2)), "a");
            assert_eq!(ids(From::After("b".to_owned())), "a");
        });
    }
}
