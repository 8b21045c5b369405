//! `POST /v1/chat/completions`. Answers come from a stock made once per model and worker; only a seed,
//! an echo or a rule makes one afresh. A model's name with a scene's word, or with `strict`, leaves the stock
//! behind: its request is read, and answered like those of the other dialects.

mod check;
mod plain;
mod read;
mod stock;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use actix_web::{
    HttpRequest, HttpResponse, Result,
    http::header::{CONTENT_TYPE, HeaderValue},
    web,
};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    arrival::{self, Arrival},
    exchange::{Dialect, Exchange, Incoming, Shape},
    frames::Frames,
    plan::Plan,
    play::{Flight, Play, Step},
    refusal::OpenAi,
    request,
    scene::{Ask, Reply},
    script::Script,
    steps,
    voice::{Problem, Voice},
};

use stock::Chat;
pub use stock::PROMPT_TOKENS;

/// The most models in a worker's stock; it starts afresh when it is full.
const STOCK: usize = 1_000;

/// The answers of one model name.
struct Item {
    model: Rc<str>,
    plan: Plan,
    plain: OnceCell<Bytes>,
    stream: OnceCell<Rc<[Step]>>,
    stream_with_usage: OnceCell<Rc<[Step]>>,
}

thread_local! {
    static ITEMS: RefCell<HashMap<Rc<str>, Rc<Item>>> = RefCell::default();
}

/// `POST /v1/chat/completions`.
pub(crate) async fn complete(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let arrival = Arrival::of(&OpenAi, &script, &request, &body)?;
    let item = item(arrival.model, arrival.words)?;
    let plan = match arrival.behaviour {
        Some(behaviour) => &item.plan.clone().with(behaviour),
        None => &item.plan,
    };
    let (token, streamed) = (arrival.token, request::is_true(&body, "\"stream\""));
    arrival::refuse(&OpenAi, plan, &script, &request, token, &item.model).await?;
    if plan.acts() {
        let exchange = Exchange {
            dialect: &Completions,
            script: &script,
            request: &request,
            body: &body,
            shape: Shape::of(streamed),
        };
        return exchange.perform(token, &item.model, plan);
    }
    let echo = arrival::echo(plan, &request, &body);
    let chat = Chat {
        model: arrival.model,
        plan,
        seed: request::seed(&body),
        include_usage: request::is_true(&body, "\"include_usage\""),
        echo: echo.as_deref(),
    };
    let fresh = chat.seed.is_some() || chat.echo.is_some() || plan != &item.plan;
    if streamed {
        let steps = match (fresh, chat.include_usage) {
            (true, _) => chat.stream(),
            (false, true) => Rc::clone(item.stream_with_usage.get_or_init(|| chat.stream())),
            (false, false) => Rc::clone(item.stream.get_or_init(|| chat.stream())),
        };
        let flight = Flight::begin(&script, &item.model, true);
        return Ok(stream_answer(Play::new(steps, None, &request, flight)));
    }
    let body = if fresh {
        chat.plain()
    } else {
        item.plain.get_or_init(|| chat.plain()).clone()
    };
    Ok(plain_answer(body, plan, &script, &request, &item.model))
}

fn stream_answer(play: Play) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((
        CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    ));
    answer.insert_header(("x-request-id", HeaderValue::from_static("req_sim")));
    answer.body(play)
}

/// A JSON answer, sent as the plan's behaviour wants it.
pub(crate) fn plain_answer(
    body: Bytes,
    plan: &Plan,
    script: &Script,
    request: &HttpRequest,
    model: &Rc<str>,
) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    answer.insert_header(("x-request-id", HeaderValue::from_static("req_sim")));
    steps::send(answer, body, &plan.behaviour, script, request, model)
}

/// The stock's item for a model; `words` of the `x-sim` header make one that is not kept.
fn item(model: &str, words: Option<&str>) -> Result<Rc<Item>> {
    let kept = ITEMS.with_borrow(|items| items.get(model).cloned());
    if let (Some(item), None) = (kept, words) {
        return Ok(item);
    }
    let item = Rc::new(Item {
        model: model.into(),
        plan: arrival::plan(&OpenAi, model, words)?,
        plain: OnceCell::new(),
        stream: OnceCell::new(),
        stream_with_usage: OnceCell::new(),
    });
    if words.is_none() {
        ITEMS.with_borrow_mut(|items| {
            if items.len() == STOCK {
                items.clear();
            }
            items.insert(Rc::clone(&item.model), Rc::clone(&item));
        });
    }
    Ok(item)
}

/// The dialect, for answers that are not in stock.
struct Completions;

impl Dialect for Completions {
    fn voice(&self) -> &'static dyn Voice {
        &OpenAi
    }

    fn read(&self, incoming: &Incoming<'_>) -> std::result::Result<Ask, Problem> {
        if incoming.plan.strict {
            check::check(incoming.body)?;
        }
        Ok(read::read(incoming.body))
    }

    fn plain(&self, reply: &Reply) -> Value {
        plain::plain(reply)
    }

    fn stream(&self, reply: &Reply) -> Frames {
        stream::stream(reply)
    }
}
