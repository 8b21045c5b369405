//! One candidate after the other, until it is drawn.

use std::{io, sync::Arc};

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use troupe_actors::{
    catalog::Target,
    credentials::Terms,
    media::{MediaError, Owner, Spooled},
    pictures::{Atelier, Commission, Gallery},
    providers::{exchange::ExchangeError, provider::Provider, upstream::Endpoint},
};
use troupe_protocol::{openai::error::ErrorCode, pictures::Order};

use super::{
    draft::{Draft, spec_of},
    form::Given,
};
use crate::http::{
    call::Call,
    error::ApiError,
    fallback::{Miss, candidates, in_turn},
    media::behind,
    services::Services,
};

/// The providers that draw.
pub fn drawing(services: &Services) -> Vec<Arc<Provider>> {
    let directory = services.catalog.directory();
    let providers = directory
        .providers()
        .filter(|provider| provider.studio.is_some());
    providers.cloned().collect()
}

/// What was drawn, and of what order.
pub struct Drawn {
    pub gallery: Gallery,
    pub order: Arc<Order>,
}

/// Has a draft drawn by whoever serves its model.
///
/// # Errors
/// What is wrong with the draft, or kept every candidate from drawing it.
pub async fn draw(
    draft: &mut Draft,
    services: &Services,
    call: &mut Call,
) -> Result<Drawn, ApiError> {
    draft.check(&services.atelier.config)?;
    let candidates = candidates(&draft.model, false, None, services, call)?;
    let ask = async |target: &Target, terms, call: &mut Call| {
        draw_at(draft, target, terms, services, call).await
    };
    in_turn(&candidates, None, services, call, ask).await
}

/// Has a draft drawn at one target.
///
/// # Errors
/// Why it was not.
pub async fn draw_at(
    draft: &mut Draft,
    target: &Target,
    terms: Terms,
    services: &Services,
    call: &mut Call,
) -> Result<Drawn, Miss> {
    let commission = commission(draft, target, services, call)
        .await
        .map_err(Miss::unsaid)?;
    let drawn = services
        .atelier
        .draw(&target.provider, &commission, terms, call)
        .await;
    match drawn {
        Ok(gallery) => Ok(Drawn {
            gallery,
            order: commission.order,
        }),
        Err(error) => Err(Miss::of(error, Endpoint::Images)),
    }
}

/// The order for one target, its pictures in the form that this one takes.
///
/// # Errors
/// What the target cannot be told, or a link that does not open.
pub async fn commission(
    draft: &mut Draft,
    target: &Target,
    services: &Services,
    call: &mut Call,
) -> Result<Commission, ApiError> {
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
    call.dropped(&losses);
    let files = draft.inputs.iter().filter_map(|given| match given {
        Given::File(file) => Some(file.clone()),
        Given::Link(_) | Given::Bytes(_) => None,
    });
    let inputs = files.collect();
    Ok(Commission {
        order,
        inputs,
        owner: Owner {
            app_id: call.app_id().to_owned(),
            call_id: call.id().to_owned(),
        },
    })
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
