//! Who may administer: `X-Admin-Token`, the same token as `Authorization: Bearer`, or the admin's name and password as HTTP Basic.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    http::{Method, header},
};
use arc_swap::ArcSwapOption;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use troupe_actors::{
    secrets::KeyedHash,
    storage::{Database, queries::settings},
};
use troupe_protocol::openai::error::ErrorCode;

use crate::{
    http::{auth, error::ApiError},
    passwords,
};

/// The setting that holds the admin token, as a keyed hash in hex.
pub const TOKEN_SETTING: &str = "admin.token";

/// Checks admins. What it knows comes from the database, so that a password reset by another process
/// takes effect at once; while the database is away, the last that was read stays in force.
pub struct AdminGate {
    user: String,
    hasher: KeyedHash,
    known: ArcSwapOption<Known>,
    /// The keyed hash of the password that was found right last, and the argon2 hash it is right for.
    proven: ArcSwapOption<([u8; 32], String)>,
    /// One costly check at a time, so that guesses cannot use the machine up.
    checking: Semaphore,
    /// Who checks or waits for it; guesses beyond that are sent away.
    queue: Semaphore,
}

/// How long the database is waited for while what it said before is in memory.
const FRESH_WAIT: Duration = Duration::from_millis(500);
/// How many passwords are checked or wait for it; each takes some tenths of a second.
const MAX_QUEUE: usize = 8;

#[derive(Default, Clone)]
struct Known {
    password: Option<String>,
    token: Option<String>,
}

impl AdminGate {
    pub fn new(user: String, hasher: KeyedHash) -> Self {
        Self {
            user,
            hasher,
            known: ArcSwapOption::empty(),
            proven: ArcSwapOption::empty(),
            checking: Semaphore::new(1),
            queue: Semaphore::new(MAX_QUEUE),
        }
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// 401 where the credential is missing or wrong, 429 where too many passwords wait to be checked, 400 for
    /// a write that a foreign page may have made.
    pub async fn enter(&self, request: &HttpRequest, database: &Database) -> Result<(), ApiError> {
        let known = self.known(database).await;
        if let Some(token) = presented_token(request) {
            let hash = self.hasher.hex_of(token);
            let right = known.token.as_deref().unwrap_or_default().as_bytes();
            return match bool::from(hash.as_bytes().ct_eq(right)) {
                true => Ok(()),
                false => Err(wrong()),
            };
        }
        let (user, password) = basic(request).ok_or_else(wrong)?;
        let same_user = bool::from(user.as_bytes().ct_eq(self.user.as_bytes()));
        if !(same_user && self.password_is_right(&password, &known).await?) {
            return Err(wrong());
        }
        if request.method() == Method::GET || request.headers().contains_key("x-requested-with") {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::InvalidRequest,
            "browsers send passwords along by themselves: add the header `X-Requested-With: troupe`",
        ))
    }

    async fn known(&self, database: &Database) -> Known {
        let read = database.read(|conn| {
            Ok(Known {
                password: settings::get(conn, passwords::ADMIN_SETTING)?,
                token: settings::get(conn, TOKEN_SETTING)?,
            })
        });
        let in_memory = self.known.load_full();
        let answer = match in_memory {
            Some(_) => actix_rt::time::timeout(FRESH_WAIT, read).await,
            None => Ok(read.await),
        };
        let reason = match answer {
            Ok(Ok(known)) => {
                self.known.store(Some(Arc::new(known.clone())));
                return known;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database is slow".to_owned(),
        };
        log::warn!("admin credentials are taken from memory: {reason}");
        in_memory.as_deref().cloned().unwrap_or_default()
    }

    async fn password_is_right(&self, password: &str, known: &Known) -> Result<bool, ApiError> {
        let Some(hash) = known.password.clone() else {
            return Ok(false);
        };
        let keyed = self.hasher.of(password);
        let proven = self.proven.load();
        if let Some((right, of)) = proven.as_deref()
            && *of == hash
            && bool::from(keyed.ct_eq(right))
        {
            return Ok(true);
        }
        let Ok(_place) = self.queue.try_acquire() else {
            return Err(ApiError::new(
                ErrorCode::TooManyPasswords,
                "too many passwords are being checked: try again in some seconds, or use `X-Admin-Token`",
            ));
        };
        // the semaphore is never closed
        let Ok(_turn) = self.checking.acquire().await else {
            return Ok(false);
        };
        let (password, against) = (password.to_owned(), hash.clone());
        let check = actix_rt::task::spawn_blocking(move || passwords::verify(&password, &against));
        let right = check.await.unwrap_or(false);
        if right {
            self.proven.store(Some(Arc::new((keyed, hash))));
        }
        Ok(right)
    }
}

fn wrong() -> ApiError {
    ApiError::new(
        ErrorCode::InvalidApiKey,
        "admin credentials are needed: `X-Admin-Token`, or the admin's name and password; \
         `troupe admin reset-password` sets a new one",
    )
}

/// The token, which no browser sends along by itself.
fn presented_token(request: &HttpRequest) -> Option<&str> {
    let headers = request.headers();
    match headers.get("x-admin-token") {
        // what is no text is no right one either
        Some(token) => Some(token.to_str().unwrap_or_default()),
        None => auth::bearer(headers),
    }
}

fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let encoded = value.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use futures_util::FutureExt as _;

    use super::*;

    #[actix_rt::test]
    async fn only_so_many_passwords_wait_to_be_checked() {
        let gate = AdminGate::new("admin".to_owned(), KeyedHash::new(&[1; 32], "admins"));
        let known = Known {
            password: Some("no hash".to_owned()),
            token: None,
        };
        let turn = gate.checking.acquire().await.unwrap();
        let mut waiting: Vec<_> = (0..MAX_QUEUE)
            .map(|_| Box::pin(gate.password_is_right("guess", &known)))
            .collect();
        for guess in &mut waiting {
            assert!(guess.now_or_never().is_none());
        }
        let refused = gate.password_is_right("guess", &known).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::TooManyPasswords);
        drop(turn);
        for guess in waiting {
            assert!(!guess.await.unwrap());
        }
        assert!(!gate.password_is_right("guess", &known).await.unwrap());
    }

    #[test]
    fn reads_the_token_of_both_headers() {
        let with = |name: &'static str, value: &'static str| {
            let request = TestRequest::default().insert_header((name, value));
            presented_token(&request.to_http_request()).map(str::to_owned)
        };
        assert_eq!(with("x-admin-token", "t"), Some("t".to_owned()));
        assert_eq!(with("authorization", "Bearer t"), Some("t".to_owned()));
        assert_eq!(with("authorization", "Basic YTpi"), None);
    }

    #[test]
    fn reads_basic_credentials() {
        let request = TestRequest::default()
            .insert_header(("authorization", "Basic YWRtaW46YTpi"))
            .to_http_request();
        assert_eq!(basic(&request), Some(("admin".into(), "a:b".into())));
    }
}
