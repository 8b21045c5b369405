//! What every page has around its content: head, top bar with language and theme, status line.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    assets,
    language::Language,
    preferences::{Preferences, Theme},
};

/// Scripts, styles and connections from this server only; nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// One page of the admin's part.
pub struct Page<'a> {
    pub preferences: Preferences,
    pub title: &'a str,
    /// The page's own script, such as `js/supervision.js`.
    pub script: Option<&'a str>,
    /// What stands in `main`.
    pub content: Markup,
}

impl Page<'_> {
    /// The whole document.
    #[must_use]
    pub fn document(&self) -> Markup {
        let Preferences { language, theme } = self.preferences;
        html! {
            (DOCTYPE)
            html lang=(language.code()) data-theme=[theme.map(Theme::code)] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Troupe" }
                    link rel="icon" href=(assets::address("icons/troupe.svg")) type="image/svg+xml";
                    link rel="stylesheet" href=(assets::address("css/tokens.css"));
                    link rel="stylesheet" href=(assets::address("css/components.css"));
                    @if let Some(script) = self.script {
                        script type="module" src=(assets::address(script)) {}
                    }
                }
                body {
                    a.skip href="#content" { (language.say("skip-to-content")) }
                    (self.top())
                    main id="content" { (self.content) }
                }
            }
        }
    }

    fn top(&self) -> Markup {
        let Preferences { language, theme } = self.preferences;
        html! {
            header.top {
                span.brand {
                    img src=(assets::address("icons/troupe.svg")) alt="" width="20" height="20";
                    "Troupe"
                }
                nav.crumbs aria-label=(language.say("admin")) {
                    ol {
                        li { (language.say("admin")) }
                        li aria-current="page" { (self.title) }
                    }
                }
                nav.choices aria-label=(language.say("theme")) {
                    @for choice in [None, Some(Theme::Light), Some(Theme::Dark)] {
                        @let code = choice.map_or("auto", Theme::code);
                        a href={ "?theme=" (code) } aria-current=[(choice == theme).then_some("true")] {
                            (language.say(&format!("theme-{code}")))
                        }
                    }
                }
                nav.choices aria-label=(language.say("language")) {
                    @for other in Language::ALL {
                        a href={ "?lang=" (other.code()) } lang=(other.code())
                            aria-current=[(other == language).then_some("true")] { (other.own_name()) }
                    }
                }
            }
        }
    }

    /// The document as a response that nothing may store, frame or add scripts to.
    #[must_use]
    pub fn response(&self, status: StatusCode) -> HttpResponse {
        respond(status, &self.document())
    }
}

/// A document, or a part of one that a page's script asks for.
pub fn respond(status: StatusCode, markup: &Markup) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "cookie, accept-language"))
        .body(markup.0.clone())
}
