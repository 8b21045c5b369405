//! `:countTokens`: a request's checks without its answer. The request may be wrapped in `generateContentRequest`.

use serde_json::{Value, json};

use crate::{
    exchange::{Dialect, Incoming},
    frames::Frames,
    scene::{Ask, Reply},
    voice::{Problem, Voice},
};

use super::{Contents, Gemini, check::member};

/// The dialect of counts.
pub(super) struct Counting;

impl Dialect for Counting {
    fn voice(&self) -> &'static dyn Voice {
        &Gemini
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Problem> {
        let wrapped = member(incoming.body, "generateContentRequest");
        let body = if wrapped.is_object() {
            wrapped
        } else {
            incoming.body
        };
        Contents.read(&Incoming { body, ..*incoming })
    }

    fn plain(&self, reply: &Reply) -> Value {
        let total = reply.usage.all_input();
        json!({"totalTokens": total,
               "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]})
    }

    fn stream(&self, reply: &Reply) -> Frames {
        Contents.stream(reply)
    }
}
