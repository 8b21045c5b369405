//! The history: completed jobs that still have pictures. Whatever is asked, the database looks through a bounded part
//! of it: [`COUNTED`] jobs are counted, and [`SEARCHED`] are searched for a page.

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

/// The most jobs of a history without a filter that are counted; longer ones have more.
pub const COUNTED: usize = 10_000;
/// The most jobs that are looked through for a page of a filtered history, and counted of it.
pub const SEARCHED: usize = 2_000;

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

impl HistoryFilter {
    fn is_plain(&self) -> bool {
        self.words.is_none() && self.tag.is_none() && self.model.is_none()
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// After so many.
    Skip(usize),
    /// After the job of that id.
    After(String),
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// Newest first.
    pub jobs: Vec<JobRow>,
    /// After which job the next page begins, where something follows that may be of it. Of a filtered history a page
    /// may have few jobs, or none, and a next one all the same.
    pub next: Option<String>,
}

/// How many jobs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub count: u64,
    /// Whether these are all, not only those of the part that was looked through.
    pub is_exact: bool,
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
                .filter(user_tags::image_id.eq(images::id))
                .filter(user_tags::tag_name.eq(tag));
            query = query.filter(exists(tagged));
        }
        query
    }};
}

/// How many there are among the newest.
pub fn total(conn: &mut Connection, filter: &HistoryFilter) -> QueryResult<Total> {
    let most = match filter.is_plain() {
        true => COUNTED,
        false => SEARCHED,
    };
    let edge = edge(conn, &filter.app_id, None, most)?;
    let count: i64 = on_each!(conn, c => {
        let mut query = filtered!(filter);
        if let Some(edge) = &edge {
            query = query.filter(images::job_id.ge(edge));
        }
        query
            .select(count(images::job_id).aggregate_distinct())
            .get_result(c)
    })?;
    Ok(Total {
        count: u64::try_from(count).unwrap_or_default(),
        is_exact: edge.is_none(),
    })
}

/// A page of them, newest first, at most `limit`.
pub fn page(
    conn: &mut Connection,
    filter: &HistoryFilter,
    from: &From,
    limit: usize,
) -> QueryResult<HistoryPage> {
    let (skip, after) = match from {
        From::Skip(most) => (*most, None),
        From::After(id) => (0, Some(id.as_str())),
    };
    let edge = match filter.is_plain() {
        true => None,
        false => edge(conn, &filter.app_id, after, SEARCHED)?,
    };
    on_each!(conn, c => {
        let mut query = filtered!(filter);
        if let Some(after) = after {
            query = query.filter(images::job_id.lt(after));
        }
        if let Some(edge) = &edge {
            query = query.filter(images::job_id.ge(edge));
        }
        let mut ids: Vec<String> = query
            .select(images::job_id)
            .distinct()
            .order(images::job_id.desc())
            .offset(skip as i64)
            .limit(limit as i64 + 1)
            .load(c)?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = match more {
            true => ids.last().cloned(),
            false => edge,
        };
        let jobs = jobs::table
            .filter(jobs::id.eq_any(ids))
            .order(jobs::id.desc())
            .select(JobRow::as_select())
            .load(c)?;
        Ok(HistoryPage { jobs, next })
    })
}

/// The last of an app's newest `most` jobs after that one; none where nothing follows it.
fn edge(
    conn: &mut Connection,
    app_id: &str,
    after: Option<&str>,
    most: usize,
) -> QueryResult<Option<String>> {
    let last_and_next: Vec<String> = on_each!(conn, c => {
        let mut query = images::table
            .filter(images::app_id.eq(app_id))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(images::job_id.lt(after));
        }
        query
            .select(images::job_id)
            .distinct()
            .order(images::job_id.desc())
            .offset(most as i64 - 1)
            .limit(2)
            .load(c)
    })?;
    let mut both = last_and_next.into_iter();
    Ok(both.next().filter(|_| both.next().is_some()))
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
        testing::{TestDatabase, for_each_database},
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
        let page = page(conn, filter, &From::Skip(0), 9).unwrap();
        let all = Total {
            count: page.jobs.len() as u64,
            is_exact: true,
        };
        assert_eq!((total(conn, filter), page.next), (Ok(all), None));
        page.jobs.into_iter().map(|row| row.id).collect()
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
                let page = page(conn, &filter(), &from, 2).unwrap();
                let ids = page.jobs.into_iter().map(|row| row.id);
                (ids.collect::<String>(), page.next)
            };
            let next = Some("b".to_owned());
            assert_eq!(ids(From::Skip(0)), ("cb".to_owned(), next));
            assert_eq!(ids(From::Skip(2)), ("a".to_owned(), None));
            assert_eq!(ids(From::After("b".to_owned())), ("a".to_owned(), None));
        });
    }

    #[test]
    fn a_search_goes_on_where_it_has_looked_enough() {
        let database = TestDatabase::sqlite();
        let conn = &mut database.migrated();
        for n in 0..=SEARCHED {
            let id = format!("{n:04}");
            let prompt = match n {
                0 => "the oldest",
                _ => "another",
            };
            let row = JobRow {
                prompt: prompt.to_owned(),
                ..job(&id, "app")
            };
            jobs::insert(conn, &row).unwrap();
            let mut row = image(&id, &id, 0);
            "app".clone_into(&mut row.app_id);
            images::insert(conn, &[row]).unwrap();
        }
        let searched = HistoryFilter {
            words: Some("oldest".to_owned()),
            ..filter()
        };
        let first = page(conn, &searched, &From::Skip(0), 9).unwrap();
        assert_eq!((first.jobs.len(), first.next.as_deref()), (0, Some("0001")));
        let second = page(conn, &searched, &From::After(first.next.unwrap()), 9).unwrap();
        assert_eq!((second.jobs.len(), second.next), (1, None));
        let some = |count, is_exact| Ok(Total { count, is_exact });
        assert_eq!(total(conn, &searched), some(0, false));
        assert_eq!(total(conn, &filter()), some(SEARCHED as u64 + 1, true));
    }
}
