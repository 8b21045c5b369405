//! `DELETE /api/v1/storage/cleanup`: an admin removes stored files by when they were made.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use troupe_protocol::openai::error::ErrorCode;

use super::error::{admin_only, unrecorded};
use crate::http::{admin::json, error::ApiError, services::OnWorker};

/// From when to when, both within.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    start_date: Option<String>,
    end_date: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cleaned {
    status: &'static str,
    deleted_count: u64,
}

/// `?startDate&endDate`, ISO 8601.
pub async fn cleanup(
    worker: OnWorker,
    request: HttpRequest,
    query: web::Query<Query>,
) -> HttpResponse {
    if let Err(refusal) = admin_only(&worker, &request).await {
        return refusal;
    }
    let (from, to) = match query.times() {
        Ok(times) => times,
        Err(error) => return unrecorded(&error),
    };
    match worker.0.services.media.remove_between(from, to).await {
        Ok(deleted_count) => json(&Cleaned {
            status: "success",
            deleted_count,
        }),
        Err(error) => unrecorded(&error.into()),
    }
}

impl Query {
    /// Milliseconds since 1970 from which, and before which.
    fn times(&self) -> Result<(i64, i64), ApiError> {
        let from = instant("startDate", self.start_date.as_deref())?;
        let to = instant("endDate", self.end_date.as_deref())?;
        if to < from {
            let message = "endDate is before startDate";
            return Err(ApiError::param(
                ErrorCode::InvalidRequest,
                "endDate",
                message,
            ));
        }
        Ok((from.timestamp_millis(), to.timestamp_millis() + 1))
    }
}

/// A date with time and zone, or a day, which means its midnight in UTC as in JavaScript.
fn instant(param: &str, text: Option<&str>) -> Result<DateTime<Utc>, ApiError> {
    let text = text.unwrap_or_default();
    let read = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let day = || {
        Some(
            text.parse::<NaiveDate>()
                .ok()?
                .and_time(NaiveTime::MIN)
                .and_utc(),
        )
    };
    read.ok().or_else(day).ok_or_else(|| {
        let message = format!("{param} is needed, as ISO 8601, such as 2026-01-31T00:00:00Z");
        ApiError::param(ErrorCode::InvalidRequest, param, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(from: &str, to: &str) -> Result<(i64, i64), ApiError> {
        let query = Query {
            start_date: Some(from.to_owned()),
            end_date: Some(to.to_owned()),
        };
        query.times()
    }

    #[test]
    fn dates_are_iso_and_in_order() {
        let day = 86_400_000;
        assert_eq!(
            times("1970-01-01T00:00:00Z", "1970-01-02T00:00:00.000Z"),
            Ok((0, day + 1))
        );
        assert_eq!(
            times("1970-01-01T02:00:00+02:00", "1970-01-02"),
            Ok((0, day + 1))
        );
        for (from, to, param) in [
            ("", "1970-01-02", "startDate"),
            ("1970-01-02", "soon", "endDate"),
            ("1970-13-01", "1970-01-02", "startDate"),
            ("1970-01-02", "1970-01-01", "endDate"),
        ] {
            let error = times(from, to).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{error}");
            assert_eq!(error.status, 400);
        }
    }
}
