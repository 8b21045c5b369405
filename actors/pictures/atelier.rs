//! An order on its way: attempts with one credential after the other, several orders where the upstream
//! makes one picture of each, and the way of what was made into the store.

use std::{cell::RefCell, sync::Arc, time::Duration};

use actix_rt::time::Instant;
use futures_util::future::join_all;
use troupe_protocol::{
    chat::Losses,
    failure::FailureKind,
    openai::request_error::RequestError,
    pictures::{Errand, Failure, Order, Patience},
};

use super::{
    carry::Carrier,
    commission::{Commission, Drawn, Gallery, Picture, split},
    config::PicturesConfig,
    receive::{ReceiveError, save},
    run::{Brought, RunFault, run},
    studio::Studio,
    tickets::{Held, Tickets, Unkept},
};
use crate::{
    credentials::{Lease, Outcome as LeaseOutcome, Terms},
    egress::{EgressError, Guard},
    media::{Media, MediaError, Spooled},
    providers::{
        body::BodyFault,
        exchange::{ExchangeError, Watch},
        provider::Provider,
        turns::{Missed, in_turn},
    },
    supervision::Clock,
};

/// What drawing needs besides the provider. Cheap to clone.
#[derive(Clone)]
pub struct Atelier {
    pub config: Arc<PicturesConfig>,
    pub media: Media,
    pub guard: Guard,
    pub clock: Clock,
}

/// One of several orders of one request, which one watcher watches.
struct Shared<'w, W> {
    watch: &'w RefCell<&'w mut W>,
    /// Each waits for itself, all at the same time.
    waited: Duration,
}

impl<W: Watch> Watch for Shared<'_, W> {
    fn attempt(&mut self, alias: &Arc<str>) {
        self.watch.borrow_mut().attempt(alias);
    }

    fn upstream_took(&mut self, time: Duration) {
        self.watch.borrow_mut().upstream_took(time);
    }

    fn waited(&mut self) -> &mut Duration {
        &mut self.waited
    }
}

/// One of the orders that a commission was split into.
pub(super) struct Part<'a> {
    pub order: &'a Arc<Order>,
    pub commission: &'a Commission,
    tickets: &'a dyn Tickets,
    /// Its place among them.
    part: usize,
}

impl Part<'_> {
    /// A failed run. What is over at the upstream is not asked for again.
    async fn missed(&self, fault: RunFault) -> Missed {
        if let Some(error) = fault.not_stored {
            return Missed::Over(*error);
        }
        if !fault.open && self.is_held() {
            self.tickets.hold(self.part, None).await;
        }
        missed(fault, self.is_held())
    }

    /// Whether the upstream can be asked for it again.
    fn is_held(&self) -> bool {
        self.tickets.held(self.part).is_some()
    }
}

impl Atelier {
    /// Whether the provider takes the order, and which of its fields it will not be told.
    ///
    /// # Errors
    /// What is wrong with the order.
    pub fn review(studio: &Studio, order: &Arc<Order>) -> Result<Losses, RequestError> {
        order.model.check(order)?;
        let mut losses = Losses::default();
        studio.service.begin(order, &mut losses)?;
        Ok(losses)
    }

    /// Fetches a picture that a client gave as a link.
    ///
    /// # Errors
    /// [`EgressError`]: the link is not allowed, or brings nothing.
    pub async fn fetch_input(&self, guard: &Guard, url: &str) -> Result<Spooled, EgressError> {
        let host = || {
            url::Url::parse(url)
                .ok()
                .and_then(|url| Some(url.host_str()?.to_owned()))
        };
        let host = || host().unwrap_or_default();
        let fetched = guard.get(url).await?;
        if !(200..300).contains(&fetched.status) {
            return Err(EgressError::Unreachable { host: host() });
        }
        let saved = save(fetched.body, &self.media, self.config.max_file_bytes).await;
        saved.map_err(|error| match error {
            ReceiveError::Media(MediaError::TooLarge { .. })
            | ReceiveError::Body(BodyFault::TooLarge) => EgressError::TooLarge { host: host() },
            _ => EgressError::Unreachable { host: host() },
        })
    }

