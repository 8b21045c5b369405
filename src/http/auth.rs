//! Who calls: the API key of a request, or the session of the studio that stands for one.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap},
    web,
};
use troupe_actors::accounts::keys::{KeyCheck, KeyError, Principal};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    error::ApiError,
    session::{Presented, Sessions},
};

/// The app behind the request's key: `Authorization: Bearer …`, or `x-api-key`; else behind its session, on the
/// routes that the studio uses.
///
/// # Errors
/// 401 with `missing_api_key` or `invalid_api_key`, 403 with `cross_site`.
pub fn principal(request: &HttpRequest, keys: &KeyCheck) -> Result<Arc<Principal>, ApiError> {
    if let Some(key) = presented_key(request) {
        return keys.check(key).map_err(ApiError::from);
    }
    by_session(request, keys).unwrap_or_else(|| {
        Err(ApiError::new(
            ErrorCode::MissingApiKey,
            "no API key was sent, put one into the header `Authorization: Bearer <key>`",
        ))
    })
}

/// The app of the session that came along; none where there is no session, or not for this route.
fn by_session(request: &HttpRequest, keys: &KeyCheck) -> Option<Result<Arc<Principal>, ApiError>> {
    let path = request.path();
    let takes_sessions =
        path.starts_with("/api/v1/") || path == "/studio" || path.starts_with("/studio/");
    if !takes_sessions {
        return None;
    }
    let sessions = request.app_data::<web::Data<Sessions>>()?;
    match sessions.presented(request.headers()) {
        Presented::Nothing => None,
        Presented::Void => Some(Err(ended())),
        Presented::For(_) if !sessions.admits(request) => Some(Err(ApiError::new(
            ErrorCode::CrossSite,
            "the request came with the studio's cookie, but not from a page of this gateway",
        ))),
        Presented::For(key_id) => Some(keys.holder(&key_id).map_err(|error| match error {
            KeyError::Unknown => ended(),
            KeyError::NotReady => error.into(),
        })),
    }
}

fn ended() -> ApiError {
    let message = "the session has ended or its API key was revoked, sign in again at /studio";
    ApiError::new(ErrorCode::InvalidApiKey, message)
}

/// What stands in `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn presented_key(request: &HttpRequest) -> Option<&str> {
    let headers = request.headers();
    bearer(headers)
        .or_else(|| headers.get("x-api-key")?.to_str().ok())
        .filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn reads_both_headers() {
        let with = |name: &'static str, value: &'static str| {
            let request = TestRequest::default().insert_header((name, value));
            presented_key(&request.to_http_request()).map(str::to_owned)
        };
        assert_eq!(with("authorization", "Bearer k1"), Some("k1".to_owned()));
        assert_eq!(with("authorization", "bearer  k1 "), Some("k1".to_owned()));
        assert_eq!(with("x-api-key", "k2"), Some("k2".to_owned()));
        assert_eq!(with("authorization", "Basic abc"), None);
        assert_eq!(with("authorization", "Bearer "), None);
    }
}
