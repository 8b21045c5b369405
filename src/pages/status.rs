//! The status line of the admin's pages: this node at a glance.

use std::time::Duration;

use maud::{Markup, html};
use troupe_actors::{
    storage::{Database, kv::KvStore, queries::settings},
    supervision::{
        Tree,
        snapshot::{NodeKind, TreeSnapshot},
        vitals::State,
    },
};

use super::{
    figures::{exact, grouped, span},
    language::Language,
};
use crate::http::services::Services;

/// How long a store may take to answer before it counts as away: a page that says so must not wait for it.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where the pages feel how this node is.
#[derive(Clone)]
pub struct Pulse {
    pub tree: Tree,
    pub database: Database,
    pub kv: KvStore,
    /// How the node is told from others.
    pub node: String,
}

impl Pulse {
    /// That of the running service.
    #[must_use]
    pub fn of(services: &Services) -> Self {
        Self {
            tree: services.tree.clone(),
            database: services.database.clone(),
            kv: services.kv.clone(),
            node: services.node.clone(),
        }
    }

    /// The status line for a look at the tree that was just taken.
    pub async fn status(&self, tree: &TreeSnapshot) -> Status {
        let query = self.database.read(|conn| settings::get(conn, "pulse"));
        let (database, kv) = futures_util::future::join(
            tokio::time::timeout(PATIENCE, query),
            tokio::time::timeout(PATIENCE, self.kv.ping()),
        )
        .await;
        let actors = || {
            let nodes = tree.nodes.iter();
            nodes.filter(|node| node.kind == NodeKind::Actor)
        };
        Status {
            node: self.node.clone(),
            at_ms: tree.at_ms,
            uptime_ms: tree.uptime_ms,
            up: actors().filter(|node| node.state == State::Up).count() as u64,
            actors: actors().count() as u64,
            database: matches!(database, Ok(Ok(_))),
            kv: matches!(kv, Ok(Ok(()))),
        }
    }
}

/// What the status line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub node: String,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    pub uptime_ms: u64,
    /// Actors that are up, of how many.
    pub up: u64,
    pub actors: u64,
    /// Whether the database answers.
    pub database: bool,
    /// Whether the key-value store answers.
    pub kv: bool,
}

impl Status {
    /// The line. A page's script replaces it as a whole.
    #[must_use]
    pub fn line(&self, language: Language) -> Markup {
        let say = |key| language.say(key);
        let down = self.actors - self.up;
        html! {
            footer.status id="status" aria-label=(say("status")) {
                span { (say("status-node")) " " b { (self.node) } }
                span { (language.say_with("version", [("version", env!("CARGO_PKG_VERSION").into())])) }
                span { (say("uptime")) " " b { (span(language, self.uptime_ms)) } }
                span {
                    (say("status-actors")) " "
                    span.state.up { (icon(true)) (grouped(self.up)) " " (say("status-up")) } " "
                    @if down > 0 {
                        span.state.stopped { (icon(false)) (grouped(down)) " " (say("status-down")) }
                    }
                }
                (store(language, "status-database", self.database))
                (store(language, "status-kv", self.kv))
                span.when { (language.say_with("as-of", [("time", exact(self.at_ms).into())])) }
            }
        }
    }
}

fn store(language: Language, name: &str, answers: bool) -> Markup {
    let (look, word) = match answers {
        true => ("up", "status-answers"),
        false => ("stopped", "status-away"),
    };
    html! {
        span {
            (language.say(name)) " "
            span class={ "state " (look) } { (icon(answers)) (language.say(word)) }
        }
    }
}

fn icon(good: bool) -> Markup {
    let strokes = if good {
        "M3 8.5 6.5 12 13 4.5"
    } else {
        "M4 4l8 8M12 4l-8 8"
    };
    html! { svg.icon viewBox="0 0 16 16" aria-hidden="true" { path d=(strokes) {} } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_down_is_said_in_words() {
        let mut status = Status {
            node: "127.0.0.1:8080".to_owned(),
            at_ms: 0,
            uptime_ms: 93_600_000,
            up: 1_203,
            actors: 1_203,
            database: true,
            kv: true,
        };
        let line = status.line(Language::English).into_string();
        for shown in ["127.0.0.1:8080", "1,203", "1 d 2 h", "answers"] {
            assert!(line.contains(shown), "{shown}: {line}");
        }
        assert!(!line.contains("away") && !line.contains(" down"));
        status.up = 1_201;
        status.kv = false;
        let line = status.line(Language::Chinese).into_string();
        for shown in ["1,201", "2 个停止", "无响应"] {
            assert!(line.contains(shown), "{shown}: {line}");
        }
    }
}
