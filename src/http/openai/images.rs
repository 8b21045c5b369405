//! `/v1/images/generations`: passed on where the upstream has the same, drawn by its studio elsewhere. Pictures
//! that are wanted as links are stored and served by us.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;
use troupe_actors::{
    catalog::{Candidates, Target},
    jobs::{Job, Passed, Stopwatch},
    pictures::Atelier,
    providers::{opening::is_event_stream, upstream::Endpoint},
};
use troupe_protocol::{
    dialect::Client,
    openai::{
        images::{ImageFormat, ImageRequest},
        request::RequestHead,
    },
};

use super::{
    drawn,
    forward::{Asked, Plain, Surface},
    linked::linked,
};
use crate::http::{
    call::Call,
    enter::{admitted_json, enter},
    error::ApiError,
    fallback::{Miss, ask, candidates, in_turn},
    jobs::submit::{accepted, submit, wants_job},
    passing::{pass, pass_events},
    pictures::{
        draft::Draft,
        draw::{Drawing, Drawn, begin_with},
    },
    services::{OnWorker, Services},
};

pub const IMAGES: Surface = Surface {
    endpoint: Endpoint::Images,
    name: "/v1/images/generations",
};

pub async fn generations(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut call = match enter(&worker.0, &request, IMAGES.name, Client::OpenaiChat) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = &worker.0.services;
    match order(services, &request, payload, &mut call).await {
        Ok((Ordered::Passed(asked, _stopwatch, cost), _))
            if is_event_stream(asked.answer.content_type.as_ref()) =>
        {
            charge(cost, services).await;
            pass_events(asked.answer, Client::OpenaiChat, call, services)
        }
        Ok((Ordered::Passed(asked, _stopwatch, cost), Some(ImageFormat::B64Json))) => {
            // the upstream has taken it, whatever becomes of its answer on the way
            charge(cost, services).await;
            pass(
                asked.answer,
                Client::OpenaiChat,
                false,
                None,
                call,
                services,
            )
            .await
        }
        Ok((Ordered::Passed(asked, _stopwatch, cost), format)) => {
            let answer = linked(*asked, call, services, format).await;
            if answer.status().is_success() {
                charge(cost, services).await;
            }
            answer
        }
        Ok((Ordered::Taken(job), _)) => accepted(call, &job, services),
        Ok((Ordered::Drawn(drawn), format)) => {
            drawn::answer(Ok(*drawn), format, call, services).await
        }
        Ok((Ordered::Begun(drawing), format)) => drawn::late(*drawing, format, call, worker).await,
        Err(error) => call.refuse(&error),
    }
}

/// What came of an order.
enum Ordered {
    /// The upstream has OpenAI's own image API, and may be still at it.
    Passed(Box<Asked>, Stopwatch, Option<Passed>),
    /// It has another one, and was come to along a route.
    Drawn(Box<Drawn>),
    /// It is waited for.
    Begun(Box<Drawing>),
    /// The client wanted a job.
    Taken(Box<Job>),
}

/// Orders the pictures, and says how the client wants them.
async fn order(
    services: &Services,
    request: &HttpRequest,
    payload: Payload,
    call: &mut Call,
) -> Result<(Ordered, Option<ImageFormat>), ApiError> {
    let body = admitted_json(call, services, request, payload).await?;
    // read first, so that nothing is ordered for a request that makes no sense
    let format = ImageRequest::parse(&body)?.response_format;
    let head = RequestHead::parse(&body)?;
    let mut draft = drawn::draft(&body, call.draw())?;
    if wants_job(request, &mut draft)? {
        let job = submit(request, &mut draft, services, call).await?;
        return Ok((Ordered::Taken(Box::new(job)), format));
    }
    let candidates = candidates(&head.model, false, None, services, call)?;
    let quick = services.jobs.is_quick(&head.model);
    if candidates
        .targets
        .iter()
        .all(|target| draws(target, &draft, &body, quick))
    {
        draft.check(&services.atelier.config)?;
        let drawing = begin_with(&mut draft, &candidates, services, call).await?;
        return Ok((Ordered::Begun(Box::new(drawing)), format));
    }
    let model = head.model.clone();
    let mut question = Plain::new(Endpoint::Images, head, body);
    let ask = async |target: &Target, terms, call: &mut Call| {
        if passes(target) {
            let stopwatch = services.jobs.stopwatch(&model);
            let asked = ask(&mut question, target, terms, call).await?;
            let cost = cost(target, draft.count, call);
            return Ok(Ordered::Passed(Box::new(asked), stopwatch, cost));
        }
        let only = Candidates {
            targets: vec![target.clone()],
            ready: 1,
            policy: None,
        };
        let begun = begin_with(&mut draft, &only, services, call).await;
        let mut drawing = begun.map_err(Miss::unsaid)?;
        let drawn = drawing.done(services, call).await;
        Ok(Ordered::Drawn(Box::new(drawn.map_err(Miss::undrawn)?)))
    };
    let ordered = in_turn(&candidates, None, services, call, ask).await?;
    Ok((ordered, format))
}

/// What is to be charged for pictures that a target makes past the jobs; none where its model has no price, so that
/// nothing need be stored before the first byte.
fn cost(target: &Target, pictures: u32, call: &Call) -> Option<Passed> {
    let provider = &target.provider;
    let price = provider.studio.as_ref()?.price(bare(&target.id));
    let price = price.micro_credits();
    (price > 0).then(|| Passed {
        call_id: call.id().to_owned(),
        app_id: call.app_id().to_owned(),
        provider: provider.name.to_string(),
        target: target.id.to_string(),
        pictures,
        price,
    })
}

async fn charge(cost: Option<Passed>, services: &Services) {
    if let Some(cost) = cost {
        services.jobs.charge(cost).await;
    }
}

/// A model's id at its provider.
fn bare(id: &str) -> &str {
    id.split_once('/').map_or(id, |(_, bare)| bare)
}

/// Whether the target's upstream has OpenAI's own image API.
fn passes(target: &Target) -> bool {
    target.provider.passes_pictures || target.provider.studio.is_none()
}

/// Whether the target draws for a job. An upstream with OpenAI's own API does so only for requests of which nothing would be
/// lost, and not for models that we know nothing of but that they are quick; others pass as they are, also streams.
fn draws(target: &Target, draft: &Draft, body: &[u8], quick: bool) -> bool {
    if !passes(target) {
        return true;
    }
    let bare = bare(&target.id);
    let Some(studio) = target
        .provider
        .studio
        .as_ref()
        .filter(|studio| !quick || studio.knows(bare))
    else {
        return false;
    };
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    let order = draft.order(studio.spec(bare));
    let reviewed = order.is_ok_and(|order| {
        Atelier::review(studio, &Arc::new(order)).is_ok_and(|losses| losses.is_empty())
    });
    fields["stream"] != true && reviewed
}
