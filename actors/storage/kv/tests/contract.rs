use std::time::Instant;

use super::{places::Place, *};

/// Every promise of [`Backend`], on a store that is empty.
async fn keeps_its_promises(place: &Place) {
    let store = open_with(&place.url(), Clock::system());
    let store = &*store;
    assert_eq!(store.ping().await, Ok(()));
    assert_eq!(store.tend().await, Ok(()));
    holds_any_bytes_under_any_key(store).await;
    forgets_what_is_over(store).await;
    removes(store).await;
    if store.abilities().counters {
        sets_only_what_is_absent(store).await;
        counts(store).await;
        counts_each_of_many_increments_at_once(store).await;
    } else {
        refuses_to_count(store).await;
    }
    if store.abilities().shared {
        shares(store, &*open_with(&place.url(), Clock::system())).await;
    }
    assert_eq!(store.flush().await, Ok(()));
}

async fn holds_any_bytes_under_any_key(store: &dyn Backend) {
    let long = vec![0xC3; MAX_VALUE];
    let values: [&[u8]; 7] = [b"", b"text", &[0, 255, 10], b"OK", b"base64:", b"17", &long];
    for key in ["a", "a/b c?d#e%2F:ü", "\"{}\u{1}"] {
        assert_eq!(store.get(key).await, Ok(None));
        for value in values {
            assert_eq!(store.set(key, value.to_vec(), Some(MINUTE)).await, Ok(()));
            assert_eq!(store.get(key).await, Ok(Some(value.to_vec())));
        }
    }
}

async fn forgets_what_is_over(store: &dyn Backend) {
    let instant = Duration::from_nanos(1);
    assert_eq!(store.set("gone", vec![1], None).await, Ok(()));
    assert_eq!(store.set("gone", vec![2], Some(instant)).await, Ok(()));
    let deadline = Instant::now() + Duration::from_secs(5);
    while store.get("gone").await != Ok(None) {
        assert!(Instant::now() < deadline, "the entry is still there");
    }
    assert_eq!(store.set("gone", vec![3], None).await, Ok(()));
    assert_eq!(
        store.get("gone").await,
        Ok(Some(vec![3])),
        "an old time to live must not outlast a new value"
    );
}

async fn removes(store: &dyn Backend) {
    assert_eq!(store.delete("never").await, Ok(false));
    assert_eq!(store.set("r", vec![1], Some(MINUTE)).await, Ok(()));
    assert_eq!(store.delete("r").await, Ok(true));
    assert_eq!(store.get("r").await, Ok(None));
    assert_eq!(store.delete("r").await, Ok(false));
}

async fn sets_only_what_is_absent(store: &dyn Backend) {
    let ttl = Some(MINUTE);
    assert_eq!(store.set_if_absent("s", vec![255], ttl).await, Ok(true));
    assert_eq!(store.set_if_absent("s", vec![2], None).await, Ok(false));
    assert_eq!(store.get("s").await, Ok(Some(vec![255])));
    assert_eq!(store.delete("s").await, Ok(true));
    assert_eq!(store.set_if_absent("s", vec![3], None).await, Ok(true));
}

async fn counts(store: &dyn Backend) {
    assert_eq!(store.increment("n", 5, MINUTE).await, Ok(5));
    assert_eq!(store.increment("n", -2, MINUTE).await, Ok(3));
    assert_eq!(store.get("n").await, Ok(Some(b"3".to_vec())));
    assert_eq!(store.set("n", b"40".to_vec(), None).await, Ok(()));
    assert_eq!(store.increment("n", 2, MINUTE).await, Ok(42));
    for other in [&[0, 255][..], b"text", i64::MAX.to_string().as_bytes()] {
        assert_eq!(store.set("no", other.to_vec(), None).await, Ok(()));
        refused(store.increment("no", 1, MINUTE).await);
        assert_eq!(store.get("no").await, Ok(Some(other.to_vec())));
    }
    // its time runs from the first increment, however often it is incremented
    let short = Duration::from_millis(50);
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut last = store.increment("window", 1, short).await.unwrap();
    loop {
        let next = store.increment("window", 1, short).await.unwrap();
        if next <= last {
            assert_eq!(next, 1);
            break;
        }
        last = next;
        assert!(Instant::now() < deadline, "the counter is never over");
    }
}

async fn counts_each_of_many_increments_at_once(store: &dyn Backend) {
    let all = (0..100).map(|_| store.increment("many", 1, MINUTE));
    let all = futures_util::future::join_all(all).await;
    let mut sums: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=100).collect::<Vec<i64>>());
}

async fn refuses_to_count(store: &dyn Backend) {
    let counted = refused(store.increment("n", 1, MINUTE).await);
    let set = refused(store.set_if_absent("n", vec![1], None).await);
    for text in [counted, set] {
        assert!(
            text.contains("redis://") && text.contains("upstash://"),
            "{text}"
        );
    }
    assert_eq!(store.get("n").await, Ok(None));
}

async fn shares(store: &dyn Backend, other: &dyn Backend) {
    let key = "for/another node?";
    assert_eq!(store.set(key, vec![0, 255], Some(MINUTE)).await, Ok(()));
    assert_eq!(store.flush().await, Ok(()));
    assert_eq!(other.get(key).await, Ok(Some(vec![0, 255])));
    assert_eq!(other.delete(key).await, Ok(true));
}

#[actix_rt::test]
async fn memory_keeps_its_promises() {
    keeps_its_promises(&Place::Memory).await;
}

#[actix_rt::test]
async fn redis_keeps_its_promises() {
    keeps_its_promises(&Place::redis()).await;
}

#[actix_rt::test]
async fn upstash_keeps_its_promises() {
    keeps_its_promises(&Place::upstash()).await;
}

#[actix_rt::test]
async fn cloudflare_keeps_its_promises() {
    keeps_its_promises(&Place::cloudflare()).await;
}

#[test]
fn each_store_says_what_it_can() {
    actix_rt::System::new().block_on(async {
        let abilities =
            Place::all().map(|place| open_with(&place.url(), Clock::system()).abilities());
        let said = abilities.map(|a| (a.counters, a.shared, a.lag.is_zero()));
        let expected = [
            (true, false, true),
            (true, true, true),
            (true, true, true),
            (false, true, false),
        ];
        assert_eq!(said, expected);
    });
}
