//! VolcEngine's signature: HMAC-SHA256 over a canonical form of the request, as its own SDKs make it
//! (volc-openapi-demos, volc-sdk-python).
//!
//! What is signed must be what is sent: the host of the URL, the content type to the letter, the whole body.

use std::{
    fmt::{self, Write as _},
    time::SystemTime,
};

use chrono::{DateTime, Utc};
use derive_more::{Display, Error};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "HMAC-SHA256";

/// A request on the point of being sent.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    /// `POST`
    pub method: &'a str,
    /// Whole, with its query.
    pub url: &'a str,
    /// Of the body, exactly as it goes along.
    pub content_type: &'a str,
    /// See [`hash`]; of no bytes where there is no body.
    pub body_sha256: [u8; 32],
    /// `cn-north-1`
    pub region: &'a str,
    /// `cv`
    pub service: &'a str,
}

/// Who signs. Shown nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    access_key: &'a str,
    /// As it is given: though it looks like base64, it is not decoded.
    secret_key: &'a str,
    session_token: Option<&'a str>,
}

/// A text is no credential of VolcEngine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display(
    "a VolcEngine token is `access key id|secret access key`, with `|session token` where it is a temporary one"
)]
pub struct NotACredential;

impl<'a> Credential<'a> {
    /// Reads `AK|SK` or `AK|SK|session token`.
    ///
    /// # Errors
    /// It has no two or three parts, or an empty one.
    pub fn parse(text: &'a str) -> Result<Self, NotACredential> {
        let parts: Vec<_> = text.split('|').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(NotACredential);
        }
        let (access_key, secret_key, session_token) = match parts[..] {
            [access_key, secret_key] => (access_key, secret_key, None),
            [access_key, secret_key, token] => (access_key, secret_key, Some(token)),
            _ => return Err(NotACredential),
        };
        Ok(Self {
            access_key,
            secret_key,
            session_token,
        })
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// The SHA-256 of a body, or of its pieces in their order.
pub fn hash<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut sha = Sha256::new();
    for piece in pieces {
        sha.update(piece);
    }
    sha.finalize().into()
}

/// The headers that a request needs besides its content type and host: `x-content-sha256`, `x-date`,
/// `x-security-token` of a temporary credential, and `authorization`.
#[must_use]
pub fn sign(
    request: &ToSign<'_>,
    credential: &Credential<'_>,
    now: SystemTime,
) -> Vec<(&'static str, String)> {
    let date = DateTime::<Utc>::from(now)
        .format("%Y%m%dT%H%M%SZ")
        .to_string();
    let scope = [&date[..8], request.region, request.service, "request"];
    let mut headers = signed_headers(request, credential, &date);
    let names = names(&headers);
    let canonical = hex(&hash([canonical(request, &headers).as_bytes()]));
    let key = signing_key(credential.secret_key, &scope);
    let scope = scope.join("/");
    let signature = hex(&mac(
        &key,
        &format!("{ALGORITHM}\n{date}\n{scope}\n{canonical}"),
    ));
    let access_key = credential.access_key;
    headers.retain(|(name, _)| name.starts_with("x-"));
    headers.push((
        "authorization",
        format!(
            "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        ),
    ));
    headers
}

/// In the order of their names.
fn signed_headers(
    request: &ToSign<'_>,
    credential: &Credential<'_>,
    date: &str,
) -> Vec<(&'static str, String)> {
    let (host, _, _) = parts(request.url);
    let mut headers = vec![
        ("content-type", request.content_type.to_owned()),
        ("host", host.to_owned()),
        ("x-content-sha256", hex(&request.body_sha256)),
        ("x-date", date.to_owned()),
    ];
    if let Some(token) = credential.session_token {
        headers.push(("x-security-token", token.to_owned()));
    }
    headers
}

fn names(headers: &[(&str, String)]) -> String {
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    names.join(";")
}

fn canonical(request: &ToSign<'_>, headers: &[(&str, String)]) -> String {
    let (_, path, query) = parts(request.url);
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    [
        request.method,
        path,
        &canonical_query(query),
        &lines,
        &names(headers),
        &hex(&request.body_sha256),
    ]
    .join("\n")
}

/// Host, path and query of a URL; the host without a port that the scheme implies, as clients send it.
fn parts(url: &str) -> (&str, &str, &str) {
    let (rest, port) = match url.split_once("://") {
        Some(("https", rest)) => (rest, ":443"),
        Some((_, rest)) => (rest, ":80"),
        None => (url, ":443"),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.strip_suffix(port).unwrap_or(host);
    (host, if path.is_empty() { "/" } else { path }, query)
}

/// Sorted, and everything but unreserved characters percent-encoded.
fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// RFC 3986.
fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

/// What the receiver reads: `%20` and `+` are spaces; a percent sign with no number is itself.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        let code = code.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, after) = match (first, code) {
            (b'%', Some(code)) => (code, &after[2..]),
            (b'+', _) => (b' ', after),
            (byte, _) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

/// The key of a day, a region and a service: the secret, hashed with each word of the scope in turn.
fn signing_key(secret: &str, scope: &[&str]) -> Vec<u8> {
    let secret = secret.as_bytes().to_vec();
    scope.iter().fold(secret, |key, word| mac(&key, word))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // writing to a string never fails
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
