//! A Space that runs Gradio: 5, or 4, which has no `/gradio_api`, where its name has `gradio4` in it.
//!
//! | route | answer |
//! |---|---|
//! | `GET /config` | the functions by number and name |
//! | `POST {prefix}/upload` | paths |
//! | `POST {prefix}/call/{api_name}`, `GET …/{event_id}` | the result by events, once |
//! | `POST {prefix}/queue/join`, `GET {prefix}/queue/data` | the same by the queue |
//! | `POST {prefix}/cancel` | stops it |
//! | `GET {prefix}/file={path}` | what was made |
//!
//! The known Spaces check their arguments. A token that is spent (`quota`) finds out in the events; other
//! misbehaviour shows in the answers themselves. A request without a token counts as that of `anonymous`.

use std::rc::Rc;

use actix_web::{
    HttpRequest, HttpResponse, Result,
    http::{Method, header::CONTENT_TYPE},
    web,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    functions::{self, Function},
    stream::{self, End},
    words,
};
use crate::{
    arrival::{self, Arrival},
    behaviour::{Behaviour, Reason, Refusal},
    frames::Frames,
    images,
    play::{Flight, Play},
    request,
    script::Script,
    steps,
    studio::{self, Job, Taken},
    voice::{Problem, Voice},
};

/// Who asks without a token.
const NOBODY: &str = "anonymous";

/// How a Space refuses, and the proxy before it.
struct Gradio;

impl Voice for Gradio {
    fn no_credential(&self) -> Problem {
        Problem::new(401, json!({"detail": "Not authenticated"}))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(422, json!({"detail": message}))
    }

    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let body = match refusal.status {
            404 => json!({"detail": "Not Found"}),
            503 => json!({"detail": "Queue is full. Please try again."}),
            status => words(&refusal.reason, status, token, model),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..Problem::new(refusal.status, body)
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        vec![("x-proxied-host", "http://10.0.0.1".to_owned())]
    }
}

/// Every request to a Space.
pub(super) async fn serve(
    script: web::Data<Script>,
    request: HttpRequest,
    place: web::Path<(String, String)>,
    body: Bytes,
) -> Result<HttpResponse> {
    let (host, path) = place.into_inner();
    let prefix = if host.contains("gradio4") {
        ""
    } else {
        "gradio_api/"
    };
    if let Some(name) = file_name(&path, prefix) {
        return Ok(images::file(web::Path::from(name.to_owned())).await);
    }
    let visit = Visit::of(&script, &request, &host, &body, prefix).await?;
    let parts: Vec<_> = path.strip_prefix(prefix).unwrap_or("").split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, _) if path == "config" => Ok(visit.config()),
        (&Method::POST, ["upload"]) => Ok(visit.upload(&body)),
        (&Method::POST, ["call", name]) => visit.call(name, &body),
        (&Method::GET, ["call", _, event]) => visit.called(event),
        (&Method::POST, ["queue", "join"]) => visit.join(&body),
        (&Method::GET, ["queue", "data"]) => visit.joined(),
        (&Method::POST, ["cancel"]) => visit.cancel(&body),
        _ => Err(visit.absent()),
    }
}

/// `gradio_api/file=/tmp/gradio/64x64-0.png`
fn file_name<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let file = path.strip_prefix(prefix)?.strip_prefix("file=")?;
    file.strip_prefix("/tmp/gradio/")
}

/// A request to a Space that is not refused.
struct Visit<'a> {
    taken: Taken<'a>,
    function: &'static Function,
    /// Whether the token has no seconds left.
    spent: bool,
    prefix: &'static str,
}

impl<'a> Visit<'a> {
    async fn of(
        script: &'a Script,
        request: &'a HttpRequest,
        host: &'a str,
        body: &Bytes,
        prefix: &'static str,
    ) -> Result<Self> {
        let token = request::token(request).or(Some(NOBODY));
        let arrival = Arrival::by(&Gradio, script, request, body, token, host)?;
        let mut plan = arrival.plan(&Gradio)?;
        let (model, token) = (Rc::from(arrival.model), arrival.token);
        let spent = matches!(&plan.behaviour, Behaviour::Refuse(refusal) if refusal.reason == Reason::Quota);
        if spent {
            plan.behaviour = Behaviour::Ok;
        }
        arrival::refuse(&Gradio, &plan, script, request, token, &model).await?;
        let taken = Taken {
            voice: &Gradio,
            script,
            request,
            token,
            model,
            plan,
        };
        Ok(Self {
            taken,
            function: functions::of(host),
            spent,
            prefix,
        })
    }

