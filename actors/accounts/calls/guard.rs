//! The record of one request, written exactly once whatever becomes of it.

use std::{rc::Rc, thread, time::Duration};

use troupe_protocol::usage::Usage;
use uuid::Uuid;

use super::{outcome::Outcome, spool::CallRecorder};
use crate::{
    accounts::keys::Principal,
    storage::queries::calls::CallRow,
    supervision::{Clock, clock::Monotonic},
};

/// Follows one request from its admission to its end. [`finish`](Self::finish) says how it ended and writes the
/// record; a guard that is dropped before that writes `client_closed`, or `panicked` while its thread unwinds.
#[derive(Debug)]
#[must_use = "a dropped guard records that the client has left"]
pub struct CallGuard {
    recorder: Rc<CallRecorder>,
    clock: Clock,
    began: Monotonic,
    // boxed, since a request's guard moves from hand to hand
    row: Box<CallRow>,
    ending: Option<Ending>,
}

/// How it ended, where somebody said so.
#[derive(Debug)]
struct Ending {
    outcome: Outcome,
    status: u16,
    error_code: Option<&'static str>,
}

/// The most characters kept of any text that comes from outside.
const MAX_TEXT: usize = 256;
/// The status recorded when the client left before it had one; the number that nginx uses.
const CLIENT_CLOSED: u16 = 499;

impl CallGuard {
    /// Begins the record of the request `id` (UUIDv7) to `endpoint`, the route's fixed name.
    pub fn begin(
        recorder: &Rc<CallRecorder>,
        clock: &Clock,
        id: Uuid,
        principal: &Principal,
        endpoint: &str,
    ) -> Self {
        let row = CallRow {
            id: id.to_string(),
            at: whole(clock.wall_ms()),
            app_id: principal.app_id().to_owned(),
            key_id: principal.key_id().to_owned(),
            endpoint: endpoint.to_owned(),
            model: String::new(),
            provider: String::new(),
            upstream_model: String::new(),
            token_alias: String::new(),
            attempts: 0,
            stream: false,
            status: 0,
            outcome: String::new(),
            error_code: None,
            prompt_tokens: None,
            completion_tokens: None,
            cached_tokens: None,
            reasoning_tokens: None,
            latency_us: 0,
            first_byte_us: None,
            overhead_us: 0,
            bytes_out: 0,
        };
        Self {
            recorder: Rc::clone(recorder),
            clock: clock.clone(),
            began: clock.now(),
            row: Box::new(row),
            ending: None,
        }
    }

    /// The id of the request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// What was asked for: the model by its full id once it is resolved, and whether as a stream.
    pub fn asked(&mut self, model: &str, stream: bool) {
        self.row.model = kept(model);
        self.row.stream = stream;
    }

    /// One more upstream call; the last one is what the record names.
    pub fn attempt(&mut self, provider: &str, upstream_model: &str, token_alias: &str) {
        self.row.attempts += 1;
        self.row.provider = kept(provider);
        self.row.upstream_model = kept(upstream_model);
        self.row.token_alias = kept(token_alias);
    }

    /// Upstream calls so far.
    #[must_use]
    pub fn attempts(&self) -> i32 {
        self.row.attempts
    }

    /// The first byte of the body is about to be sent; `overhead` of the time until now was the gateway's own.
    /// Further calls change nothing.
    pub fn first_byte(&mut self, overhead: Duration) {
        if !self.has_answered() {
            self.row.first_byte_us = Some(self.elapsed_us());
            self.row.overhead_us = whole(overhead.as_micros());
        }
    }

    /// Whether a first byte went out.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.row.first_byte_us.is_some()
    }

    /// So many more bytes of the body were handed to the client's connection.
    pub fn sent(&mut self, bytes: usize) {
        self.row.bytes_out = self.row.bytes_out.saturating_add(whole(bytes));
    }

    /// What the upstream reported. Later reports of a stream replace earlier ones.
    pub fn used(&mut self, usage: Usage) {
        self.row.prompt_tokens = Some(whole(usage.prompt));
        self.row.completion_tokens = Some(whole(usage.completion));
        self.row.cached_tokens = Some(whole(usage.cached));
        self.row.reasoning_tokens = Some(whole(usage.reasoning));
    }

    /// Writes the record. To be called before the client gets its last byte.
    pub fn finish(mut self, outcome: Outcome, status: u16, error_code: Option<&'static str>) {
        self.ending = Some(Ending {
            outcome,
            status,
            error_code,
        });
    }

    fn elapsed_us(&self) -> i64 {
        whole(self.clock.now().saturating_sub(self.began).as_micros())
    }

    fn ending_of_a_drop(&self) -> Ending {
        let (outcome, status) = match thread::panicking() {
            true => (Outcome::Panicked, 500),
            false => (Outcome::ClientClosed, CLIENT_CLOSED),
        };
        Ending {
            outcome,
            status,
            error_code: None,
        }
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        let ending = self.ending.take();
        let ending = ending.unwrap_or_else(|| self.ending_of_a_drop());
        self.row.outcome = ending.outcome.to_string();
        self.row.status = i32::from(ending.status);
        self.row.error_code = ending.error_code.map(str::to_owned);
        self.row.latency_us = self.elapsed_us();
        // the recorder has logged and counted a failure, and the request is over
        let _ = self.recorder.record(&self.row);
    }
}

