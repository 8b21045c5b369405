//! Veo: `:predictLongRunning`, its operations, and the files that are only given to who shows the key.

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    request,
    scene::Ending,
    script::Script,
    studio::{FILM, State, Taken, film, host},
    voice::{Problem, Voice},
};

use super::{
    Gemini,
    pictures::{parsed, sound},
};

/// Goes before the route of a single model, whose name may hold anything.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/v1beta/models/{model}/operations/{id}", web::get().to(ask))
        .route("/v1beta/files/{name}", web::get().to(file));
}

/// `:predictLongRunning`.
pub(super) async fn begin(
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
    let instance = &json["instances"][0];
    sound(&taken, instance.pointer("/image/bytesBase64Encoded"))?;
    let prompt = instance["prompt"].as_str().unwrap_or_default();
    if prompt.is_empty() && !instance["image"].is_object() {
        return Err(taken.objection("The prompt is required."));
    }
    let shape = json["parameters"]["aspectRatio"].as_str();
    if !matches!(shape, None | Some("16:9" | "9:16")) {
        return Err(taken.objection("Aspect ratio is not supported"));
    }
    let id = taken.begin(FILM, prompt, |number| format!("sim{number}"));
    Ok(taken.answer(&json!({"name": format!("models/{model}/operations/{id}")})))
}

async fn ask(
    script: web::Data<Script>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (model, id) = path.into_inner();
    let token = request::token(&request);
    let taken = Taken::of(&Gemini, &script, &request, &Bytes::new(), token, &model).await?;
    let found = script.jobs().ask(&id, taken.token);
    let (_, state) = found.ok_or_else(|| missing().end(&Gemini))?;
    let mut answer = json!({"name": format!("models/{model}/operations/{id}")});
    match state {
        State::Waiting | State::AtWork | State::Cancelled => {}
        State::Failed => {
            let text = "Video generation failed due to an internal server issue. Please try again in a few minutes.";
            answer["done"] = true.into();
            answer["error"] = json!({"code": 13, "message": text});
        }
        State::Done => {
            answer["done"] = true.into();
            answer["response"] = json!({
                "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse",
                "generateVideoResponse": filmed(&taken, &id),
            });
        }
    }
    Ok(taken.answer(&answer))
}

fn filmed(taken: &Taken<'_>, id: &str) -> Value {
    if taken.plan.scene.ending == Ending::Refusal {
        let reason = "We encountered an issue with the audio for your prompt, which means we could not create \
                      your video.";
        return json!({"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [reason]});
    }
    let uri = format!(
        "http://{}/v1beta/files/{id}:download?alt=media",
        host(taken.request)
    );
    json!({"generatedSamples": [{"video": {"uri": uri}}]})
}

/// `GET /v1beta/files/{id}:download`.
async fn file(
    script: web::Data<Script>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse> {
    let Some(token) = request::token(&request) else {
        return Err(Gemini.no_credential().end(&Gemini));
    };
    let id = name.strip_suffix(":download").unwrap_or_default();
    let made = script
        .jobs()
        .find(id, token)
        .is_some_and(|job| job.is_made());
    match made {
        true => Ok(HttpResponse::Ok().content_type("video/mp4").body(film())),
        false => Err(missing().end(&Gemini)),
    }
}

/// What the service says of what it does not have, and of what is somebody else's.
fn missing() -> Problem {
    let message = "You do not have permission to access this resource, or it may not exist.";
    let error = json!({"code": 403, "message": message, "status": "PERMISSION_DENIED"});
    Problem::new(403, json!({"error": error}))
}
