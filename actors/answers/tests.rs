//! Recordings and their table by hand; keeping and recalling on real databases.

use std::time::Duration;

use bytes::Bytes;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::{
    accounts::{
        calls::Outcome,
        testing::{World, until},
    },
    storage::{Connection, queries::answers as rows, testing::TestDatabase},
    supervision::Disturbance,
};

const OK: Option<Made> = Some(Made {
    outcome: Outcome::Ok,
    attempts: 1,
});

fn config() -> AnswersConfig {
    AnswersConfig {
        max_bytes: 10,
        ..AnswersConfig::default()
    }
}

async fn start(world: &World, config: &AnswersConfig) -> Answers {
    let started = Answers::start(&world.tree, config, &world.clock, &world.database);
    started.await.unwrap()
}

fn print(body: &str) -> Fingerprint {
    Fingerprint::of("/v1/x", body.as_bytes())
}

fn with_key(body: &str) -> Ask {
    Ask::with_key("app", "key", "/v1/x", print(body))
}

fn head(status: u16) -> Head {
    Head {
        status,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        length: None,
    }
}

fn first(answers: &Answers, ask: &Ask) -> Ticket {
    match answers.begin(ask) {
        Begun::Fresh(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// The first of its kind, of which the database knows nothing either.
async fn new(answers: &Answers, ask: &Ask) -> Ticket {
    match answers.recall(first(answers, ask)).await {
        Recalled::New(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn attached(answers: &Answers, ask: &Ask) -> Reader {
    match answers.begin(ask) {
        Begun::Attach(reader) => reader,
        other => panic!("{other:?}"),
    }
}

/// Head, body and end of an answer.
async fn read(mut reader: Reader) -> (Result<u16, End>, String, End) {
    let head = reader.head().await.map(|head| head.status);
    let mut body = Vec::new();
    loop {
        match reader.next().await {
            Step::Piece(piece) | Step::Last(piece, _) => body.extend_from_slice(&piece),
            Step::End(end) => return (head, String::from_utf8(body).unwrap(), end),
        }
    }
}

/// Answers with `pieces`, the last one after it was kept.
async fn answer(answers: &Answers, ticket: Ticket, status: u16, pieces: &[&'static str]) {
    ticket.begin(head(status));
    let (last, before) = pieces.split_last().unwrap();
    for piece in before {
        let _ = ticket.push(Bytes::from_static(piece.as_bytes()));
    }
    let last = Bytes::from_static(last.as_bytes());
    answers.keep(&ticket, Some(&last), OK).await;
    ticket.complete(Some(last), Outcome::Ok);
}

const WHOLE: End = End::Complete(Outcome::Ok);

#[actix_rt::test]
async fn readers_begin_at_the_start_whenever_they_come() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ask = Ask::twin("api-key", print("x"), false);
    let ticket = first(&answers, &ask);
    let early = ticket.read();
    ticket.begin(head(200));
    assert!(ticket.push(Bytes::from_static(b"one ")));
    let mut late = attached(&answers, &ask);
    assert_eq!(late.head().await.unwrap().headers, head(200).headers);
    assert_eq!(late.next().await, Step::Piece(Bytes::from_static(b"one ")));
    answers
        .keep(&ticket, Some(&Bytes::from_static(b"two")), OK)
        .await;
    assert!(ticket.complete(Some(Bytes::from_static(b"two")), Outcome::Ok));
    let last = Step::Last(Bytes::from_static(b"two"), Outcome::Ok);
    assert_eq!(late.next().await, last);
    assert_eq!(late.next().await, Step::End(WHOLE));
    let whole = (Ok(200), "one two".to_owned(), WHOLE);
    assert_eq!(read(early).await, whole);
    assert_eq!(
        read(attached(&answers, &ask)).await,
        whole,
        "within the window"
    );

    drop(late);
    world.hand.advance(Duration::from_secs(2));
    until(async || (answers.size() == (0, 0)).then_some(())).await;
    drop(first(&answers, &ask));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn who_makes_no_answer_is_forgotten_and_the_readers_are_told() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ask = Ask::twin("api-key", print("x"), false);
    let ticket = first(&answers, &ask);
    let reader = attached(&answers, &ask);
    drop(ticket);
    assert_eq!(
        read(reader).await,
        (Err(End::Broken), String::new(), End::Broken)
    );
    let ticket = first(&answers, &ask);
    ticket.begin(head(200));
    let reader = ticket.read();
    assert_eq!(answers.under_way(), 1);
    // a failure is told to those that wait, and to nobody later
    answers.keep(&ticket, None, None).await;
    let failed = first(&answers, &Ask::twin("api-key", print("y"), false));
    answer(&answers, failed, 502, &["no"]).await;
    assert_eq!(answers.size().0, 1, "only what went well stays");
    drop((ticket, reader));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_later_request_of_its_own_is_not_forgotten_with_the_earlier_one() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ask = Ask::twin("api-key", print("x"), true);
    let earlier = first(&answers, &ask);
    let Begun::Duplicate { retry_after } = answers.begin(&ask) else {
        panic!("a twin that may not share");
    };
    assert_eq!(retry_after, Duration::from_secs(2));
    world.hand.advance(Duration::from_secs(2));
    let later = first(&answers, &ask);
    drop(earlier);
    assert!(matches!(answers.begin(&ask), Begun::Duplicate { .. }));
    drop(later);
    drop(first(&answers, &ask));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn memory_has_its_bounds() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let config = AnswersConfig {
        max_total_bytes: 2 * 1_024 + 5,
        ..config()
    };
    let answers = start(&world, &config).await;
    let ask = |body| Ask::twin("api-key", print(body), false);
    let (one, two) = (first(&answers, &ask("1")), first(&answers, &ask("2")));
    assert!(matches!(answers.begin(&ask("3")), Begun::Full));
    one.begin(head(200));
    assert!(one.push(Bytes::from_static(b"12345")));
    two.begin(head(200));
    let reader = attached(&answers, &ask("2"));
    assert!(!two.push(Bytes::from_static(b"6")), "all of it is used");
    assert!(!two.complete(None, Outcome::Ok));
    assert_eq!(read(reader).await, (Ok(200), String::new(), End::TooLarge));
    // its own limit: ten bytes
    let large = first(&answers, &ask("4"));
    assert!(!large.push(Bytes::from_static(b"12345678901")));
    assert!(matches!(answers.begin(&ask("4")), Begun::Duplicate { .. }));
    drop((one, large));
    until(async || (answers.size().1 == 0).then_some(())).await;
    world.tree.stop().await;
}

#[actix_rt::test]
async fn nobody_left_is_noticed() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ask = Ask::twin("api-key", print("x"), false);
    let ticket = first(&answers, &ask);
    let (one, two) = (ticket.read(), attached(&answers, &ask));
    let mut unread = Box::pin(ticket.unread());
    for reader in [one, two] {
        assert!(futures_util::poll!(&mut unread).is_pending());
        drop(reader);
    }
    unread.await;
    world.tree.stop().await;
}

#[actix_rt::test]
async fn an_answer_is_recalled_for_its_key_until_its_time_is_over() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let world = World::start(database, 7_000).await;
        let answers = start(&world, &config()).await;
        let ask = with_key("x");
        let ticket = new(&answers, &ask).await;
        answer(&answers, ticket, 201, &["one ", "\u{fffd}"]).await;
        assert_eq!(answers.size(), (0, 0), "only the database has it now");

        for _ in 0..2 {
            let Recalled::Known(reader) = answers.recall(first(&answers, &ask)).await else {
                panic!("it was answered");
            };
            assert_eq!(
                read(reader).await,
                (Ok(201), "one \u{fffd}".to_owned(), WHOLE)
            );
        }
        let reused = answers.recall(first(&answers, &with_key("y"))).await;
        assert!(matches!(reused, Recalled::Refused(Refusal::OtherBody)));

        world.hand.advance(Duration::from_secs(24 * 3_600));
        drop(new(&answers, &with_key("y")).await);
        world.tree.stop().await;
    }
}

#[actix_rt::test]
async fn who_waits_for_the_look_up_learns_what_it_found() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ticket = new(&answers, &with_key("x")).await;
    answer(&answers, ticket, 200, &["x"]).await;
    // of another body than the stored one
    let ticket = first(&answers, &with_key("y"));
    let waits = attached(&answers, &with_key("y"));
    assert!(matches!(answers.begin(&with_key("z")), Begun::OtherBody));
    drop(answers.recall(ticket).await);
    let refused = End::Refused(Refusal::OtherBody);
    assert_eq!(read(waits).await, (Err(refused), String::new(), refused));
    // of the same
    let ticket = first(&answers, &with_key("x"));
    let waits = attached(&answers, &with_key("x"));
    drop(answers.recall(ticket).await);
    assert_eq!(read(waits).await, (Ok(200), "x".to_owned(), WHOLE));

    world.lose_storage().await;
    let lost = answers.recall(first(&answers, &with_key("x"))).await;
    assert!(matches!(lost, Recalled::Refused(Refusal::Unavailable)));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn what_is_too_large_is_remembered_as_such_and_a_failure_is_not() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ask = with_key("x");
    let ticket = new(&answers, &ask).await;
    answer(&answers, ticket, 500, &["no"]).await;
    let ticket = new(&answers, &ask).await;
    answer(&answers, ticket, 200, &["12345", "67890", "1"]).await;
    let again = answers.recall(first(&answers, &ask)).await;
    assert!(matches!(again, Recalled::Refused(Refusal::NotKept)));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn what_the_database_does_not_take_waits_and_no_more_is_promised() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ask = with_key("x");
    let ticket = new(&answers, &ask).await;
    let lock = Lock::take(&world.file);
    answer(&answers, ticket, 200, &["x"]).await;
    let whole = (Ok(200), "x".to_owned(), WHOLE);
    assert_eq!(read(attached(&answers, &ask)).await, whole);
    assert!(matches!(answers.begin(&with_key("y")), Begun::OtherBody));
    let another = Ask::with_key("app", "another", "/v1/x", print("x"));
    assert!(matches!(answers.begin(&another), Begun::Full));
    drop(first(&answers, &Ask::twin("api-key", print("x"), false)));

    drop(lock);
    until(async || (answers.size().0 == 0).then_some(())).await;
    let stored = answers.recall(first(&answers, &ask)).await;
    assert!(matches!(stored, Recalled::Known(_)));
    drop(new(&answers, &another).await);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn the_last_chance_is_the_end_and_a_restart_forgets_nothing() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let under_way = new(&answers, &with_key("x")).await;
    let restart = world.tree.disturb("answers", Disturbance::Panic);
    restart.await.unwrap();
    let again = attached(&answers, &with_key("x"));
    let lock = Lock::take(&world.file);
    answer(&answers, under_way, 200, &["x"]).await;
    drop(lock);
    world.tree.dismiss("answers").await;
    let stored = answers.recall(first_after_wait(&answers).await).await;
    assert!(matches!(stored, Recalled::Known(_)));
    assert_eq!(read(again).await, (Ok(200), "x".to_owned(), WHOLE));
    world.tree.stop().await;
}

/// The next one with the key, once the one before has left the table.
async fn first_after_wait(answers: &Answers) -> Ticket {
    until(async || match answers.begin(&with_key("x")) {
        Begun::Fresh(ticket) => Some(ticket),
        _ => None,
    })
    .await
}

#[actix_rt::test]
async fn expired_answers_are_removed() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let answers = start(&world, &config()).await;
    let ticket = new(&answers, &with_key("x")).await;
    answer(&answers, ticket, 200, &["x"]).await;
    let is_there = async || {
        let find = |conn: &mut Connection| rows::find(conn, ("app", "key", "/v1/x"), 0);
        world.database.read(find).await.unwrap().is_some()
    };
    assert!(is_there().await);
    world.hand.advance(Duration::from_secs(24 * 3_600));
    until(async || (!is_there().await).then_some(())).await;
    world.tree.stop().await;
}

/// Somebody else who holds the write lock of a SQLite file.
struct Lock(Connection);

impl Lock {
    fn take(file: &TestDatabase) -> Self {
        let mut lock = Self(file.connect());
        lock.say("BEGIN IMMEDIATE");
        lock
    }

    fn say(&mut self, statement: &str) {
        match &mut self.0 {
            Connection::Sqlite(c) => c.batch_execute(statement).unwrap(),
            Connection::Postgres(_) => unreachable!("only SQLite has one lock for all"),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.say("ROLLBACK");
    }
}
