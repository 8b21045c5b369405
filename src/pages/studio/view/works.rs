//! The works: what is being made, and what was made before.

use maud::{Markup, html};

use crate::pages::{icons::icon, language::Language};

/// The gallery with its search. The script fills it from the history.
pub fn works(language: Language, any_model: bool) -> Markup {
    let say = |key| language.say(key);
    html! {
        section.works id="works" aria-label=(say("studio-works")) {
            div.tools {
                form.search.needs-script role="search" id="search-form" {
                    label.visually-hidden for="search" { (say("studio-search")) }
                    input id="search" type="search" name="q" placeholder=(say("studio-search-hint"))
                        autocomplete="off" spellcheck="false";
                    label.visually-hidden for="tag" { (say("studio-tag")) }
                    select id="tag" hidden { option value="" { (say("studio-all")) } }
                }
                button.button.quiet.needs-script type="button" id="help-open" aria-haspopup="dialog" {
                    kbd { "?" } span { (say("studio-keys")) }
                }
            }
            @if !any_model {
                p.notice.warn { (say("studio-no-model")) " " code { "[[provider]]" } }
            }
            p.notice id="notice" role="status" hidden {}
            p.visually-hidden id="news" role="status" aria-live="polite" {}
            div.runs id="runs" aria-busy="true" {}
            div.loading.needs-script id="loading" {
                p.visually-hidden { (say("studio-loading")) }
                ul.tiles aria-hidden="true" { @for _ in 0..6 { li.tile.skeleton { div {} } } }
            }
            (empty(language))
            div.more id="more" hidden {
                button.button type="button" id="more-button" { (say("studio-load-more")) }
            }
        }
        div.toasts id="toasts" role="region" aria-label=(say("studio-messages")) aria-live="polite" {}
    }
}

/// What stands in an empty gallery: what to do next.
fn empty(language: Language) -> Markup {
    let say = |key| language.say(key);
    html! {
        div.nothing id="nothing" hidden {
            (icon("picture"))
            h2 { (say("studio-nothing")) }
            p.soft { (say("studio-nothing-next")) }
            ul.examples {
                @for key in ["studio-example-1", "studio-example-2", "studio-example-3"] {
                    li { button.button type="button" data-example { (say(key)) } }
                }
            }
        }
        p.empty id="no-match" hidden {}
    }
}

/// What the script makes copies of.
pub fn templates(language: Language) -> Markup {
    let say = |key| language.say(key);
    html! {
        template id="run-template" {
            article.run {
                header {
                    h2.prompt {}
                    p.facts.soft.small {}
                    div.run-tools {
                        button.button.quiet type="button" data-do="reuse" { (icon("again")) span { (say("studio-reuse")) } }
                        button.button.quiet type="button" data-do="cancel" { (icon("close")) span { (say("cancel")) } }
                        button.button.quiet type="button" data-do="delete" { (icon("delete")) span { (say("studio-delete")) } }
                    }
                }
                div.progress { progress max="100" {} span.soft.small data-state {} }
                div.fault.notice.bad hidden {
                    p {}
                    div.choose {
                        button.button type="button" data-do="again" { (icon("again")) span { (say("studio-again")) } }
                        button.button type="button" data-do="dismiss" { (say("studio-dismiss")) }
                    }
                }
                ul.tiles {}
            }
        }
        template id="tile-template" {
            li.tile { button type="button" data-do="open" { img loading="lazy" decoding="async" alt=""; } }
        }
        template id="skeleton-template" { li.tile.skeleton aria-hidden="true" { div {} } }
        template id="film-template" {
            li.tile.film { button type="button" data-do="open" { (icon("right")) span {} } }
        }
        template id="pin-template" { span.pinned { (icon("pin")) span.visually-hidden { (say("studio-is-pinned")) } } }
        template id="file-template" {
            li {
                img alt="";
                span {}
                button.button.quiet type="button" { (icon("close")) span.visually-hidden {} }
            }
        }
        template id="chip-template" {
            label.chip {
                input type="radio" name="size";
                span { svg.shape viewBox="0 0 24 24" aria-hidden="true" { rect {} } b {} small {} }
            }
        }
        template id="toast-template" { div.toast { p {} button.button type="button" {} } }
    }
}
