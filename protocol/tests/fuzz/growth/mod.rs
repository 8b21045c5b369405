//! Time per byte stays what it is when an input grows.

mod requests;
mod streams;

use std::time::{Duration, Instant};

/// How many there are of what grows.
const SMALL: usize = 400;
const TIMES: usize = 16;
/// How much longer the larger input may take: caches fill up. What is quadratic takes 16 times as long.
const GENEROUS: u32 = 3;
/// A machine that does much else may spoil some measurements, not all.
const ATTEMPTS: usize = 6;

/// Fails where `run` takes more time per byte of a larger input. The smaller is run as often as it takes
/// for as many bytes, so that both meet the same other work of the machine.
fn check(name: &str, make: impl Fn(usize) -> Vec<u8>, run: impl Fn(&[u8])) {
    let (small, large) = (make(SMALL), make(SMALL * TIMES));
    let growth = (large.len() / small.len()).max(1);
    let mut measured = Vec::new();
    for _ in 0..ATTEMPTS {
        let before = time(growth, || run(&small));
        let after = time(1, || run(&large));
        if after < before * GENEROUS {
            println!("{name}: {:.1}", after.as_secs_f64() / before.as_secs_f64());
            return;
        }
        measured.push((before, after));
    }
    panic!("{name}: the same bytes at once take too much longer: {measured:?}");
}

fn time(times: usize, run: impl Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    start.elapsed()
}
