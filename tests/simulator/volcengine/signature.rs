//! VolcEngine's signature, checked as its gateway does.

use actix_web::{
    HttpRequest,
    http::header::{AUTHORIZATION, HeaderName},
};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::voice::gateway;
use crate::voice::Problem;

/// How far the clock of who signs may be off.
const SKEW: TimeDelta = TimeDelta::minutes(15);

/// What has to be signed.
const NEEDED: [&str; 3] = ["host", "x-content-sha256", "x-date"];

/// The parts of `HMAC-SHA256 Credential=AK/scope, SignedHeaders=…, Signature=…`.
struct Shown<'a> {
    access_key: &'a str,
    scope: &'a str,
    names: &'a str,
    signature: &'a str,
}

impl<'a> Shown<'a> {
    fn of(request: &'a HttpRequest) -> Option<Self> {
        let rest = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        let mut parts = rest.strip_prefix("HMAC-SHA256 ")?.split(", ");
        let credential = parts.next()?.strip_prefix("Credential=")?;
        let (access_key, scope) = credential.split_once('/')?;
        Some(Self {
            access_key,
            scope,
            names: parts.next()?.strip_prefix("SignedHeaders=")?,
            signature: parts.next()?.strip_prefix("Signature=")?,
        })
    }
}

/// Who signed, whether rightly or not.
pub(super) fn access_key(request: &HttpRequest) -> Option<&str> {
    Shown::of(request).map(|shown| shown.access_key)
}

/// The secret of an access key here.
pub(super) fn secret_of(access_key: &str) -> String {
    format!("secret-of-{access_key}")
}

/// Whether a request is signed, for this service, with the right secret, and now.
pub(super) fn check(request: &HttpRequest, body: &[u8], now: DateTime<Utc>) -> Result<(), Problem> {
    let shown = Shown::of(request).ok_or_else(|| gateway(401, 100_005, "MissingSignature"))?;
    let header = |name: &str| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        request.headers().get(name)?.to_str().ok()
    };
    let names: Vec<_> = shown.names.split(';').collect();
    let date = header("x-date").unwrap_or_default();
    let signed = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ");
    let signed = signed.map_err(|_| gateway(400, 100_004, "MissingRequestInfo"))?;
    if (now.naive_utc() - signed).abs() > SKEW {
        return Err(gateway(400, 100_006, "InvalidTimestamp"));
    }
    let scope = format!(
        "{}/cn-north-1/cv/request",
        date.get(..8).unwrap_or_default()
    );
    let hash = hex(&Sha256::digest(body));
    let told = header("x-content-sha256") == Some(&hash);
    let complete = NEEDED.iter().all(|needed| names.contains(needed));
    let lines: Option<String> = names
        .iter()
        .map(|name| Some(format!("{name}:{}\n", header(name)?)))
        .collect();
    let (true, true, true, Some(lines)) = (scope == shown.scope, told, complete, lines) else {
        return Err(gateway(401, 100_010, "SignatureDoesNotMatch"));
    };
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{}\n{hash}",
        request.method(),
        request.path(),
        sorted(request.query_string()),
        shown.names
    );
    let secret = secret_of(shown.access_key);
    if shown.signature != signature(&secret, date, &scope, &canonical) {
        return Err(gateway(401, 100_010, "SignatureDoesNotMatch"));
    }
    Ok(())
}

fn sorted(query: &str) -> String {
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

pub(super) fn signature(secret: &str, date: &str, scope: &str, canonical: &str) -> String {
    let key = scope
        .split('/')
        .fold(secret.as_bytes().to_vec(), |key, word| mac(&key, word));
    let canonical = hex(&Sha256::digest(canonical));
    hex(&mac(
        &key,
        &format!("HMAC-SHA256\n{date}\n{scope}\n{canonical}"),
    ))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_vector() {
        let body = "911bb357d7015186ebc4a3234c60678ac965dba50777de205616365fa2d81d16";
        let canonical = format!(
            "POST\n/\n{}\ncontent-type:application/json\nhost:visual.volcengineapi.com\n\
             x-content-sha256:{body}\nx-date:20240101T120000Z\n\n\
             content-type;host;x-content-sha256;x-date\n{body}",
            sorted("Version=2022-08-31&Action=CVProcess")
        );
        let signed = signature(
            "U2VjcmV0S2V5RXhhbXBsZTAwMDAwMDAwMDAwMDAwMDE=",
            "20240101T120000Z",
            "20240101/cn-north-1/cv/request",
            &canonical,
        );
        let expected = "a6bd7a2938258d63049da3af3854b932fd42da6ec03bd414944645b762fd0299";
        assert_eq!(signed, expected);
    }
}
