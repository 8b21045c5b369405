//! Open loop: requests fall due at a constant rate, whether or not earlier ones are answered, and their latency counts
//! from the due time. A slow target so shows its queue instead of slowing the generator down.

use std::{
    fs,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::{
        Mutex,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    task::JoinSet,
};

use crate::run::Run;

/// Requests that are due and that no connection has taken yet.
type Queue = Mutex<UnboundedReceiver<Instant>>;

/// Sends `rate` requests a second for `length`, on `connections` connections in turn.
pub async fn run(run: Rc<Run>, connections: usize, rate: f64, length: Duration) {
    let (send, due) = unbounded_channel();
    let queue = Rc::new(Mutex::new(due));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let connection = run.connect().await;
        let (run, queue) = (run.clone(), queue.clone());
        workers.spawn_local(async move {
            let mut connection = connection;
            while let Some(due) = next(&queue).await {
                connection = run.request(connection, due).await;
            }
        });
    }
    // tokio's timers are a millisecond coarse, more than a request takes: a thread of its own keeps the time
    thread::spawn(move || keep_time(rate, length, &send));
    workers.join_all().await;
}

/// The lock is fair, so the connections take turns.
async fn next(queue: &Queue) -> Option<Instant> {
    queue.lock().await.recv().await
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own; a timer of tokio is a millisecond coarse"
)]
fn keep_time(rate: f64, length: Duration, send: &UnboundedSender<Instant>) {
    // By default the kernel may wake a sleeper 50 µs late to save power. Where this is refused the figures
    // of all targets are that much larger.
    let _ = fs::write("/proc/thread-self/timerslack_ns", "1000");
    let start = Instant::now();
    for due in due_times(rate, length) {
        let due = start + due;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if send.send(due).is_err() {
            return;
        }
    }
}

/// When requests fall due, from the start on.
fn due_times(rate: f64, length: Duration) -> impl Iterator<Item = Duration> {
    let count = (length.as_secs_f64() * rate).round() as u64;
    (0..count).map(move |index| Duration::from_secs_f64(index as f64 / rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_constant_and_does_not_drift() {
        let times: Vec<_> = due_times(1_000.0, Duration::from_secs(3)).collect();
        assert_eq!(times.len(), 3_000);
        assert_eq!(times[0], Duration::ZERO);
        assert_eq!(times[2_999], Duration::from_millis(2_999));
        assert_eq!(
            due_times(3.0, Duration::from_secs(1)).nth(1),
            Some(Duration::from_nanos(333_333_333))
        );
    }
}
