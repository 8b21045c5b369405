//! `POST /v1/images/generations`, and `GET /files/{name}` where the links lead.

use std::{cell::RefCell, collections::HashMap, hash::Hash, rc::Rc, thread::LocalKey};

use actix_web::{
    HttpRequest, HttpResponse, Result,
    http::{StatusCode, header},
    web,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;

use crate::{
    arrival::{self, Arrival},
    behaviour::Behaviour,
    chat::plain_answer,
    drawing::{self, Drawing},
    plan::Plan,
    refusal::{self, OpenAi},
    request,
    script::Script,
    studio,
};

/// The most files, and the most answers, in a worker's stock; it starts afresh when it is full.
const STOCK: usize = 64;

thread_local! {
    static FILES: RefCell<HashMap<Drawing, Bytes>> = RefCell::default();
    static ANSWERS: RefCell<HashMap<Form, Bytes>> = RefCell::default();
}

/// What an answer with the images in it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Form {
    drawing: Drawing,
    count: usize,
    usage: bool,
}

/// `POST /v1/images/generations`.
pub(crate) async fn generate(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let arrival = Arrival::of(&OpenAi, &script, &request, &body)?;
    let plan = arrival.plan(&OpenAi)?;
    let model: Rc<str> = arrival.model.into();
    let token = arrival.token;
    arrival::refuse(&OpenAi, &plan, &script, &request, token, &model).await?;
    if request::string(&body, "\"prompt\"").is_none() {
        return Err(refusal::bad_request(
            "Missing required parameter: 'prompt'.",
        ));
    }
    let echo = arrival::echo(&plan, &request, &body);
    let answer = answer(&plan, &request, &body, echo)
        .ok_or_else(|| refusal::bad_request("Invalid value for 'size'."))?;
    Ok(plain_answer(answer, &plan, &script, &request, &model))
}

/// The answer's JSON; `None` for a size that cannot be drawn.
fn answer(plan: &Plan, request: &HttpRequest, body: &[u8], echo: Option<String>) -> Option<Bytes> {
    let drawing = Drawing::of_size(request::string(body, "\"size\""))?.planned(plan);
    let model = request::string(body, "\"model\"").unwrap_or_default();
    let form = Form {
        drawing,
        count: request::number(body, "\"n\"").unwrap_or(1).clamp(1, 10),
        // this family has no links, whatever is asked
        usage: model.starts_with("gpt-image"),
    };
    let wants_base64 = request::string(body, "\"response_format\"") == Some("b64_json");
    if !form.usage && !wants_base64 {
        let host = request.connection_info().host().to_owned();
        let link = format!(r#"{{"url":"http://{host}/files/{drawing}.png"}}"#);
        return Some(render(form, &link, echo));
    }
    let make = || {
        let base64 = BASE64_STANDARD.encode(file_of(drawing)?);
        Some(format!(r#"{{"b64_json":"{base64}"}}"#))
    };
    match echo {
        Some(_) => Some(render(form, &make()?, echo)),
        None => stocked(&ANSWERS, form, || Some(render(form, &make()?, None))),
    }
}

fn render(form: Form, entry: &str, echo: Option<String>) -> Bytes {
    let data = vec![entry; form.count].join(",");
    let usage = if form.usage {
        r#","usage":{"input_tokens":11,"output_tokens":272,"total_tokens":283}"#
    } else {
        ""
    };
    let echo = echo
        .map(|echo| format!(r#","echo":{echo}"#))
        .unwrap_or_default();
    format!(r#"{{"created":1763712000,"data":[{data}]{usage}{echo}}}"#).into()
}

/// `GET /files/{name}`. Rules for the path may refuse it.
pub(crate) async fn linked(
    script: web::Data<Script>,
    request: HttpRequest,
    name: web::Path<String>,
) -> HttpResponse {
    if let Some(Behaviour::Refuse(refusal)) = script.next_at(request.path()) {
        let status = StatusCode::from_u16(refusal.status);
        return HttpResponse::new(status.unwrap_or(StatusCode::NOT_FOUND));
    }
    file(name).await
}

/// A file by its name.
pub(crate) async fn file(name: web::Path<String>) -> HttpResponse {
    if *name == studio::FILM {
        return HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "video/mp4"))
            .body(studio::film());
    }
    let drawing = name.strip_suffix(".png").and_then(|name| name.parse().ok());
    match drawing.and_then(file_of) {
        Some(file) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "image/png"))
            .body(file),
        None => HttpResponse::NotFound().finish(),
    }
}

fn file_of(drawing: Drawing) -> Option<Bytes> {
    stocked(&FILES, drawing, || {
        Some(drawing::draw(drawing).ok()?.into())
    })
}

/// What the stock has, or what `make` makes for it.
fn stocked<K: Copy + Eq + Hash>(
    stock: &'static LocalKey<RefCell<HashMap<K, Bytes>>>,
    key: K,
    make: impl FnOnce() -> Option<Bytes>,
) -> Option<Bytes> {
    if let Some(bytes) = stock.with_borrow(|stock| stock.get(&key).cloned()) {
        return Some(bytes);
    }
    let bytes = make()?;
    stock.with_borrow_mut(|stock| {
        if stock.len() == STOCK {
            stock.clear();
        }
        stock.insert(key, bytes.clone());
    });
    Some(bytes)
}
