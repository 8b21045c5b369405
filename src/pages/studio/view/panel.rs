//! The panel: what is to be made. On a phone a sheet at the bottom, of which the prompt is always in reach.

use maud::{Markup, html};

use crate::pages::{icons::icon, language::Language, studio::Workshop};

/// The form. Fields that a model does not have are hidden by the script; names are those of `/api/v1/tasks`.
pub fn panel(language: Language, workshop: &Workshop) -> Markup {
    let say = |key| language.say(key);
    html! {
        form.panel id="panel" method="post" action="/api/v1/tasks" enctype="multipart/form-data" novalidate
            aria-label=(say("studio-order")) {
            button.grip.needs-script type="button" id="grip" aria-expanded="false" aria-controls="options" {
                (icon("up")) span { (say("studio-options")) }
            }
            (actions(language, workshop))
            (prompt(language, workshop))
            div.options id="options" {
                (pictures(language))
                (model(language, workshop))
                (size(language))
                (numbers(language, workshop))
                (details(language))
            }
            div.act {
                button.button.main.large type="submit" id="generate" {
                    (icon("wand")) span { (say("studio-generate")) }
                }
                p.error id="order-error" role="alert" hidden {}
            }
        }
    }
}

/// What is to be done; only what some model does.
fn actions(language: Language, workshop: &Workshop) -> Markup {
    let done = |action: &&str| {
        let mut models = workshop.models.iter();
        models.any(|model| model.actions.contains(action))
    };
    let actions: Vec<&str> = ["generate", "edit", "upscale", "video"]
        .into_iter()
        .filter(done)
        .collect();
    html! {
        fieldset.segments hidden[actions.len() < 2] {
            legend.visually-hidden { (language.say("studio-action")) }
            @for (at, action) in actions.iter().enumerate() {
                label {
                    input type="radio" name="action" value=(action) checked[at == 0];
                    span { (language.say(&format!("studio-action-{action}"))) }
                }
            }
        }
    }
}

fn prompt(language: Language, workshop: &Workshop) -> Markup {
    let say = |key| language.say(key);
    html! {
        div.field {
            div.label-line {
                label for="prompt" { (say("studio-prompt")) }
                button.button.quiet.needs-script type="button" id="improve" title=(say("studio-improve-help"))
                    hidden[workshop.talker.is_none()] {
                    (icon("wand")) span { (say("studio-improve")) }
                }
            }
            textarea id="prompt" name="prompt" rows="4" maxlength=(workshop.max_prompt)
                placeholder=(say("studio-prompt-hint")) aria-describedby="prompt-error" {}
            p.error id="prompt-error" hidden {}
        }
    }
}

fn pictures(language: Language) -> Markup {
    let say = |key| language.say(key);
    html! {
        div.field id="image-field" hidden {
            label for="image" { (say("studio-image")) }
            div.drop id="drop" {
                input id="image" type="file" name="image" multiple
                    accept="image/png,image/jpeg,image/webp,image/gif" aria-describedby="image-help image-error";
                p.help id="image-help" { (say("studio-image-help")) }
            }
            ul.files id="files" aria-label=(say("studio-files")) hidden {}
            p.error id="image-error" hidden {}
        }
    }
}

fn model(language: Language, workshop: &Workshop) -> Markup {
    let mut groups: Vec<(&str, Vec<_>)> = Vec::new();
    for model in &workshop.models {
        match groups.last_mut() {
            Some((provider, models)) if *provider == model.provider => models.push(model),
            _ => groups.push((&model.provider, vec![model])),
        }
    }
    html! {
        div.field {
            label for="model" { (language.say("studio-model")) }
            select id="model" name="model" aria-describedby="model-error" {
                @for (provider, models) in &groups {
                    optgroup label=(provider) {
                        @for model in models {
                            option value=(model.id) {
                                (model.name)
                                @if !model.ready { " · " (language.say("studio-not-ready")) }
                            }
                        }
                    }
                }
            }
            p.error id="model-error" hidden {}
        }
    }
}

fn size(language: Language) -> Markup {
    let say = |key| language.say(key);
    html! {
        fieldset.field.needs-script id="size-field" {
            legend { (say("studio-size")) }
            div.chips id="sizes" {}
            div.sides id="sides" hidden {
                label for="width" { (say("studio-width")) }
                input id="width" type="number" name="width" inputmode="numeric" aria-describedby="size-error";
                label for="height" { (say("studio-height")) }
                input id="height" type="number" name="height" inputmode="numeric" aria-describedby="size-error";
                span.soft.small { "px" }
            }
            p.error id="size-error" hidden {}
        }
    }
}

fn numbers(language: Language, workshop: &Workshop) -> Markup {
    let say = |key| language.say(key);
    html! {
        div.pair {
            div.field id="count-field" {
                label for="count" { (say("studio-count")) }
                input id="count" type="number" name="num_images" min="1" max=(workshop.max_count) value="1"
                    inputmode="numeric" aria-describedby="count-error";
                p.error id="count-error" hidden {}
            }
            div.field id="seed-field" {
                label for="seed" { (say("studio-seed")) }
                div.joined {
                    input id="seed" type="number" name="seed" min="0" max="2147483647" inputmode="numeric"
                        placeholder=(say("studio-random")) aria-describedby="seed-error";
                    button.button.needs-script type="button" id="lock" aria-pressed="false"
                        title=(say("studio-lock-help")) {
                        (icon("lock")) span.visually-hidden { (say("studio-lock")) }
                    }
                }
                p.error id="seed-error" hidden {}
            }
        }
    }
}

fn details(language: Language) -> Markup {
    let say = |key| language.say(key);
    html! {
        details.details id="details" {
            summary { (say("studio-more")) }
            div.field id="negative-field" {
                label for="negative" { (say("studio-negative")) }
                textarea id="negative" name="negative_prompt" rows="2" aria-describedby="negative-help" {}
                p.help id="negative-help" { (say("studio-negative-help")) }
            }
            (slider("steps", "steps", &say("studio-steps"), &say("studio-steps-help")))
            (slider("guidance", "scale", &say("studio-guidance"), &say("studio-guidance-help")))
            div.field {
                label for="tags" { (say("studio-tags")) }
                input id="tags" name="tags" maxlength="400" autocomplete="off" aria-describedby="tags-help";
                p.help id="tags-help" { (say("studio-tags-help")) }
            }
        }
    }
}

/// A number within the model's range.
fn slider(id: &str, name: &str, label: &str, help: &str) -> Markup {
    html! {
        div.field id={ (id) "-field" } {
            div.label-line {
                label for=(id) { (label) }
                output for=(id) id={ (id) "-value" } {}
            }
            input id=(id) type="range" name=(name) aria-describedby={ (id) "-help" };
            p.help id={ (id) "-help" } { (help) }
        }
    }
}
