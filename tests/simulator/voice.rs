//! How a service refuses: what all error answers need, whatever their words.

use actix_web::{
    Error, HttpResponse, HttpResponseBuilder,
    error::InternalError,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
};
use serde_json::Value;

use crate::behaviour::{Reason, Refusal};

/// The words of one service.
pub(crate) trait Voice {
    /// The answer to a request without a credential.
    fn no_credential(&self) -> Problem;
    /// 400 for a request that makes no sense.
    fn bad_request(&self, message: &str) -> Problem;
    /// The answer that a refusal stands for.
    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem;
    /// Headers of every answer; `spent` = there is nothing left of the rate limit.
    fn headers(&self, spent: bool) -> Vec<(&'static str, String)>;

    /// 400 for a request that names no model.
    fn no_model(&self) -> Problem {
        self.bad_request("you must provide a model parameter")
    }

    /// 404 for a model that nobody has.
    fn unknown_model(&self, model: &str) -> Problem {
        let refusal = Refusal {
            status: 404,
            reason: Reason::Usual,
            retry_after: None,
        };
        self.refusal(&refusal, "", model)
    }
}

/// An error answer.
#[derive(Debug)]
pub(crate) struct Problem {
    pub status: u16,
    pub body: Value,
    /// `Retry-After` as it goes out.
    pub retry_after: Option<String>,
    /// Instead of what the service usually says in these.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Problem {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            retry_after: None,
            headers: &[],
        }
    }

    /// Ends a request with this answer.
    pub(crate) fn end(self, voice: &dyn Voice) -> Error {
        let mut answer = begin(voice, self.status);
        if let Some(after) = self.retry_after {
            answer.insert_header((RETRY_AFTER, after));
        }
        for header in self.headers {
            answer.insert_header(*header);
        }
        end(answer, self.body.to_string())
    }
}

/// Ends a request as the refusal says.
pub(crate) fn refuse(voice: &dyn Voice, refusal: &Refusal, token: &str, model: &str) -> Error {
    let Reason::Body(body) = &refusal.reason else {
        return voice.refusal(refusal, token, model).end(voice);
    };
    let mut answer = begin(voice, refusal.status);
    if let Some(after) = &refusal.retry_after {
        answer.insert_header((RETRY_AFTER, after.as_str()));
    }
    end(answer, body.clone())
}

fn begin(voice: &dyn Voice, status: u16) -> HttpResponseBuilder {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(code);
    answer.insert_header((CONTENT_TYPE, "application/json"));
    for header in voice.headers(status == 429) {
        answer.insert_header(header);
    }
    answer
}

fn end(mut answer: HttpResponseBuilder, body: String) -> Error {
    InternalError::from_response("refused", answer.body(body)).into()
}
