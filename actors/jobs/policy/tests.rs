//! The order of jobs, and what becomes of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::prelude::*;
use troupe_protocol::failure::FailureKind;

use super::*;
use crate::{jobs::job::JobFailure, providers::exchange::ExchangeError};

const ROOM: Room = Room {
    all: 10,
    provider: 10,
    app: 10,
};
const NOW: Monotonic = Duration::ZERO;

fn entry(number: usize, app: &str) -> Entry {
    Entry {
        id: format!("job_{number:06}").into(),
        app: app.into(),
        provider: "acme".into(),
        model: "m".into(),
        priority: 0,
        at_once: false,
    }
}

fn numbers(begun: &[Entry]) -> Vec<usize> {
    let number = |entry: &Entry| entry.id[4..].parse().unwrap();
    begun.iter().map(number).collect()
}

#[test]
fn apps_take_turns_and_their_higher_priorities_go_first() {
    let mut board = Board::default();
    for (number, app) in [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b")] {
        board.queue(entry(number, app));
    }
    let urgent = Entry {
        priority: 5,
        ..entry(6, "a")
    };
    board.queue(urgent);
    let position = |id: usize| board.position(&entry(id, "").id);
    assert_eq!(
        [6, 4, 1, 5, 2, 3].map(position),
        [1, 2, 3, 4, 5, 6].map(Some)
    );
    assert_eq!(numbers(&board.next(ROOM, NOW)), [6, 4, 1, 5, 2, 3]);
    assert_eq!(board.position("job_000001"), None);
    assert!(board.runs("job_000001") && board.queued() == 0);
}

#[test]
fn an_app_gains_nothing_over_others_by_calling_everything_urgent() {
    let mut board = Board::default();
    for number in 1..=3 {
        let priority = 10;
        board.queue(Entry {
            priority,
            ..entry(number, "loud")
        });
    }
    board.queue(entry(4, "quiet"));
    assert_eq!(board.position("job_000004"), Some(2));
    let resumed = Entry {
        priority: RESUMED,
        ..entry(5, "quiet")
    };
    // an upstream is at work on it already
    board.queue(resumed);
    assert_eq!(numbers(&board.next(ROOM, NOW)), [5, 1, 4, 2, 3]);
}

#[test]
fn what_is_drawn_at_once_takes_no_place_from_what_waits() {
    let room = Room {
        all: 2,
        provider: 2,
        app: 1,
    };
    let mut board = Board::default();
    for number in 1..=9 {
        board.adopt(Entry {
            at_once: true,
            ..entry(number, "a")
        });
    }
    for (number, app) in [(10, "a"), (11, "a"), (12, "b"), (13, "c")] {
        board.queue(entry(number, app));
    }
    assert_eq!(numbers(&board.next(room, NOW)), [10, 12]);
    assert!(board.remove("job_000001").is_some());
    assert_eq!(numbers(&board.next(room, NOW)), [0; 0]);
    board.remove("job_000010");
    assert_eq!(numbers(&board.next(room, NOW)), [13]);
    assert_eq!(board.running().count(), 10);
}

#[test]
fn an_app_or_a_provider_without_room_holds_up_nobody_else() {
    let mut board = Board::default();
    for number in 1..=3 {
        board.queue(entry(number, "a"));
    }
    let elsewhere = |number, app: &str| Entry {
        provider: "other".into(),
        ..entry(number, app)
    };
    board.queue(elsewhere(4, "a"));
    board.queue(elsewhere(5, "b"));
    let room = Room {
        all: 10,
        provider: 1,
        app: 2,
    };
    assert_eq!(numbers(&board.next(room, NOW)), [1, 5]);
    board.remove("job_000005");
    assert_eq!(numbers(&board.next(room, NOW)), [4]);
    board.remove("job_000001");
    assert_eq!(numbers(&board.next(room, NOW)), [2]);
}