    /// Has the order drawn and stored, in as many orders as the upstream needs. What upstreams give for them is kept
    /// in `tickets`; what is there already is asked for, not drawn again, and what is done is left alone.
    ///
    /// # Errors
    /// [`ExchangeError::NotServed`] by who draws nothing; what else went wrong stands in the gallery.
    pub async fn draw(
        &self,
        provider: &Provider,
        commission: &Commission,
        terms: Terms,
        watch: &mut impl Watch,
        tickets: &dyn Tickets,
    ) -> Result<Gallery, ExchangeError> {
        let studio = provider.studio.as_ref().ok_or(ExchangeError::NotServed)?;
        let watch = RefCell::new(watch);
        let orders = split(&commission.order);
        let open = (0..orders.len()).filter(|part| !tickets.is_done(*part));
        let drawn = open.map(|place| {
            let mut watch = Shared {
                watch: &watch,
                waited: Duration::ZERO,
            };
            let part = Part {
                order: &orders[place],
                commission,
                tickets,
                part: place,
            };
            let has_others = orders.len() > 1;
            async move {
                let drawn = match tickets.held(place) {
                    Some(held) => self.resume(provider, studio, &part, held).await,
                    None => {
                        self.draw_one(provider, studio, &part, terms, &mut watch)
                            .await
                    }
                };
                if let Some(drawn) = drawn.as_ref().ok().filter(|_| has_others) {
                    tickets.done(place, drawn).await;
                }
                (place, drawn)
            }
        });
        Ok(join_all(drawn).await.into_iter().collect())
    }

    async fn draw_one(
        &self,
        provider: &Provider,
        studio: &Studio,
        part: &Part<'_>,
        terms: Terms,
        watch: &mut impl Watch,
    ) -> Result<Drawn, ExchangeError> {
        let order = part.order;
        let model: Arc<str> = order.model.upstream.as_str().into();
        let end = Instant::now() + self.config.total(order.action.makes_video());
        let attempt = async |lease: &Lease, watch: &mut _| {
            let begun = Instant::now();
            let carrier = self.carrier(provider, part, lease, end);
            // reviewed before, so that this cannot fail any more; the losses were told then
            let errand = studio.service.begin(order, &mut Losses::default());
            let mut errand = errand.map_err(|_| Missed::Over(ExchangeError::NotServed))?;
            let drawn = self.fulfil(&mut *errand, part, &carrier, lease).await;
            Watch::upstream_took(watch, begun.elapsed());
            drawn
        };
        let (drawn, lease) = in_turn(provider, &model, terms, watch, attempt).await?;
        lease.report(LeaseOutcome::Success);
        Ok(drawn)
    }

    /// Asks for what the upstream has taken, with the token that it was given by.
    async fn resume(
        &self,
        provider: &Provider,
        studio: &Studio,
        part: &Part<'_>,
        held: Held,
    ) -> Result<Drawn, ExchangeError> {
        let order = part.order;
        let lease = lease_of(provider, order, &held)?;
        let end = Instant::now() + self.config.total(order.action.makes_video());
        let carrier = self.carrier(provider, part, &lease, end);
        let errand = studio.service.resume(order, &held.ticket);
        let mut errand = errand.ok_or_else(|| lost("the upstream's task cannot be asked for"))?;
        match self.fulfil(&mut *errand, part, &carrier, &lease).await {
            Ok(drawn) => {
                lease.report(LeaseOutcome::Success);
                Ok(drawn)
            }
            Err(Missed::Failed { error, .. }) => {
                lease.report(LeaseOutcome::Failure(error.kind()));
                Err(error)
            }
            // it says nothing about the credential
            Err(Missed::Over(error)) => {
                lease.report(LeaseOutcome::Dropped);
                Err(error)
            }
        }
    }

    /// Tells the upstream that a task is not wanted any more, where it can be told.
    pub async fn cancel(&self, provider: &Provider, commission: &Commission, held: &Held) {
        let Some(studio) = &provider.studio else {
            return;
        };
        let Some(call) = studio.service.cancel(&held.ticket) else {
            return;
        };
        let Ok(lease) = lease_of(provider, &commission.order, held) else {
            return;
        };
        let part = Part {
            order: &commission.order,
            commission,
            tickets: &Unkept,
            part: 0,
        };
        let end = Instant::now() + self.config.first_byte(Patience::Quick);
        let carrier = self.carrier(provider, &part, &lease, end);
        let carried = carrier.carry(&call).await;
        match carried {
            Ok(carried) if carried.status < 400 => {}
            Ok(carried) => log::info!("a task was not stopped: status {}", carried.status),
            Err(fault) => log::info!("a task was not stopped: {}", fault.kind),
        }
        lease.report(LeaseOutcome::Dropped);
    }

