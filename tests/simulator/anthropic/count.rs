//! `POST /v1/messages/count_tokens`: a request's checks without its answer.

use serde_json::{Value, json};

use crate::{
    exchange::{Dialect, Incoming},
    frames::Frames,
    scene::{Ask, Reply},
    voice::{Problem, Voice},
};

use super::{Anthropic, Messages, check, read};

/// The dialect of counts.
pub(super) struct Counting;

impl Dialect for Counting {
    fn voice(&self) -> &'static dyn Voice {
        &Anthropic
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Problem> {
        check::count(incoming)?;
        Ok(read::read(incoming.body))
    }

    fn plain(&self, reply: &Reply) -> Value {
        json!({"input_tokens": reply.usage.all_input()})
    }

    fn stream(&self, reply: &Reply) -> Frames {
        Messages.stream(reply)
    }
}
