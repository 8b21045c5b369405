//! Many streams at once, their timing, clients that leave, clients that read slowly.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::join_all};
use socket2::{Domain, Socket, Type};
use troupe_simulator::Simulator;

use crate::support::{App, Provider, SOON, chat};

#[actix_rt::test]
async fn of_512_streams_at_once_no_frame_is_lost_reordered_or_mixed() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-stream-32x20ms"]);
    let app = App::builder().provider(provider).start().await;
    let streams = (0..512).map(async |seed| {
        let answer = app
            .chat(&chat::seeded("acme/sim-stream-32x20ms", seed))
            .await;
        (seed, answer.streamed_text().await)
    });
    for (seed, text) in join_all(streams).await {
        let wanted: String = (0..32).map(|index| format!("{seed}-{index} ")).collect();
        assert_eq!(text, wanted);
    }
    let stats = sim.script().stats();
    assert_eq!((stats.streams_opened, stats.cancelled), (512, 0));
}

#[actix_rt::test]
async fn a_paced_stream_shows_no_40_ms_step() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-stream-32x15ms"]);
    let app = App::builder().provider(provider).start().await;
    let (mut firsts, mut gaps) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let began = Instant::now();
        let mut answer = app.chat(&chat::stream("acme/sim-stream-32x15ms")).await;
        answer.event().await.unwrap();
        firsts.push(began.elapsed());
        let mut last = Instant::now();
        while let Some(event) = answer.event().await {
            if chat::text(&event).is_some_and(|text| !text.is_empty()) {
                gaps.push(last.elapsed());
                last = Instant::now();
            }
        }
    }
    // a machine that is busy with other tests delays single events; a held-back one delays every second
    let first = firsts.into_iter().min().unwrap();
    assert!(
        first < Duration::from_millis(30),
        "first byte after {first:?}"
    );
    gaps.sort_unstable();
    let late = gaps
        .iter()
        .filter(|gap| **gap > Duration::from_millis(35))
        .count();
    assert!(
        late * 5 < gaps.len(),
        "{late} of {} events came late: {gaps:?}",
        gaps.len()
    );
}

#[actix_rt::test]
async fn the_upstream_sees_at_once_that_the_client_left() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-hang-after-2", "sim-hang"]);
    let app = App::builder().provider(provider).start().await;
    let mut answer = app.chat(&chat::seeded("acme/sim-hang-after-2", 7)).await;
    let mut text = String::new();
    while text != "7-0 7-1 " {
        text.push_str(&chat::text(&answer.event().await.unwrap()).unwrap_or_default());
    }
    let left = Instant::now();
    drop(answer);
    let stats = sim
        .script()
        .wait_for(SOON, |stats| stats.cancelled == 1)
        .await;
    let seen = stats.cancellations[0].at.unwrap() - left;
    assert!(seen < Duration::from_millis(100), "seen after {seen:?}");

    let body = chat::plain("acme/sim-hang");
    let mut waiting = Box::pin(app.chat(&body));
    let opened = sim.script().wait_for(SOON, |stats| stats.open == 1);
    tokio::select! {
        answer = &mut waiting => panic!("answered with {}", answer.status),
        _ = opened => {}
    }
    let left = Instant::now();
    drop(waiting);
    let stats = sim
        .script()
        .wait_for(SOON, |stats| stats.cancelled == 2)
        .await;
    let seen = stats.cancellations[1].at.unwrap() - left;
    assert!(seen < Duration::from_millis(100), "seen after {seen:?}");
}

/// A client that sends a request for a stream and reads nothing of it. Its window closes, and its kernel
/// goes on to answer the questions whether it is open again.
fn deaf_client(app: &App, model: &str) -> std::net::TcpStream {
    let address: std::net::SocketAddr = app.url("").trim_start_matches("http://").parse().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = std::net::TcpStream::from(socket);
    let body = chat::stream(model).to_string();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        App::API_KEY,
        body.len()
    )
    .unwrap();
    stream
}

#[actix_rt::test]
async fn a_client_that_reads_nothing_is_cut_off_and_lets_go_of_the_upstream() {
    let sim = Simulator::start();
    let model = "sim-stream-2000+text-16k";
    let app = App::builder()
        .set("server.write_timeout_ms", "1000")
        .provider(Provider::of(&sim).models(&[model]))
        .start()
        .await;
    let client = deaf_client(&app, &format!("acme/{model}"));
    let stats = sim
        .script()
        .wait_for(SOON, |stats| stats.cancelled == 1)
        .await;
    assert_eq!(stats.open, 0);
    let calls = app.calls_once(1).await;
    assert_eq!(calls[0]["outcome"], "client_closed");
    drop(client);
}

#[actix_rt::test]
async fn slow_readers_do_not_fill_the_memory() {
    let sim = Simulator::start();
    let model = "sim-stream-2000+text-16k";
    let app = App::builder()
        .provider(Provider::of(&sim).models(&[model]))
        .start()
        .await;
    let body = chat::stream(&format!("acme/{model}"));
    let before = app.memory();
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut answer = app.chat(&body).await;
        answer.event().await.unwrap();
        slow.push(answer);
    }
    // 8 × 32 MiB lie ready; nobody fetches them
    let mut most = before;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        most = most.max(app.memory());
    }
    let grown = most.saturating_sub(before) >> 20;
    assert!(grown < 32, "grew by {grown} MiB");
    let read = slow
        .into_iter()
        .map(|answer| answer.events().map(|events| events.len()));
    for events in join_all(read).await {
        assert!(events >= 2000, "{events} events");
    }
}
