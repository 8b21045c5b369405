//! Gitee AI: pictures at once and as tasks, edits, upscaling, videos.

mod voice;

#[cfg(test)]
mod tests;

use std::io::Cursor;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    chat,
    drawing::Drawing,
    request,
    script::Script,
    studio::{FILM, Sent, State, Taken, host},
    voice::Voice,
};

use voice::Gitee;

/// Tasks that one account has under way at most.
const CONCURRENCY: usize = 5;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    let mut scope = web::scope("/gitee");
    for path in WARES.map(|ware| ware.path) {
        scope = scope.route(path, web::post().to(order));
    }
    config.service(
        scope
            .route("/v1/chat/completions", web::post().to(chat::complete))
            .route("/v1/tasks/available-quota", web::get().to(quota))
            .route("/api/v1/task/{id}", web::get().to(task))
            .route("/api/v1/task/{id}/cancel", web::post().to(cancel)),
    );
}

/// What can be ordered, and what it needs.
struct Ware {
    path: &'static str,
    needs: &'static [&'static str],
    made: Made,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    AtOnce,
    Larger,
    Task,
    Film,
}

const WARES: [Ware; 7] = [
    Ware {
        path: "/v1/images/generations",
        needs: &["prompt"],
        made: Made::AtOnce,
    },
    Ware {
        path: "/v1/images/edits",
        needs: &["prompt", "image"],
        made: Made::AtOnce,
    },
    Ware {
        path: "/v1/images/upscaling",
        needs: &[],
        made: Made::Larger,
    },
    Ware {
        path: "/v1/async/images/generations",
        needs: &["prompt"],
        made: Made::Task,
    },
    Ware {
        path: "/v1/async/images/edits",
        needs: &["prompt", "image"],
        made: Made::Task,
    },
    Ware {
        path: "/v1/async/videos/image-to-video",
        needs: &["prompt", "image"],
        made: Made::Film,
    },
    Ware {
        path: "/v1/async/videos/generations",
        needs: &["prompt"],
        made: Made::Film,
    },
];

async fn order(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let asked = |ware: &&Ware| request.path().strip_prefix("/gitee") == Some(ware.path);
    let ware = WARES.iter().find(asked);
    let ware = ware.ok_or_else(|| Gitee.bad_request("no such service").end(&Gitee))?;
    let sent = Sent::of(&request, &body);
    let model = sent.text("model").unwrap_or_default();
    let token = request::token(&request);
    let taken = Taken::of(&Gitee, &script, &request, &body, token, model).await?;
    if let Some(missing) = ware.needs.iter().find(|name| !sent.has(name)) {
        return Err(taken.objection(&format!("必传参数: {missing}")));
    }
    match ware.made {
        Made::AtOnce => at_once(&taken, &sent),
        Made::Larger => larger(&taken, &sent),
        Made::Task => {
            let drawing = taken.drawing(sent.text("size"))?;
            begun(&taken, &sent, &format!("{drawing}.png"))
        }
        Made::Film => begun(&taken, &sent, FILM),
    }
}

fn at_once(taken: &Taken<'_>, sent: &Sent) -> Result<HttpResponse> {
    let drawing = taken.drawing(sent.text("size"))?;
    let base64 = sent.text("response_format") == Some("b64_json");
    let count = sent
        .number("num_images_per_prompt")
        .unwrap_or(1)
        .clamp(1, 10);
    let entries = (0..count).map(|_| taken.entry(drawing, base64));
    let data: Vec<Value> = entries.collect::<Result<_>>()?;
    Ok(taken.answer(&json!({"created": 1_763_712_000, "data": data})))
}

/// The picture, so many times larger, as the whole body.
fn larger(taken: &Taken<'_>, sent: &Sent) -> Result<HttpResponse> {
    let usual = taken.drawing(None)?;
    let (width, height) = match sent.file("image") {
        Some(file) => size(file).ok_or_else(|| taken.objection("无法识别的图片"))?,
        None if sent.has("image_url") => (usual.width, usual.height),
        None => return Err(taken.objection("必传参数: image")),
    };
    let scale = sent.number("outscale").unwrap_or(4);
    let drawing = Drawing {
        width: width * scale,
        height: height * scale,
        ..usual
    };
    Ok(taken.send("image/png", taken.draw(drawing)?))
}

/// Width and height of a PNG.
fn size(file: &Bytes) -> Option<(u32, u32)> {
    let reader = png::Decoder::new(Cursor::new(file)).read_info().ok()?;
    Some(reader.info().size())
}

fn begun(taken: &Taken<'_>, sent: &Sent, file: &str) -> Result<HttpResponse> {
    if taken.script.jobs().open(taken.token) >= CONCURRENCY {
        return Err(voice::too_many().end(&Gitee));
    }
    let prompt = sent.text("prompt").unwrap_or_default();
    let id = taken.begin(file, prompt, |number| format!("{number:032X}"));
    let url = format!("http://{}/gitee/api/v1/task/{id}", host(taken.request));
    Ok(taken.answer(&json!({
        "task_id": id, "status": "waiting", "created_at": 1_763_712_000_000_u64,
        "urls": {"get": url, "cancel": format!("{url}/cancel")},
    })))
}

async fn task(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let model = owned(&script, &request, &id)?;
    let token = request::token(&request);
    let taken = Taken::of(&Gitee, &script, &request, &Bytes::new(), token, &model).await?;
    let (job, state) = script.jobs().ask(&id, taken.token).ok_or_else(no_task)?;
    let (status, output) = match state {
        State::Waiting => ("waiting", Value::Null),
        State::AtWork => ("in_progress", Value::Null),
        State::Done => ("success", json!({"file_url": taken.link(&job.file)})),
        State::Failed => (
            "failure",
            json!({"error": {"code": 500, "message": "CUDA out of memory"}}),
        ),
        State::Cancelled => ("cancelled", Value::Null),
    };
    let mut answer = json!({"task_id": *id, "status": status, "created_at": 1_763_712_000_000_u64});
    if !output.is_null() {
        answer["output"] = output;
    }
    if state == State::Done {
        answer["usage_info"] = json!({"unit": "request", "quantity": 1});
    }
    Ok(taken.answer(&answer))
}

async fn cancel(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let model = owned(&script, &request, &id)?;
    let token = request::token(&request);
    let taken = Taken::of(&Gitee, &script, &request, &Bytes::new(), token, &model).await?;
    script.jobs().cancel(&id, taken.token).ok_or_else(no_task)?;
    Ok(taken.answer(&json!({"task_id": *id, "status": "cancelled"})))
}

/// The model of a task that whoever asks has begun.
fn owned(script: &Script, request: &HttpRequest, id: &str) -> Result<String> {
    let token = request::token(request).unwrap_or_default();
    let model = script.jobs().find(id, token).map(|job| job.model.clone());
    model.ok_or_else(no_task)
}

fn no_task() -> actix_web::Error {
    voice::no_task().end(&Gitee)
}

async fn quota(script: web::Data<Script>, request: HttpRequest) -> Result<HttpResponse> {
    let token = request::token(&request);
    let model = "available-quota";
    let taken = Taken::of(&Gitee, &script, &request, &Bytes::new(), token, model).await?;
    let open = script.jobs().open(taken.token);
    let available = CONCURRENCY.saturating_sub(open);
    Ok(taken.answer(&json!({"available": available, "max_concurrency": CONCURRENCY})))
}
