//! The studio's door.

use maud::html;

use crate::pages::{
    frame::{Page, Surroundings},
    preferences::Preferences,
};

/// Why somebody is still outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The key is no key of this gateway.
    Unknown,
    /// The session is over, or its key was revoked.
    Ended,
    /// The form was not sent from this page.
    Foreign,
    /// The keys are not loaded yet.
    NotReady,
}

impl Trouble {
    fn message(self) -> &'static str {
        match self {
            Self::Unknown => "studio-key-unknown",
            Self::Ended => "studio-session-ended",
            Self::Foreign => "studio-key-foreign",
            Self::NotReady => "studio-keys-not-ready",
        }
    }
}

/// The page that asks for a key.
#[must_use]
pub fn document(preferences: Preferences, trouble: Option<Trouble>) -> Page<'static> {
    let language = preferences.language;
    let say = |key| language.say(key);
    let is_wrong = trouble == Some(Trouble::Unknown);
    let content = html! {
        form.door method="post" action="/studio/session" {
            h1 { (say("studio-title")) }
            p.soft { (say("studio-intro")) }
            @if let Some(trouble) = trouble {
                p.notice.bad role="alert" id="trouble" { (say(trouble.message())) }
            }
            div.field {
                label for="key" { (say("studio-key")) }
                input id="key" type="password" name="key" required autofocus autocomplete="current-password"
                    spellcheck="false" aria-describedby=(if is_wrong { "trouble key-help" } else { "key-help" })
                    aria-invalid=[is_wrong.then_some("true")];
                p.help id="key-help" { (say("studio-key-help")) " " code { "troupe keys create" } }
            }
            button.button.main.large { (say("studio-sign-in")) }
        }
    };
    Page {
        preferences,
        title: language.say("studio-title"),
        surroundings: Surroundings::Studio(None),
        style: Some("css/studio.css"),
        script: None,
        content,
    }
}
