//! `POST /v1/images/generations`, and `GET /files/{name}` where the links lead.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use actix_web::{HttpRequest, HttpResponse, Result, http::header, web};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;

use crate::{
    arrival::{self, Arrival},
    chat::plain_answer,
    drawing::{self, Drawing},
    plan::Plan,
    refusal, request,
    script::Script,
};

/// The most images in a worker's stock.
const STOCK: usize = 64;

/// An image file, and the same in base64.
#[derive(Clone)]
struct Image {
    file: Bytes,
    base64: Rc<str>,
}

thread_local! {
    static IMAGES: RefCell<HashMap<Drawing, Image>> = RefCell::default();
}

/// `POST /v1/images/generations`.
pub(crate) async fn generate(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let arrival = Arrival::of(&script, &request, &body)?;
    let plan = arrival.plan()?;
    let model: Rc<str> = arrival.model.into();
    arrival::refuse(&plan, &script, &request, arrival.token, &model).await?;
    if request::string(&body, "\"prompt\"").is_none() {
        return Err(refusal::bad_request(
            "Missing required parameter: 'prompt'.",
        ));
    }
    let json = answer(&plan, &request, &body, &model)
        .ok_or_else(|| refusal::bad_request("Invalid value for 'size'."))?;
    Ok(plain_answer(json.into(), &plan, &script, &request, &model))
}

/// The answer's JSON; `None` for a size that cannot be drawn.
fn answer(plan: &Plan, request: &HttpRequest, body: &[u8], model: &str) -> Option<String> {
    let drawing = Drawing {
        bytes: plan.image.unwrap_or(0),
        ..Drawing::of_size(request::string(body, "\"size\""))?
    };
    // this family has no links, whatever is asked
    let always_base64 = model.starts_with("gpt-image");
    let wants_base64 = request::string(body, "\"response_format\"") == Some("b64_json");
    let entry = if always_base64 || wants_base64 {
        format!(r#"{{"b64_json":"{}"}}"#, image(drawing)?.base64)
    } else {
        let host = request.connection_info().host().to_owned();
        format!(r#"{{"url":"http://{host}/files/{drawing}.png"}}"#)
    };
    let count = request::number(body, "\"n\"").unwrap_or(1).clamp(1, 10);
    let data = vec![entry; count].join(",");
    let usage = if always_base64 {
        r#","usage":{"input_tokens":11,"output_tokens":272,"total_tokens":283}"#
    } else {
        ""
    };
    let echo = arrival::echo(plan, request, body)
        .map(|echo| format!(r#","echo":{echo}"#))
        .unwrap_or_default();
    Some(format!(
        r#"{{"created":1763712000,"data":[{data}]{usage}{echo}}}"#
    ))
}

/// `GET /files/{name}`.
pub(crate) async fn file(name: web::Path<String>) -> HttpResponse {
    let drawing = name.strip_suffix(".png").and_then(|name| name.parse().ok());
    match drawing.and_then(image) {
        Some(image) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "image/png"))
            .body(image.file),
        None => HttpResponse::NotFound().finish(),
    }
}

fn image(drawing: Drawing) -> Option<Image> {
    if let Some(image) = IMAGES.with_borrow(|images| images.get(&drawing).cloned()) {
        return Some(image);
    }
    let file = drawing::draw(drawing).ok()?;
    let image = Image {
        base64: BASE64_STANDARD.encode(&file).into(),
        file: file.into(),
    };
    IMAGES.with_borrow_mut(|images| {
        if images.len() == STOCK {
            images.clear();
        }
        images.insert(drawing, image.clone());
    });
    Some(image)
}
