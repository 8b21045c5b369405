//! Guards the repository's `config.toml`: it shows every key with its default.

use super::*;

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml"));

fn loaded(text: &str) -> Loaded {
    load(Sources {
        file: Some(("config.toml".to_owned(), text.to_owned())),
        ..Sources::default()
    })
}

#[test]
fn the_file_shows_every_key_with_its_default() {
    let shown: toml::Table = toml::from_str(FILE).unwrap();
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    assert_eq!(
        shown.keys().collect::<Vec<_>>(),
        defaults.keys().collect::<Vec<_>>()
    );
    for (section, values) in &defaults {
        assert_eq!(&shown[section], values, "[{section}]");
    }
}

#[test]
fn every_line_with_a_key_says_what_it_is() {
    for line in FILE.lines().filter(|line| line.contains(" = ")) {
        let above = line.starts_with("database_url") || line.starts_with("secret_key_file");
        assert!(line.contains('#') || above, "{line}");
    }
}

#[test]
fn it_works_as_it_stands() {
    let loaded = loaded(FILE);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    assert_eq!(loaded.config.providers[0].kind, "demo");
}

#[test]
fn its_example_provider_works_and_shows_every_key() {
    let (_, example) = FILE.split_once("# [[provider]]").unwrap();
    let keys = example
        .lines()
        .map(|line| line.trim_start_matches('#').trim_start());
    let text: Vec<&str> = keys.filter(|line| line.contains(" = ")).collect();
    let loaded = loaded(&format!("[[provider]]\n{}\n", text.join("\n")));
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);

    let fault = decode::decode::<ProviderConfig>(&parse::file("", "what = 1").0).unwrap_err();
    let decode::FaultKind::UnknownKey(known) = fault.kind else {
        panic!("{fault:?}");
    };
    for key in known {
        let start = format!("{key} = ");
        assert!(
            text.iter().any(|line| line.starts_with(&start)),
            "{key} is not shown"
        );
    }
}
