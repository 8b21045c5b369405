//! `storage.database_url`: which database, and how to speak of it without its password.

use std::{fmt, path::PathBuf};

use crate::secrets::Secret;

use super::StorageError;

/// The forms that [`DatabaseUrl::parse`] accepts, for error texts.
const FORMS: &str = "use sqlite://data/troupe.db (relative), sqlite:///var/lib/troupe.db (absolute) \
                     or postgres://user:password@host:5432/name";

/// A checked database URL. `Display` and `Debug` show neither user nor password.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file, relative paths seen from the working directory.
    Sqlite(PathBuf),
    /// A libpq connection URI. The binary speaks no TLS to PostgreSQL: use a local or tunnelled server.
    Postgres(Secret),
}

impl DatabaseUrl {
    /// Reads `url`. Touches neither disk nor network.
    ///
    /// # Errors
    /// [`StorageError::Url`], which names the allowed forms and repeats no part of the URL but its scheme.
    pub fn parse(url: &str) -> Result<Self, StorageError> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        match scheme {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => postgres(url, rest),
            "" => Err(StorageError::Url(format!(
                "storage.database_url has no scheme: {FORMS}"
            ))),
            other => Err(StorageError::Url(format!(
                "storage.database_url has the unknown scheme `{other}`: {FORMS}"
            ))),
        }
    }
}

fn sqlite(path: &str) -> Result<DatabaseUrl, StorageError> {
    if path.is_empty() || path.ends_with('/') {
        return Err(StorageError::Url(format!(
            "storage.database_url names no file: {FORMS}"
        )));
    }
    if path.contains('?') || path.starts_with(':') {
        return Err(StorageError::Url(format!(
            "storage.database_url takes no options for sqlite and needs a real file: {FORMS}"
        )));
    }
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
}

/// libpq repeats pieces of a malformed URI in its errors, so what could be a password must be well-formed here.
fn postgres(url: &str, rest: &str) -> Result<DatabaseUrl, StorageError> {
    let (location, _options) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = location.split_once('/').unwrap_or((location, ""));
    let at_signs = authority.matches('@').count();
    let percent_encoded = rest.split('%').skip(1).all(|piece| {
        let digits = piece.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if at_signs > 1 || path.contains('@') || !percent_encoded {
        return Err(StorageError::Url(
            "special characters in the user or password of storage.database_url must be percent-encoded, \
             for example @ as %40 and / as %2F"
                .to_owned(),
        ));
    }
    Ok(DatabaseUrl::Postgres(Secret::from(url.to_owned())))
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
                let location = rest.split_once('?').map_or(rest, |(location, _)| location);
                let place = location
                    .rsplit_once('@')
                    .map_or(location, |(_, place)| place);
                write!(f, "postgres://{place}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        match DatabaseUrl::parse(url) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn relative_and_absolute_files() {
        assert_eq!(shown("sqlite://data/x.db"), "sqlite://data/x.db");
        assert!(matches!(
            DatabaseUrl::parse("sqlite:///abs/x.db"),
            Ok(DatabaseUrl::Sqlite(path)) if *path == *"/abs/x.db"
        ));
    }

    #[test]
    fn wrong_urls_name_the_forms_that_work() {
        for url in [
            "",
            "x.db",
            "sqlite://",
            "sqlite://data/",
            "sqlite://:memory:",
            "mysql://h/x",
        ] {
            let text = shown(url);
            assert!(
                text.contains("sqlite://data/troupe.db") && text.contains("postgres://"),
                "{text}"
            );
        }
        assert!(shown("mysql://h/x").contains("`mysql`"));
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(
            shown("postgres://joe:secret@db:5432/x?password=secret"),
            "postgres://db:5432/x"
        );
        assert_eq!(
            shown("postgresql:///x?host=/run&password=secret"),
            "postgres:///x"
        );
        for url in [
            "postgres://joe:sec@ret@db/x",
            "postgres://joe:sec/ret@db/x",
            "postgres://joe:ret%zz@db/x",
        ] {
            let text = shown(url);
            assert!(
                text.contains("percent-encoded") && !text.contains("ret"),
                "{text}"
            );
        }
    }
}
