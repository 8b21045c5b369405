//! `POST /v1/embeddings`: vectors that depend on the text alone.

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    arrival::{self, Arrival},
    chat::plain_answer,
    refusal::{self, OpenAi},
    script::Script,
};

/// Numbers in a vector unless `dimensions` says otherwise.
const DIMENSIONS: usize = 256;

#[derive(Deserialize)]
struct Ask {
    input: Input,
    #[serde(default)]
    encoding_format: Option<String>,
    #[serde(default)]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

/// `POST /v1/embeddings`.
pub(crate) async fn create(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let arrival = Arrival::of(&OpenAi, &script, &request, &body)?;
    let plan = arrival.plan(&OpenAi)?;
    let model: Rc<str> = arrival.model.into();
    let token = arrival.token;
    arrival::refuse(&OpenAi, &plan, &script, &request, token, &model).await?;
    let Ok(ask) = serde_json::from_slice::<Ask>(&body) else {
        return Err(refusal::bad_request(
            "'$.input' is invalid. Please check the API reference.",
        ));
    };
    let mut answer = answer(&ask, arrival.model);
    if let Some(echo) = arrival::echo(&plan, &request, &body) {
        answer["echo"] = serde_json::from_str(&echo).unwrap_or(Value::Null);
    }
    let body = answer.to_string().into();
    Ok(plain_answer(body, &plan, &script, &request, &model))
}

fn answer(ask: &Ask, model: &str) -> Value {
    let texts = match &ask.input {
        Input::One(text) => std::slice::from_ref(text),
        Input::Many(texts) => texts,
    };
    let base64 = ask.encoding_format.as_deref() == Some("base64");
    let dimensions = ask.dimensions.unwrap_or(DIMENSIONS).clamp(1, 4096);
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, dimensions);
            let embedding = if base64 {
                packed(&vector)
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: usize = texts.iter().map(|text| text.len().div_ceil(4)).sum();
    json!({"object": "list", "data": data, "model": model,
           "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
}

/// A vector of length one that depends on the text alone.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut state = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let numbers: Vec<f32> = (0..dimensions)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(state >> 16).unwrap_or_default()) / 65_536.0 - 0.5
        })
        .collect();
    let length = numbers
        .iter()
        .map(|number| number * number)
        .sum::<f32>()
        .sqrt();
    numbers.iter().map(|number| number / length).collect()
}

/// Little-endian floats in base64, as `encoding_format: "base64"` asks.
fn packed(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    BASE64_STANDARD.encode(bytes).into()
}
