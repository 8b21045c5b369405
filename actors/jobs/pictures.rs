//! The pictures of a completed job, each a row of its own that can be looked at, tagged, pinned and removed.

use diesel::QueryResult;
use uuid::Uuid;

use super::job::{JobResult, State, Yield};
use crate::storage::{
    Connection,
    queries::{
        images::{self, ImageRow},
        jobs::JobRow,
        tags,
    },
};

/// Notes what a job has made, in the transaction that completes it; nothing of a job in another state.
pub(super) fn keep_pictures(conn: &mut Connection, row: &JobRow) -> QueryResult<()> {
    let pictures = pictures_of(row);
    images::insert(conn, &pictures)?;
    let given: Vec<String> = read(row.tags.as_deref());
    pictures
        .iter()
        .filter(|_| !given.is_empty())
        .try_for_each(|picture| tags::set(conn, &picture.id, &given, picture.created_at))
}

fn pictures_of(row: &JobRow) -> Vec<ImageRow> {
    if row.state != State::Completed.to_string() {
        return Vec::new();
    }
    let output: Yield = read(row.results.as_deref());
    let results = (0..).zip(output.results);
    let pictures = results.filter_map(|(position, result)| match result {
        JobResult::Made {
            name,
            mime,
            bytes,
            width,
            height,
            ..
        } => Some(ImageRow {
            id: format!("img_{}", Uuid::now_v7().simple()),
            job_id: row.id.clone(),
            app_id: row.app_id.clone(),
            position,
            name,
            mime,
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            width: width.and_then(|width| i32::try_from(width).ok()),
            height: height.and_then(|height| i32::try_from(height).ok()),
            pinned: false,
            created_at: row.finished_at.unwrap_or(row.created_at),
        }),
        JobResult::Failed { .. } => None,
    });
    pictures.collect()
}

fn read<T: serde::de::DeserializeOwned + Default>(json: Option<&str>) -> T {
    let read = json.and_then(|json| serde_json::from_str(json).ok());
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jobs::{job::JobFailure, tests::hand::row},
        storage::{queries::jobs, testing::for_each_database},
    };

    fn completed(state: State) -> JobRow {
        let made = |name: &str| JobResult::Made {
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            bytes: 9,
            width: Some(64),
            height: None,
            revised_prompt: None,
            seed: None,
        };
        let failed = JobResult::Failed {
            error: JobFailure {
                kind: "upstream".to_owned(),
                code: "x".to_owned(),
                message: String::new(),
            },
        };
        let output = Yield {
            results: vec![made("a.png"), failed, made("b.png")],
            usage: None,
        };
        JobRow {
            state: state.to_string(),
            results: serde_json::to_string(&output).ok(),
            tags: Some("[\"fox\"]".to_owned()),
            finished_at: Some(5),
            ..row()
        }
    }

    #[test]
    fn each_picture_gets_a_row_and_goes_with_its_job() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let row = completed(State::Completed);
            jobs::insert(conn, &row).unwrap();
            keep_pictures(conn, &row).unwrap();
            let ids = [row.id.clone()];
            let kept = images::of_jobs(conn, &ids).unwrap();
            let places: Vec<_> = kept
                .iter()
                .map(|image| (image.position, image.name.as_str(), image.width))
                .collect();
            assert_eq!(places, [(0, "a.png", Some(64)), (2, "b.png", Some(64))]);
            assert!(kept.iter().all(|image| image.created_at == 5));
            let image_ids: Vec<_> = kept.into_iter().map(|image| image.id).collect();
            assert_eq!(tags::of(conn, &image_ids).unwrap().len(), 2);
            assert_eq!(jobs::delete(conn, &ids), Ok(1));
            assert_eq!(images::of_jobs(conn, &ids).unwrap(), []);
            assert_eq!(tags::of(conn, &image_ids).unwrap(), []);
        });
    }

    #[test]
    fn what_is_not_completed_has_none() {
        for state in [State::Failed, State::Cancelled, State::Processing] {
            assert_eq!(pictures_of(&completed(state)), []);
        }
    }
}
