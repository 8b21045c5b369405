//! What Google answers: pictures, videos, and what its filters keep back.

use serde_json::Value;

use super::{
    super::{Answer, Call, Failure, Made, Order, Outcome, Source, Taken, Task, Ticket, polled},
    ask::AUTH,
    classify,
};
use crate::failure::FailureKind;

/// The pictures of `generateContent`, without those that it drew while it thought.
pub(super) fn content(order: &Order, json: &Value) -> Result<Outcome, Failure> {
    let candidates = json["candidates"].as_array().map_or(&[][..], Vec::as_slice);
    let parts = || {
        let parts = candidates.iter().map(|one| &one["content"]["parts"]);
        parts.filter_map(Value::as_array).flatten()
    };
    let data = |part: &'_ Value| {
        part["inlineData"]["data"]
            .as_str()
            .map(|data| order.source(data))
    };
    let drawn = parts()
        .filter(|part| part["thought"] != true)
        .filter_map(data);
    let mut outcome = Outcome::of(drawn);
    if outcome.results.is_empty() {
        let text = parts().find_map(|part| part["text"].as_str());
        return Err(nothing_drawn(json, text));
    }
    outcome.usage = Some(json["usageMetadata"].clone()).filter(Value::is_object);
    Ok(outcome)
}

/// Why there is no picture: the prompt was blocked, the picture was, or the model chose to speak instead.
fn nothing_drawn(json: &Value, text: Option<&str>) -> Failure {
    let feedback = &json["promptFeedback"];
    let candidate = &json["candidates"][0];
    if let Some(reason) = feedback["blockReason"].as_str() {
        let message = feedback["blockReasonMessage"].as_str();
        return no_picture(FailureKind::ContentPolicy, reason, message);
    }
    let Some(reason) = candidate["finishReason"].as_str() else {
        return Failure::malformed("picture");
    };
    let kind = match reason {
        "MAX_TOKENS" | "MALFORMED_RESPONSE" | "OTHER" | "IMAGE_OTHER" => FailureKind::Upstream,
        "STOP" if text.is_none() => FailureKind::Upstream,
        _ => FailureKind::ContentPolicy,
    };
    let message = candidate["finishMessage"].as_str().or(text);
    no_picture(kind, reason, message)
}

fn no_picture(kind: FailureKind, reason: &str, message: Option<&str>) -> Failure {
    let usual = format!("the upstream made no picture: {reason}");
    Failure::new(kind, message.unwrap_or(&usual)).with_code(reason)
}

/// The pictures of `predict`, each of which may have been kept back.
pub(super) fn predictions(order: &Order, json: &Value) -> Result<Outcome, Failure> {
    let predictions = json["predictions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let results: Vec<_> = predictions
        .iter()
        .filter_map(|one| prediction(order, one))
        .collect();
    let made = Outcome {
        results,
        usage: None,
    };
    match made.results.is_empty() {
        true => Err(kept_back("the upstream's filters kept every picture back")),
        false => Ok(made),
    }
}

/// None for what is no picture, such as the `safetyAttributes` of the prompt.
fn prediction(order: &Order, json: &Value) -> Option<Result<Made, Failure>> {
    if let Some(reason) = json["raiFilteredReason"].as_str() {
        return Some(Err(kept_back(reason)));
    }
    let source = order.source(json["bytesBase64Encoded"].as_str()?);
    Some(Ok(Made {
        source,
        revised_prompt: json["prompt"].as_str().map(str::to_owned),
    }))
}

fn kept_back(reason: &str) -> Failure {
    Failure::new(FailureKind::ContentPolicy, reason)
}

/// A video on its way.
pub(super) struct Film {
    /// `…/models/{model}/operations`
    pub(super) operations: String,
}

impl Task for Film {
    /// The name is `models/{model}/operations/{id}`; only the id is taken from it.
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let json = answer.json();
        let name = json["name"].as_str().unwrap_or_default();
        let id = name
            .rsplit_once("operations/")
            .map(|(_, id)| Value::from(id));
        let id = id.as_ref().and_then(polled::id);
        let id = id.ok_or_else(|| Failure::malformed("name of an operation"))?;
        Ok(Taken::Task(Ticket(id.into())))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = polled::id(&ticket.0).unwrap_or_default();
        Call::get(format!("{}/{id}", self.operations)).auth(AUTH)
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let json = answer.json();
        if json["done"] != true {
            return Ok(None);
        }
        if json["error"].is_object() {
            return Err(classify::operation(&json["error"], answer.now));
        }
        filmed(&json["response"]["generateVideoResponse"]).map(Some)
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify::classify(answer)
    }
}

/// `generatedSamples[].video.uri`, whose files are given to who shows the credential.
fn filmed(json: &Value) -> Result<Outcome, Failure> {
    let samples = json["generatedSamples"].as_array();
    let samples = samples.map_or(&[][..], Vec::as_slice).iter();
    let links = samples.filter_map(|sample| sample["video"]["uri"].as_str());
    let outcome = Outcome::of(links.map(|uri| Source::Link {
        url: uri.to_owned(),
        credential: true,
    }));
    if !outcome.results.is_empty() {
        return Ok(outcome);
    }
    match json["raiMediaFilteredReasons"][0].as_str() {
        Some(reason) => Err(kept_back(reason)),
        None if json["raiMediaFilteredCount"].as_u64() > Some(0) => {
            Err(kept_back("the upstream's filters kept the video back"))
        }
        None => Err(Failure::malformed("video")),
    }
}
