//! What opens over the page: one picture with all that is known of it, and the keys.

use maud::{Markup, html};

use super::key;
use crate::pages::{icons::icon, language::Language};

/// One picture.
pub fn lightbox(language: Language) -> Markup {
    let say = |key| language.say(key);
    let tool = |does: &str, picture: &str, word| {
        html! {
            button.button type="button" data-do=(does) { (icon(picture)) span { (say(word)) } }
        }
    };
    html! {
        dialog.lightbox id="lightbox" aria-labelledby="lightbox-title" {
            div.stage id="stage" {
                button.button.step type="button" data-do="previous" aria-label=(say("studio-previous")) { (icon("left")) }
                div.shown id="shown" {}
                button.button.step type="button" data-do="next" aria-label=(say("studio-next")) { (icon("right")) }
            }
            div.about {
                div.about-head {
                    p.soft.small id="lightbox-place" {}
                    button.button.quiet type="button" data-do="close" aria-label=(say("studio-close")) autofocus { (icon("close")) }
                }
                h2 id="lightbox-title" {}
                div.about-tools {
                    a.button.main id="download" download="" { (icon("down")) span { (say("studio-download")) } }
                    (tool("reuse", "again", "studio-reuse"))
                    button.button type="button" data-do="pin" aria-pressed="false" { (icon("pin")) span { (say("studio-pin")) } }
                    (tool("use", "picture", "studio-use"))
                    (tool("delete", "delete", "studio-delete"))
                }
                form.field id="tags-form" {
                    label for="picture-tags" { (say("studio-tags")) }
                    div.joined {
                        input id="picture-tags" maxlength="400" autocomplete="off" aria-describedby="picture-tags-help";
                        button.button { (icon("check")) span { (say("studio-keep")) } }
                    }
                    p.help id="picture-tags-help" { (say("studio-tags-help")) }
                }
                dl.parameters id="parameters" {}
            }
        }
    }
}

/// The keys that do something.
pub fn help(language: Language) -> Markup {
    let say = |key| language.say(key);
    let row = |keys: Markup, does| {
        html! { div { dt { (keys) } dd { (say(does)) } } }
    };
    html! {
        dialog id="help" aria-labelledby="help-title" {
            form method="dialog" {
                h2 id="help-title" { (say("studio-keys")) }
                dl.keys {
                    (row(html! { kbd { "Ctrl" } " " (key(language, "key-enter")) }, "studio-key-generate"))
                    (row(html! { kbd { "/" } }, "studio-key-search"))
                    (row(html! { kbd { "n" } }, "studio-key-prompt"))
                    (row(html! { kbd { "j" } " " kbd { "k" } }, "studio-key-rows"))
                    (row(html! { kbd { "←" } " " kbd { "→" } }, "studio-key-arrows"))
                    (row(html! { (key(language, "key-escape")) }, "studio-key-close"))
                    (row(html! { kbd { "?" } }, "studio-key-list"))
                }
                div.choose { button.button autofocus { (say("studio-close")) } }
            }
        }
    }
}
