//! `troupe check`: tells every problem of the configuration, and does nothing else.

use std::io::{self, Write};

use troupe_actors::{providers::config::ProviderConfig, storage::kv::KvUrl};

use super::{Context, Exit};
use crate::config::Severity;

/// Prints the problems and a summary; fails where one of them is an error.
pub fn run(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    let problems = &context.loaded.problems;
    for problem in problems {
        writeln!(out, "{problem}")?;
    }
    let name = context.file.as_deref().unwrap_or("no configuration file");
    let errors = count(problems.iter().map(|p| p.severity), Severity::Error);
    let verdict = match (errors, problems.len() - errors) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => plural(warnings, "warning"),
        (errors, 0) => plural(errors, "error"),
        (errors, warnings) => format!(
            "{}, {}",
            plural(errors, "error"),
            plural(warnings, "warning")
        ),
    };
    if errors > 0 {
        writeln!(out, "{name}: {verdict}")?;
        return Ok(Exit::BadConfig);
    }
    let providers = &context.loaded.config.providers;
    let models = providers
        .iter()
        .filter_map(|p| p.models.as_ref())
        .map(Vec::len);
    let listed = plural(models.sum(), "model");
    let asked = |p: &&ProviderConfig| p.models.is_none() && p.base_url.is_some();
    let asking = match providers.iter().filter(asked).count() {
        0 => String::new(),
        asking => format!(", {} to be asked for theirs", plural(asking, "provider")),
    };
    let providers = plural(providers.len(), "provider");
    let routes = match context.loaded.config.routes.len() {
        0 => String::new(),
        routes => format!(", {}", plural(routes, "route")),
    };
    writeln!(
        out,
        "{name}: {verdict}, {providers}, {listed} listed{asking}{routes}"
    )?;
    // a URL that is refused would be among the errors
    if let Ok(url) = KvUrl::parse(&context.loaded.config.storage.kv_url) {
        writeln!(out, "{name}: the key-value store is {url}")?;
    }
    Ok(Exit::Ok)
}

fn count(severities: impl Iterator<Item = Severity>, wanted: Severity) -> usize {
    severities.filter(|severity| *severity == wanted).count()
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::tests::troupe;

    #[test]
    fn a_good_file_is_summed_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.toml");
        let path = path.to_str().unwrap();
        let provider =
            "[[provider]]\nname = \"a\"\nkind = \"openai\"\nbase_url = \"http://h/v1\"\n";
        let route = "[[route]]\nmodel = \"best\"\ntargets = [\"a/m\"]\n";
        fs::write(path, format!("{provider}models = [\"m\", \"n\"]\n{route}")).unwrap();
        let (exit, out) = troupe(&["check", "--config", path], &[("GROQ_API_KEY", "g")]);
        assert_eq!(exit, Exit::Ok);
        let summary = "no problems, 2 providers, 2 models listed, 1 provider to be asked for theirs, \
             1 route";
        let store = "the key-value store is in memory";
        assert_eq!(out, format!("{path}: {summary}\n{path}: {store}\n"));
    }

    #[test]
    fn the_key_value_store_is_told_and_those_that_are_ignored() {
        let variables = [
            ("KV_REST_API_URL", "https://h.upstash.io"),
            ("KV_REST_API_TOKEN", "hush"),
            ("REDIS_URL", "redis://:hush@r"),
            ("TROUPE__STORAGE__KV_TIMEOUT_MS", "3000"),
        ];
        let (exit, out) = troupe(&["check"], &variables);
        assert_eq!(exit, Exit::Ok);
        assert!(
            out.contains("REDIS_URL: warning: storage.kv_url: ignored, since KV_REST_API_URL"),
            "{out}"
        );
        assert!(
            out.ends_with("the key-value store is upstash at h.upstash.io\n"),
            "{out}"
        );
        assert!(
            out.contains(": 1 warning, ") && !out.contains("hush"),
            "{out}"
        );
    }

    #[test]
    fn errors_and_warnings_are_counted_and_end_with_two() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.toml");
        let path = path.to_str().unwrap();
        let text = "[supervision]\nfault_injection = true\nintensty = 3\n[serve]\n";
        fs::write(path, text).unwrap();
        let (exit, out) = troupe(&["check", "--config", path], &[]);
        assert_eq!(exit, Exit::BadConfig);
        assert!(
            out.contains(&format!("{path}:3:1: error: supervision.intensty: ")),
            "{out}"
        );
        assert!(
            out.ends_with(&format!("{path}: 2 errors, 1 warning\n")),
            "{out}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
