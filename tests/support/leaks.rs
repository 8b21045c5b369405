//! Secrets where they do not belong.

use std::{fs, path::Path};

use memchr::memmem;

/// # Panics
/// If one of the secrets stands in the text.
pub fn in_text(place: &str, text: &[u8], secrets: &[impl AsRef<str>]) {
    for secret in secrets.iter().map(AsRef::as_ref) {
        let found = memmem::find(text, secret.as_bytes());
        assert!(found.is_none(), "{secret} stands in {place}");
    }
}

/// Looks into all files of a gateway's folder, its database and logs among them, except where the secrets are
/// configured.
///
/// # Panics
/// If one of the secrets stands in one of them.
pub fn in_files(folder: &Path, secrets: &[impl AsRef<str>]) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("the folder").path();
        if path.is_dir() {
            in_files(&path, secrets);
        } else if path.file_name().is_some_and(|name| name != "config.toml") {
            let text = fs::read(&path).expect("the file");
            in_text(&path.display().to_string(), &text, secrets);
        }
    }
}
