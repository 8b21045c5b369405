//! How long the parts of an order may take, each limit by itself: the others are as long as ever.

use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use super::{fox, generate, refusal, reply, rotation::provider, videos::over};
use crate::support::{App, Builder, Provider};

/// A model of ModelScope's: an order that is taken at once, and questions after it.
const TASK: &str = "modelscope/z-image";
const UPSTREAM: &str = "Tongyi-MAI/Z-Image";

/// A gateway that makes no second attempt, with these of `[pictures]`.
async fn start(provider: Provider, limits: &[(&str, &str)]) -> App {
    let builder = App::builder()
        .provider(provider)
        .set("jobs.max_attempts", "1");
    let set = |builder: Builder, (name, value): &(&str, &str)| {
        builder.set(&format!("pictures.{name}"), value)
    };
    limits.iter().fold(builder, set).start().await
}

fn modelscope(sim: &Simulator) -> Provider {
    provider(sim, "modelscope", "/modelscope/v1")
}

#[actix_rt::test]
async fn an_upstream_that_draws_meanwhile_has_long_ms() {
    let sim = Simulator::start();
    let provider = provider(&sim, "openai", "/v1").models(&["gpt-image-1"]);
    let app = start(provider, &[("long_ms", "200")]).await;
    sim.script().any().answers([Behaviour::Hang]);
    let answer = generate(&app, &fox("openai/gpt-image-1")).await;
    refusal(answer, 504, "upstream_timeout").await;
    assert_eq!(
        sim.script().stats().requests,
        1,
        "it may be drawn: not again"
    );
}

#[actix_rt::test]
async fn an_order_is_taken_within_short_ms() {
    let sim = Simulator::start();
    let app = start(modelscope(&sim), &[("short_ms", "200")]).await;
    sim.script().any().answers([Behaviour::Hang]);
    let answer = generate(&app, &fox(TASK)).await;
    refusal(answer, 504, "upstream_timeout").await;
    assert_eq!(sim.script().stats().requests, 1);
}

#[actix_rt::test]
async fn a_question_has_quick_ms_and_may_fail_poll_failures_times() {
    let sim = Simulator::start();
    let limits = [("quick_ms", "100"), ("poll_failures", "2")];
    let app = start(modelscope(&sim), &limits).await;
    let rule = || sim.script().model(UPSTREAM);
    rule().answers([
        Behaviour::Ok,
        Behaviour::Hang,
        Behaviour::Hang,
        Behaviour::Ok,
    ]);
    reply(generate(&app, &fox(TASK)).await).await;
    let drawn = sim.script().stats().requests;
    rule().answers([Behaviour::Ok, Behaviour::Hang]);
    let answer = generate(&app, &fox(TASK)).await;
    refusal(answer, 504, "upstream_timeout").await;
    let asked = sim.script().stats().requests - drawn;
    assert_eq!(asked, 4, "an order, a question, and two more");
}

#[actix_rt::test]
async fn a_picture_is_done_within_total_ms() {
    let sim = Simulator::start();
    let app = start(modelscope(&sim), &[("total_ms", "2000")]).await;
    let endless = json!({"model": TASK, "prompt": "endless"});
    let error = refusal(generate(&app, &endless).await, 504, "upstream_timeout").await;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("in time"), "{error}");
}

#[actix_rt::test]
async fn a_video_is_done_within_video_total_ms() {
    let sim = Simulator::start();
    let provider = provider(&sim, "openai", "/v1").models(&["sora-2"]);
    let app = start(provider, &[("video_total_ms", "2000")]).await;
    let endless = json!({"model": "openai/sora-2", "prompt": "endless"});
    let failed = over(&app, &endless).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("in time"), "{failed}");
}
