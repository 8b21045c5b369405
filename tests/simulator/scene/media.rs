//! Images and other media of a request, described so that a test sees what arrived.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::fingerprint;

/// `image/png 68 bytes 8f3a…`, or what is wrong with the base64.
pub(crate) fn base64_medium(media_type: &str, data: &str) -> String {
    match BASE64_STANDARD.decode(data) {
        Ok(bytes) => {
            let print = fingerprint(&bytes);
            format!("{media_type} {} bytes {print}", bytes.len())
        }
        Err(_) => format!("{media_type} invalid base64"),
    }
}

/// A `data:` URL as what it holds, any other by its name.
pub(crate) fn medium_at(url: &str) -> String {
    let data = url.strip_prefix("data:");
    match data.and_then(|data| data.split_once(";base64,")) {
        Some((media_type, data)) => base64_medium(media_type, data),
        None => format!("url {url}"),
    }
}
