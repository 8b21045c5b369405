//! Draws jobs with the providers that there are.

use std::sync::Arc;

use futures_util::{StreamExt as _, future::LocalBoxFuture};
use troupe_protocol::{
    failure::FailureKind,
    pictures::{Failure, Input, Size},
};

use super::{
    draw::{Draw, Harvest},
    job::{JobFailure, JobResult, Yield},
    order::{JobInput, JobOrder},
    policy::Fault,
    route::Others,
    waiting::{Files, Teller},
};
use crate::{
    catalog::CatalogReader,
    credentials::Terms,
    media::{Owner, Spooled},
    pictures::{Atelier, Commission, Drawn, Gallery, Held, Picture, Tickets},
    providers::{exchange::ExchangeError, provider::Provider},
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
        teller: &'a mut Teller,
    ) -> LocalBoxFuture<'a, Result<Harvest, Fault>> {
        Box::pin(async move {
            let (provider, commission) = self.commission(job, &teller.files).await?;
            let _place = provider
                .gate
                .enter(provider.gate_wait)
                .await
                .ok_or_else(busy)?;
            let terms = Terms {
                may_wait: !self.can_go_on(job),
                ..Terms::default()
            };
            let drawn = self
                .atelier
                .draw(&provider, &commission, terms, teller, tickets)
                .await;
            let drawn = drawn.map_err(|error| failed(&error))?;
            harvest(drawn, job.made.is_some())
        })
    }

    fn cancel<'a>(&'a self, job: &'a JobRow, held: Vec<Held>) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let Ok((provider, commission)) = self.commission(job, &Files::new()).await else {
                return;
            };
            for held in held {
                self.atelier.cancel(&provider, &commission, &held).await;
            }
        })
    }
}

impl Painter {
    /// Whether another target would be asked if this one's credentials rest, and is ready.
    fn can_go_on(&self, job: &JobRow) -> bool {
        let rests = Fault::of(FailureKind::RateLimited { retry_after: None }, "");
        let now = i64::try_from(self.atelier.clock.wall_ms()).unwrap_or(i64::MAX);
        let others = Others::read(job).filter(|others| others.may_help(&rests, now));
        let Some(next) = others.and_then(|others| others.choices.front().cloned()) else {
            return false;
        };
        let directory = self.catalog.directory();
        let mut providers = directory.providers();
        let provider = providers.find(|provider| *provider.name == *next.provider);
        provider.is_some_and(|provider| provider.pool.readiness(&next.upstream_model).is_ready())
    }

    /// The order again, with its files, those that are `at_hand` as they came.
    async fn commission(
        &self,
        job: &JobRow,
        at_hand: &Files,
    ) -> Result<(Arc<Provider>, Commission), Fault> {
        let absent = || {
            let message = format!("{} is not configured any more", job.target);
            Fault::of(FailureKind::NotEntitled, &message)
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
            Fault::of(
                FailureKind::InvalidRequest,
                "the stored order cannot be read",
            )
        })?;
        let (mut inputs, mut files) = (Vec::new(), Vec::new());
        for input in &kept.inputs {
            match input {
                JobInput::Link(url) => inputs.push(Input::Link(url.clone())),
                JobInput::File(name) => {
                    let file = match at_hand.get(name) {
                        Some(file) => file.clone(),
                        None => self.file(name).await?,
                    };
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
            Fault::of(
                FailureKind::InvalidRequest,
                "an input picture is not stored any more",
            )
        };
        let unread = |_| Fault::of(FailureKind::Upstream, "an input picture cannot be read");
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

/// What came of the parts; one that failed stands as a failed picture among others that did not. If none came, the
/// first one's failure is that of all, or that of the first that may be drawn all the same, unless some `were_done`
/// before.
fn harvest(gallery: Gallery, were_done: bool) -> Result<Harvest, Fault> {
    if !were_done && gallery.values().all(Result::is_err) {
        let faults = gallery.into_values().filter_map(Result::err);
        let first = faults
            .map(|error| failed(&error))
            .min_by_key(|fault| !fault.open);
        return Err(first.unwrap_or_else(|| failed(&ExchangeError::NotServed)));
    }
    let part = |drawn: Result<Drawn, ExchangeError>| match drawn {
        Ok(drawn) => Yield::from(&drawn),
        Err(error) => Yield {
            results: vec![JobResult::Failed {
                error: JobFailure::from(&failed(&error)),
            }],
            usage: None,
        },
    };
    let parts = gallery.into_iter();
    Ok(parts.map(|(place, drawn)| (place, part(drawn))).collect())
}

impl From<&Drawn> for Yield {
    fn from(drawn: &Drawn) -> Self {
        Self {
            results: drawn.pictures.iter().map(result).collect(),
            usage: drawn.usage.clone(),
        }
    }
}

fn result(picture: &Result<Picture, Failure>) -> JobResult {
    match picture {
        Ok(picture) => JobResult::Made {
            name: picture.kept.name.as_str().to_owned(),
            mime: picture.kept.mime.to_owned(),
            bytes: picture.kept.bytes,
            width: picture.kept.width,
            height: picture.kept.height,
            revised_prompt: picture.revised_prompt.clone(),
            seed: picture.seed,
        },
        Err(failure) => {
            let kind = failure.kind.to_string();
            JobResult::Failed {
                error: JobFailure {
                    code: failure.code.clone().unwrap_or_else(|| kind.clone()),
                    kind,
                    message: failure.message.clone().unwrap_or_default(),
                },
            }
        }
    }
}

/// There was no place at the provider's gate in time.
fn busy() -> Fault {
    let kind = FailureKind::Overloaded { retry_after: None };
    Fault {
        cold: true,
        ..Fault::of(kind, "the provider has as many requests as it takes")
    }
}

fn failed(error: &ExchangeError) -> Fault {
    let cold = matches!(error, ExchangeError::NoLease(lease) if lease.retry_after().is_some());
    let kind = error.kind();
    let (message, open) = match error {
        ExchangeError::Failed { message, open, .. } => (message.clone(), *open),
        ExchangeError::NotStored { message, .. } => (Some(not_stored(message)), true),
        _ => (Some(error.to_string()), false),
    };
    let said = message.filter(|_| !kind.is_of_the_account());
    let fault = Fault::of(kind, said.as_deref().unwrap_or(kind.words()));
    Fault {
        cold,
        open,
        code: match error {
            ExchangeError::NotStored { full: true, .. } => "storage_full".to_owned(),
            ExchangeError::NotStored { .. } => "storage_unavailable".to_owned(),
            _ => fault.code.clone(),
        },
        error: Some(Box::new(error.clone())),
        ..fault
    }
}

fn not_stored(why: &str) -> String {
    format!("the upstream has drawn it, but the gateway could not keep it: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: FailureKind, said: Option<&str>) -> String {
        let error = ExchangeError::Failed {
            kind,
            status: None,
            message: said.map(str::to_owned),
            refuses_thoughts: false,
            open: false,
        };
        failed(&error).message
    }

    #[test]
    fn a_failure_is_told_in_words_but_not_what_was_said_of_the_account() {
        let time = FailureKind::Timeout;
        assert_eq!(words(time, None), "the upstream did not answer in time");
        assert_eq!(
            words(FailureKind::ContentPolicy, Some("no foxes")),
            "no foxes"
        );
        let refused = words(FailureKind::AuthInvalid, Some("org-7 owes us"));
        assert!(
            refused.contains("credential") && !refused.contains("org-7"),
            "{refused}"
        );
    }
}
