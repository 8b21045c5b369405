//! What the Visual service says of an order, and the questions after one that it took as a task.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    super::{
        Answer, Auth, Body, Call, Failure, Made, Order, Outcome, Patience, Taken, Task, Ticket,
    },
    algorithms::Flow,
    body::delivery,
    failure::{SUCCESS, classify},
};
use crate::failure::FailureKind;

const VERSION: &str = "2022-08-31";

/// A signed call of that action.
pub(super) fn call(base_url: &str, action: &str, body: Value, patience: Patience) -> Call {
    let url = format!("{base_url}/?Action={action}&Version={VERSION}");
    Call::post(url, Body::Json(body), patience).auth(Auth::Volc {
        region: "cn-north-1",
        service: "cv",
    })
}

/// A task of the service. Its ticket is `{flow, key, id}`, since a question must name the `req_key` again.
pub(super) struct Work {
    pub base_url: String,
    pub flow: Flow,
    pub key: String,
    pub order: Arc<Order>,
}

impl Work {
    fn ticket(&self, id: &Value) -> Option<Ticket> {
        let id = match id {
            Value::String(id) if !id.is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(Ticket(
            json!({ "flow": self.flow.name(), "key": self.key, "id": id }),
        ))
    }
}

/// Flow, `req_key` and id of a ticket.
pub(super) fn read_ticket(ticket: &Ticket) -> Option<(Flow, &str, &str)> {
    let text = |name: &str| ticket.0.get(name)?.as_str();
    Some((Flow::named(text("flow")?)?, text("key")?, text("id")?))
}

impl Task for Work {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let data = data(answer)?;
        let ticket = self.ticket(&data["task_id"]);
        ticket
            .map(Taken::Task)
            .ok_or_else(|| Failure::malformed("task id"))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let action = match self.flow {
            Flow::Submit => "CVGetResult",
            Flow::Process | Flow::Sync2Async => "CVSync2AsyncGetResult",
        };
        let mut body = Map::new();
        body.insert("req_key".into(), self.key.as_str().into());
        body.insert("task_id".into(), ticket.0["id"].clone());
        let delivery = delivery(&self.order);
        if !delivery.is_empty() {
            // JSON in a text
            body.insert("req_json".into(), Value::from(delivery).to_string().into());
        }
        Call {
            repeats: true,
            ..call(&self.base_url, action, body.into(), Patience::Quick)
        }
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let data = data(answer)?;
        match data["status"].as_str() {
            Some("done") => made(&self.order, &data).map(Some),
            Some(status @ ("not_found" | "expired")) => {
                let message = "the upstream no longer knows the task, which it keeps for 12 hours";
                Err(Failure::new(FailureKind::Upstream, message).with_code(status))
            }
            // in_queue, generating, and what may come
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }

    /// A task that failed is answered with a code of the algorithms, whatever its status says.
    fn is_over(&self, failure: &Failure) -> bool {
        let code = failure.code.as_deref().unwrap_or_default();
        code.len() == 5 && code.starts_with("505")
    }
}

/// What `CVProcess` made.
pub(super) fn processed(order: &Order, answer: &Answer<'_>) -> Result<Outcome, Failure> {
    made(order, &data(answer)?)
}

/// `data` of an answer that says success: no error of the gateway, and the right code.
fn data(answer: &Answer<'_>) -> Result<Value, Failure> {
    let mut body = answer.json();
    let refused = !body["ResponseMetadata"]["Error"].is_null();
    if refused || !answer.is_success() || body["code"] != SUCCESS {
        return Err(classify(answer));
    }
    Ok(body["data"].take())
}

fn made(order: &Order, data: &Value) -> Result<Outcome, Failure> {
    let sources = sources(data);
    if sources.is_empty() {
        return Err(nothing_made(data));
    }
    let made = |text: String| {
        Ok(Made {
            source: order.source(&text),
            revised_prompt: rewritten(data),
        })
    };
    Ok(Outcome {
        results: sources.into_iter().map(made).collect(),
        usage: None,
    })
}

/// Links where there are any, else the files themselves; older algorithms have them in the text `resp_data`.
fn sources(data: &Value) -> Vec<String> {
    let list = |name: &str| data[name].as_array().cloned().unwrap_or_default();
    let found = [
        vec![data["video_url"].clone()],
        list("image_urls"),
        list("binary_data_base64"),
    ];
    let texts = |found: Vec<Value>| -> Vec<String> {
        let texts = found.iter().filter_map(Value::as_str);
        texts
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let found = found.into_iter().map(texts).find(|texts| !texts.is_empty());
    let inner = || {
        data["resp_data"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
    };
    found.unwrap_or_else(|| inner().map_or_else(Vec::new, |inner: Value| sources(&inner)))
}

/// The prompt as the service's own language models rewrote it.
fn rewritten(data: &Value) -> Option<String> {
    let texts = ["llm_result", "pe_result", "rephraser_result"].map(|name| data[name].as_str());
    let text = texts.into_iter().flatten().find(|text| !text.is_empty());
    text.map(str::to_owned)
}

fn nothing_made(data: &Value) -> Failure {
    let said = &data["algorithm_base_resp"];
    match (
        said["status_code"].as_i64(),
        said["status_message"].as_str(),
    ) {
        (Some(code), Some(message)) if code != 0 => {
            Failure::new(FailureKind::Upstream, message).with_code(code)
        }
        _ => Failure::malformed("picture"),
    }
}
