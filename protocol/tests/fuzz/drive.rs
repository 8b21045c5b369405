//! Runs a target for its time, and keeps the input that it fails on.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use super::random::Random;

/// Far more than any of the small inputs here may take, on a machine that does much else.
const LONGEST: Duration = Duration::from_secs(5);

/// Feeds `check` with what `make` makes, for `FUZZ_SECONDS` seconds (2 by default).
///
/// `FUZZ_SEED` repeats a run. `FUZZ_INPUT` names a file to check instead.
pub fn drive(target: &str, make: impl Fn(&mut Random) -> Vec<u8>, check: impl Fn(&[u8])) {
    if let Some(path) = env::var_os("FUZZ_INPUT") {
        return check(&fs::read(path).unwrap());
    }
    let seconds: f64 = variable("FUZZ_SECONDS").unwrap_or(2.0);
    let seed: u64 = variable("FUZZ_SEED").unwrap_or_else(fresh_seed);
    let mut random = Random::new(seed);
    let start = Instant::now();
    let mut inputs = 0u64;
    while inputs == 0 || start.elapsed().as_secs_f64() < seconds {
        let input = make(&mut random);
        let began = Instant::now();
        let end = catch_unwind(AssertUnwindSafe(|| check(&input)));
        if let Err(panic) = end {
            keep(target, seed, &input);
            resume_unwind(panic);
        }
        if began.elapsed() > LONGEST {
            keep(target, seed, &input);
            panic!(
                "{target}: an input of {} bytes took {:?}",
                input.len(),
                began.elapsed()
            );
        }
        inputs += 1;
    }
    println!(
        "{target}: {inputs} inputs in {:.1} s, seed {seed}",
        start.elapsed().as_secs_f64()
    );
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let Ok(value) = text.parse() else {
        panic!("{name} is no number: {text}");
    };
    Some(value)
}

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_nanos() as u64
}

fn keep(target: &str, seed: u64, input: &[u8]) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}-{seed}"));
    fs::write(&path, input).unwrap();
    let path = path.display();
    println!("{target}: failed with seed {seed}; again: FUZZ_INPUT={path} scripts/fuzz {target}");
}
