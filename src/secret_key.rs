//! The installation's own key: 32 random bytes under which API keys and tokens are hashed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, alphabet, engine};
use derive_more::{Display, Error};

/// The variable that takes the place of the file.
pub const VARIABLE: &str = "TROUPE_SECRET_KEY";

/// The domain of the keyed hash under which API keys are stored.
pub const API_KEYS: &str = "api-key";
/// The domain under which upstream tokens are named in the database.
pub const TOKENS: &str = "token";
/// The domain under which links to stored files are signed.
pub const LINKS: &str = "link";
/// The domain under which the secrets of webhooks are sealed.
pub const WEBHOOKS: &str = "webhook";
/// The domain under which the studio's sessions are signed.
pub const SESSIONS: &str = "session";
/// The domain of the admin's credentials.
pub const ADMINS: &str = "admin";

/// Why there is no key. Each says what to do; none holds any of the key.
#[derive(Debug, Display, Error)]
pub enum SecretKeyError {
    #[display(
        "{VARIABLE} is no key: give 64 hex digits, or base64 of 32 bytes (openssl rand -hex 32)"
    )]
    BadVariable,
    #[display("{} holds no key: restore it from a backup, or set {VARIABLE}", path.display())]
    BadFile { path: PathBuf },
    #[display("cannot read or make the secret key file {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[display("the system gives no random bytes: {_0}")]
    NoRandom(#[error(not(source))] getrandom::Error),
}

/// The key of `variable` (the value of [`VARIABLE`], where set), else of the file at `path`. A file that is
/// absent is made, readable by its owner alone; of several processes that start at once one makes it.
///
/// # Errors
/// When the variable or the file holds no key, or the file can neither be read nor made.
pub fn load_or_make(variable: Option<&str>, path: &Path) -> Result<[u8; 32], SecretKeyError> {
    match load(variable, path)? {
        Some(key) => Ok(key),
        None => make(path),
    }
}

/// As [`load_or_make`], but makes nothing: `None` where there is no key yet.
///
/// # Errors
/// When the variable or the file holds no key, or the file cannot be read.
pub fn load(variable: Option<&str>, path: &Path) -> Result<Option<[u8; 32]>, SecretKeyError> {
    if let Some(text) = variable.filter(|text| !text.trim().is_empty()) {
        return parse(text).map(Some).ok_or(SecretKeyError::BadVariable);
    }
    match fs::read_to_string(path) {
        Ok(text) => parse(&text)
            .map(Some)
            .ok_or_else(|| SecretKeyError::BadFile {
                path: path.to_owned(),
            }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SecretKeyError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads 64 hex digits, or base64 (either alphabet, padded or not) of 32 bytes.
fn parse(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() == 64 {
        let mut key = [0; 32];
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        return Some(key);
    }
    let text = text.replace('-', "+").replace('_', "/");
    let lenient = engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent);
    let bytes = engine::GeneralPurpose::new(&alphabet::STANDARD, lenient)
        .decode(text)
        .ok()?;
    bytes.try_into().ok()
}

fn make(path: &Path) -> Result<[u8; 32], SecretKeyError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(SecretKeyError::NoRandom)?;
    let failed = |source| SecretKeyError::File {
        path: path.to_owned(),
        source,
    };
    if place(&key, path).map_err(failed)? {
        return Ok(key);
    }
    // somebody else was first
    load(None, path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

/// Writes the file under a name of its own and links it to `path`, so that nobody ever reads half a key.
/// Says whether it was ours that got there.
fn place(key: &[u8; 32], path: &Path) -> io::Result<bool> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // what else lies there (records, pictures) is nobody else's affair either
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    let written = write_hex(&mut file, key).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match written {
        Ok(()) => File::open(folder)?.sync_all().map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_hex(file: &mut File, key: &[u8; 32]) -> io::Result<()> {
    for byte in key {
        write!(file, "{byte:02x}")?;
    }
    writeln!(file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/secret.key");
        assert!(load(None, &path).unwrap().is_none());
        let first = load_or_make(None, &path).unwrap();
        assert_eq!(load_or_make(None, &path).unwrap(), first);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_is_there_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert!(place(&[1; 32], &path).unwrap());
        assert!(!place(&[2; 32], &path).unwrap());
        assert_eq!(make(&path).unwrap(), [1; 32]);
    }

    #[test]
    fn the_variable_takes_hex_and_both_kinds_of_base64() {
        let nowhere = Path::new("/nonexistent/secret.key");
        for text in [
            "fb".repeat(32).as_str(),
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=",
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",
        ] {
            let key = load(Some(text), nowhere).unwrap().unwrap();
            assert_eq!(key[31], 0xfb, "{text}");
        }
        assert!(load(Some(" "), nowhere).unwrap().is_none());
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "hunter2").unwrap();
        let of_file = load_or_make(None, &path).unwrap_err().to_string();
        let of_variable = load_or_make(Some("hunter2"), &path)
            .unwrap_err()
            .to_string();
        assert!(of_file.contains("secret.key") && !of_file.contains("hunter2"));
        assert!(of_variable.contains(VARIABLE) && !of_variable.contains("hunter2"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "hunter2");
    }
}
