//! Who calls: the API key of a request.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap},
};
use troupe_actors::accounts::keys::{KeyCheck, Principal};
use troupe_protocol::openai::error::ErrorCode;

use super::error::ApiError;

/// The app behind the request's key: `Authorization: Bearer …`, or `x-api-key`.
///
/// # Errors
/// 401 with `missing_api_key` or `invalid_api_key`.
pub fn principal(request: &HttpRequest, keys: &KeyCheck) -> Result<Arc<Principal>, ApiError> {
    let key = presented_key(request).ok_or_else(|| {
        ApiError::new(
            ErrorCode::MissingApiKey,
            "no API key was sent, put one into the header `Authorization: Bearer <key>`",
        )
    })?;
    keys.check(key).map_err(ApiError::from)
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
