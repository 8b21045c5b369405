//! Draws jobs with the providers that there are.

use std::sync::Arc;

use futures_util::{StreamExt as _, future::LocalBoxFuture};
use troupe_protocol::{
    failure::FailureKind,
    pictures::{Failure, Input, Size},
};

use super::{
    draw::Draw,
    job::{JobFailure, JobResult, Yield},
    order::{JobInput, JobOrder},
    policy::Fault,
};
use crate::{
    catalog::CatalogReader,
    credentials::Terms,
    media::{Owner, Spooled},
    pictures::{Atelier, Commission, Gallery, Held, Picture, Tickets},
    providers::{
        exchange::{ExchangeError, Watch},
        provider::Provider,
    },
    storage::queries::jobs::JobRow,
};

/// See the module's head.
pub struct Painter {
    pub atelier: Atelier,
    pub catalog: CatalogReader,
}

impl Draw for Painter {
    fn draw<'a>(
        &'a self,
        job: &'a JobRow,
        tickets: &'a dyn Tickets,
    ) -> LocalBoxFuture<'a, Result<Yield, Fault>> {
        Box::pin(async move {
            let (provider, commission) = self.commission(job).await?;
            let _place = provider
                .gate
                .enter(provider.gate_wait)
                .await
                .ok_or_else(|| {
                    let kind = FailureKind::Overloaded { retry_after: None };
                    Fault {
                        cold: true,
                        ..fault(kind, "the provider has as many requests as it takes")
                    }
                })?;
            let (terms, mut watch) = (Terms::default(), Unwatched);
            let drawn = self
                .atelier
                .draw_on(&provider, &commission, terms, &mut watch, tickets)
                .await;
            drawn.map(harvest).map_err(|error| failed(&error))
        })
    }

    fn cancel<'a>(&'a self, job: &'a JobRow, held: Vec<Held>) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let Ok((provider, commission)) = self.commission(job).await else {
                return;
            };
            for held in held {
                self.atelier.cancel(&provider, &commission, &held).await;
            }
        })
    }
}

impl Painter {
    /// The order again, with its files.
    async fn commission(&self, job: &JobRow) -> Result<(Arc<Provider>, Commission), Fault> {
        let absent = || {
            let message = format!("{} is not configured any more", job.target);
            fault(FailureKind::NotEntitled, &message)
        };
        let provider = {
            let directory = self.catalog.directory();
            let found = directory
                .providers()
                .find(|provider| *provider.name == *job.provider);
            found.cloned().ok_or_else(absent)?
        };
        let studio = provider.studio.as_ref().ok_or_else(absent)?;
        let id = job
            .target
            .split_once('/')
            .map_or(&*job.target, |(_, id)| id);
        let spec = studio.spec(id);
        let kept: JobOrder = serde_json::from_str(&job.draft).map_err(|_| {
            fault(
                FailureKind::InvalidRequest,
                "the stored order cannot be read",
            )
        })?;
        let (mut inputs, mut files) = (Vec::new(), Vec::new());
        for input in &kept.inputs {
            match input {
                JobInput::Link(url) => inputs.push(Input::Link(url.clone())),
                JobInput::File(name) => {
                    let file = self.file(name).await?;
                    inputs.push(described(&file));
                    files.push(file);
                }
            }
        }
        // a link among files keeps its place: the service never asks for it as a file
        if files.len() != inputs.len() {
            files.clear();
        }
        let commission = Commission {
            order: Arc::new(kept.order(spec, inputs)),
            inputs: files,
            owner: Owner {
                app_id: job.app_id.clone(),
                call_id: job.id.clone(),
            },
        };
        Ok((provider, commission))
    }

    /// An input file, copied out of the store.
    async fn file(&self, name: &str) -> Result<Spooled, Fault> {
        let media = &self.atelier.media;
        let gone = || {
            fault(
                FailureKind::InvalidRequest,
                "an input picture is not stored any more",
            )
        };
        let unread = |_| fault(FailureKind::Upstream, "an input picture cannot be read");
        let stored = media.open(name).await.ok_or_else(gone)?;
        let bytes = stored.bytes;
        let mut spool = media
            .spool(bytes)
            .await
            .map_err(|error| unread(error.to_string()))?;
        let mut pieces = Box::pin(stored.pieces(0..bytes));
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| unread(error.to_string()))?;
            spool
                .write(piece)
                .await
                .map_err(|error| unread(error.to_string()))?;
        }
        spool
            .finish()
            .await
            .map_err(|error| unread(error.to_string()))
    }
}

fn described(file: &Spooled) -> Input {
    let mime = file.format().map(|format| format.mime());
    Input::File {
        mime: mime.unwrap_or("application/octet-stream"),
        bytes: file.bytes(),
        size: file
            .pixels()
            .map(|(width, height)| Size::new(width, height)),
    }
}

fn harvest(gallery: Gallery) -> Yield {
    let result = |picture: Result<Picture, Failure>| match picture {
        Ok(picture) => JobResult::Made {
            name: picture.kept.name.as_str().to_owned(),
            mime: picture.kept.mime.to_owned(),
            bytes: picture.kept.bytes,
            width: picture.kept.width,
            height: picture.kept.height,
            revised_prompt: picture.revised_prompt,
            seed: picture.seed,
        },
        Err(failure) => JobResult::Failed {
            error: JobFailure {
                kind: failure.kind.to_string(),
                code: failure.code.unwrap_or_else(|| failure.kind.to_string()),
                message: failure.message.unwrap_or_default(),
            },
        },
    };
    Yield {
        results: gallery.pictures.into_iter().map(result).collect(),
        usage: gallery.usage,
    }
}

/// A fault before the upstream was asked.
fn fault(kind: FailureKind, message: &str) -> Fault {
    Fault {
        kind,
        code: kind.to_string(),
        message: message.to_owned(),
        cold: false,
        open: false,
        held: false,
    }
}

fn failed(error: &ExchangeError) -> Fault {
    let cold = matches!(error, ExchangeError::NoLease(lease) if lease.retry_after().is_some());
    let (message, is_open) = match error {
        ExchangeError::Failed { message, open, .. } => (message.clone(), *open),
        _ => (None, false),
    };
    Fault {
        cold,
        open: is_open,
        ..fault(error.kind(), &message.unwrap_or_else(|| error.to_string()))
    }
}

/// Nobody waits for headers that tell of attempts.
struct Unwatched;

impl Watch for Unwatched {
    fn attempt(&mut self, _: &Arc<str>) {}

    fn upstream_took(&mut self, _: std::time::Duration) {}
}
