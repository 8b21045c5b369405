//! From a draft to a job: who may do it, and the order as each of them gets it.

use std::{io, sync::Arc};

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use troupe_actors::{
    catalog::{Candidates, Target},
    jobs::{
        Again, Job, JobInput, JobOrder, NewJob, Submission, fresh_id,
        route::{Choice, Others},
        waiting::Files,
    },
    media::{MediaError, Owner, Spooled},
    pictures::Atelier,
    providers::exchange::ExchangeError,
};
use troupe_protocol::{chat::Losses, openai::error::ErrorCode, pictures::Order};

use super::{
    draft::{Draft, spec_of},
    form::Given,
};
use crate::http::{
    call::Call,
    error::ApiError,
    fallback::{candidates, unknown_model},
    media::behind,
    services::Services,
};

/// A draft that may become a job.
pub struct Plan {
    /// Of the job.
    id: String,
    is_known: bool,
    submission: Option<Submission>,
    model: String,
    app_id: String,
    call_id: String,
    /// At least one, the first one first.
    pub targets: Vec<Planned>,
    /// Its inputs as they came.
    pub files: Files,
}

/// One of those who may do it.
pub struct Planned {
    pub target: Target,
    pub order: Arc<Order>,
    /// What it is not told.
    pub losses: Losses,
    kept: JobOrder,
}

/// Lets a draft in, and says who serves its model.
///
/// # Errors
/// What is wrong with the draft, nobody that serves it, or a limit.
pub async fn admitted(
    draft: &Draft,
    services: &Services,
    call: &mut Call,
) -> Result<Candidates, ApiError> {
    draft.check(&services.atelier.config)?;
    let candidates = candidates(&draft.model, false, None, services, call)?;
    call.admit(services).await?;
    Ok(candidates)
}

/// The job that came of a request when it was sent before, with the same key.
///
/// # Errors
/// The key was sent with something else, or the table is not reached.
pub async fn submitted(
    again: Again,
    services: &Services,
    call: &Call,
) -> Result<Option<Job>, ApiError> {
    match call.submission() {
        Some(submission) => Ok(services.jobs.submitted(submission, again).await?),
        None => Ok(None),
    }
}

