//! Why a request's body is refused, in words for the client.

use std::borrow::Cow;

use derive_more::{Display, Error};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::ErrorCode;

/// Why a request's body was refused. The text is meant for the client.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum RequestError {
    /// Not JSON; the reason has line and column.
    #[display("the body is not valid JSON: {reason}")]
    InvalidJson { reason: String },
    /// JSON, but not an object.
    #[display("the body must be a JSON object")]
    NotAnObject,
    /// A field that the gateway reads occurs twice.
    #[display("`{param}` is given twice; give it once")]
    Duplicate { param: Cow<'static, str> },
    /// A required field is not there.
    #[display("`{param}` is required")]
    Missing { param: Cow<'static, str> },
    /// A field has the wrong type or value.
    #[display("`{param}` is not as expected: {expected}")]
    Invalid {
        param: Cow<'static, str>,
        expected: Cow<'static, str>,
    },
}

impl RequestError {
    pub(crate) fn invalid(param: &'static str, expected: &'static str) -> Self {
        Self::Invalid {
            param: param.into(),
            expected: expected.into(),
        }
    }

    pub(crate) fn from_json(error: &serde_json::Error) -> Self {
        Self::InvalidJson {
            reason: error.to_string(),
        }
    }

    /// The field at fault.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::InvalidJson { .. } | Self::NotAnObject => None,
            Self::Duplicate { param } | Self::Missing { param } | Self::Invalid { param, .. } => {
                Some(param)
            }
        }
    }

    /// The code for the client.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidJson { .. } => ErrorCode::InvalidJson,
            Self::Missing { param } if param == "model" => ErrorCode::MissingModel,
            _ => ErrorCode::InvalidRequest,
        }
    }
}

/// Reads a whole body into a typed request; an error names the field at fault.
pub(crate) fn parse_typed<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestError> {
    check_object(body)?;
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if !error.inner().is_data() {
            return RequestError::from_json(error.inner());
        }
        let reason: String = error.inner().to_string().chars().take(300).collect();
        RequestError::Invalid {
            param: error.path().to_string().into(),
            expected: reason.into(),
        }
    })
}

/// Where the body's opening brace stands.
pub(crate) fn check_object(body: &[u8]) -> Result<usize, RequestError> {
    let open = body.iter().position(|byte| !byte.is_ascii_whitespace());
    match open {
        Some(open) if body[open] == b'{' => Ok(open),
        // the parser has the better words for what is no JSON at all
        _ => match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => Err(RequestError::NotAnObject),
            Err(error) => Err(RequestError::from_json(&error)),
        },
    }
}

pub(crate) fn missing(param: &'static str) -> RequestError {
    RequestError::Missing {
        param: param.into(),
    }
}
