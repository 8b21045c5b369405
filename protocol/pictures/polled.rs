//! An order that the upstream takes as a task: submitted once, then asked after until it is over.

use std::time::Duration;

use serde_json::Value;

use super::{Answer, Call, Errand, Failure, Heard, Outcome, Settings, Step, Ticket};
use crate::failure::FailureKind;

/// The longest that an upstream's word may put off the next question.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is one upstream's own of a task: the words, not the order of events.
pub trait Task: Send {
    /// What came of the submission, from its successful answer.
    ///
    /// # Errors
    /// Why it was not taken after all.
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure>;

    /// The question after it.
    fn ask(&self, ticket: &Ticket) -> Call;

    /// What was made, from a successful answer to the question; none while it is still going.
    ///
    /// # Errors
    /// Why the task failed.
    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure>;

    /// What an answer means that is no success.
    fn refused(&self, answer: &Answer<'_>) -> Failure;

    /// Whether a question that was refused so says that the task itself failed, and not the question alone.
    fn is_over(&self, _failure: &Failure) -> bool {
        false
    }
}

/// What came of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// A task, to be asked after.
    Task(Ticket),
    /// It was so quick that it is over.
    Done(Outcome),
}

/// A [`Task`] on its way.
pub struct Polled<T> {
    task: T,
    /// None where it goes on from a ticket.
    submit: Option<Call>,
    ticket: Option<Ticket>,
    every: Duration,
}

impl<T: Task + 'static> Polled<T> {
    /// Submits it, and asks after it so often.
    pub fn submit(task: T, call: Call, every: Duration) -> Box<dyn Errand> {
        Box::new(Self {
            task,
            submit: Some(call),
            ticket: None,
            every,
        })
    }

    /// Only asks after it, at once and then so often.
    pub fn resume(task: T, ticket: &Ticket, every: Duration) -> Box<dyn Errand> {
        Box::new(Self {
            task,
            submit: None,
            ticket: Some(ticket.clone()),
            every,
        })
    }
}

impl<T: Task> Polled<T> {
    fn submitted(&mut self, answer: &Answer<'_>) -> Step {
        if !answer.is_success() {
            return Step::Failed(self.task.refused(answer));
        }
        match self.task.taken(answer) {
            Ok(Taken::Task(ticket)) => {
                let ask = self.task.ask(&ticket);
                self.ticket = Some(ticket);
                Step::after(self.every, ask)
            }
            Ok(Taken::Done(outcome)) => Step::Done(outcome),
            Err(failure) => Step::Failed(failure),
        }
    }

    fn asked(&mut self, ticket: &Ticket, answer: &Answer<'_>) -> Step {
        if !answer.is_success() {
            return self.unanswered(ticket, self.task.refused(answer));
        }
        match self.task.progress(answer) {
            Ok(None) => Step::after(self.every, self.task.ask(ticket)),
            Ok(Some(outcome)) => Step::Done(outcome),
            Err(failure) => Step::Failed(failure),
        }
    }

    /// A question that was not answered says nothing of the task, which goes on meanwhile and may be paid for.
    fn unanswered(&self, ticket: &Ticket, failure: Failure) -> Step {
        match failure.kind {
            _ if self.task.is_over(&failure) => Step::Failed(failure),
            FailureKind::AuthInvalid | FailureKind::NotEntitled | FailureKind::ContentPolicy => {
                Step::Failed(failure)
            }
            // the client asked nothing wrong: the upstream has lost the task
            FailureKind::InvalidRequest => Step::Failed(Failure {
                kind: FailureKind::Upstream,
                ..failure
            }),
            kind => {
                let pause = kind.retry_after().unwrap_or_default().min(LONGEST_PAUSE);
                Step::after(self.every.max(pause), self.task.ask(ticket))
            }
        }
    }
}

impl<T: Task> Errand for Polled<T> {
    fn next(&mut self, heard: Heard<'_>) -> Step {
        match (heard, self.ticket.clone(), &self.submit) {
            (Heard::Start, Some(ticket), _) => Step::call(self.task.ask(&ticket)),
            (Heard::Start, None, Some(submit)) => Step::call(submit.clone()),
            (Heard::Answer(answer), Some(ticket), _) => self.asked(&ticket, &answer),
            (Heard::Answer(answer), None, _) => self.submitted(&answer),
            _ => Step::Failed(Failure::malformed("plain body")),
        }
    }

