//! The time-outs of the way to an upstream and of an attempt as a whole. An upstream that falls silent is among the
//! errors.

use std::{
    cell::Cell,
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use futures_util::future::join3;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use troupe_simulator::Simulator;

use crate::support::{Answer, App, Provider, SOON, chat};

/// An address at which no connection comes about: as many as the kernel bears wait there to be accepted, which
/// nobody does, and of any other it does not even hear.
struct Crowded {
    address: SocketAddr,
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl Crowded {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut waiting = Vec::new();
        // within a machine a connection stands at once, or not at all
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "there is always room for one more");
        }
        Self {
            address,
            _listener: listener,
            _waiting: waiting,
        }
    }
}

#[actix_rt::test]
async fn a_connection_that_never_stands_is_given_up_and_holds_nobody_up() {
    let sim = Simulator::start();
    let crowded = Crowded::new();
    // is connected to, and never says a word of TLS
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    // longer than by default, so that it is seen to count, and the first of all time-outs
    let patience = Duration::from_secs(6);
    let patient = |name: &str, url: &str| {
        let timeouts = format!("{{ connect_ms = {} }}", patience.as_millis());
        Provider::at(url).name(name).with("timeouts", &timeouts)
    };
    let mute_url = format!("https://{}/v1", mute.local_addr().unwrap());
    let app = App::builder()
        .provider(Provider::of(&sim))
        .provider(patient(
            "crowded",
            &format!("http://{}/v1", crowded.address),
        ))
        .provider(patient("mute", &mute_url))
        .start()
        .await;
    let begun = Instant::now();
    let over = Cell::new(false);
    let refused = |body: Value| {
        let (app, over) = (&app, &over);
        async move {
            let answer = app.chat(&body).await;
            over.set(true);
            assert!(begun.elapsed() >= patience, "{:?}", begun.elapsed());
            answer.error(504, "upstream_timeout").await;
        }
    };
    let others = async {
        for _ in 0..10 {
            app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
        }
        assert!(!over.get(), "they were served after it");
    };
    let plain = refused(chat::plain("crowded/gpt-4o"));
    let stream = refused(chat::stream("mute/gpt-4o"));
    join3(plain, stream, others).await;
    let calls = app.calls_once(12).await;
    let timed_out = calls.iter().filter(|call| call["outcome"] == "timeout");
    assert_eq!(timed_out.count(), 2);
}

/// The error that ends a stream which has begun well.
async fn last_error(answer: Answer) -> Value {
    assert_eq!(answer.status, 200);
    let events = answer.events().await;
    let begun = events.iter().any(|event| chat::text(event).is_some());
    assert!(begun, "{events:?}");
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    last["error"].clone()
}

#[actix_rt::test]
async fn an_attempt_ends_with_its_time_however_lively_it_is() {
    let sim = Simulator::start();
    // each of their pieces comes long before `idle_ms`, all of them would take a minute
    let (stream, drip) = ("sim-stream-2000x30ms", "sim-drip-4000ms");
    let provider = Provider::of(&sim)
        .models(&[stream, drip, "sim-hang"])
        .with("timeouts", "{ total_ms = 2000 }");
    let app = App::builder().provider(provider).start().await;
    let answer = app.chat(&chat::stream(&format!("acme/{stream}"))).await;
    let error = last_error(answer).await;
    assert_eq!(error["code"], "upstream_timeout", "{error}");
    assert_eq!(error["message"], "the upstream took too long in all");
    for model in [drip, "sim-hang"] {
        let answer = app.chat(&chat::plain(&format!("acme/{model}"))).await;
        answer.error(504, "upstream_timeout").await;
    }
    sim.script()
        .wait_for(SOON, |stats| stats.cancelled == 3)
        .await;
    let calls = app.calls_once(3).await;
    assert!(
        calls.iter().all(|call| call["outcome"] == "timeout"),
        "{calls:?}"
    );
}