    fn carrier<'a>(
        &'a self,
        provider: &'a Provider,
        part: &Part<'a>,
        lease: &'a Lease,
        end: Instant,
    ) -> Carrier<'a> {
        Carrier {
            provider,
            config: &self.config,
            media: &self.media,
            clock: &self.clock,
            lease,
            inputs: &part.commission.inputs,
            nonce: part.order.nonce,
            end,
        }
    }

    /// Runs an errand to its end, and stores what it brings.
    async fn fulfil(
        &self,
        errand: &mut dyn Errand,
        part: &Part<'_>,
        carrier: &Carrier<'_>,
        lease: &Lease,
    ) -> Result<Drawn, Missed> {
        let taken = async |ticket| {
            let token = lease.token_name().to_owned();
            part.tickets
                .hold(part.part, Some(Held { token, ticket }))
                .await;
        };
        let Brought { outcome, files } = match run(errand, carrier, &taken).await {
            Ok(brought) => brought,
            Err(fault) => return Err(part.missed(fault).await),
        };
        let was_made = outcome.results.iter().any(Result::is_ok);
        let stored = outcome.results.into_iter().map(|result| async {
            match result {
                Ok(made) => self.store(made, part, carrier, &files).await,
                Err(failure) => Ok(Err(failure)),
            }
        });
        let pictures = kept(join_all(stored).await, part.is_held()).map_err(Missed::Over)?;
        if pictures.iter().any(Result::is_ok) {
            let usage = outcome.usage;
            return Ok(Drawn { pictures, usage });
        }
        // an answer without a single picture is a failed attempt
        let failure = first_failure(pictures);
        match was_made {
            // it is paid for: it may be asked for where there is a ticket, and is not ordered once more
            true => Err(missed(RunFault::new(failure, true), part.is_held())),
            false => Err(part.missed(RunFault::new(failure, false)).await),
        }
    }
}

/// `held` = it can be asked for again with the same credential, so that no other is to draw it.
fn missed(fault: RunFault, held: bool) -> Missed {
    let RunFault { failure, open, .. } = fault;
    let again = !open && !held && failure.kind.worth_another_credential();
    Missed::Failed {
        again,
        // of several parts each is asked for by its own ticket
        error: failed(failure, open && !held),
    }
}

fn failed(failure: Failure, open: bool) -> ExchangeError {
    ExchangeError::Failed {
        kind: failure.kind,
        status: failure.status,
        message: failure.message,
        refuses_thoughts: false,
        open,
    }
}

/// The credential that has the task.
fn lease_of(provider: &Provider, order: &Order, held: &Held) -> Result<Lease, ExchangeError> {
    let model: Arc<str> = order.model.upstream.as_str().into();
    let lease = provider.pool.lease_of(&model, &held.token);
    lease.ok_or_else(|| {
        lost("the token that the upstream's task belongs to is not configured any more")
    })
}

/// A task that cannot be asked for; it may be drawn, and charged for, all the same.
fn lost(why: &str) -> ExchangeError {
    failed(Failure::new(FailureKind::NotEntitled, why), true)
}

/// What came of the pictures of one order. Where our store did not take some, those that it took are not given up for
/// them, unless all can be asked for again.
fn kept(
    stored: Vec<Result<Result<Picture, Failure>, ExchangeError>>,
    held: bool,
) -> Result<Vec<Result<Picture, Failure>>, ExchangeError> {
    if held || !stored.iter().any(|stored| matches!(stored, Ok(Ok(_)))) {
        return stored.into_iter().collect();
    }
    let untaken = |error: ExchangeError| Failure::new(error.kind(), &error.to_string());
    let pictures = stored.into_iter();
    Ok(pictures
        .map(|stored| stored.unwrap_or_else(|error| Err(untaken(error))))
        .collect())
}

fn first_failure(pictures: Vec<Result<Picture, Failure>>) -> Failure {
    let first = pictures.into_iter().find_map(Result::err);
    first.unwrap_or_else(|| Failure::malformed("picture"))
}
