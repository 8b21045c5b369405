//! A client's request, read.
//!
//! | file | what |
//! |---|---|
//! | `fields` | objects, taken apart field by field |
//! | `settings` | everything but the conversation |
//! | `tools` | tools and the choice among them |
//! | `input` | the items of the conversation |
//! | `content` | the parts of messages and results |

mod content;
mod fields;
mod input;
mod settings;
mod tools;

use serde_json::{Map, Value};

use self::fields::Fields;
use crate::{
    chat::ChatRequest,
    dialect::Dialect,
    openai::request_error::{RequestError, parse_typed},
};

/// Reads a request. What belongs to a conversation that is stored elsewhere (`previous_response_id`,
/// `conversation`) is only noted as unread: put it in front before, by
/// [`with_history`](super::history::with_history).
///
/// # Errors
/// Where the body is no JSON object, a field has another type than it should, or something is referred to
/// that only OpenAI has stored.
pub fn read_request(body: &[u8]) -> Result<ChatRequest, RequestError> {
    let mut fields = Fields::root(parse_typed::<Map<String, Value>>(body)?);
    let model = fields.required_text("model")?;
    let mut request = ChatRequest::new(Dialect::OpenaiResponses, model);
    if fields.take("prompt").is_some() {
        let expected =
            "only OpenAI has its stored prompts; send the prompt's text as `instructions`";
        return Err(fields.invalid("prompt", expected));
    }
    settings::read(&mut fields, &mut request)?;
    tools::read(&mut fields, &mut request)?;
    let instructions = fields.text("instructions")?;
    let Some(input) = fields.take("input") else {
        return Err(fields.missing("input"));
    };
    fields.note_rest(&mut request.unread);
    input::read(instructions, input, &mut request)?;
    Ok(request)
}
