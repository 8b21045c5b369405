//! The configuration: what can be set, where it comes from, and what is wrong with it.
//!
//! [`load`] reads the file, the environment and the command line as one tree in which every value knows
//! where it was written ([`tree`]), decodes it into [`Config`], and reports all problems at once
//! ([`problems`]). Nothing here touches the process: the caller hands in texts and pairs.

mod decode;
mod environment;
mod key_value;
mod keys;
mod load;
mod parse;
mod problems;
mod providers;
mod sections;
mod tree;
mod validate;

pub use load::{Loaded, Sources, load};
pub use problems::{Problem, Severity};
pub use sections::{AuthConfig, LogConfig, LogFormat, LogLevel, ServerConfig, StudioConfig};
pub use tree::Place;

use serde::{Deserialize, Serialize};
use troupe_actors::{
    accounts::config::{CallsConfig, KeysConfig, LimitsConfig},
    answers::AnswersConfig,
    catalog::config::RouteConfig,
    credentials::config::PoolConfig,
    egress::EgressConfig,
    jobs::{JobsConfig, housekeeping::HousekeepingConfig, webhooks::WebhooksConfig},
    media::config::MediaConfig,
    pictures::PicturesConfig,
    providers::config::{ProviderConfig, Timeouts},
    responses::config::ResponsesConfig,
    storage::config::StorageConfig,
    supervision::config::SupervisionConfig,
    tokens::config::TokensConfig,
};

/// Everything that can be set. Each section is owned by the part that it configures.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub storage: StorageConfig,
    pub media: MediaConfig,
    pub auth: AuthConfig,
    pub log: LogConfig,
    pub supervision: SupervisionConfig,
    pub timeouts: Timeouts,
    pub pool: PoolConfig,
    pub keys: KeysConfig,
    pub calls: CallsConfig,
    pub limits: LimitsConfig,
    pub egress: EgressConfig,
    pub pictures: PicturesConfig,
    pub jobs: JobsConfig,
    pub housekeeping: HousekeepingConfig,
    pub studio: StudioConfig,
    pub webhooks: WebhooksConfig,
    pub tokens: TokensConfig,
    pub responses: ResponsesConfig,
    pub answers: AnswersConfig,
    /// Each has its own time-outs and pool settings where it names some; what it leaves out there is
    /// already filled in from `timeouts` and `pool`.
    #[serde(rename = "provider", skip_serializing)]
    pub providers: Vec<ProviderConfig>,
    /// Names that lead to the models of providers.
    #[serde(rename = "route", skip_serializing)]
    pub routes: Vec<RouteConfig>,
}

#[cfg(test)]
mod file_tests;
