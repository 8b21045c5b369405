//! Names, connections, redirects and bodies.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use awc::http::header;
use bytes::Bytes;

use super::*;
use crate::providers::body::BodyFault;

/// A server that takes one connection after the other and gives each its answer, and returns what it
/// was asked.
fn server(address: &str, answers: Vec<String>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(address).unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = thread::spawn(move || {
        let serve = |answer: &String| {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = read_request(&mut stream);
            // a client that has read enough closes
            stream.write_all(answer.as_bytes()).ok();
            asked
        };
        answers.iter().map(serve).collect()
    });
    (port, served)
}

/// Head and body of a request, as it came.
fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut piece).unwrap() {
            0 => return text,
            read => text.push_str(str::from_utf8(&piece[..read]).unwrap()),
        }
    }
}

fn answer(text: &str) -> String {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {length}\r\n\r\n{text}")
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} R\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

fn at(text: &str) -> SocketAddr {
    SocketAddr::new(text.parse::<IpAddr>().unwrap(), 0)
}

/// Answers each question with the next of the answers, the last for good; counts the questions.
fn names(answers: &'static [&'static [&'static str]]) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_, port| {
        let turn = count.fetch_add(1, Ordering::Relaxed);
        let answer = answers[turn.min(answers.len() - 1)];
        let found = answer.iter().map(|text| {
            let mut address = at(text);
            address.set_port(port);
            address
        });
        let found = Ok(found.collect());
        Box::pin(async { found })
    });
    (lookup, asked)
}

/// One that reaches this machine by its address or any name.
fn open_guard(change: impl FnOnce(&mut EgressConfig)) -> Guard {
    let guard = with(|config| {
        config.allow_private = true;
        change(config);
    });
    guard.resolving(names(&[&["127.0.0.1"]]).0)
}

