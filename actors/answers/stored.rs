//! An answer as a row of the table.

use bytes::Bytes;
use derive_more::{Display, Error};

use super::{
    fingerprint::Fingerprint,
    recording::{Head, Recording},
    table::KeyScope,
};
use crate::{accounts::calls::Outcome, storage::queries::answers::AnswerRow};

/// A row that cannot be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("the stored answer is damaged")]
pub(super) struct Damaged;

/// The row of what `recording` holds together with the `last` piece; without a body where that is too large.
/// Times are milliseconds since 1970. None where the recording has no head.
pub(super) fn row(
    (scope, fingerprint): (&KeyScope, Fingerprint),
    recording: &Recording,
    last: Option<&Bytes>,
    (created_at, expires_at): (i64, i64),
) -> Option<AnswerRow> {
    let head = recording.head()?;
    let body = recording.so_far(last.map_or(0, Bytes::len)).map(|pieces| {
        let all = pieces.iter().chain(last);
        all.flat_map(|piece| piece.iter().copied()).collect()
    });
    // texts and their pairs always have a JSON form
    let headers = serde_json::to_string(&head.headers).ok()?;
    Some(AnswerRow {
        app_id: scope.app.to_string(),
        key: scope.key.to_string(),
        route: scope.route.to_string(),
        fingerprint: fingerprint.0.to_vec(),
        status: i32::from(head.status),
        headers,
        body,
        created_at,
        expires_at,
    })
}

/// Head, body and outcome of a stored answer; no body where it was too large to keep.
pub(super) fn answer(row: AnswerRow) -> Result<Option<(Head, Bytes, Outcome)>, Damaged> {
    let Some(body) = row.body else {
        return Ok(None);
    };
    let status = u16::try_from(row.status).map_err(|_| Damaged)?;
    let head = Head {
        status,
        headers: serde_json::from_str(&row.headers).map_err(|_| Damaged)?,
        length: Some(body.len() as u64),
    };
    // what is stored was the one or the other
    let outcome = match status {
        ..400 => Outcome::Ok,
        400.. => Outcome::ClientError,
    };
    Ok(Some((head, body.into(), outcome)))
}
