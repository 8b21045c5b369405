//! What every page has around its content: head, brand, breadcrumb, language and theme; for admins a rail of all
//! pages and a status line.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    assets,
    icons::icon,
    language::Language,
    preferences::{Preferences, Theme},
    status::Status,
};

/// Scripts, styles and connections from this server only; nothing inline. Pictures that are about to be uploaded
/// are shown from the browser's own memory.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// The admin's pages: address, name in the catalogue, icon.
const RAIL: [(&str, &str, &str); 1] = [("/admin/supervision", "supervision-title", "tree")];

/// One page.
pub struct Page<'a> {
    pub preferences: Preferences,
    pub title: Cow<'static, str>,
    pub surroundings: Surroundings<'a>,
    /// The page's own style sheet beside those of all pages, such as `css/studio.css`.
    pub style: Option<&'a str>,
    /// The page's own script, such as `js/supervision.js`.
    pub script: Option<&'a str>,
    /// What stands in `main`.
    pub content: Markup,
}

/// What is around a page.
pub enum Surroundings<'a> {
    /// The rail, and the status line where there is one to tell.
    Admin(Option<&'a Status>),
    /// The studio, and who is signed in.
    Studio(Option<&'a str>),
}

impl Page<'_> {
    /// The whole document.
    #[must_use]
    pub fn document(&self) -> Markup {
        let Preferences { language, theme } = self.preferences;
        let kind = match self.surroundings {
            Surroundings::Admin(_) => "admin",
            Surroundings::Studio(_) => "studio",
        };
        html! {
            (DOCTYPE)
            html lang=(language.code()) data-theme=[theme.map(Theme::code)] {
                (self.head())
                body class=(kind) {
                    a.skip href="#content" { (language.say("skip-to-content")) }
                    @if let Surroundings::Admin(_) = self.surroundings { (self.rail()) }
                    (self.top())
                    main id="content" tabindex="-1" { (self.content) }
                    @if let Surroundings::Admin(Some(status)) = self.surroundings {
                        (status.line(language))
                    }
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let styles = ["css/tokens.css", "css/components.css"];
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (self.title) " · Troupe" }
                link rel="icon" href=(assets::address("icons/troupe.svg")) type="image/svg+xml";
                @for style in styles.into_iter().chain(self.style) {
                    link rel="stylesheet" href=(assets::address(style));
                }
                @if let Some(script) = self.script {
                    @for module in assets::imports(script) {
                        link rel="modulepreload" href=(module);
                    }
                    script type="module" src=(assets::address(script)) {}
                }
            }
        }
    }

    /// All pages of the admin; on a phone a bar at the bottom.
    fn rail(&self) -> Markup {
        let language = self.preferences.language;
        html! {
            nav.rail aria-label=(language.say("pages")) {
                (brand("/admin/"))
                ul {
                    @for (address, name, picture) in RAIL {
                        @let name = language.say(name);
                        li {
                            a href=(address) aria-current=[(name == self.title).then_some("page")] {
                                (icon(picture)) span { (name) }
                            }
                        }
                    }
                    li.apart { a href="/studio" { (icon("picture")) span { (language.say("studio-title")) } } }
                }
            }
        }
    }

    fn top(&self) -> Markup {
        let language = self.preferences.language;
        let (home, app) = match self.surroundings {
            Surroundings::Admin(_) => (Some(language.say("admin")), None),
            Surroundings::Studio(app) => (None, app),
        };
        html! {
            header.top {
                (brand(if home.is_some() { "/admin/" } else { "/studio" }))
                nav.crumbs aria-label=(language.say("breadcrumb")) {
                    ol {
                        @if let Some(home) = home { li { (home) } }
                        li aria-current="page" { (self.title) }
                    }
                }
                @if let Some(app) = app {
                    form.leave method="post" action="/studio/session/end" {
                        span.soft.small title=(language.say("studio-signed-in")) { (app) }
                        button.button { (icon("leave")) (language.say("studio-sign-out")) }
                    }
                }
                (self.choices())
            }
        }
    }

    /// Theme and language.
    fn choices(&self) -> Markup {
        let Preferences { language, theme } = self.preferences;
        html! {
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

    /// The document as a response that nothing may store, frame or add scripts to.
    #[must_use]
    pub fn response(&self, status: StatusCode) -> HttpResponse {
        respond(status, &self.document())
    }
}

fn brand(home: &str) -> Markup {
    html! {
        a.brand href=(home) {
            img src=(assets::address("icons/troupe.svg")) alt="" width="20" height="20";
            "Troupe"
        }
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