/// Writes the order for all candidates that take it, and stores its files; not those of a job that is `known`, which has
/// them.
///
/// # Errors
/// Why the first one does not take it, where none does.
pub async fn plan(
    draft: &mut Draft,
    candidates: &Candidates,
    known: Option<&Job>,
    services: &Services,
    call: &mut Call,
) -> Result<Plan, ApiError> {
    let mut plan = Plan {
        id: known.map_or_else(fresh_id, |job| job.id.clone()),
        is_known: known.is_some(),
        submission: call.submission().cloned(),
        model: draft.model.clone(),
        app_id: call.app_id().to_owned(),
        call_id: call.id().to_owned(),
        targets: Vec::new(),
        files: Files::new(),
    };
    let mut stored = vec![None; draft.inputs.len()];
    let mut refusal = None;
    for target in &candidates.targets {
        match order(draft, target, services).await {
            Ok((order, losses)) => {
                let inputs = plan.inputs(draft, &mut stored, services).await?;
                plan.targets.push(Planned {
                    target: target.clone(),
                    kept: JobOrder::of(&order, inputs),
                    order,
                    losses,
                });
            }
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match plan.targets.first() {
        Some(first) => {
            call.served_by_job_at(&first.target);
            call.dropped(&first.losses);
            Ok(plan)
        }
        None => Err(refusal.unwrap_or_else(|| unknown_model(&draft.model))),
    }
}

impl Plan {
    /// The job. Who waits for it has patience for other targets `until` a time, in milliseconds since 1970.
    pub fn job(&self, candidates: &Candidates, until: Option<i64>) -> NewJob {
        let mut choices: Vec<Choice> = self.targets.iter().map(Planned::choice).collect();
        let first = choices.remove(0);
        let on = candidates.policy.as_ref().map(|policy| policy.on.clone());
        NewJob {
            id: self.id.clone(),
            app_id: self.app_id.clone(),
            call_id: self.call_id.clone(),
            model: self.model.clone(),
            provider: first.provider,
            target: first.target,
            upstream_model: first.upstream_model,
            priority: 0,
            price: first.price,
            order: first.order,
            others: Others::of(on.unwrap_or_default(), until, choices),
            tags: Vec::new(),
            callback: None,
            submission: self.submission.clone(),
        }
    }

    /// The draft's pictures as the job keeps them: each file is stored once, in the job's name.
    async fn inputs(
        &mut self,
        draft: &Draft,
        stored: &mut [Option<String>],
        services: &Services,
    ) -> Result<Vec<JobInput>, ApiError> {
        let mut inputs = Vec::new();
        if self.is_known {
            return Ok(inputs);
        }
        for (given, stored) in draft.inputs.iter().zip(stored) {
            if let Given::Link(url) = given {
                inputs.push(JobInput::Link(url.clone()));
                continue;
            }
            let name = match stored {
                Some(name) => name.clone(),
                None => self.store(given, services).await?,
            };
            *stored = Some(name.clone());
            inputs.push(JobInput::File(name));
        }
        Ok(inputs)
    }

    async fn store(&mut self, given: &Given, services: &Services) -> Result<String, ApiError> {
        let owner = Owner {
            app_id: self.app_id.clone(),
            call_id: self.id.clone(),
        };
        let kept = match given {
            Given::Link(_) => {
                return Err(ApiError::new(ErrorCode::InternalError, "a link is no file"));
            }
            Given::File(file) => services.media.keep(file.clone(), owner).await?,
            Given::Bytes(bytes) => services.media.store(bytes.clone(), owner).await?,
        };
        let name = kept.name.as_str().to_owned();
        if let Given::File(file) = given {
            self.files.insert(name.clone(), file.clone());
        }
        Ok(name)
    }
}

impl Planned {
    fn choice(&self) -> Choice {
        let Target { provider, id, .. } = &self.target;
        let bare = id.split_once('/').map_or(&**id, |(_, bare)| bare);
        let price = provider.studio.as_ref().map(|studio| studio.price(bare));
        Choice {
            provider: provider.name.to_string(),
            target: id.to_string(),
            upstream_model: self.order.model.upstream.clone(),
            price: price.unwrap_or_default().micro_credits(),
            order: self.kept.clone(),
        }
    }
}

/// The order for one target, its pictures in the form that this one takes.
///
/// # Errors
/// What the target cannot be told, or a link that does not open.
async fn order(
    draft: &mut Draft,
    target: &Target,
    services: &Services,
) -> Result<(Arc<Order>, Losses), ApiError> {
    let studio = target.provider.studio.as_ref();
    let studio = studio.ok_or_else(|| ApiError::from(ExchangeError::NotServed))?;
    let spec = spec_of(&target.provider, &target.id);
    let spec = spec.ok_or_else(|| ApiError::from(ExchangeError::NotServed))?;
    put_on_disk(draft, services).await?;
    let mut order = draft.order(spec.clone())?;
    let links = draft
        .inputs
        .iter()
        .filter(|given| matches!(given, Given::Link(_)));
    let links = links.count();
    // files keep their places, so links among them are fetched
    if links == draft.inputs.len() && studio.service.takes_links(&order) {
        check_links(draft, services)?;
    } else if links > 0 {
        fetch_links(draft, services).await?;
        order = draft.order(spec)?;
    }
    check_files(draft)?;
    let order = Arc::new(order);
    let losses = Atelier::review(studio, &order)?;
    Ok((order, losses))
}

/// All files are on disk from here on, also those behind links of our own.
async fn put_on_disk(draft: &mut Draft, services: &Services) -> Result<(), ApiError> {
    for given in &mut draft.inputs {
        let file = match given {
            Given::File(_) => continue,
            Given::Bytes(bytes) => {
                let bytes = bytes.clone();
                let limit = bytes.len() as u64;
                spooled(services, limit, stream::iter([Ok(bytes)])).await?
            }
            Given::Link(url) => match behind(services, url).await {
                Some(stored) => {
                    let bytes = stored.bytes;
                    spooled(services, bytes, stored.pieces(0..bytes)).await?
                }
                None => continue,
            },
        };
        *given = Given::File(file);
    }
    Ok(())
}

async fn spooled(
    services: &Services,
    limit: u64,
    pieces: impl Stream<Item = io::Result<Bytes>>,
) -> Result<Spooled, ApiError> {
    let mut spool = services.atelier.media.spool(limit).await?;
    let mut pieces = std::pin::pin!(pieces);
    while let Some(piece) = pieces.next().await {
        spool.write(piece.map_err(MediaError::from)?).await?;
    }
    Ok(spool.finish().await?)
}

fn check_links(draft: &Draft, services: &Services) -> Result<(), ApiError> {
    for given in &draft.inputs {
        if let Given::Link(url) = given {
            services.egress.check(url)?;
        }
    }
    Ok(())
}

/// Fetches the linked pictures, each once, however many targets are asked.
async fn fetch_links(draft: &mut Draft, services: &Services) -> Result<(), ApiError> {
    for given in &mut draft.inputs {
        if let Given::Link(url) = given {
            let file = services.atelier.fetch_input(&services.egress, url).await?;
            *given = Given::File(file);
        }
    }
    Ok(())
}

/// A file that is no picture is the client's mistake, and better told here than by an upstream.
fn check_files(draft: &Draft) -> Result<(), ApiError> {
    for given in &draft.inputs {
        if let Given::File(file) = given
            && file.format().is_none()
        {
            let message = "a file is neither PNG, JPEG, WebP, GIF, MP4 nor WebM";
            return Err(ApiError::param(ErrorCode::InvalidRequest, "image", message));
        }
    }
    Ok(())
}
