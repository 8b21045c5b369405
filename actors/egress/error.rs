//! What is told when a link is not opened, or brings nothing.

use derive_more::{Display, Error};

/// Why a link was not fetched. The texts are for the client: they name the host that it gave, never an
/// address that the name led to, and do not tell a name that is unknown from one that is private.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum EgressError {
    #[display("the URL cannot be read, give a whole one such as https://example.org/picture.png")]
    Syntax,
    #[display("only https and http URLs are fetched")]
    Scheme,
    #[display("the URL of {host} holds a user name or password, leave them out")]
    Credentials { host: String },
    #[display("{host} does not lead to a public address, give a link that anybody can open")]
    NotPublic { host: String },
    #[display("port {port} of {host} is not among the allowed ports, give a link to another one")]
    Port { host: String, port: u16 },
    #[display("{host} redirects to a URL that is not allowed, give the last one's own public URL")]
    Redirect { host: String },
    #[display("{host} redirects too often, give the last URL itself")]
    TooManyRedirects { host: String },
    #[display("{host} could not be reached, check the URL or try again later")]
    Unreachable { host: String },
    #[display("{host} did not answer in time, try again later")]
    Timeout { host: String },
    #[display("what {host} sends is larger than the limit, give a smaller file")]
    TooLarge { host: String },
}

impl EgressError {
    /// Whether the rules forbid the link, so that it will never do; else opening it failed.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Syntax
            | Self::Scheme
            | Self::Credentials { .. }
            | Self::NotPublic { .. }
            | Self::Port { .. }
            | Self::Redirect { .. } => true,
            Self::TooManyRedirects { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}
