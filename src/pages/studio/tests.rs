//! The page rendered from a made-up workshop.

use super::*;
use crate::pages::{language::Language, preferences::Theme};

fn preferences(language: Language) -> Preferences {
    Preferences {
        language,
        theme: Some(Theme::Light),
    }
}

fn workshop(actions: &[&'static str]) -> Workshop {
    let model = |name: &str| Model {
        id: format!("acme/{name}"),
        name: format!("{name} \"<b>\""),
        provider: "acme".to_owned(),
        actions: actions.to_vec(),
        ready: name != "tired",
        sizes: vec!["1024x576".parse().unwrap()],
        free: None,
        steps: None,
        guidance: None,
        negative: true,
        seed: true,
        single: false,
        inputs: 2,
    };
    Workshop {
        app: "my <app>".to_owned(),
        models: vec![model("fox"), model("tired")],
        talker: Some("acme/talk".to_owned()),
        max_count: 10,
        max_inputs: 16,
        max_prompt: 20_000,
        max_file: 64 << 20,
    }
}

/// The attribute as a script reads it.
fn attribute(page: &str, name: &str) -> serde_json::Value {
    let (_, rest) = page.split_once(&format!("{name}=\"")).unwrap();
    let text = rest.split('"').next().unwrap();
    let text = text
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_page_has_all_its_words_and_nothing_inline() {
    for language in Language::ALL {
        let workshop = workshop(&["generate", "edit", "upscale", "video"]);
        let page = view::page(preferences(language), &workshop)
            .document()
            .into_string();
        for trouble in [
            Trouble::Unknown,
            Trouble::Ended,
            Trouble::Foreign,
            Trouble::NotReady,
        ] {
            let door = document(preferences(language), Some(trouble))
                .document()
                .into_string();
            assert!(!door.contains('⟦') && !door.contains("{$"), "{door}");
        }
        assert!(!page.contains('⟦'), "a message is missing in {language:?}");
        assert!(!page.contains("{$"), "a part of a message is missing");
        assert!(
            !page.contains("style=") && !page.contains("onclick") && !page.contains("<script>")
        );
        assert!(page.contains("<noscript><p"), "who runs no scripts is told");
        assert!(page.contains("my &lt;app&gt;") && !page.contains("<app>"));
        let words = attribute(&page, "data-words");
        assert!(words["ago"].as_str().unwrap().contains("%span%"), "{words}");
        for word in words.as_object().unwrap().values() {
            assert!(!word.as_str().unwrap().contains('⟦'), "{word}");
        }
    }
}

#[test]
fn scripts_say_nothing_that_the_page_does_not_hand_to_them() {
    let workshop = workshop(&["generate"]);
    let page = view::page(preferences(Language::English), &workshop)
        .document()
        .into_string();
    let words = attribute(&page, "data-words");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/static/js/studio");
    let mut said = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for quoted in text.split('"').skip(1).step_by(2) {
            let is_key = quoted.starts_with("studio-") && !quoted.contains(['$', ' ']);
            if is_key {
                assert!(words[quoted].is_string(), "{quoted}");
                said += 1;
            }
        }
    }
    assert!(said > 40, "{said}");
    for status in ["pending", "processing", "retrying", "failed", "cancelled"] {
        assert!(
            words[format!("studio-status-{status}")].is_string(),
            "{status}"
        );
    }
}

#[test]
fn only_what_some_model_does_is_offered() {
    let page = |actions| {
        let workshop = workshop(actions);
        view::page(preferences(Language::English), &workshop)
            .document()
            .into_string()
    };
    let one = page(&["generate"]);
    assert!(
        one.contains("class=\"segments\" hidden"),
        "there is no choice"
    );
    let two = page(&["generate", "upscale"]);
    assert!(two.contains("value=\"upscale\"") && !two.contains("value=\"edit\""));
    assert!(two.contains("tired &quot;&lt;b&gt;&quot; · resting</option>"));
    let models = attribute(&two, "data-models");
    assert_eq!(models[0]["sizes"][0], "1024x576");
}

#[test]
fn without_models_the_page_says_what_to_do() {
    let workshop = Workshop {
        models: Vec::new(),
        talker: None,
        ..workshop(&[])
    };
    let page = view::page(preferences(Language::English), &workshop)
        .document()
        .into_string();
    assert!(page.contains("No model draws here yet") && page.contains("[[provider]]"));
}