#[test]
fn a_job_that_rests_waits_when_its_time_has_come() {
    let mut board = Board::default();
    board.rest(entry(1, "a"), Duration::from_secs(5));
    board.queue(entry(2, "a"));
    board.queue(entry(2, "a"));
    assert_eq!(
        (board.queued(), board.alarm()),
        (2, Some(Duration::from_secs(5)))
    );
    assert_eq!(numbers(&board.next(ROOM, Duration::from_secs(4))), [2]);
    assert_eq!(numbers(&board.next(ROOM, Duration::from_secs(5))), [1]);
    assert_eq!(board.alarm(), None);
    board.rest(entry(3, "a"), Duration::from_secs(9));
    assert!(board.remove("job_000003").is_some());
    assert_eq!((board.alarm(), board.queued()), (None, 0));
}

#[test]
fn the_queue_is_bounded_in_all_and_for_each_app() {
    let config = JobsConfig {
        max_queued: 3,
        max_queued_per_app: 2,
        ..JobsConfig::default()
    };
    let mut board = Board::default();
    board.queue(entry(1, "a"));
    board.rest(entry(2, "a"), Duration::from_secs(1));
    assert_eq!(board.admits("a", &config), Err(Full::App { limit: 2 }));
    assert_eq!(board.admits("b", &config), Ok(()));
    board.queue(entry(3, "b"));
    assert_eq!(board.admits("c", &config), Err(Full::All { limit: 3 }));
    board.next(ROOM, NOW);
    assert_eq!(board.admits("a", &config), Ok(()));
}

#[test]
fn a_thousand_jobs_of_five_apps_are_begun_fairly() {
    let apps = ["a", "b", "c", "d", "e"];
    let mut board = Board::default();
    // one after the other: the first app is there long before the last
    for number in 0..1_000 {
        board.queue(entry(number, apps[number / 200]));
    }
    let mut begun: HashMap<Arc<str>, i64> = HashMap::new();
    let mut order = Vec::new();
    let mut running = std::collections::VecDeque::new();
    while board.queued() > 0 {
        for entry in board.next(ROOM, NOW) {
            *begun.entry(entry.app.clone()).or_default() += 1;
            let counts = apps.map(|app| begun.get(app).copied().unwrap_or_default());
            let (most, least) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
            assert!(most - least <= 2, "{begun:?}");
            running.push_back(entry.id.clone());
            order.push(entry.id);
        }
        let ended = running.pop_front().unwrap();
        board.remove(&ended);
    }
    order.sort();
    order.dedup();
    assert_eq!(order.len(), 1_000);
}

fn fault(kind: FailureKind, open: bool, held: bool) -> Fault {
    Fault {
        open,
        held,
        ..Fault::of(kind, "")
    }
}

#[test]
fn what_passes_is_tried_again_and_what_was_perhaps_drawn_is_not() {
    let config = JobsConfig::default();
    let after = Some(Duration::from_secs(7));
    let retry = |ms| Verdict::Retry(Duration::from_millis(ms));
    for (kind, open, held, attempts, expected) in [
        (FailureKind::Network, false, false, 1, retry(2_000)),
        (FailureKind::Network, false, false, 2, retry(4_000)),
        (FailureKind::Network, false, false, 3, Verdict::Fail),
        (FailureKind::Network, true, false, 1, Verdict::Fail),
        (FailureKind::Timeout, false, true, 1, retry(2_000)),
        // one part can be asked for, another cannot
        (FailureKind::Timeout, true, true, 1, Verdict::Fail),
        (FailureKind::Upstream, false, false, 1, retry(2_000)),
        (
            FailureKind::Overloaded { retry_after: after },
            false,
            false,
            1,
            retry(7_000),
        ),
        (FailureKind::ContentPolicy, false, false, 1, Verdict::Fail),
        (FailureKind::InvalidRequest, false, false, 1, Verdict::Fail),
        (FailureKind::AuthInvalid, false, false, 1, Verdict::Fail),
        (
            FailureKind::RateLimited { retry_after: after },
            false,
            false,
            9,
            Verdict::Rest(Duration::from_secs(7)),
        ),
    ] {
        let found = verdict(&fault(kind, open, held), attempts, &config);
        assert_eq!(found, expected, "{kind:?} {open} {held} {attempts}");
    }
    let cold = Fault {
        cold: true,
        ..fault(FailureKind::Upstream, false, false)
    };
    assert_eq!(verdict(&cold, 9, &config), Verdict::Rest(SOME_REST));
}