/// A text as it is kept: of bounded length and without control characters, which a database may refuse.
fn kept(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_TEXT)
        .collect()
}

/// A number as the database takes it, saturating.
fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{accounts::calls::spool::Spool, supervision::clock::ManualClock};

    struct Desk {
        dir: tempfile::TempDir,
        spool: Spool,
        recorder: Rc<CallRecorder>,
        clock: Clock,
        hand: std::sync::Arc<ManualClock>,
    }

    impl Desk {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let spool = Spool::open(dir.path(), 1 << 20).unwrap();
            let (clock, hand) = Clock::manual(1_000);
            Self {
                recorder: Rc::new(spool.recorder()),
                dir,
                spool,
                clock,
                hand,
            }
        }

        fn begin(&self) -> CallGuard {
            let principal = Principal::sample("app", 1);
            CallGuard::begin(
                &self.recorder,
                &self.clock,
                Uuid::now_v7(),
                &principal,
                "/v1/x",
            )
        }

        fn recorded(&self) -> Vec<CallRow> {
            assert!(self.dir.path().exists());
            self.spool.reader().next_batch(100).unwrap().rows
        }
    }

    #[test]
    fn a_finished_call_is_recorded_once_with_all_that_was_learnt() {
        let desk = Desk::new();
        let mut call = desk.begin();
        let id = call.id().to_owned();
        call.asked("acme/gpt", true);
        call.attempt("other", "x", "t1");
        call.attempt("acme", "gpt-2025", "t2");
        desk.hand.advance(Duration::from_micros(700));
        call.first_byte(Duration::from_micros(20));
        desk.hand.advance(Duration::from_micros(300));
        call.first_byte(Duration::from_micros(99));
        call.sent(10);
        call.sent(5);
        call.used(Usage {
            prompt: 3,
            completion: 4,
            ..Usage::default()
        });
        call.finish(Outcome::Ok, 200, None);
        let rows = desk.recorded();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!(
            (row.id.as_str(), row.at, row.app_id.as_str()),
            (id.as_str(), 1_000, "app")
        );
        assert_eq!(
            (row.model.as_str(), row.provider.as_str()),
            ("acme/gpt", "acme")
        );
        assert_eq!((row.attempts, row.token_alias.as_str()), (2, "t2"));
        assert_eq!((row.outcome.as_str(), row.status), ("ok", 200));
        assert_eq!(
            (row.latency_us, row.first_byte_us, row.overhead_us),
            (1_000, Some(700), 20)
        );
        assert_eq!(
            (row.bytes_out, row.prompt_tokens, row.cached_tokens),
            (15, Some(3), Some(0))
        );
    }

    #[test]
    fn a_dropped_call_says_that_the_client_left() {
        let desk = Desk::new();
        drop(desk.begin());
        let rows = desk.recorded();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].outcome.as_str(), rows[0].status),
            ("client_closed", 499)
        );
    }

    #[test]
    fn a_panic_is_recorded() {
        let desk = Desk::new();
        let call = desk.begin();
        let served = catch_unwind(AssertUnwindSafe(move || {
            let _call = call;
            std::panic::resume_unwind(Box::new("bang"));
        }));
        assert!(served.is_err());
        let rows = desk.recorded();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].outcome.as_str(), rows[0].status),
            ("panicked", 500)
        );
    }

    #[test]
    fn texts_from_outside_are_bounded_and_cleaned() {
        let desk = Desk::new();
        let mut call = desk.begin();
        call.asked(&format!("a\0\n{}", "é".repeat(10_000)), false);
        call.finish(Outcome::ClientError, 400, Some("bad_model"));
        let row = &desk.recorded()[0];
        assert_eq!(row.model.chars().count(), MAX_TEXT);
        assert!(row.model.starts_with("aéé"));
        assert_eq!(row.error_code.as_deref(), Some("bad_model"));
    }
}
