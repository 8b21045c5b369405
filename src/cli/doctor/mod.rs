//! `troupe doctor`: checks everything that the gateway needs from the world, one line each.

mod finding;
mod host;
mod upstreams;

use std::{
    io::{self, Write},
    path::Path,
};

use super::{Context, Exit};
use crate::secret_key;
use finding::{Finding, State};

/// Prints what every check found; fails where one of them did.
pub fn run(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    let findings = actix_rt::System::new().block_on(examine(context));
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let worst = findings.iter().map(|finding| finding.state).max();
    Ok(match worst {
        Some(State::Fail) => Exit::Failed,
        _ => Exit::Ok,
    })
}

async fn examine(context: &Context) -> Vec<Finding> {
    let config = &context.loaded.config;
    let mut findings = configuration(context);
    let key_file = Path::new(&config.auth.secret_key_file);
    findings.push(host::secret_key(
        context.variable(secret_key::VARIABLE),
        key_file,
    ));
    let answers = upstreams::ask_all(&config.providers).await;
    let skews: Vec<i64> = answers.iter().filter_map(|answer| answer.skew_ms).collect();
    findings.extend(answers.into_iter().map(|answer| answer.finding));
    let now = chrono::Utc::now().timestamp_millis();
    findings.push(host::clock(&skews, now, None));
    findings.extend(host::disk(config));
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
