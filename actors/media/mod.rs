//! Stored media: pictures and videos that clients fetch by an unguessable link.
//!
//! A file is [spooled](Spool) as it comes, then [kept](Media::keep): it is checked by its headers, what is in it
//! besides the picture is left out, and it is stored in a folder or a bucket. The actor [`MediaStore`] owns that
//! place and its rows in the table `media`; others store and open files through [`Media`]. In a folder, opening
//! needs neither the actor nor the database, so links work while both are down.
//!
//! The same bytes are stored once. In a folder each name is a link of the file system to them; in a bucket the
//! rows say which object a name stands for. Either way they stay until the last name goes.
//!
//! | | |
//! |---|---|
//! | owns | the folder or bucket of `storage.media_url`, the table `media` |
//! | durable | the files and their rows; what was acknowledged has both |
//! | derivable | how many bytes are stored: read from the table at each start |
//! | ephemeral | which files are being stored; a crash leaves a part file, which the next start finishes or removes |
//! | mailbox | [`actor::Put`] from [`Media::store`], removals; bounded by the permits of the requests behind them |
//! | restart | stores under way fail for their callers; the folder is settled with the table again |

pub mod actor;
mod blocking;
mod bucket;
mod compare;
pub mod config;
mod effects;
mod error;
pub mod files;
pub mod format;
mod formats;
mod handle;
pub mod links;
mod listing;
pub mod name;
pub mod place;
pub mod policy;
mod reading;
mod removals;
pub mod spool;
mod stored;
#[cfg(test)]
mod tests;
pub mod thumbnails;

pub use actor::MediaStore;
pub(crate) use actor::Tidy;
pub use compare::Comparison;
pub use error::MediaError;
pub use format::Format;
pub use handle::{Media, Setup, Usage};
pub use links::Links;
pub use name::MediaName;
pub use removals::{Reason, Removals, Tally};
pub use spool::{Kept, Owner, Spool, Spooled};
pub use stored::Stored;
pub use thumbnails::{Thumbnail, ThumbnailError, ThumbnailKind};
