//! The answer of a call: what is a file goes to disk as it comes, what is JSON stays small.

use bytes::Bytes;
use derive_more::{Display, Error, From};
use troupe_protocol::pictures::{
    lift::{LiftError, Lifter},
    order::part_mark,
};

use crate::{
    media::{Media, MediaError, Spool, Spooled},
    providers::body::{BodyFault, UpstreamBody},
};

/// The most of an answer that is left when its files are put aside.
const JSON_LIMIT: usize = 4 << 20;

/// An answer's body.
#[derive(Debug, Default)]
pub struct Received {
    /// With marks where files were, in the files' order.
    pub body: Vec<u8>,
    pub files: Vec<Spooled>,
}

/// Why an answer was not received.
#[derive(Debug, Display, Error, From)]
pub enum ReceiveError {
    Body(BodyFault),
    Lift(LiftError),
    Media(MediaError),
}

/// Reads a whole answer. `is_file` = it is a picture or video itself; files of more than `limit` bytes are refused. The
/// [marks](part_mark) are those of `nonce`.
///
/// # Errors
/// See [`ReceiveError`].
pub async fn receive(
    body: UpstreamBody,
    is_file: bool,
    media: &Media,
    limit: u64,
    nonce: u64,
) -> Result<Received, ReceiveError> {
    if is_file {
        let file = save(body, media, limit).await?;
        return Ok(Received {
            body: part_mark(nonce, 0).into_bytes(),
            files: vec![file],
        });
    }
    lifted(body, media, limit, nonce).await
}

/// Writes a whole body to disk.
pub(super) async fn save(
    mut body: UpstreamBody,
    media: &Media,
    limit: u64,
) -> Result<Spooled, ReceiveError> {
    let mut spool = media.spool(limit).await?;
    while let Some(piece) = next(&mut body).await {
        spool.write(piece?).await?;
    }
    Ok(spool.finish().await?)
}

async fn lifted(
    mut body: UpstreamBody,
    media: &Media,
    limit: u64,
    nonce: u64,
) -> Result<Received, ReceiveError> {
    let mut lifter = Lifter::new(nonce, JSON_LIMIT);
    let mut files = Vec::new();
    let mut open: Option<(usize, Spool)> = None;
    while let Some(piece) = next(&mut body).await {
        let mut decoded = Vec::new();
        lifter.feed(&piece?, |at, bytes| decoded.push((at, bytes)))?;
        for (at, bytes) in decoded {
            if open.as_ref().is_none_or(|(open, _)| *open != at) {
                close(&mut open, &mut files).await?;
                open = Some((at, media.spool(limit).await?));
            }
            if let Some((_, spool)) = &mut open {
                spool.write(bytes.into()).await?;
            }
        }
    }
    close(&mut open, &mut files).await?;
    Ok(Received {
        body: lifter.finish(),
        files,
    })
}

async fn close(
    open: &mut Option<(usize, Spool)>,
    files: &mut Vec<Spooled>,
) -> Result<(), MediaError> {
    if let Some((_, spool)) = open.take() {
        files.push(spool.finish().await?);
    }
    Ok(())
}

async fn next(body: &mut UpstreamBody) -> Option<Result<Bytes, BodyFault>> {
    std::future::poll_fn(|cx| body.poll_piece(cx)).await
}
