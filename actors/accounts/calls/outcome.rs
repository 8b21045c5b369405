//! How a call ended.

use derive_more::Display;

/// How a call ended, in the words that are stored, listed and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display)]
pub enum Outcome {
    /// Answered in full.
    #[display("ok")]
    Ok,
    /// The request was at fault.
    #[display("client_error")]
    ClientError,
    /// The upstream failed, and so did every other way.
    #[display("upstream_error")]
    UpstreamError,
    /// The gateway failed.
    #[display("gateway_error")]
    GatewayError,
    /// Refused since too much was under way.
    #[display("shed")]
    Shed,
    /// The client left before the end.
    #[display("client_closed")]
    ClientClosed,
    /// The code that served it panicked.
    #[display("panicked")]
    Panicked,
    /// The upstream broke off after the first byte.
    #[display("upstream_cut")]
    UpstreamCut,
    /// A time-out passed.
    #[display("timeout")]
    Timeout,
    /// Cut at the end of the gateway's drain.
    #[display("drained")]
    Drained,
}
