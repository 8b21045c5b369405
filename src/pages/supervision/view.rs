//! The page's content, from a sight of the tree.

use std::{borrow::Cow, sync::Arc};

use maud::{Markup, html};
use troupe_actors::supervision::{
    RestartEvent,
    fall::Fall,
    snapshot::{NodeKind, NodeSnapshot, TreeSnapshot},
    vitals::State,
};

use super::Sight;
use crate::pages::{
    figures::{ago, exact, grouped, span},
    language::Language,
};

/// Everything in `main`.
pub fn content(language: Language, sight: &Sight, search: &str) -> Markup {
    let say = |key| language.say(key);
    html! {
        div.title {
            div {
                h1 { (say("supervision-title")) }
                p.soft { (say("supervision-intro")) }
            }
            form.search role="search" method="get" {
                label.visually-hidden for="search" { (say("search-actors")) }
                input id="search" type="search" name="q" value=(search) placeholder=(say("search-hint"))
                    autocomplete="off" spellcheck="false";
            }
        }
        p.notice id="notice" role="status" hidden
            data-lost=(say("connection-lost")) data-no-events=(say("events-lost"))
            data-restarted=(say("restart-asked")) data-failed=(say("restart-failed")) {}
        (live(language, sight, search))
        (confirmation(language))
    }
}

/// The part that changes.
pub fn live(language: Language, sight: &Sight, search: &str) -> Markup {
    let mut source = "/admin/supervision/tree".to_owned();
    if !search.is_empty() {
        let query: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
        source.push_str("?q=");
        source.push_str(&query);
    }
    html! {
        div.live id="live" data-source=(source) data-api="/api/admin/supervision"
            data-events="/api/admin/supervision/events" {
            (figures(language, &sight.tree))
            (tree(language, sight, search))
            (log(language, sight))
        }
    }
}

fn figures(language: Language, tree: &TreeSnapshot) -> Markup {
    let actors = || {
        tree.nodes
            .iter()
            .filter(|node| node.kind == NodeKind::Actor)
    };
    let (total, up) = (
        actors().count(),
        actors().filter(|node| node.state == State::Up).count(),
    );
    let restarts: u64 = actors().map(|node| node.restarts).sum();
    let waiting: u64 = actors().map(|node| node.mailbox).sum();
    let busiest = actors()
        .max_by_key(|node| node.mailbox)
        .filter(|node| node.mailbox > 0);
    let figure = |key, figure: String, beside: Cow<'_, str>, trouble: bool| {
        html! {
            div {
                dt { (language.say(key)) }
                dd.trouble[trouble] { (figure) " " small { (beside) } }
            }
        }
    };
    let of_total = language.say_with("of-total", [("total", grouped(total as u64).into())]);
    let since_start = language.say("restarts-since-start");
    let most_in = busiest
        .map(|node| language.say_with("waiting-in", [("path", node.path.as_ref().into())]))
        .unwrap_or_default();
    html! {
        dl.figures {
            (figure("actors-up", grouped(up as u64), of_total, up < total))
            (figure("restarts", grouped(restarts), since_start, false))
            (figure("waiting", grouped(waiting), most_in, false))
            (figure("uptime", span(language, tree.uptime_ms), "".into(), false))
        }
    }
}

fn tree(language: Language, sight: &Sight, search: &str) -> Markup {
    let wanted = search.trim().to_lowercase();
    let nodes = || {
        let found = |node: &&NodeSnapshot| node.path.to_lowercase().contains(&wanted);
        sight.tree.nodes.iter().filter(found)
    };
    let column = |key| language.say(key);
    html! {
        section {
            @if nodes().next().is_some() {
                table.rows {
                    caption { (language.say("supervision-tree")) }
                    thead { tr {
                        th.name scope="col" { (column("column-actor")) }
                        th scope="col" { (column("column-state")) }
                        th.number scope="col" { (column("column-restarts")) }
                        th scope="col" { (column("column-reason")) }
                        th.number scope="col" { (column("column-waiting")) }
                        th.number scope="col" { (column("column-handled")) }
                        th scope="col" { span.visually-hidden { (column("column-action")) } }
                    } }
                    tbody {
                        @for node in nodes() {
                            (row(language, sight, node, wanted.is_empty()))
                        }
                    }
                }
            } @else if sight.tree.nodes.is_empty() {
                p.empty { (language.say("no-actors")) }
            } @else {
                p.empty { (language.say_with("no-actor-matches", [("query", search.into())])) }
            }
        }
    }
}

