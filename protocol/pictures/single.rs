//! An order that one call fulfils: its answer has the pictures.

use super::{Answer, Call, Errand, Failure, Heard, Outcome, Step};

/// One call, and what its answer means.
pub struct Single<R> {
    call: Call,
    read: R,
}

impl<R> Single<R>
where
    R: FnMut(&Answer<'_>) -> Result<Outcome, Failure> + Send + 'static,
{
    /// An errand that makes the call and reads the answer, of whatever status, with `read`.
    pub fn errand(call: Call, read: R) -> Box<dyn Errand> {
        Box::new(Self { call, read })
    }
}

impl<R> Errand for Single<R>
where
    R: FnMut(&Answer<'_>) -> Result<Outcome, Failure> + Send,
{
    fn next(&mut self, heard: Heard<'_>) -> Step {
        match heard {
            Heard::Start => Step::call(self.call.clone()),
            Heard::Answer(answer) => Step::end((self.read)(&answer)),
            Heard::Event { .. } | Heard::End => Step::Failed(Failure::malformed("plain body")),
        }
    }
}
