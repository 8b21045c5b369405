//! `troupe doctor`: checks everything that the gateway needs from the world, one line each.

mod finding;
mod host;
mod stores;
mod upstreams;

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use chrono::Utc;
use troupe_actors::storage::engine::Engine;

use super::{Context, Exit};
use crate::{open_files, secret_key};
use finding::{Finding, State};

/// How long the database's threads may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints what every check found; fails where one of them did.
pub fn run(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    // waits for the database, so it comes before anything async
    let engine = stores::open(&context.loaded.config.storage);
    let findings = actix_rt::System::new().block_on(examine(context, &engine));
    if let Ok(engine) = engine {
        engine.stop(PATIENCE);
    }
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let worst = findings.iter().map(|finding| finding.state).max();
    Ok(match worst {
        Some(State::Fail) => Exit::Failed,
        _ => Exit::Ok,
    })
}

async fn examine(context: &Context, engine: &Result<Engine, Finding>) -> Vec<Finding> {
    let config = &context.loaded.config;
    let now = Utc::now().timestamp_millis();
    let mut findings = configuration(context);
    let variable = context.variable(secret_key::VARIABLE);
    findings.push(host::secret_key(
        variable,
        Path::new(&config.auth.secret_key_file),
    ));
    let (database, newest) = match engine {
        Ok(engine) => stores::database(engine, &config.storage, now).await,
        Err(finding) => (finding.clone(), None),
    };
    findings.push(database);
    findings.push(stores::key_value(&config.storage).await);
    let answers = upstreams::ask_all(&config.providers).await;
    let skews: Vec<i64> = answers.iter().filter_map(|answer| answer.skew_ms).collect();
    findings.extend(answers.into_iter().map(|answer| answer.finding));
    findings.push(host::clock(&skews, now, newest));
    findings.extend(host::disk(config));
    findings.push(host::open_files(
        open_files::allowed(),
        config.server.max_connections,
    ));
    findings
}

/// The warnings of the configuration; its errors end every command before this one.
fn configuration(context: &Context) -> Vec<Finding> {
    let problems = &context.loaded.problems;
    if problems.is_empty() {
        let file = context.file.as_deref().unwrap_or("no file, defaults");
        return vec![Finding::ok("configuration", file)];
    }
    let warning = |problem: &crate::config::Problem| {
        Finding::warn("configuration", problem.to_string(), "see config.toml")
    };
    problems.iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::{Installation, troupe};

    #[test]
    fn a_fresh_installation_is_well() {
        // another test may have installed it already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let installation = Installation::new();
        let (exit, out) = troupe(&["doctor"], &installation.environment());
        for subject in [
            "secret key",
            "database",
            "key-value store",
            "provider demo",
            "clock",
            "disk",
            "open files",
        ] {
            let line = format!(" {subject}: ");
            assert!(
                out.lines().any(|shown| shown.contains(&line)),
                "{subject}\n{out}"
            );
        }
        assert_eq!(exit, Exit::Ok, "{out}");
    }

    #[test]
    fn a_database_that_is_down_does_not_end_the_other_checks() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (exit, out) = troupe(&["doctor"], &[("DATABASE_URL", "sqlite:///proc/x/t.db")]);
        assert_eq!(exit, Exit::Failed);
        assert!(
            out.contains("fail  database: ") && out.contains("provider demo"),
            "{out}"
        );
    }
}
