//! Thoughts and their signatures, within a provider and from one to another.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{KINDS, MODELS, Speaker, all_pairs, app, streaming};
use crate::support::{App, Provider};

#[actix_rt::test]
async fn thoughts_are_shown_and_come_back_with_their_signatures() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind, stream) in all_pairs() {
        let model = format!("{kind}/sim-think-tools");
        let body = speaker.with_thinking(speaker.asks(&model, "think, then call"));
        let mut body = streaming(speaker.with_tools(body), stream);
        let heard = speaker.hears(&app, &body).await;
        let pair = format!("{speaker:?} on {kind}, stream {stream}: {heard:?}");
        assert!(
            !heard.thoughts.is_empty() && heard.calls.len() == 2,
            "{pair}"
        );
        speaker.answers_calls(&mut body, &heard);
        let told = speaker.hears(&app, &body).await;
        assert!(
            told.text.contains("result of get_time"),
            "{pair} then {told:?}"
        );
    }
}

#[actix_rt::test]
async fn a_conversation_goes_on_with_another_provider() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for speaker in Speaker::ALL {
        for from in KINDS {
            for to in KINDS {
                let model = format!("{from}/sim-think-tools");
                let body = speaker.with_thinking(speaker.asks(&model, "think, then call"));
                let mut body = streaming(speaker.with_tools(body), true);
                let heard = speaker.hears(&app, &body).await;
                speaker.answers_calls(&mut body, &heard);
                body["model"] = json!(format!("{to}/sim-think-tools"));
                let told = speaker.hears(&app, &body).await;
                let way = format!("{speaker:?} from {from} to {to}: {told:?}");
                assert!(told.text.contains("result of get_weather"), "{way}");
            }
        }
    }
}

#[actix_rt::test]
async fn a_refused_signature_is_left_out_at_the_second_try() {
    let simulator = Simulator::start();
    let anthropic = |name: &str, token: &str| {
        Provider::at(&simulator.base_url())
            .models(&MODELS)
            .kind("anthropic")
            .name(name)
            .tokens(&[token])
    };
    let app = App::builder()
        .provider(anthropic("one", "sk-upstream-of-one"))
        .provider(anthropic("two", "sk-upstream-of-two"))
        .start()
        .await;
    for speaker in [Speaker::Messages, Speaker::Responses] {
        let body = speaker.with_thinking(speaker.asks("one/sim-think-tools", "think, then call"));
        let mut body = speaker.with_tools(body);
        let heard = speaker.hears(&app, &body).await;
        speaker.answers_calls(&mut body, &heard);
        body["model"] = json!("two/sim-think-tools");
        let answer = app.post(speaker.path(), &body).await;
        assert_eq!(answer.header("x-troupe-attempts"), "2", "{speaker:?}");
        let told = speaker.whole(&answer.json().await);
        assert!(told.text.contains("result of get_time"), "{told:?}");
    }
}
