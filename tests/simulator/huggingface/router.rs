//! The router: every provider in its own protocol, for who shows a token.
//!
//! | route | answer |
//! |---|---|
//! | `POST /fal-ai/{model}` | `images[].url` |
//! | `POST /fal-ai/{model}?_subdomain=queue`, then `/fal-ai/{app}/requests/{id}[/status\|/cancel]` | a task |
//! | `POST /replicate/v1/models/{model}/predictions`, `/v1/predictions`, then `/v1/predictions/{id}[/cancel]` | at once, a task for edits and videos |
//! | `POST /hf-inference/models/{model}` | the PNG |
//! | `POST /together/v1/images/generations`, `/nscale/…` | `data[].b64_json` |
//! | `POST /wavespeed/api/v3/{model}`, then `/predictions/{id}/result` | a task |
//!
//! A model with `video` in its name makes films.

use actix_web::{HttpRequest, HttpResponse, Result, http::Method, web};
use bytes::Bytes;
use serde_json::{Value, json};

use super::Hub;
use crate::{
    drawing::Drawing,
    request,
    script::Script,
    studio::{FILM, Job, State, Taken},
    voice::Problem,
};

/// Every request to the router.
pub(super) async fn serve(
    script: web::Data<Script>,
    request: HttpRequest,
    place: web::Path<(String, String)>,
    body: Bytes,
) -> Result<HttpResponse> {
    let (via, path) = place.into_inner();
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let model = model(&via, &path, &sent);
    let token = request::token(&request);
    let taken = Taken::of(&Hub, &script, &request, &body, token, &model).await?;
    let desk = Desk {
        taken: &taken,
        sent: &sent,
    };
    let post = request.method() == Method::POST;
    match (via.as_str(), task(&via, &path)) {
        ("fal-ai", Some((id, rest))) => desk.fal_task(id, rest),
        ("replicate", Some((id, rest))) => desk.prediction(id, rest),
        ("wavespeed", Some((id, _))) => desk.wave(id),
        ("fal-ai", None) if post => desk.fal(),
        ("replicate", None) if post => desk.predict(),
        ("hf-inference", None) if post => desk.bare(),
        ("together", None) if post => desk.listed("base64"),
        ("nscale", None) if post => desk.listed("b64_json"),
        ("wavespeed", None) if post => desk.begin_wave(),
        _ => Err(absent()),
    }
}

fn absent() -> actix_web::Error {
    Problem::new(404, json!({"error": "Not Found"})).end(&Hub)
}

/// The model that is asked, or the provider of a task.
fn model(via: &str, path: &str, sent: &Value) -> String {
    let named = match via {
        _ if task(via, path).is_some() => None,
        "fal-ai" => Some(path),
        "replicate" => path
            .strip_prefix("v1/models/")
            .and_then(|path| path.strip_suffix("/predictions")),
        "hf-inference" => path.strip_prefix("models/"),
        "wavespeed" => path.strip_prefix("api/v3/"),
        _ => sent["model"].as_str(),
    };
    named.or(sent["version"].as_str()).unwrap_or(via).to_owned()
}

/// The id of the task that a path is about, and what is wanted of it.
fn task<'a>(via: &str, path: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = match via {
        "fal-ai" => path.split_once("/requests/")?.1,
        "replicate" => path.strip_prefix("v1/predictions/")?,
        "wavespeed" => path.strip_prefix("api/v3/predictions/")?,
        _ => return None,
    };
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

struct Desk<'a> {
    taken: &'a Taken<'a>,
    sent: &'a Value,
}