    fn ticket(&self) -> Option<Ticket> {
        self.ticket.clone()
    }
}

/// The id of a task, fit to stand in a URL's path: a number, or a text of letters, digits, `-` and `_`.
#[must_use]
pub fn id(value: &Value) -> Option<String> {
    const LONGEST: usize = 200;
    let id = match value {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((1..=LONGEST).contains(&id.len()) && id.bytes().all(plain)).then_some(id)
}

impl Settings {
    /// How long to wait between two questions after a task: the option `poll_ms`, or this.
    #[must_use]
    pub fn poll_every(&self, otherwise: Duration) -> Duration {
        let ms = self.options.get("poll_ms").and_then(Value::as_u64);
        ms.map_or(otherwise, Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{Body, Patience, testing},
        *,
    };

    struct Kiln;

    impl Task for Kiln {
        fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
            match &answer.json()["id"] {
                Value::Null => Ok(Taken::Done(Outcome::default())),
                id => Ok(Taken::Task(Ticket(id.clone()))),
            }
        }

        fn ask(&self, ticket: &Ticket) -> Call {
            Call::get(format!("https://up.test/{}", ticket.0))
        }

        fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
            Ok((answer.json() == json!("done")).then(Outcome::default))
        }

        fn refused(&self, answer: &Answer<'_>) -> Failure {
            Failure::of(answer)
        }
    }

    fn begun() -> Box<dyn Errand> {
        let call = Call::post("https://up.test", Body::None, Patience::Short);
        Polled::submit(Kiln, call, Duration::from_secs(5))
    }

    #[test]
    fn asked_until_it_is_over_whatever_questions_are_lost() {
        let done = json!("\"done\"");
        let played = testing::run(
            begun(),
            &[
                testing::says(200, &json!({"id": 7})),
                testing::says(200, &json!("\"going\"")),
                testing::says(503, &json!("busy")),
                testing::says(429, &json!({"error": "slow down"})).header("retry-after", "20"),
                testing::says(402, &json!({"error": "no credit"})).header("retry-after", "9999"),
                testing::says(200, &done),
            ],
        );
        assert!(matches!(played.end, Some(Ok(_))));
        assert_eq!(played.ticket, Some(Ticket(json!(7))));
        let waits: Vec<_> = played.waits.iter().map(Duration::as_secs).collect();
        assert_eq!(waits, [0, 5, 5, 5, 20, 60]);
        assert!(played.calls[1..].iter().all(|call| call.repeats));
    }

    #[test]
    fn ends_where_asking_on_is_in_vain() {
        let taken = testing::says(200, &json!({"id": 7}));
        for (status, kind) in [
            (401, FailureKind::AuthInvalid),
            (404, FailureKind::Upstream),
            (403, FailureKind::NotEntitled),
        ] {
            let lost = testing::says(status, &json!({"error": "no"}));
            let played = testing::run(begun(), &[taken.clone(), lost]);
            assert_eq!(played.failure().kind, kind);
        }
        let refused = testing::run(begun(), &[testing::says(400, &json!({"error": "no"}))]);
        assert_eq!(refused.failure().kind, FailureKind::InvalidRequest);
        assert_eq!(refused.ticket, None);
        let quick = testing::run(begun(), &[testing::says(200, &json!({}))]);
        assert!(matches!(quick.end, Some(Ok(_))));
    }

    #[test]
    fn ids_stay_in_their_place_of_a_path() {
        assert_eq!(id(&json!("A1-b_2")), Some("A1-b_2".to_owned()));
        assert_eq!(id(&json!(12)), Some("12".to_owned()));
        for bad in [
            json!(""),
            json!("../x"),
            json!("a/b"),
            json!("a?b"),
            json!(null),
            json!("é"),
        ] {
            assert_eq!(id(&bad), None, "{bad}");
        }
    }

    #[test]
    fn goes_on_from_a_ticket_with_questions_only() {
        let errand = Polled::resume(Kiln, &Ticket(json!(8)), Duration::from_secs(5));
        let played = testing::run(errand, &[testing::says(200, &json!("\"done\""))]);
        assert_eq!(played.calls.len(), 1);
        assert_eq!(played.calls[0].url, "https://up.test/8");
    }
}