#[actix_rt::test]
async fn names_are_judged_by_all_their_addresses() {
    for answers in [
        &[&["127.0.0.1"] as &[_]] as &'static [&'static [&'static str]],
        &[&["10.0.0.1"]],
        &[&["169.254.169.254"]],
        &[&["::ffff:127.0.0.1"]],
        &[&["fd00::1"]],
        &[&["64:ff9b::7f00:1"]],
        &[&["0.0.0.0"]],
        &[&["8.8.8.8", "192.168.0.1"]],
        &[&[]],
    ] {
        let guard = with(|_| {}).resolving(names(answers).0);
        let refused = guard.get("http://rebind.example/x").await.err().unwrap();
        let host = "rebind.example".to_owned();
        assert_eq!(refused, EgressError::NotPublic { host }, "{answers:?}");
        // nothing that tells what stands behind the name
        assert!(!refused.to_string().contains(char::is_numeric), "{refused}");
    }
}

#[actix_rt::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let (port, served) = server("127.0.0.1:0", vec![answer("first")]);
    let other = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let (lookup, asked) = names(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let guard = open_guard(|_| {}).resolving(lookup);
    let fetched = guard
        .get(&format!("http://rebind.example:{port}/a?b=c#d"))
        .await
        .unwrap();
    assert_eq!((fetched.status, fetched.length), (200, Some(5)));
    assert_eq!(fetched.content_type.unwrap(), "image/png");
    assert_eq!(fetched.body.collect(100).await.unwrap(), "first");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let request = served.join().unwrap().remove(0).to_lowercase();
    assert!(request.starts_with("get /a?b=c http/1.1\r\n"), "{request}");
    assert!(
        request.contains(&format!("host: rebind.example:{port}\r\n")),
        "{request}"
    );
    other.set_nonblocking(true).unwrap();
    assert!(
        other.accept().is_err(),
        "the second address was never asked"
    );
}

#[actix_rt::test]
async fn no_connection_is_kept_for_the_next_link() {
    let (port, served) = server("127.0.0.1:0", vec![answer("one"), answer("two")]);
    let guard = open_guard(|_| {});
    for text in ["one", "two"] {
        let fetched = guard
            .get(&format!("http://kept.example:{port}/"))
            .await
            .unwrap();
        assert_eq!(fetched.body.collect(100).await.unwrap(), text);
    }
    assert_eq!(served.join().unwrap().len(), 2);
}

#[actix_rt::test]
async fn an_address_that_is_closed_leaves_the_next() {
    let (port, served) = server("127.0.0.3:0", vec![answer("third")]);
    let (lookup, _) = names(&[&["127.0.0.4", "127.0.0.3"]]);
    let guard = open_guard(|_| {}).resolving(lookup);
    let fetched = guard
        .get(&format!("http://two.example:{port}/"))
        .await
        .unwrap();
    assert_eq!(fetched.body.collect(100).await.unwrap(), "third");
    served.join().unwrap();
    let refused = guard.get(&format!("http://two.example:{port}/")).await;
    assert!(matches!(refused, Err(EgressError::Unreachable { .. })));
}

/// The result of a link whose server, an exception of its own, redirects.
async fn redirected(location: &str) -> Option<EgressError> {
    let (port, served) = server("127.0.0.1:0", vec![redirect(302, location)]);
    let guard = with(|config| config.allow_hosts = vec![format!("127.0.0.1:{port}")]);
    let result = guard.get(&format!("http://127.0.0.1:{port}/start")).await;
    served.join().unwrap();
    result.err()
}

#[actix_rt::test]
async fn redirects_go_through_the_same_door() {
    for location in [
        "http://127.0.0.1:1/",
        "//127.0.0.1:1/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://2130706433/",
        "http://localhost/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://a:b@example.com/",
        "http://[",
        "http://example.com./",
    ] {
        let host = "127.0.0.1".to_owned();
        assert_eq!(
            redirected(location).await,
            Some(EgressError::Redirect { host }),
            "{location}"
        );
    }
}

#[actix_rt::test]
async fn a_redirect_to_a_private_name_is_refused() {
    let (port, served) = server("127.0.0.1:0", vec![redirect(301, "http://inside.example/")]);
    let guard = with(|config| config.allow_hosts = vec![format!("127.0.0.1:{port}")]);
    let guard = guard.resolving(names(&[&["10.0.0.8"]]).0);
    let refused = guard.get(&format!("http://127.0.0.1:{port}/")).await.err();
    let host = "inside.example".to_owned();
    assert_eq!(refused, Some(EgressError::NotPublic { host }));
    served.join().unwrap();
}

#[actix_rt::test]
async fn a_few_redirects_are_followed_and_a_loop_ends() {
    let hops = [redirect(301, "/b"), redirect(307, "c"), redirect(308, "?d")];
    let (port, served) = server("127.0.0.1:0", [&hops[..], &[answer("end")]].concat());
    let guard = open_guard(|_| {});
    let fetched = guard
        .get(&format!("http://hops.example:{port}/a"))
        .await
        .unwrap();
    assert_eq!(fetched.body.collect(100).await.unwrap(), "end");
    let asked = served.join().unwrap();
    let lines: Vec<_> = asked
        .iter()
        .filter_map(|text| text.lines().next())
        .collect();
    assert_eq!(
        lines,
        [
            "GET /a HTTP/1.1",
            "GET /b HTTP/1.1",
            "GET /c HTTP/1.1",
            "GET /c?d HTTP/1.1"
        ]
    );

    let (port, served) = server("127.0.0.1:0", vec![redirect(302, "/"); 4]);
    let ended = guard
        .get(&format!("http://loop.example:{port}/"))
        .await
        .err();
    let host = "loop.example".to_owned();
    assert_eq!(ended, Some(EgressError::TooManyRedirects { host }));
    assert_eq!(served.join().unwrap().len(), 4);
}

#[actix_rt::test]
async fn a_post_is_carried_to_one_receiver_and_no_further() {
    let guard = open_guard(|_| {});
    let headers = vec![(header::CONTENT_TYPE, "application/json".parse().unwrap())];
    let busy = "HTTP/1.1 503 B\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    for (reply, status, wait) in [
        (answer("ok"), 200, None),
        (redirect(302, "/elsewhere"), 302, None),
        (redirect(307, "/elsewhere"), 307, None),
        (busy.to_owned(), 503, Some(Duration::from_secs(7))),
    ] {
        let (port, served) = server("127.0.0.1:0", vec![reply]);
        let url = format!("http://hooks.example:{port}/hook");
        let fetched = guard
            .post(&url, headers.clone(), Bytes::from("{}"))
            .await
            .unwrap();
        assert_eq!((fetched.status, fetched.retry_after), (status, wait));
        let asked = served.join().unwrap().remove(0);
        assert!(asked.starts_with("POST /hook HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("application/json"), "{asked}");
        assert!(asked.ends_with("\r\n\r\n{}"), "{asked}");
    }
}

#[actix_rt::test]
async fn a_url_is_vetted_by_its_addresses_without_a_connection() {
    let inner = with(|_| {}).resolving(names(&[&["10.0.0.1"]]).0);
    let host = "hooks.example".to_owned();
    let refused = Err(EgressError::NotPublic { host });
    assert_eq!(inner.vet("https://hooks.example/x").await, refused);
    let outer = with(|_| {}).resolving(names(&[&["8.8.8.8"]]).0);
    assert_eq!(outer.vet("https://hooks.example/x").await, Ok(()));
    assert_eq!(outer.vet("ftp://x").await, Err(EgressError::Scheme));
    let narrow = outer.within(|config| EgressConfig {
        ports: vec![443],
        ..config
    });
    assert!(narrow.vet("http://hooks.example/x").await.is_err());
}

#[actix_rt::test]
async fn a_server_that_says_nothing_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("http://slow.example:{port}/");
    let host = "slow.example".to_owned();
    let hasty = open_guard(|config| config.first_byte_ms = 50);
    let slow = Some(EgressError::Timeout { host });
    assert_eq!(hasty.get(&url).await.err(), slow);
    let hasty = open_guard(|config| config.total_ms = 50);
    assert_eq!(hasty.get(&url).await.err(), slow);

    let hasty = open_guard(|config| config.connect_ms = 50);
    let hasty = hasty.resolving(Arc::new(|_, _| Box::pin(std::future::pending())));
    assert_eq!(
        hasty.get(&url).await.err(),
        slow,
        "nor is a name server waited for"
    );
}

#[actix_rt::test]
async fn a_body_is_bounded_in_time_and_size() {
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n800\r\n".to_owned();
    let chunk = format!("{}\r\n800\r\n", "x".repeat(0x800));
    let huge = format!("{endless}{}", chunk.repeat(8));
    let told = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_owned();
    let (port, served) = server("127.0.0.1:0", vec![huge, told]);
    let guard = open_guard(|config| config.max_bytes = 4_096);
    let url = format!("http://huge.example:{port}/");
    let fetched = guard.get(&url).await.unwrap();
    assert_eq!(fetched.length, None);
    assert_eq!(
        fetched.body.collect(1 << 20).await,
        Err(BodyFault::TooLarge)
    );
    let host = "huge.example".to_owned();
    let refused = guard.get(&url).await.err();
    assert_eq!(refused, Some(EgressError::TooLarge { host }));
    served.join().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream.write_all(endless.as_bytes()).unwrap();
        // open until the other side gives up
        stream.read_exact(&mut [0]).ok();
    });
    let guard = open_guard(|config| config.total_ms = 200);
    let fetched = guard
        .get(&format!("http://drip.example:{port}/"))
        .await
        .unwrap();
    assert_eq!(fetched.body.collect(1 << 20).await, Err(BodyFault::Total));
    held.join().unwrap();
}