impl Desk<'_> {
    fn text(&self, names: &[&str]) -> String {
        let input = self.sent.get("input").unwrap_or(self.sent);
        let found = names.iter().find_map(|name| input[*name].as_str());
        found.unwrap_or_default().to_owned()
    }

    fn drawing(&self) -> Result<Drawing> {
        let places = [
            &self.sent["image_size"],
            &self.sent["parameters"],
            &self.sent["input"],
            self.sent,
        ];
        let sides = places.into_iter().find_map(|place| {
            let (width, height) = (place["width"].as_u64()?, place["height"].as_u64()?);
            Some(format!("{width}x{height}"))
        });
        let size = sides.or_else(|| Some(self.sent["size"].as_str()?.replace('*', "x")));
        self.taken.drawing(size.as_deref())
    }

    /// The name of what is made.
    fn file(&self) -> Result<String> {
        match self.taken.model.contains("video") {
            true => Ok(FILM.to_owned()),
            false => Ok(format!("{}.png", self.drawing()?)),
        }
    }

    fn begin(&self, kind: &str) -> Result<String> {
        let file = self.file()?;
        let prompt = self.text(&["prompt"]);
        Ok(self
            .taken
            .begin(&file, &prompt, |number| format!("{kind}-{number}")))
    }

    fn ask(&self, id: &str) -> Result<(Job, State)> {
        let asked = self.taken.script.jobs().ask(id, self.taken.token);
        asked.ok_or_else(absent)
    }

    fn cancel(&self, id: &str) -> Result<HttpResponse> {
        let cancelled = self.taken.script.jobs().cancel(id, self.taken.token);
        cancelled.ok_or_else(absent)?;
        Ok(self.taken.answer(&json!({"id": id, "status": "canceled"})))
    }

    fn fal(&self) -> Result<HttpResponse> {
        if self
            .taken
            .request
            .query_string()
            .contains("_subdomain=queue")
        {
            let id = self.begin("fal")?;
            let url = format!("https://queue.fal.run/fal-ai/app/requests/{id}");
            return Ok(self.taken.answer(&json!({
                "request_id": id, "status": "IN_QUEUE", "response_url": url, "queue_position": 0,
            })));
        }
        let file = self.file()?;
        Ok(self.taken.answer(&self.fal_result(&file)))
    }

    fn fal_result(&self, file: &str) -> Value {
        let url = self.taken.link(file);
        match file {
            FILM => json!({"video": {"url": url, "content_type": "video/mp4"}}),
            _ => {
                json!({"images": [{"url": url, "content_type": "image/png"}], "has_nsfw_concepts": [false], "seed": 42})
            }
        }
    }

    fn fal_task(&self, id: &str, wanted: &str) -> Result<HttpResponse> {
        match wanted {
            "cancel" => self.cancel(id),
            "status" => Ok(self.taken.answer(&match self.ask(id)?.1 {
                State::Waiting => json!({"status": "IN_QUEUE", "queue_position": 0}),
                State::AtWork => json!({"status": "IN_PROGRESS"}),
                State::Done => json!({"status": "COMPLETED"}),
                State::Failed => json!({"status": "COMPLETED", "error": "CUDA out of memory"}),
                State::Cancelled => json!({"status": "CANCELLED"}),
            })),
            _ => match self.ask(id)? {
                (job, State::Done) => Ok(self.taken.answer(&self.fal_result(&job.file))),
                _ => Err(self.taken.objection("Request is still in progress")),
            },
        }
    }

    /// Edits and films take longer than the client waits.
    fn predict(&self) -> Result<HttpResponse> {
        let quick = !self.taken.model.contains("video") && self.text(&["image"]).is_empty();
        let id = self.begin("p")?;
        if quick {
            let url = self.taken.link(&self.file()?);
            let output = json!([url]);
            return Ok(self.taken.answer(
                &json!({"id": id, "status": "succeeded", "output": output, "error": null}),
            ));
        }
        Ok(self
            .taken
            .answer(&json!({"id": id, "status": "starting", "output": null, "error": null})))
    }

    fn prediction(&self, id: &str, wanted: &str) -> Result<HttpResponse> {
        if wanted == "cancel" {
            return self.cancel(id);
        }
        let (job, state) = self.ask(id)?;
        let (status, output, error) = match state {
            State::Waiting => ("starting", Value::Null, Value::Null),
            State::AtWork => ("processing", Value::Null, Value::Null),
            State::Done => ("succeeded", json!(self.taken.link(&job.file)), Value::Null),
            State::Failed => ("failed", Value::Null, json!("CUDA out of memory")),
            State::Cancelled => ("canceled", Value::Null, Value::Null),
        };
        Ok(self
            .taken
            .answer(&json!({"id": id, "status": status, "output": output, "error": error})))
    }

    fn bare(&self) -> Result<HttpResponse> {
        if !self.sent["inputs"].is_string() {
            return Err(self.taken.objection("Field required: inputs"));
        }
        let file = self.taken.draw(self.drawing()?)?;
        Ok(self.taken.send("image/png", file))
    }

    fn listed(&self, format: &str) -> Result<HttpResponse> {
        if self.sent["response_format"] != format {
            return Err(self.taken.objection("Invalid value for 'response_format'"));
        }
        let entry = self.taken.entry(self.drawing()?, true)?;
        Ok(self.taken.answer(&json!({"data": [entry]})))
    }

    fn begin_wave(&self) -> Result<HttpResponse> {
        let id = self.begin("w")?;
        let get = format!("https://api.wavespeed.ai/api/v3/predictions/{id}/result");
        let data = json!({"id": id, "status": "created", "outputs": [], "urls": {"get": get}});
        Ok(self
            .taken
            .answer(&json!({"code": 200, "message": "success", "data": data})))
    }

    fn wave(&self, id: &str) -> Result<HttpResponse> {
        let (job, state) = self.ask(id)?;
        let link = self.taken.link(&job.file);
        let data = match state {
            State::Waiting => json!({"id": id, "status": "created", "outputs": []}),
            State::AtWork => json!({"id": id, "status": "processing", "outputs": []}),
            State::Done => {
                json!({"id": id, "status": "completed", "outputs": [link], "has_nsfw_contents": [false]})
            }
            State::Failed | State::Cancelled => {
                json!({"id": id, "status": "failed", "outputs": [], "error": "worker gone"})
            }
        };
        Ok(self
            .taken
            .answer(&json!({"code": 200, "message": "success", "data": data})))
    }
}