#[test]
fn what_the_store_did_not_take_is_asked_for_again_or_fails_but_is_not_ordered_again() {
    let config = JobsConfig::default();
    let error = ExchangeError::NotStored {
        full: true,
        message: String::new(),
    };
    let of_store = |held| Fault {
        error: Some(Box::new(error.clone())),
        ..fault(error.kind(), true, held)
    };
    let rest = Verdict::Rest(Duration::from_secs(60));
    assert_eq!(verdict(&of_store(true), 9, &config), rest);
    assert_eq!(verdict(&of_store(false), 1, &config), Verdict::Fail);
    assert_eq!(JobFailure::from(&of_store(false)).kind, "storage");
    let other = fault(FailureKind::Upstream, true, false);
    assert_eq!(JobFailure::from(&other).kind, "upstream");
}

const SOME_REST: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
enum Deed {
    Queue {
        app: usize,
        provider: usize,
        priority: i32,
    },
    Rest {
        app: usize,
        until: u64,
    },
    Next {
        now: u64,
    },
    Remove(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        (0..4_usize, 0..3_usize, 0..2_i32).prop_map(|(app, provider, priority)| Deed::Queue {
            app,
            provider,
            priority
        }),
        (0..4_usize, 0..50_u64).prop_map(|(app, until)| Deed::Rest { app, until }),
        (0..50_u64).prop_map(|now| Deed::Next { now }),
        (0..40_usize).prop_map(Deed::Remove),
    ];
    prop::collection::vec(deed, 0..120)
}

proptest! {
    #[test]
    fn no_job_is_lost_or_begun_twice_and_limits_hold(deeds in deeds()) {
        let room = Room { all: 5, provider: 3, app: 2 };
        let mut board = Board::default();
        let (mut number, mut removed) = (0, std::collections::HashSet::new());
        let mut begun = std::collections::HashSet::new();
        for deed in deeds {
            match deed {
                Deed::Queue { app, provider, priority } => {
                    let provider = format!("p{provider}").into();
                    board.queue(Entry { provider, priority, ..entry(number, &format!("a{app}")) });
                    number += 1;
                }
                Deed::Rest { app, until } => {
                    board.rest(entry(number, &format!("a{app}")), Duration::from_secs(until));
                    number += 1;
                }
                Deed::Next { now } => {
                    for entry in board.next(room, Duration::from_secs(now)) {
                        prop_assert!(begun.insert(entry.id));
                    }
                }
                Deed::Remove(number) => {
                    let id = entry(number, "").id;
                    if board.remove(&id).is_some() {
                        removed.insert(id);
                    }
                }
            }
            let running: Vec<_> = board.running().cloned().collect();
            prop_assert!(running.len() <= room.all);
            for one in &running {
                let same = |what: fn(&Entry) -> &Arc<str>| {
                    running.iter().filter(|other| what(other) == what(one)).count()
                };
                prop_assert!(same(|entry| &entry.app) <= room.app);
                prop_assert!(same(|entry| &entry.provider) <= room.provider);
            }
            let all = (0..number).filter(|number| board.knows(&entry(*number, "").id)).count();
            prop_assert_eq!(all, number - removed.len());
            prop_assert_eq!(board.queued() + running.len(), all);
        }
        // without limits each of them comes in the end
        let wide = Room { all: 1_000, provider: 1_000, app: 1_000 };
        board.next(wide, Duration::from_secs(99));
        prop_assert_eq!((board.queued(), board.running().count()), (0, number - removed.len()));
    }
}
