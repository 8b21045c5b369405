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

/// The lines with keys of the example behind `# [[table]]`, up to the next example.
fn example(table: &str) -> Vec<&'static str> {
    let (_, example) = FILE.split_once(&format!("# [[{table}]]")).unwrap();
    let example = example.split("# [[").next().unwrap();
    let lines = example
        .lines()
        .map(|line| line.trim_start_matches('#').trim_start());
    let keys = lines.filter(|line| line.contains(" = ") && !line.starts_with('['));
    keys.collect()
}

/// That the example has every key which `T` knows.
fn shows_every_key<T: serde::de::DeserializeOwned + std::fmt::Debug>(example: &[&str]) {
    let fault = decode::decode::<T>(&parse::file("", "what = 1").0).unwrap_err();
    let decode::FaultKind::UnknownKey(known) = fault.kind else {
        panic!("{fault:?}");
    };
    for key in known {
        let start = format!("{key} = ");
        assert!(
            example.iter().any(|line| line.starts_with(&start)),
            "{key} is not shown"
        );
    }
}

#[test]
fn its_examples_work_and_show_every_key() {
    let (provider, route) = (example("provider"), example("route"));
    shows_every_key::<ProviderConfig>(&provider);
    shows_every_key::<RouteConfig>(&route);
    let text = format!(
        "[[provider]]\n{}\n[[route]]\n{}\n",
        provider.join("\n"),
        route.join("\n")
    );
    let loaded = loaded(&text);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);

    let least = "[[route]]\nmodel = \"smart\"\ntargets = [\"acme/gpt-4o\", \"acme/x\"]\n";
    let least = format!("[[provider]]\n{}\n{least}", provider.join("\n"));
    let routes = [least, text].map(|text| self::loaded(&text).config.routes);
    assert_eq!(routes[0], routes[1], "they are the defaults");
}
