//! Why a stored response cannot be had.

use derive_more::{Display, Error, From};

use crate::storage::StorageError;

/// Why a response was not stored, or a conversation not read. What is merely not there is no error.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error, From)]
pub enum ResponseError {
    /// One turn is too large to be stored.
    #[display(
        "the request and its answer have {bytes} bytes, more than responses.max_bytes ({limit}) allows to store; \
         send store: false"
    )]
    #[from(skip)]
    TooLarge { bytes: usize, limit: usize },
    /// The conversation has too many turns to go on from it.
    #[display(
        "the conversation has more turns than responses.max_chain ({limit}) allows; \
         send its content as input, without previous_response_id"
    )]
    #[from(skip)]
    ChainTooLong { limit: usize },
    /// The turns of the conversation are too large together to go on from it.
    #[display(
        "the conversation has more bytes than responses.max_chain_bytes ({limit}) allows; \
         send what matters of it as input, without previous_response_id"
    )]
    #[from(skip)]
    ChainTooLarge { limit: usize },
    /// The database did not do it, see [`StorageError::is_temporary`].
    #[display("stored responses cannot be reached: {_0}")]
    Database(StorageError),
}