/// One node. In the whole tree it is indented under its group; among search results it shows its path.
fn row(language: Language, sight: &Sight, node: &NodeSnapshot, indented: bool) -> Markup {
    let depth = if indented {
        node.path.matches('/').count().min(4)
    } else {
        0
    };
    let shown = match node.path.rsplit_once('/') {
        Some((_, name)) if indented => name,
        _ => &node.path,
    };
    let group = node.kind == NodeKind::Group;
    let latest = sight
        .events
        .iter()
        .rev()
        .find(|event| event.path == node.path);
    let restart_path = || language.say_with("restart-path", [("path", node.path.as_ref().into())]);
    html! {
        tr class={ "depth-" (depth) @if group { " group" } } data-key=(node.path) {
            th.name scope="row" title=(node.path) { (shown) }
            td { (state(language, &sight.tree, node)) }
            td.number.zero[node.restarts == 0] data-label=(language.say("column-restarts")) { (grouped(node.restarts)) }
            td.reason {
                @if let Some(last) = &node.last_fall {
                    (reason(language, last, latest.map(|event| (event, sight.tree.at_ms))))
                }
            }
            @if group {
                td.number {} td.number {}
            } @else {
                td.number.zero[node.mailbox == 0] data-label=(language.say("column-waiting")) { (grouped(node.mailbox)) }
                td.number.zero[node.handled == 0] data-label=(language.say("column-handled")) { (grouped(node.handled)) }
            }
            td.act {
                button.button.quiet.needs-script type="button" data-restart=(node.path) aria-label=(restart_path()) {
                    (language.say("restart"))
                }
            }
        }
    }
}

fn state(language: Language, tree: &TreeSnapshot, node: &NodeSnapshot) -> Markup {
    let code = node.state.to_string();
    let since = exact(tree.at_ms.saturating_sub(node.state_ms));
    let since = language.say_with("state-since", [("time", since.into())]);
    html! {
        span class={ "state " (code) } { (icon(node.state)) (language.say(&format!("state-{code}"))) }
        " "
        span.soft.small title=(since) { (span(language, node.state_ms)) }
    }
}

/// A shape for each state, so that none is told by its colour alone.
fn icon(state: State) -> Markup {
    let strokes = match state {
        State::Up => "M3 8.5 6.5 12 13 4.5",
        State::Starting => "M8 13V3M4 7l4-4 4 4",
        State::Restarting => "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3",
        State::Stopped => "M4 4l8 8M12 4l-8 8",
    };
    html! {
        svg.icon viewBox="0 0 16 16" aria-hidden="true" { path d=(strokes) {} }
    }
}

/// Why a node fell: the kind, the message, the place; and when, if the event is still known.
fn reason(language: Language, fall: &Fall, event: Option<(&RestartEvent, u64)>) -> Markup {
    html! {
        p {
            strong { (language.say(&format!("fall-{}", fall.kind))) }
            @if let Some((event, now_ms)) = event {
                " " time.soft.small datetime=(exact(event.at_ms)) title=(exact(event.at_ms)) {
                    (ago(language, now_ms.saturating_sub(event.at_ms)))
                }
            }
        }
        @if !fall.message.is_empty() { p { (fall.message) } }
        @if !fall.place.is_empty() {
            p.soft.small { code { (language.say_with("at-place", [("place", fall.place.as_str().into())])) } }
        }
    }
}

fn log(language: Language, sight: &Sight) -> Markup {
    let column = |key| language.say(key);
    html! {
        section {
            @if sight.events.is_empty() {
                h2 { (language.say("log-title")) }
                p.empty { (language.say("log-empty")) }
            } @else {
                table.rows {
                    caption { (language.say("log-title")) }
                    thead { tr {
                        th scope="col" { (column("column-actor")) }
                        th scope="col" { (column("column-when")) }
                        th scope="col" { (column("column-reason")) }
                        th.number scope="col" { (column("column-count")) }
                        th.number scope="col" { (column("column-backoff")) }
                    } }
                    tbody {
                        @for event in sight.events.iter().rev() { (log_row(language, sight.tree.at_ms, event)) }
                    }
                }
            }
        }
    }
}

fn log_row(language: Language, now_ms: u64, event: &RestartEvent) -> Markup {
    let backoff = match event.backoff_ms {
        Some(ms) => span(language, ms),
        None => language.say("backoff-parent").into_owned(),
    };
    let path: &Arc<str> = &event.path;
    html! {
        tr data-key={ "event-" (event.seq) } {
            th.name scope="row" { (path) }
            td { time.soft datetime=(exact(event.at_ms)) title=(exact(event.at_ms)) {
                (ago(language, now_ms.saturating_sub(event.at_ms)))
            } }
            td.reason { (reason(language, &event.fall, None)) }
            td.number data-label=(language.say("column-count")) { (grouped(event.count)) }
            td.number data-label=(language.say("column-backoff")) { (backoff) }
        }
    }
}

fn confirmation(language: Language) -> Markup {
    html! {
        dialog id="confirm" aria-labelledby="confirm-title" {
            form method="dialog" {
                h2 id="confirm-title" { (language.say("restart-question")) }
                p { code data-path {} }
                p.soft { (language.say("restart-effect")) }
                div.choose {
                    button.button value="cancel" autofocus { (language.say("cancel")) }
                    button.button.main value="restart" { (language.say("restart")) }
                }
            }
        }
    }
}
