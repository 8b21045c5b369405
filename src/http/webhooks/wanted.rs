//! The receiver that a single job names: `"webhook": {"url": …}`, `webhook_url`, or Imagine Server's `webhookUrl`.

use serde_json::{Map, Value};
use troupe_actors::jobs::webhooks::{Callback, Shape};
use troupe_protocol::{openai::request_error::RequestError, pictures::spec::refused};

use crate::http::{error::ApiError, services::Services};

/// The fields, and in whose words who is named there is told.
const FIELDS: [(&str, Shape); 3] = [
    ("webhook", Shape::Standard),
    ("webhook_url", Shape::Standard),
    ("webhookUrl", Shape::Imagine),
];

/// Takes the receiver out of the fields of a submission that are no one else's.
///
/// # Errors
/// The field holds something else, or a URL that may not be a receiver's.
pub async fn take(
    fields: &mut Map<String, Value>,
    services: &Services,
) -> Result<Option<Callback>, ApiError> {
    let mut wanted = None;
    for (name, shape) in FIELDS {
        let Some(url) = url(name, fields.shift_remove(name))? else {
            continue;
        };
        if wanted.is_some() {
            return Err(refused(name, "a job has one receiver of its own: give one URL").into());
        }
        wanted = Some((name, Callback { url, shape }));
    }
    let Some((name, callback)) = wanted else {
        return Ok(None);
    };
    let vetted = services.webhooks.vet(&callback.url).await;
    vetted.map_err(|error| ApiError {
        param: Some(name.to_owned()),
        ..error.into()
    })?;
    Ok(Some(callback))
}

/// Refuses a receiver where there is no job.
///
/// # Errors
/// Names the field.
pub fn none(fields: &Map<String, Value>) -> Result<(), RequestError> {
    let named = FIELDS
        .into_iter()
        .find(|(name, _)| fields.get(*name).is_some_and(|value| !value.is_null()));
    match named {
        None => Ok(()),
        Some((name, _)) => Err(refused(
            name,
            "only jobs have one: send `\"async\": true` or the header `Prefer: respond-async` along, or leave it out",
        )),
    }
}

fn url(name: &'static str, value: Option<Value>) -> Result<Option<String>, RequestError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(url)) => Ok(Some(url)),
        Some(Value::Object(mut fields)) if name == "webhook" && fields.len() == 1 => {
            url("webhook_url", fields.shift_remove("url"))
        }
        Some(_) => Err(refused(
            name,
            "write a URL, or for `webhook` an object with nothing but a `url`",
        )),
    }
}
