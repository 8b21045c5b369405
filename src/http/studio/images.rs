//! Pictures: their files, large and small, and what their app says of them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap},
    web::{Bytes, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};
use troupe_actors::{
    images::{Amendment, Image},
    media::ThumbnailKind,
};
use troupe_protocol::openai::request_error::RequestError;

use super::{
    check::Faults,
    refusal::{Refusal, Thing},
    tasks::{answer, fresh},
    view, wish, words,
};
use crate::{
    http::{
        auth,
        error::ApiError,
        media::{Audience, give},
        services::{OnWorker, Services},
    },
    pages::language::Language,
};

const ABSENT: Refusal = Refusal::Absent(Thing::Image);

/// `GET /api/v1/images/{id}`: the file, with ETag and ranges.
pub async fn file(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let found = async {
        let image = find(services, &request, &id).await?;
        let stored = services.media.open(&image.name).await.ok_or(ABSENT)?;
        Ok(give(&request, stored, Audience::Private))
    };
    answer(found.await, language)
}

/// `GET /api/v1/images/{id}/thumbnail`: WebP for who takes it, else JPEG.
pub async fn thumbnail(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let found = async {
        let image = find(services, &request, &id).await?;
        let kind = match takes_webp(request.headers()) {
            true => ThumbnailKind::WebP,
            false => ThumbnailKind::Jpeg,
        };
        let small = services
            .studio
            .images
            .thumbnail(&image, kind)
            .await?
            .ok_or(ABSENT)?;
        let mut response = give(&request, small, Audience::Private);
        let by_accept = header::HeaderValue::from_static("accept");
        response.headers_mut().insert(header::VARY, by_accept);
        Ok(response)
    };
    answer(found.await, language)
}

/// `DELETE /api/v1/images/{id}`
pub async fn delete(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let deleted = async {
        let principal = auth::principal(&request, &services.keys)?;
        match services
            .studio
            .images
            .remove(principal.app_id(), &id)
            .await?
        {
            true => Ok(HttpResponse::NoContent().finish()),
            false => Err(ABSENT),
        }
    };
    answer(deleted.await, language)
}

/// `PATCH /api/v1/images/{id}`: `{"pinned": …, "tags": […]}`, either or both.
pub async fn amend(
    worker: OnWorker,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let amended = async {
        let principal = auth::principal(&request, &services.keys)?;
        let app_id = principal.app_id();
        let to = amendment(&body, services, language)?;
        let image = services
            .studio
            .images
            .amend(app_id, &id, to)
            .await?
            .ok_or(ABSENT)?;
        let job = services
            .jobs
            .get(app_id, &image.job_id)
            .await?
            .ok_or(ABSENT)?;
        Ok(fresh().json(view::image(&image, &job)))
    };
    answer(amended.await, language)
}

/// `GET /api/v1/tags`: with the number of pictures that have each.
pub async fn tags(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let listed = async {
        let principal = auth::principal(&request, &services.keys)?;
        let tags = services.studio.images.tags(principal.app_id()).await?;
        let items = tags
            .into_iter()
            .map(|(name, count)| json!({"name": name, "count": count}));
        Ok(fresh().json(json!({"items": items.collect::<Vec<_>>()})))
    };
    answer(listed.await, language)
}

/// What may be changed, before it is known whether it makes sense.
#[derive(Deserialize)]
struct Wanted {
    pinned: Option<Value>,
    tags: Option<Value>,
}

fn amendment(body: &[u8], services: &Services, language: Language) -> Result<Amendment, Refusal> {
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| {
        let reason = error.to_string();
        ApiError::from(RequestError::InvalidJson { reason })
    })?;
    let mut faults = Faults::new(language);
    let pinned = wanted.pinned.and_then(|value| {
        let flag = value.as_bool();
        if flag.is_none() {
            faults.add("pinned", "check-flag", []);
        }
        flag
    });
    let tags = wish::tags(wanted.tags, &services.studio.config, &mut faults);
    faults.none(Amendment { pinned, tags })
}

async fn find(services: &Services, request: &HttpRequest, id: &str) -> Result<Image, Refusal> {
    let principal = auth::principal(request, &services.keys)?;
    let found = services.studio.images.get(principal.app_id(), id).await?;
    found.ok_or(ABSENT)
}

/// Browsers that know WebP say so by name; `*/*` is what everybody says.
fn takes_webp(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT);
    let texts = values.filter_map(|value| value.to_str().ok());
    let mut ranges = texts.flat_map(|text| text.split(','));
    ranges.any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_webp = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("image/webp"));
        is_webp && !parts.any(|part| matches!(part, "q=0" | "q=0.0"))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn webp_is_for_who_names_it() {
        let takes = |accept: &'static str| {
            let request = TestRequest::default().insert_header((header::ACCEPT, accept));
            takes_webp(request.to_http_request().headers())
        };
        assert!(takes("image/avif,image/webp,*/*;q=0.8"));
        assert!(takes("IMAGE/WEBP;q=0.5"));
        for accept in [
            "*/*",
            "image/*",
            "image/jpeg",
            "image/webp;q=0, image/png",
            "",
        ] {
            assert!(!takes(accept), "{accept}");
        }
    }
}
