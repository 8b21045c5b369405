//! From what an upstream made to the store: the file is fetched, wherever it is, and kept.

use std::time::Duration;

use actix_rt::time::sleep;
use troupe_protocol::{
    failure::FailureKind,
    pictures::{Auth, Failure, Made, Source},
};

use super::{
    atelier::{Atelier, Part},
    carry::{CarriedBody, Carrier, with_credential},
    commission::Picture,
    follow::Astray,
    receive::ReceiveError,
    run::carry,
};
use crate::{
    egress::EgressError,
    media::{MediaError, Spooled},
    providers::{body::BodyFault, exchange::ExchangeError},
};

/// Why what was made is not here.
pub(super) enum Missing {
    /// It cannot be had, or is not what it should be.
    Lost(Failure),
    /// The same at the moment.
    Away(Failure),
    /// It is our store that does not take it.
    NotStored(ExchangeError),
}

/// The wait before a file is fetched again; doubles.
const AGAIN: Duration = Duration::from_secs(1);

impl Atelier {
    /// Stores what was made. It may be that it cannot be had, or is no picture.
    ///
    /// # Errors
    /// It is our store that does not take it.
    pub(super) async fn store(
        &self,
        made: Made,
        part: &Part<'_>,
        carrier: &Carrier<'_>,
        files: &[Spooled],
    ) -> Result<Result<Picture, Failure>, ExchangeError> {
        let kept = match self.file(&made.source, carrier, files).await {
            Ok(file) => {
                let kept = self.media.keep(file, part.commission.owner.clone()).await;
                kept.map_err(Missing::from)
            }
            Err(missing) => Err(missing),
        };
        match kept {
            Ok(kept) => Ok(Ok(Picture {
                kept,
                revised_prompt: made.revised_prompt,
                seed: part.order.seed,
            })),
            Err(Missing::Lost(failure) | Missing::Away(failure)) => Ok(Err(failure)),
            Err(Missing::NotStored(error)) => Err(error),
        }
    }

    /// The file that was made, on disk.
    async fn file(
        &self,
        source: &Source,
        carrier: &Carrier<'_>,
        files: &[Spooled],
    ) -> Result<Spooled, Missing> {
        match source {
            Source::Part(at) => files
                .get(*at)
                .cloned()
                .ok_or_else(|| Missing::Lost(Failure::malformed("picture"))),
            Source::Base64(text) => self.decoded(text).await,
            Source::Link { url, credential } if *credential && carrier.provider.draws_at(url) => {
                self.fetched_with_credential(url, carrier).await
            }
            Source::Link { url, .. } => self.fetched(url, carrier).await,
        }
    }

    async fn decoded(&self, text: &str) -> Result<Spooled, Missing> {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let bytes = BASE64_STANDARD.decode(text);
        let malformed = || Missing::Lost(Failure::malformed("picture in valid base64"));
        let bytes = bytes.map_err(|_| malformed())?;
        let mut spool = self.media.spool(self.config.max_file_bytes).await?;
        spool.write(bytes.into()).await?;
        Ok(spool.finish().await?)
    }

    async fn fetched_with_credential(
        &self,
        url: &str,
        carrier: &Carrier<'_>,
    ) -> Result<Spooled, Missing> {
        let studio = carrier.provider.studio.as_ref();
        let auth = studio.map_or(Auth::Bearer, |studio| studio.service.link_auth());
        let carried = carry(carrier, &with_credential(url).auth(auth)).await;
        let carried = carried.map_err(|fault| match fault.not_stored {
            Some(error) => Missing::NotStored(*error),
            None => lost(fault.message.unwrap_or_else(|| fault.kind.to_string())),
        })?;
        match carried.body {
            CarriedBody::Whole(mut received) if (200..300).contains(&carried.status) => {
                let file = received.files.pop();
                file.ok_or_else(|| Missing::Lost(Failure::malformed("file behind its link")))
            }
            _ => Err(lost(answers_with(carried.status))),
        }
    }

    /// Follows a link of an upstream, again after what passes: the picture is paid for.
    async fn fetched(&self, url: &str, carrier: &Carrier<'_>) -> Result<Spooled, Missing> {
        let mut wait = AGAIN;
        for _ in 0..carrier.config.poll_failures {
            match self.fetched_once(url, carrier).await {
                Err(Missing::Away(_)) if wait < carrier.left() => sleep(wait).await,
                fetched => return fetched,
            }
            wait *= 2;
        }
        self.fetched_once(url, carrier).await
    }

    async fn fetched_once(&self, url: &str, carrier: &Carrier<'_>) -> Result<Spooled, Missing> {
        Ok(self.follow(url, carrier.provider).await?)
    }
}

impl From<MediaError> for Missing {
    fn from(error: MediaError) -> Self {
        match ExchangeError::not_stored(&error) {
            Some(error) => Self::NotStored(error),
            None => lost(error),
        }
    }
}

impl From<Astray> for Missing {
    fn from(astray: Astray) -> Self {
        match astray {
            Astray::Egress(error) => error.into(),
            Astray::Status(408 | 429 | 500..600) => away(astray),
            Astray::Status(_) => lost(astray),
            Astray::Receive(error) => error.into(),
        }
    }
}

impl From<EgressError> for Missing {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Unreachable { .. } | EgressError::Timeout { .. } => away(error),
            error => lost(error),
        }
    }
}

impl From<ReceiveError> for Missing {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Media(error) => error.into(),
            ReceiveError::Body(fault @ (BodyFault::Idle | BodyFault::Total | BodyFault::Cut)) => {
                away(fault)
            }
            error => lost(error),
        }
    }
}

fn answers_with(status: u16) -> String {
    format!("its link answers with status {status}")
}

fn lost(why: impl ToString) -> Missing {
    Missing::Lost(unfetched(why))
}

fn away(why: impl ToString) -> Missing {
    Missing::Away(unfetched(why))
}

/// The upstream made something that could not be had.
fn unfetched(why: impl ToString) -> Failure {
    let why = why.to_string();
    let message = format!("the upstream has made it, but it could not be had: {why}");
    Failure::new(FailureKind::Upstream, &message)
}
