//! The load generator: a small HTTP/1.1 client for one machine, cheap enough not to disturb what it measures.
//!
//! It runs on one thread (plus one that keeps the time of an open loop), sends prepared bytes, checks every answer to
//! its end, and prints one line of JSON. The exit code is 1 when any answer was wrong.

mod answer;
mod arguments;
mod body;
mod chunks;
mod client;
mod closed;
mod histogram;
mod open;
mod report;
mod run;
mod totals;

use std::{
    cell::Cell,
    io,
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use clap::Parser;
use tokio::{runtime, task::LocalSet, time::timeout};

use crate::{arguments::Arguments, closed::Until, report::Report, run::Run};

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = LocalSet::new().block_on(&runtime, put_load(&arguments));
    println!("{}", serde_json::to_string(&report)?);
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn put_load(arguments: &Arguments) -> Report {
    let announce_at = arguments.hold.then_some(arguments.connections);
    let run = Rc::new(Run::new(arguments.target(), announce_at));
    let start = Instant::now();
    let limit = Duration::from_secs_f64(arguments.timeout);
    if timeout(limit, all_requests(arguments, run.clone(), start))
        .await
        .is_err()
    {
        run.totals.add_failure("the run took too long");
    }
    Report::new(&run.totals, start.elapsed())
}

async fn all_requests(arguments: &Arguments, run: Rc<Run>, start: Instant) {
    let connections = arguments.connections;
    let length = arguments.seconds.map(Duration::from_secs_f64);
    if let (Some(rate), Some(length)) = (arguments.rate, length) {
        return open::run(run, connections, rate, length).await;
    }
    let until = match length {
        Some(length) => Until::Deadline(start + length),
        // `hold` is one request on each connection
        None => Until::Requests(Cell::new(arguments.requests.unwrap_or(connections as u64))),
    };
    closed::run(
        run,
        connections,
        Duration::from_millis(arguments.stagger_ms),
        until,
    )
    .await;
}
