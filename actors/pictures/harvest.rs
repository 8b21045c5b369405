//! From what an upstream made to the store: the file is fetched, wherever it is, and kept.

use troupe_protocol::{
    failure::FailureKind,
    pictures::{Auth, Failure, Made, Source},
};

use super::{
    atelier::{Atelier, Part, Picture},
    carry::{CarriedBody, Carrier, with_credential},
};
use crate::{
    media::{MediaError, Spooled},
    providers::exchange::ExchangeError,
};

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
        let file = match self.file(&made.source, carrier, files).await {
            Ok(file) => file,
            Err(failure) => return Ok(Err(failure)),
        };
        let kept = match self.media.keep(file, part.commission.owner.clone()).await {
            Ok(kept) => kept,
            Err(error) if error.is_ours() => {
                return Err(ExchangeError::NotStored {
                    full: matches!(error, MediaError::Full),
                    message: error.to_string(),
                });
            }
            Err(error) => return Ok(Err(unfetched(error))),
        };
        Ok(Ok(Picture {
            kept,
            revised_prompt: made.revised_prompt,
            seed: part.order.seed,
        }))
    }

    /// The file that was made, on disk.
    async fn file(
        &self,
        source: &Source,
        carrier: &Carrier<'_>,
        files: &[Spooled],
    ) -> Result<Spooled, Failure> {
        match source {
            Source::Part(at) => files
                .get(*at)
                .cloned()
                .ok_or_else(|| Failure::malformed("picture")),
            Source::Base64(text) => self.decoded(text).await,
            Source::Link { url, credential } if *credential && carrier.provider.draws_at(url) => {
                self.fetched_with_credential(url, carrier).await
            }
            Source::Link { url, .. } => {
                let file = self.follow(url, carrier.provider).await;
                file.map_err(unfetched)
            }
        }
    }

    async fn decoded(&self, text: &str) -> Result<Spooled, Failure> {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let bytes = BASE64_STANDARD.decode(text);
        let bytes = bytes.map_err(|_| Failure::malformed("picture in valid base64"))?;
        let spooled = async {
            let mut spool = self.media.spool(self.config.max_file_bytes).await?;
            spool.write(bytes.into()).await?;
            spool.finish().await
        };
        spooled.await.map_err(unfetched)
    }

    async fn fetched_with_credential(
        &self,
        url: &str,
        carrier: &Carrier<'_>,
    ) -> Result<Spooled, Failure> {
        let studio = carrier.provider.studio.as_ref();
        let auth = studio.map_or(Auth::Bearer, |studio| studio.service.link_auth());
        let carried = carrier.carry(&with_credential(url).auth(auth)).await;
        let carried = carried
            .map_err(|fault| Failure::new(fault.kind, &fault.message.unwrap_or_default()))?;
        match carried.body {
            CarriedBody::Whole(mut received) if (200..300).contains(&carried.status) => received
                .files
                .pop()
                .ok_or_else(|| Failure::malformed("file behind its link")),
            _ => Err(unfetched("the upstream's link does not open")),
        }
    }
}

/// The upstream made something that could not be had.
fn unfetched(why: impl ToString) -> Failure {
    Failure::new(FailureKind::Upstream, &why.to_string())
}
