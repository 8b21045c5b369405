//! The studio's page: the panel where orders are written, the works, and what opens over them.

mod over;
mod panel;
mod works;

use maud::html;

use super::{Workshop, words::words};
use crate::pages::{
    frame::{Page, Surroundings},
    language::Language,
    preferences::Preferences,
};

/// The page for who is signed in.
#[must_use]
pub fn page<'a>(preferences: Preferences, workshop: &'a Workshop) -> Page<'a> {
    let language = preferences.language;
    let models = serde_json::json!(workshop.models).to_string();
    let content = html! {
        h1.visually-hidden { (language.say("studio-title")) }
        noscript { p.notice.warn { (language.say("studio-no-script")) } }
        div.bench id="studio" data-words=(words(language)) data-models=(models) data-talker=[workshop.talker.as_ref()]
            data-max-files=(workshop.max_inputs) data-max-file=(workshop.max_file) {
            (panel::panel(language, workshop))
            (works::works(language, !workshop.models.is_empty()))
        }
        (over::lightbox(language))
        (over::help(language))
        (works::templates(language))
    };
    Page {
        preferences,
        title: language.say("studio-title"),
        surroundings: Surroundings::Studio(Some(&workshop.app)),
        style: Some("css/studio.css"),
        script: Some("js/studio.js"),
        content,
    }
}

/// A key on the keyboard, as one writes it.
fn key(language: Language, name: &'static str) -> maud::Markup {
    html! { kbd { (language.say(name)) } }
}
