//! `{"data": [{"url" or "b64_json", "revised_prompt"?}], "usage"?}`: the answer that many have from OpenAI.

use serde_json::Value;

use super::{Failure, Made, Order, Outcome};

/// What was made, by such an answer.
///
/// # Errors
/// Where there is no list, or nothing in it.
pub fn read(order: &Order, answer: &Value) -> Result<Outcome, Failure> {
    let list = answer["data"]
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| Failure::malformed("pictures"))?;
    Ok(Outcome {
        results: list.iter().map(|entry| picture(order, entry)).collect(),
        usage: answer
            .get("usage")
            .filter(|usage| !usage.is_null())
            .cloned(),
    })
}

fn picture(order: &Order, entry: &Value) -> Result<Made, Failure> {
    let text = ["url", "b64_json"]
        .into_iter()
        .filter_map(|name| entry[name].as_str())
        .find(|text| !text.is_empty())
        .ok_or_else(|| Failure::malformed("picture"))?;
    let revised = entry["revised_prompt"].as_str();
    Ok(Made {
        source: order.source(text),
        revised_prompt: revised.filter(|text| !text.is_empty()).map(str::to_owned),
    })
}
