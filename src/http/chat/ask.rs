//! A chat request's attempts: target after target, again without thoughts, again in another dialect.

use actix_web::HttpRequest;
use troupe_actors::{
    catalog::{Affinity, Target},
    providers::{exchange::ExchangeError, upstream::Outgoing},
};

use super::question::{Question, Way};
use crate::http::{call::Call, conversation, error::ApiError, fallback, services::Services};

/// An upstream that has answered.
pub type Asked = fallback::Asked<Way>;

impl fallback::Question for Question {
    type Way = Way;

    fn model(&self) -> &str {
        &self.head.model
    }

    fn stream(&self) -> bool {
        self.head.stream
    }

    fn prepare(&mut self, target: &Target) -> Result<(Outgoing, Way), ApiError> {
        self.written_for(target)
    }

    fn ask_otherwise(&mut self, error: &ExchangeError, way: &Way) -> bool {
        match error {
            // it is spoken to in the other dialect from now on
            ExchangeError::Lacking => true,
            ExchangeError::Failed {
                refuses_thoughts: true,
                ..
            } if self.keep_thoughts && way.has_thoughts() => {
                self.keep_thoughts = false;
                true
            }
            _ => false,
        }
    }
}

/// Asks the upstreams that may serve the question, in turn.
///
/// # Errors
/// Whatever is wrong with the request, or kept every attempt from an answer.
pub async fn ask(
    question: &mut Question,
    affinity: Option<Affinity>,
    services: &Services,
    call: &mut Call,
) -> Result<Asked, ApiError> {
    let asked = fallback::ask_in_turn(question, affinity, services, call).await?;
    if let Way::Convert { losses, .. } = &asked.way {
        call.dropped(losses);
    }
    Ok(asked)
}

/// The conversation that the question belongs to; a body is read for it only where that decides something.
pub fn affinity(
    question: &Question,
    request: &HttpRequest,
    services: &Services,
    app_id: &str,
) -> Option<Affinity> {
    let sticks = services.catalog.directory().sticks(&question.head.model);
    let key = sticks.then(|| conversation::key(request.headers(), &question.body));
    key.flatten().map(|key| Affinity::of(app_id, &key))
}
