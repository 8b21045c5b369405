//! A whole answer: read as a stream of one piece.

pub(super) mod wire;

use self::wire::Response;
use super::stream::EventReader;
use crate::{
    chat::{ChatAnswer, ChatEvent, ReadEvents},
    openai::upstream_error::MalformedAnswer,
};

/// Reads an answer of `:generateContent`, of its first candidate.
///
/// # Errors
/// When it is not of that form, or says that the model failed (`MALFORMED_FUNCTION_CALL` and the like).
pub fn read_answer(body: &[u8]) -> Result<ChatAnswer, MalformedAnswer> {
    let malformed = |reason: String| MalformedAnswer { reason };
    let response: Response<'_> =
        serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    if response.error.is_some() {
        return Err(malformed("it is an error".to_owned()));
    }
    let mut reader = EventReader::default();
    let mut events = Vec::new();
    reader.take(response, &mut events);
    reader.end(&mut events);
    match events.last() {
        Some(ChatEvent::Finish { .. }) => Ok(ChatAnswer::from_events(events)),
        Some(ChatEvent::Error { message, .. }) => {
            Err(malformed(message.clone().unwrap_or_default()))
        }
        _ => Err(malformed("it has no finish reason".to_owned())),
    }
}