    fn config(&self) -> HttpResponse {
        let (version, api_prefix) = match self.prefix {
            "" => ("4.44.1", Value::Null),
            _ => ("6.0.1", json!("/gradio_api")),
        };
        let name = match self.function.name {
            "" => "draw",
            name => name,
        };
        self.taken.answer(&json!({
            "version": version, "protocol": "sse_v3", "api_prefix": api_prefix,
            "dependencies": [{"id": 0, "api_name": "load"}, {"id": 1, "api_name": name}],
        }))
    }

    /// The path of each file; what is in them does not matter.
    fn upload(&self, body: &Bytes) -> HttpResponse {
        let text = String::from_utf8_lossy(body);
        let files = text.matches("name=\"files\"").count();
        let path = |at: usize| format!("/tmp/gradio/upload-{at}/image.png");
        self.taken.answer(&(0..files).map(path).collect())
    }

    fn call(&self, name: &str, body: &Bytes) -> Result<HttpResponse> {
        if !self.function.name.is_empty() && self.function.name != name {
            return Err(self.absent());
        }
        let event = self.begin(body, |number| format!("call-{number}"))?;
        Ok(self.taken.answer(&json!({"event_id": event})))
    }

    fn join(&self, body: &Bytes) -> Result<HttpResponse> {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let (Some(1), Some(session)) = (sent["fn_index"].as_u64(), sent["session_hash"].as_str())
        else {
            return Err(self
                .taken
                .objection("fn_index and session_hash are required"));
        };
        let event = self.begin(body, |_| session.to_owned())?;
        Ok(self
            .taken
            .answer(&json!({"event_id": format!("event-{event}")})))
    }

    /// Begins a task for the arguments of a body.
    fn begin(&self, body: &Bytes, name: impl FnOnce(u64) -> String) -> Result<String> {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let data = sent["data"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let size = self.function.size(data);
        let size = size.map_err(|problem| self.taken.objection(&problem))?;
        let drawing = self.taken.drawing(size.as_deref())?.to_string();
        let file = self.function.shape.file(&drawing);
        let prompt = data
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        Ok(self.taken.begin(&file, &prompt, name))
    }

    fn called(&self, event: &str) -> Result<HttpResponse> {
        let end = self.end(event)?;
        Ok(self.play(stream::call(&end), &end))
    }

    fn joined(&self) -> Result<HttpResponse> {
        let session = request::query(self.taken.request, "session_hash").unwrap_or_default();
        let end = self.end(session)?;
        let frames = stream::queue(&format!("event-{session}"), &end);
        Ok(self.play(frames, &end))
    }

    /// How it ended, for who asks first.
    fn end(&self, id: &str) -> Result<End> {
        let ask = || self.taken.script.jobs().ask(id, self.taken.token);
        let unread = matches!(ask(), Some((_, studio::State::Waiting)));
        let asked: Option<(Job, studio::State)> = ask().and_then(|_| ask());
        let Some((job, state)) = asked.filter(|_| unread) else {
            return Err(self.absent());
        };
        if self.spent {
            return Ok(End::quota());
        }
        let host = studio::host(self.taken.request);
        let (space, prefix) = (&self.taken.model, self.prefix);
        let files = format!("http://{host}/huggingface/spaces/{space}/{prefix}file=");
        Ok(End::of(
            state,
            self.function.shape.outputs(&files, &job.file),
        ))
    }

    fn play(&self, frames: Frames, end: &End) -> HttpResponse {
        let behaviour = match end {
            End::Never => Behaviour::HangAfter(1),
            _ => self.taken.plan.behaviour.clone(),
        };
        let steps = steps::stream(frames, self.taken.plan.pace, &behaviour);
        let flight = Flight::begin(self.taken.script, &self.taken.model, true);
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"));
        answer.body(Play::new(steps, None, self.taken.request, flight))
    }

    fn cancel(&self, body: &Bytes) -> Result<HttpResponse> {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let session = sent["session_hash"].as_str().unwrap_or_default();
        let cancelled = self.taken.script.jobs().cancel(session, self.taken.token);
        match cancelled {
            Some(()) => Ok(self.taken.answer(&json!({"success": true}))),
            None => Err(self.absent()),
        }
    }

    fn absent(&self) -> actix_web::Error {
        Problem::new(404, json!({"detail": "Not Found"})).end(&Gradio)
    }
}
