//! Stored media: pictures that clients fetch by an unguessable link.
//!
//! The actor [`MediaStore`] owns the folder and its rows in the table `media`; others store and open
//! files through [`Media`]. Opening needs neither the actor nor the database, so links work while both
//! are down.
//!
//! | | |
//! |---|---|
//! | owns | the folder of `storage.media_url`, the table `media` |
//! | durable | the files and their rows; what was acknowledged has both |
//! | derivable | how many bytes are stored: read from the table at each start |
//! | ephemeral | which files are being stored; a crash leaves a part file, which the next start finishes or removes |
//! | mailbox | [`actor::Put`] from [`Media::store`]; bounded by the permits of the requests behind them |
//! | restart | stores under way fail for their callers; the folder is settled with the table again |

pub mod actor;
mod blocking;
mod effects;
mod error;
pub mod files;
pub mod format;
mod handle;
pub mod name;
mod pixels;
pub mod policy;
mod reading;
pub mod spool;
mod stored;
#[cfg(test)]
mod tests;

pub use actor::MediaStore;
pub use error::MediaError;
pub use format::Format;
pub use handle::Media;
pub use name::MediaName;
pub use spool::{Kept, Owner, Spool, Spooled};
pub use stored::Stored;
