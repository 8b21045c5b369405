//! `/admin/supervision`: every actor of this node, as it is now. `tree` is the part of the page that
//! changes; the page's script asks for it again and again.

mod view;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use maud::{Markup, html};
use serde::Deserialize;
use troupe_actors::supervision::{RestartEvent, TreeError, TreeSnapshot};

use super::{
    frame::{self, Page, Surroundings},
    preferences::{Choice, Preferences},
    status::{Pulse, Status},
};

/// How many of the latest restarts are shown.
const EVENTS_SHOWN: u64 = 20;

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Sight {
    pub tree: TreeSnapshot,
    pub status: Status,
    /// The latest restarts, oldest first.
    pub events: Vec<RestartEvent>,
}

/// A search for actors by a part of their path.
#[derive(Debug, Default, Deserialize)]
pub struct Search {
    #[serde(default)]
    pub q: String,
}

/// `GET /admin/supervision`
pub async fn page(
    request: HttpRequest,
    pulse: web::Data<Pulse>,
    search: web::Query<Search>,
    choice: web::Query<Choice>,
) -> HttpResponse {
    if let Some(kept) = choice.keep(&request) {
        return kept;
    }
    let preferences = Preferences::of(request.headers());
    match look(&pulse).await {
        Ok(sight) => {
            let page = document(preferences, &sight, &search.q);
            frame::respond(StatusCode::OK, &page)
        }
        Err(error) => unavailable(preferences, &error),
    }
}

/// `GET /admin/supervision/tree`: the live part and the status line alone.
pub async fn tree(
    request: HttpRequest,
    pulse: web::Data<Pulse>,
    search: web::Query<Search>,
) -> HttpResponse {
    let preferences = Preferences::of(request.headers());
    match look(&pulse).await {
        Ok(sight) => {
            let language = preferences.language;
            let part = html! {
                (view::live(language, &sight, &search.q))
                (sight.status.line(language))
            };
            frame::respond(StatusCode::OK, &part)
        }
        Err(error) => unavailable(preferences, &error),
    }
}

async fn look(pulse: &Pulse) -> Result<Sight, TreeError> {
    let newest = *pulse.tree.newest_event().borrow();
    let since = newest.saturating_sub(EVENTS_SHOWN);
    let tree = pulse.tree.snapshot().await?;
    let events = pulse.tree.events_after(since, EVENTS_SHOWN as usize);
    Ok(Sight {
        events: events.await?,
        status: pulse.status(&tree).await,
        tree,
    })
}

/// The whole page for a sight.
#[must_use]
pub fn document(preferences: Preferences, sight: &Sight, search: &str) -> Markup {
    let language = preferences.language;
    Page {
        preferences,
        title: language.say("supervision-title"),
        surroundings: Surroundings::Admin(Some(&sight.status)),
        style: None,
        script: Some("js/supervision.js"),
        content: view::content(language, sight, search),
    }
    .document()
}

fn unavailable(preferences: Preferences, error: &TreeError) -> HttpResponse {
    log::warn!("the supervision page has nothing to show: {error}");
    let language = preferences.language;
    let title = language.say("tree-unavailable");
    Page {
        preferences,
        title: title.clone(),
        surroundings: Surroundings::Admin(None),
        style: None,
        script: None,
        content: html! {
            h1 { (title) }
            p.notice.bad { (language.say("tree-unavailable-next")) }
        },
    }
    .response(StatusCode::SERVICE_UNAVAILABLE)
}

#[cfg(test)]
mod tests;
