//! The ids of tasks: a job's id, or the UUID in it with hyphens.

use uuid::Uuid;

const PREFIX: &str = "job_";

/// The job that a client means by `text`, in either form; none where it is neither.
pub fn job_id(text: &str) -> Option<String> {
    let uuid = Uuid::try_parse(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?;
    Some(format!("{PREFIX}{}", uuid.simple()))
}

/// How tasks are called here.
pub fn task_id(job_id: &str) -> String {
    let uuid = job_id
        .strip_prefix(PREFIX)
        .and_then(|id| Uuid::try_parse(id).ok());
    uuid.map_or_else(|| job_id.to_owned(), |uuid| uuid.hyphenated().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_job() {
        let job = "job_0197aabbccdd7eeff00112233445566a";
        let task = "0197aabb-ccdd-7eef-f001-12233445566a";
        assert_eq!(task_id(job), task);
        for text in [job, task, &job[4..]] {
            assert_eq!(job_id(text).as_deref(), Some(job));
        }
        for text in [
            "",
            "job_",
            "job_x",
            "../x",
            "img_0197aabbccdd7eeff00112233445566a",
        ] {
            assert_eq!(job_id(text), None, "{text}");
        }
        assert_eq!(task_id("job_x"), "job_x");
    }
}
