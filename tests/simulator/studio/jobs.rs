//! The tasks that were begun.

use std::collections::HashMap;

/// The most tasks; it starts afresh when it is full.
const KEPT: usize = 10_000;

/// The tasks of all services, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    begun: u64,
    jobs: HashMap<String, Job>,
}

/// A task.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub model: String,
    /// Who ordered it, and alone may ask after it.
    pub token: String,
    /// What is made: its name in `/files/{name}`.
    pub file: String,
    asked: u32,
    end: State,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    AtWork,
    Done,
    Failed,
    Cancelled,
}

impl Job {
    pub(crate) fn new(model: &str, token: &str, file: &str, prompt: &str) -> Self {
        let end = if prompt.contains("doomed") {
            State::Failed
        } else if prompt.contains("endless") {
            State::AtWork
        } else {
            State::Done
        };
        Self {
            model: model.to_owned(),
            token: token.to_owned(),
            file: file.to_owned(),
            asked: 0,
            end,
        }
    }

    /// Whether who asked after it has been told that it is made.
    pub(crate) fn is_made(&self) -> bool {
        self.end == State::Done && self.asked > 2
    }
}

impl Jobs {
    pub(crate) fn begin(&mut self, job: Job, name: impl FnOnce(u64) -> String) -> String {
        if self.jobs.len() == KEPT {
            self.jobs.clear();
        }
        self.begun += 1;
        let id = name(self.begun);
        self.jobs.insert(id.clone(), job);
        id
    }

    /// A task by its id, for who ordered it.
    pub(crate) fn find(&self, id: &str, token: &str) -> Option<&Job> {
        self.jobs.get(id).filter(|job| job.token == token)
    }

    /// A task that is asked after, and how far it is; that moves it on.
    pub(crate) fn ask(&mut self, id: &str, token: &str) -> Option<(Job, State)> {
        let job = self.jobs.get_mut(id).filter(|job| job.token == token)?;
        job.asked += 1;
        let state = match (job.end, job.asked) {
            (State::Cancelled, _) => State::Cancelled,
            (_, 1) => State::Waiting,
            (_, 2) => State::AtWork,
            (end, _) => end,
        };
        Some((job.clone(), state))
    }

    /// Stops a task; none where there is none.
    pub(crate) fn cancel(&mut self, id: &str, token: &str) -> Option<()> {
        let job = self.jobs.get_mut(id).filter(|job| job.token == token)?;
        job.end = State::Cancelled;
        Some(())
    }

    /// Tasks that somebody has begun and that are not over for sure.
    pub(crate) fn open(&self, token: &str) -> usize {
        let mine = self.jobs.values().filter(|job| job.token == token);
        let open = |job: &&Job| job.asked < 3 && job.end != State::Cancelled;
        mine.filter(open).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_move_on_when_they_are_asked_after() {
        let mut jobs = Jobs::default();
        let begin = |jobs: &mut Jobs, prompt| {
            let job = Job::new("m", "sk-a", "f.png", prompt);
            jobs.begin(job, |number| number.to_string())
        };
        let states = |jobs: &mut Jobs, id: &str| {
            [0; 4].map(|_| jobs.ask(id, "sk-a").map(|(_, state)| state).unwrap())
        };
        use State::{AtWork, Cancelled, Done, Failed, Waiting};
        for (prompt, expected) in [
            ("a cat", [Waiting, AtWork, Done, Done]),
            ("a doomed cat", [Waiting, AtWork, Failed, Failed]),
            ("an endless cat", [Waiting, AtWork, AtWork, AtWork]),
        ] {
            let id = begin(&mut jobs, prompt);
            assert_eq!(states(&mut jobs, &id), expected);
        }
        let id = begin(&mut jobs, "endless");
        assert_eq!((id.as_str(), jobs.open("sk-a")), ("4", 1));
        assert!(jobs.ask(&id, "sk-b").is_none() && jobs.cancel(&id, "sk-b").is_none());
        jobs.cancel(&id, "sk-a").unwrap();
        assert_eq!(states(&mut jobs, &id), [Cancelled; 4]);
        assert_eq!(jobs.open("sk-a"), 0);
    }
}
