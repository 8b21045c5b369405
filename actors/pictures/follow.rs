//! Links in the answers of upstreams, followed without a credential: what they lead to goes to disk as it comes.

use derive_more::{Display, Error, From};

use super::{
    atelier::Atelier,
    receive::{ReceiveError, save},
};
use crate::{egress::EgressError, media::Spooled, providers::provider::Provider};

/// Why there is no file behind a link.
#[derive(Debug, Display, Error, From)]
pub enum Astray {
    Egress(EgressError),
    #[display("the upstream's link answers with status {_0}")]
    #[from(skip)]
    Status(#[error(not(source))] u16),
    Receive(ReceiveError),
}

impl Atelier {
    /// The file that a link of that provider leads to: at its own hosts as the operator trusts them, elsewhere by
    /// the rules for the links of strangers. It may have `pictures.max_file_bytes`.
    ///
    /// # Errors
    /// [`Astray`].
    pub async fn follow(&self, url: &str, provider: &Provider) -> Result<Spooled, Astray> {
        let guard = self.guard.trusting(provider.trusted());
        let fetched = guard.get(url).await?;
        if !(200..300).contains(&fetched.status) {
            return Err(Astray::Status(fetched.status));
        }
        let limit = self.config.max_file_bytes;
        Ok(save(fetched.body, &self.media, limit).await?)
    }
}
