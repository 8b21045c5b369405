//! Pictures: `:generateContent` that asks for them, and Imagen's `:predict`.
//!
//! What the filters keep back is chosen by the model's name: with `filter` the prompt is blocked, with `refuse`
//! the picture is.

use actix_web::{HttpRequest, HttpResponse, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{drawing::Drawing, request, scene::Ending, script::Script, studio::Taken};

use super::{Gemini, check, voice::invalid};

/// Whether a request asks for pictures, without parsing it.
pub(super) fn are_wanted(body: &[u8]) -> bool {
    let wanted = request::value(body, "\"responseModalities\"");
    let list = wanted.and_then(|list| list.split(|byte| *byte == b']').next());
    list.is_some_and(|list| memchr::memmem::find(list, b"\"IMAGE\"").is_some())
}

/// `:generateContent` for a picture.
pub(super) async fn draw(
    script: &Script,
    request: &HttpRequest,
    body: &Bytes,
    model: &str,
) -> Result<HttpResponse> {
    let taken = Taken::of(
        &Gemini,
        script,
        request,
        body,
        request::token(request),
        model,
    )
    .await?;
    let json = parsed(&taken, body)?;
    check::check(&json).map_err(|problem| problem.end(&Gemini))?;
    let config = &json["generationConfig"]["imageConfig"];
    if !matches!(
        config["imageSize"].as_str(),
        None | Some("512" | "1K" | "2K" | "4K")
    ) {
        return Err(
            invalid("Invalid value at 'generation_config.image_config.image_size'").end(&Gemini),
        );
    }
    let media = json["contents"][0]["parts"].as_array();
    for part in media.into_iter().flatten() {
        sound(&taken, part.pointer("/inlineData/data"))?;
    }
    let usage =
        json!({"promptTokenCount": 9, "candidatesTokenCount": 1290, "totalTokenCount": 1299});
    let mut answer = json!({"usageMetadata": usage, "modelVersion": model, "responseId": "sim"});
    match taken.plan.scene.ending {
        Ending::Filter => answer["promptFeedback"] = json!({"blockReason": "PROHIBITED_CONTENT"}),
        Ending::Refusal => {
            let text = "Unable to show the generated image. Try rephrasing the prompt.";
            answer["candidates"] = json!([{"content": {}, "finishReason": "IMAGE_SAFETY", "finishMessage": text, "index": 0}]);
        }
        _ => {
            let data = drawn(&taken, config["aspectRatio"].as_str())?;
            let part = json!({"inlineData": {"mimeType": "image/png", "data": data}});
            let content = json!({"parts": [part], "role": "model"});
            answer["candidates"] =
                json!([{"content": content, "finishReason": "STOP", "index": 0}]);
        }
    }
    Ok(taken.answer(&answer))
}

/// `:predict` of Imagen.
pub(super) async fn predict(
    script: &Script,
    request: &HttpRequest,
    body: &Bytes,
    model: &str,
) -> Result<HttpResponse> {
    let taken = Taken::of(
        &Gemini,
        script,
        request,
        body,
        request::token(request),
        model,
    )
    .await?;
    let json = parsed(&taken, body)?;
    if json["instances"][0]["prompt"]
        .as_str()
        .is_none_or(str::is_empty)
    {
        return Err(taken.objection(
            "Image generation failed with the following error: Text prompt is required.",
        ));
    }
    let parameters = &json["parameters"];
    let count = parameters["sampleCount"].as_u64().unwrap_or(4);
    if !(1..=4).contains(&count) {
        return Err(taken.objection("sampleCount must be between 1 and 4"));
    }
    let data = drawn(&taken, parameters["aspectRatio"].as_str())?;
    let picture = json!({"mimeType": "image/png", "bytesBase64Encoded": data});
    let mut predictions = vec![picture; usize::try_from(count).unwrap_or(1)];
    if taken.plan.scene.ending == Ending::Refusal {
        let reason = "Your current safety filter threshold filtered out 1 generated images.";
        predictions[0] = json!({"raiFilteredReason": reason});
    }
    Ok(taken.answer(&match taken.plan.scene.ending {
        Ending::Filter => json!({}),
        _ => json!({"predictions": predictions}),
    }))
}

pub(super) fn parsed(taken: &Taken<'_>, body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|_| taken.objection("Invalid JSON payload received."))
}

/// Objects to base64 that is none.
pub(super) fn sound(taken: &Taken<'_>, data: Option<&Value>) -> Result<()> {
    match data
        .and_then(Value::as_str)
        .map(|data| BASE64_STANDARD.decode(data))
    {
        Some(Err(_)) => {
            Err(taken.objection("Invalid value at 'data' (TYPE_BYTES), Base64 decoding failed"))
        }
        _ => Ok(()),
    }
}

fn drawn(taken: &Taken<'_>, shape: Option<&str>) -> Result<String> {
    let bytes = taken.plan.image.unwrap_or(0);
    let drawing = Drawing::of_shape(shape);
    let drawing = drawing.ok_or_else(|| taken.objection("Aspect ratio is not supported"))?;
    Ok(BASE64_STANDARD.encode(taken.draw(Drawing { bytes, ..drawing })?))
}
